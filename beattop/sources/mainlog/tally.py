"""Counting a block of log without building an event for each line.

One regular expression finds the lines that count. They are counted by hour and wording, so that
names, statuses and hours are worked out once for each distinct one. A run of exits is followed line
by line only where one may end within the block: at a stop, a new start of supervisord, a silence of
minutes after an exit, or of an hour in a life.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from itertools import islice
from operator import itemgetter

from beattop.model.life import MOST
from beattop.model.lives import KEPT, SERVER_KINDS
from beattop.model.logevents import LogEvent, LogKind, Past
from beattop.model.pasts import HOUR_S, exit_key, hour_of, ranked
from beattop.model.streak import CONTEXT, LONG_LIFE_S, LONG_WAIT_S, RUN_KINDS, Run
from beattop.sources.mainlog.clock import SLACK_S, Clock
from beattop.sources.mainlog.lines import MAX_LINE, parse_message, stamped
from beattop.sources.mainlog.segment import Segment

Found = tuple[bytes, bytes, bytes, bytes]
"""A line that counts: its minute, its second, its wording up to the pid, the pid."""

_LINES = re.compile(
    # Dots are quicker than digits; Clock.minute is strict about what they stood for.
    rb"\n(....-..-.. ..:..):([0-5]\d,\d{3}) [A-Z]{4} "
    rb"(s(?:pawned: .* with pid |topped: .*|upervisord started with pid )|exited: .*"
    rb"|gave up: .*|could not write pidfile .*)(\d*)(?=\r?\n)"
)
_MOST_WORDINGS = 8192
_MINUTE_S = 60.0
_minute, _wording = itemgetter(0), itemgetter(2)


class Tally:
    """Counts blocks of one supervisord's log."""

    __slots__ = ("_clock", "_known", "_supervisor")

    def __init__(self, supervisor: str, clock: Clock) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._known: dict[bytes, LogEvent | None] = {}

    def block(self, data: bytes, limit: float, enough: Container[str] = ()) -> Segment:
        """What `data`, whole lines, says; written no later than `limit` (Unix seconds).

        Of names in `enough` no recent events are wanted any more.
        """
        found = _LINES.findall(b"\n" + data)
        epochs, found = self._times(found, limit)
        grouped = self._by_name(found, epochs)
        counts = _Counts(grouped.meanings)
        # Where the clock was set back nothing can be said of silences.
        minutes = list(map(_minute, found))
        orderly = minutes == sorted(minutes)
        for hour, lines in _hours(found, minutes, epochs, orderly):
            counts.add(hour, lines)
        pasts = {}
        for name, lines in grouped.names.items():
            block = _Lines(lines, epochs, grouped.meanings)
            calm = orderly and name not in grouped.uneasy
            run = block.calm_run(counts.exits(name)) if calm else block.run()
            pasts[name] = block.past(counts, run, name not in enough)
        restart = grouped.restart and _Lines([], epochs, grouped.meanings).event(grouped.restart)
        return Segment(
            supervisor=self._supervisor,
            pasts=pasts,
            restart=restart,
            oldest_at=epochs[found[0][0]] + _offset(found[0]) if found else None,
        )

    def _times(self, found: list[Found], limit: float) -> tuple[dict[bytes, float], list[Found]]:
        """Unix time of each minute, and the lines that have one.

        In the hour that comes twice a minute's second occurrence is named with a dash after it.
        """
        epochs: dict[bytes, float] = {}
        doubled: dict[bytes, float] = {}
        minutes = set(map(_minute, found))
        for minute in minutes:
            pair = self._clock.minute(minute)
            if pair is not None:
                epochs[minute] = pair[0]
                if pair[1] != pair[0]:
                    doubled[minute] = pair[1]
        if len(epochs) < len(minutes):
            found = [line for line in found if line[0] in epochs]
        if doubled:
            out: list[Found] = []
            for line in reversed(found):
                minute = line[0]
                if doubled.get(minute, limit) + _offset(line) <= limit + SLACK_S:
                    minute += b"'"
                    epochs[minute] = doubled[line[0]]
                limit = min(limit, epochs[minute] + _offset(line))
                out.append((minute, *line[1:]))
            found = out[::-1]
        return epochs, found

    def _by_name(self, found: list[Found], epochs: dict[bytes, float]) -> _Grouped:
        grouped = _Grouped()
        by_wording: dict[bytes, list[Found]] = {}
        for line in found:
            try:
                lines = by_wording[line[2]]
            except KeyError:
                if not self._place(line, grouped, by_wording):
                    continue
                lines = by_wording[line[2]]
            # Here, and not in a pass of its own: the lines are at hand in the cache.
            if lines and lines[-1][0] != line[0]:
                silence = epochs[line[0]] - epochs[lines[-1][0]] + _MINUTE_S
                if silence > LONG_WAIT_S:
                    grouped.silence(lines[-1], line, silence)
            lines.append(line)
        return grouped

    def _place(self, line: Found, grouped: _Grouped, by_wording: dict[bytes, list[Found]]) -> bool:
        """Find out whose line this is; False where it is of no name."""
        event = self._meaning(line[2])
        if event is None:
            return False
        grouped.meanings[line[2]] = event
        if event.kind == "server-started":
            grouped.restarts(line)
            return False
        if event.kind not in ("spawned", "exited"):
            grouped.uneasy.add(event.name)
        by_wording[line[2]] = grouped.lines(event.name)
        return True

    def _meaning(self, wording: bytes) -> LogEvent | None:
        try:
            return self._known[wording]
        except KeyError:
            if len(self._known) >= _MOST_WORDINGS:
                self._known.clear()
            message = wording + b"0" if wording.endswith(b" with pid ") else wording.rstrip(b"\r")
            event = parse_message(message, self._supervisor) if len(message) <= MAX_LINE else None
            self._known[wording] = event
            return event


