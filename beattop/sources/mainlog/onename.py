"""What one name's lines of a stretch of log say of it."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice, repeat
from operator import itemgetter, le, sub

from beattop.model.logevents import LogEvent, LogKind, Past
from beattop.model.pasts import HOUR_S, Hours, exit_key, hour_of, ranked
from beattop.model.streak import CONTEXT, LONG_LIFE_S, LONG_WAIT_S, RUN_KINDS, Run
from beattop.sources.mainlog.lines import stamped

Marks = tuple[tuple[LogKind, float], ...]
"""As Past.head."""
_LIVES = ("spawned", "exited")


class Wording:
    """Lines that differ in time and pid alone: what they say, and their numbers in order."""

    __slots__ = ("event", "numbers")

    def __init__(self, event: LogEvent) -> None:
        self.event = event
        self.numbers = array("i")


class Stamps:
    """Times and pids of a stretch's lines, oldest first.

    A line's number is its index: from 0 on, or down from -1 where the log is read from its end.
    """

    __slots__ = ("_first", "orderly", "pids", "times")

    def __init__(self, first: int, times: Sequence[float], pids: Sequence[bytes]) -> None:
        """`first`: the number of the oldest."""
        self.times = times
        self.pids = pids
        self._first = first
        self.orderly = all(map(le, times, islice(times, 1, None)))
        """False where the clock was set back: then nothing can be said of silences."""

    def hours(self, numbers: array[int]) -> Counter[float]:
        """How many of the lines fall into each hour."""
        out: Counter[float] = Counter()
        at = 0
        while at < len(numbers):
            hour = hour_of(self.times[numbers[at]])
            end = at + 1
            if self.orderly:
                after = bisect_left(self.times, hour + HOUR_S) + self._first
                end = bisect_left(numbers, after, end)
            out[hour] += end - at
            at = end
        return out

    def full(self, number: int, event: LogEvent) -> LogEvent:
        """A line with its time and pid."""
        pid = self.pids[number] if event.pid is not None else b""
        return stamped(event, self.times[number], int(pid) if pid else None)


class Lines:
    """One name's lines of a stretch, and supervisord's new starts."""

    __slots__ = ("_all", "_own", "_stamps")

    def __init__(self, own: list[Wording], restarts: list[Wording], stamps: Stamps) -> None:
        self._own = own
        self._all = own + restarts
        self._stamps = stamps

    def past(self, most: int) -> Past:
        """All that they say, and `most` recent events."""
        calm = self._calm()
        head = self._marks(slice(CONTEXT)) if calm else self._marks(slice(None))
        run = Run().follow(head[:CONTEXT] if calm else head)
        hours, statuses = self._counts()
        exits = sum(row[2] for row in hours)
        first = min(self._own, key=lambda wording: wording.numbers[0])
        return Past(
            supervisor=first.event.supervisor,
            name=first.event.name,
            spawns=sum(row[1] for row in hours),
            exits=exits,
            first_at=self._stamps.times[first.numbers[0]],
            complete=True,
            loop_since_at=run.since_at,
            loop_exits=exits if calm else run.count,
            exit_counts=ranked(statuses),
            by_hour=hours,
            recent=self._recent(most) if most else (),
            head=head[:CONTEXT],
            tail=(self._marks(slice(-CONTEXT, None)) if calm else head)[-CONTEXT:],
            settled=run.settled,
        )

    def _calm(self) -> bool:
        """Whether no run can end among them: spawns and exits only, and no silence too long."""
        if not self._stamps.orderly or any(w.event.kind not in _LIVES for w in self._all):
            return False
        numbers = sorted(chain.from_iterable(wording.numbers for wording in self._own))
        times = list(map(self._stamps.times.__getitem__, numbers))
        if max(map(sub, times[1:], times), default=0.0) <= LONG_WAIT_S:
            return True
        events = (event for _, event in _sorted(self._own, slice(None)))
        return all(
            silence <= (LONG_LIFE_S if event.kind == "spawned" else LONG_WAIT_S)
            for silence, event in zip(map(sub, times[1:], times), events, strict=False)
        )

    def _counts(self) -> tuple[Hours, dict[str, int]]:
        """Spawns and exits as in Past.by_hour, and exits by status."""
        rows: dict[float, list[int]] = {}
        statuses: dict[str, int] = {}
        for wording in self._own:
            kind = wording.event.kind
            if kind in _LIVES:
                for hour, number in self._stamps.hours(wording.numbers).items():
                    rows.setdefault(hour, [0, 0])[kind == "exited"] += number
            if kind == "exited":
                key = exit_key(wording.event)
                statuses[key] = statuses.get(key, 0) + len(wording.numbers)
        return tuple([(hour, row[0], row[1]) for hour, row in sorted(rows.items())]), statuses

    def _recent(self, most: int) -> tuple[LogEvent, ...]:
        lines = _sorted(self._own, slice(-most, None))[-most:]
        return tuple([self._stamps.full(*line) for line in lines])

    def _marks(self, part: slice) -> Marks:
        times = self._stamps.times
        lines = _sorted(self._all, part)
        return tuple([(e.kind, times[number]) for number, e in lines if e.kind in RUN_KINDS])


def _sorted(wordings: list[Wording], part: slice) -> list[tuple[int, LogEvent]]:
    """Lines in order, of each wording those in `part`."""
    lines = (zip(each.numbers[part], repeat(each.event)) for each in wordings)
    return sorted(chain.from_iterable(lines), key=itemgetter(0))
