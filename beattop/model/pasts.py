"""Pasts put together: what an older and a newer part of a log say as one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from beattop.model.life import MOST
from beattop.model.logevents import LogEvent, LogKind, Past
from beattop.model.streak import CONTEXT, LONG_WAIT_S, Run, Streak

HOUR_S = 3600
Hour = tuple[float, int, int]
Hours = tuple[Hour, ...]
"""As Past.by_hour."""
_MOST_PARTS = 8


def exit_key(event: LogEvent) -> str:
    """How Past.exit_counts names an exit: "73", "SIGKILL", or "unknown"."""
    if event.signal is not None:
        return event.signal
    return "unknown" if event.status is None else str(event.status)


def hour_of(at: float) -> float:
    """Start of the hour of `at`, in Unix time."""
    return float(at // HOUR_S * HOUR_S)


def ranked(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Most frequent first, equal ones by name."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def merge(older: Past, newer: Past) -> Past:
    """What one fold over both would say; `newer` begins where `older` ends.

    Complete is what `older` is: it is the one that may have unread logs before it.
    """
    ledger = Ledger(newer)
    ledger.before(older)
    return ledger.past()


class Ledger:
    """One name's past that grows at its begin, without a copy at each step."""

    __slots__ = (
        "_complete", "_counts", "_gap", "_hours", "_spawns", "_supervisor", "exits",
        "first_at", "head", "loop_exits", "loop_since_at", "name", "recent", "settled", "tail",
    )  # fmt: skip

    def __init__(self, newest: Past) -> None:
        self._supervisor, self.name = newest.supervisor, newest.name
        self._complete, self._gap = newest.complete, newest.gap
        self._spawns, self.exits = newest.spawns, newest.exits
        self._hours = [newest.by_hour]
        self._counts = dict(newest.exit_counts)
        self.recent = newest.recent
        self.first_at = newest.first_at
        self.head, self.tail, self.settled = newest.head, newest.tail, newest.settled
        self.loop_exits, self.loop_since_at = newest.loop_exits, newest.loop_since_at

    def before(self, older: Past, most: int = MOST) -> None:
        """Take what comes before all of this; of the recent events `most` are kept."""
        run, self.settled = _joined(older, self)
        self.loop_exits, self.loop_since_at = run.count, run.since_at
        self._gap = self._gap or older.gap
        self._complete = older.complete
        self._spawns += older.spawns
        self.exits += older.exits
        self.first_at = older.first_at or self.first_at
        self._hours.append(older.by_hour)
        if len(self._hours) > _MOST_PARTS:
            self._hours = [sum_hours(*reversed(self._hours))]
        for key, number in older.exit_counts:
            self._counts[key] = self._counts.get(key, 0) + number
        if older.recent:
            self.recent = (older.recent + self.recent)[-most:]
        self.head = (older.head + self.head)[:CONTEXT]
        self.tail = (older.tail + self.tail)[-CONTEXT:]

    def past(self) -> Past:
        """All of it as a value."""
        return Past(
            supervisor=self._supervisor,
            name=self.name,
            spawns=self._spawns,
            exits=self.exits,
            first_at=self.first_at,
            complete=self._complete and not self._gap,
            loop_since_at=self.loop_since_at,
            loop_exits=self.loop_exits,
            exit_counts=ranked(self._counts),
            by_hour=sum_hours(*reversed(self._hours)),
            recent=self.recent,
            gap=self._gap,
            head=self.head,
            tail=self.tail,
            settled=self.settled,
        )


def resume(past: Past | Ledger) -> Run:
    """The fold as it stood at the end of `past`."""
    run = Run().follow(past.tail)
    # Three events settle the state; with fewer in the tail there were no more. The count alone
    # reaches further back.
    run.count, run.since_at = past.loop_exits, past.loop_since_at
    run.events, run.settled = len(past.head), past.settled
    return run


def _joined(older: Past | Ledger, newer: Past | Ledger) -> tuple[Streak, bool]:
    """The run at the end of `newer` in the light of `older`, and whether it is settled."""
    if newer.settled:
        return Streak(newer.loop_exits, newer.loop_since_at), True
    # Most of a long log: one run, of which all exits are part. The rest says the same, slower.
    if older.loop_exits and newer.loop_exits == newer.exits and _calm(older.tail + newer.head):
        return Streak(older.loop_exits + newer.exits, older.loop_since_at), older.settled
    alone = Run().follow(newer.head)
    whole = resume(older).follow(newer.head)
    later = newer.loop_exits - alone.count
    since = whole.since_at if whole.count else newer.loop_since_at
    return Streak(whole.count + later, since), whole.settled


def _calm(events: tuple[tuple[LogKind, float], ...]) -> bool:
    """Whether nothing in these could end a run, whatever was before them."""
    before = events[0][1]
    for kind, at in events:
        if kind not in ("exited", "spawned") or at - before > LONG_WAIT_S:
            return False
        before = at
    return True


def sum_hours(*parts: Hours) -> Hours:
    """All, oldest first, as one Past.by_hour."""
    total: list[Hour] = []
    for part in parts:
        if not total or not part or total[-1][0] < part[0][0]:
            total += part
        elif total[-1][0] == part[0][0]:
            hour, spawns, exits = total[-1]
            total[-1] = (hour, spawns + part[0][1], exits + part[0][2])
            total += part[1:]
        else:
            # Where a clock was set back, hours overlap by more than the one at the seam.
            at = bisect_left(total, (part[0][0],))
            total[at:] = _sum(total[at:], part)
    return tuple(total)


def _sum(older: Iterable[Hour], newer: Iterable[Hour]) -> list[Hour]:
    total = {hour: (spawns, exits) for hour, spawns, exits in older}
    for hour, spawns, exits in newer:
        had = total.get(hour, (0, 0))
        total[hour] = (had[0] + spawns, had[1] + exits)
    return [(hour, *total[hour]) for hour in sorted(total)]