class _Grouped:
    """A block's lines by name."""

    __slots__ = ("_restarts", "meanings", "names", "uneasy")

    def __init__(self) -> None:
        self.names: dict[str, list[Found]] = {}
        """In order; supervisord's new starts among them."""
        self.meanings: dict[bytes, LogEvent] = {}
        """What each wording says."""
        self.uneasy: set[str] = set()
        """Names of which a run may end within the block."""
        self._restarts: list[Found] = []

    @property
    def restart(self) -> Found | None:
        """The last new start of supervisord."""
        return self._restarts[-1] if self._restarts else None

    def lines(self, name: str) -> list[Found]:
        """The list of one name; its earlier lives, if any, lie before the restarts so far."""
        if name not in self.names:
            self.names[name] = self._restarts.copy()
            if self._restarts:
                self.uneasy.add(name)
        return self.names[name]

    def restarts(self, line: Found) -> None:
        """Supervisord started anew."""
        self._restarts.append(line)
        self.uneasy.update(self.names)
        for lines in self.names.values():
            lines.append(line)

    def silence(self, before: Found, after: Found, seconds: float) -> None:
        """Nothing of a name for up to `seconds`: fine within a life, if not for too long."""
        if seconds > LONG_LIFE_S or self.meanings[before[2]].kind != "spawned":
            self.uneasy.add(self.meanings[after[2]].name)


def _hours(
    found: list[Found], minutes: list[bytes], epochs: dict[bytes, float], orderly: bool
) -> Iterator[tuple[float, list[Found]]]:
    """(start of the hour, its lines)."""
    if not orderly:
        for line in found:
            yield hour_of(epochs[line[0]]), [line]
        return
    begun, hour = 0, 0.0
    for minute in dict.fromkeys(minutes):
        if epochs[minute] - hour >= HOUR_S:
            at = bisect_left(minutes, minute)
            if at:
                yield hour, found[begun:at]
            begun, hour = at, hour_of(epochs[minute])
    if found:
        yield hour, found[begun:]


class _Counts:
    """Spawns and exits of a block, by name."""

    __slots__ = ("_hours", "_meanings", "_statuses")

    def __init__(self, meanings: dict[bytes, LogEvent]) -> None:
        self._meanings = meanings
        self._hours: dict[str, dict[float, list[int]]] = {}
        self._statuses: dict[str, dict[str, int]] = {}

    def add(self, hour: float, lines: list[Found]) -> None:
        """Count lines of one hour."""
        for wording, number in Counter(map(_wording, lines)).items():
            event = self._meanings.get(wording)
            if event is None or event.kind not in ("spawned", "exited"):
                continue
            row = self._hours.setdefault(event.name, {}).setdefault(hour, [0, 0])
            if event.kind == "spawned":
                row[0] += number
            else:
                row[1] += number
                statuses = self._statuses.setdefault(event.name, {})
                key = exit_key(event)
                statuses[key] = statuses.get(key, 0) + number

    def hours(self, name: str) -> tuple[tuple[float, int, int], ...]:
        """As Past.by_hour."""
        rows = self._hours.get(name, {})
        return tuple((hour, rows[hour][0], rows[hour][1]) for hour in sorted(rows))

    def statuses(self, name: str) -> tuple[tuple[str, int], ...]:
        """As Past.exit_counts."""
        return ranked(self._statuses.get(name, {}))

    def exits(self, name: str) -> int:
        """How many."""
        return sum(self._statuses.get(name, {}).values())


class _Lines:
    """One name's lines of a block."""

    __slots__ = ("_epochs", "_lines", "_meanings")

    def __init__(
        self, lines: list[Found], epochs: dict[bytes, float], meanings: dict[bytes, LogEvent]
    ) -> None:
        self._lines = lines
        self._epochs = epochs
        self._meanings = meanings

    def past(self, counts: _Counts, run: Run, full: bool) -> Past:
        """All that the block says of the name; recent events only if `full`."""
        first = next(line for line in self._lines if self._kind(line) not in SERVER_KINDS)
        meaning = self._meanings[first[2]]
        hours = counts.hours(meaning.name)
        return Past(
            supervisor=meaning.supervisor,
            name=meaning.name,
            spawns=sum(row[1] for row in hours),
            exits=sum(row[2] for row in hours),
            first_at=self._at(first),
            complete=True,
            loop_since_at=run.since_at,
            loop_exits=run.count,
            exit_counts=counts.statuses(meaning.name),
            by_hour=hours,
            recent=self._recent() if full else (),
            head=self._marks(self._lines),
            tail=self._marks(reversed(self._lines))[::-1],
            settled=run.settled,
        )

    def run(self) -> Run:
        """The run at the end, line by line."""
        run = Run()
        for line in self._lines:
            kind = self._kind(line)
            if kind in RUN_KINDS:
                run.add(kind, self._at(line))
        return run

    def calm_run(self, exits: int) -> Run:
        """The same where none can end within the block: its begin, and all the exits."""
        run = Run()
        for line in self._lines:
            run.add(self._kind(line), self._at(line))
            if run.count:
                break
        run.count = exits
        return run

    def event(self, line: Found) -> LogEvent:
        """The line in full."""
        meaning = self._meanings[line[2]]
        pid = int(line[3]) if meaning.pid is not None and line[3] else None
        return stamped(meaning, self._at(line), pid)

    def _recent(self) -> tuple[LogEvent, ...]:
        kept = (line for line in reversed(self._lines) if self._kind(line) in KEPT)
        return tuple(self.event(line) for line in islice(kept, MOST))[::-1]

    def _marks(self, lines: Iterable[Found]) -> tuple[tuple[LogKind, float], ...]:
        marks: list[tuple[LogKind, float]] = []
        for line in lines:
            kind = self._kind(line)
            if kind in RUN_KINDS:
                marks.append((kind, self._at(line)))
                if len(marks) == CONTEXT:
                    break
        return tuple(marks)

    def _kind(self, line: Found) -> LogKind:
        return self._meanings[line[2]].kind

    def _at(self, line: Found) -> float:
        return self._epochs[line[0]] + _offset(line)


def _offset(line: Found) -> float:
    return int(line[1][:2]) + int(line[1][3:]) / 1000
