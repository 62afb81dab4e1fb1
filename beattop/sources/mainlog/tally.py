"""Counting a block of log without building an event for each line.

One regular expression finds the lines that count. They are counted by hour and wording, so that
names, statuses and hours are worked out once for each distinct one. A run of exits is followed line
by line only where one may end within the block: at a stop, a new start of supervisord, a silence of
minutes after an exit, or of an hour in a life.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from operator import itemgetter

from beattop.model.logevents import LogEvent
from beattop.model.streak import LONG_WAIT_S
from beattop.sources.mainlog.clock import SLACK_S, Clock
from beattop.sources.mainlog.found import Counts, Found, Grouped, by_hour, offset
from beattop.sources.mainlog.lines import MAX_LINE, parse_message
from beattop.sources.mainlog.onename import Lines
from beattop.sources.mainlog.segment import Segment

_LINES = re.compile(
    # Dots are quicker than digits; Clock.minute is strict about what they stood for.
    rb"\n(....-..-.. ..:..):([0-5]\d,\d{3}) [A-Z]{4} "
    rb"(s(?:pawned: .* with pid |topped: .*|upervisord started with pid )|exited: .*"
    rb"|gave up: .*|could not write pidfile .*)(\d*)(?=\r?\n)"
)
_MOST_WORDINGS = 8192
_MINUTE_S = 60.0
_BITE = 1 << 17
"""Bytes: a fraction of a millisecond."""
_minute = itemgetter(0)


def _found(data: bytes) -> Iterator[Found]:
    """The lines that count, looked for in bites: other threads wait while a bite is searched."""
    end = data.find(b"\n") + 1
    yield from _LINES.findall(b"\n" + data[:end])
    while end < len(data):
        begin, end = end - 1, data.find(b"\n", end + _BITE) + 1 or len(data)
        yield from _LINES.findall(data, begin, end)


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
        found = list(_found(data))
        epochs, found = self._times(found, limit)
        grouped = self._by_name(found, epochs)
        counts = Counts(grouped.meanings)
        # Where the clock was set back nothing can be said of silences.
        minutes = list(map(_minute, found))
        orderly = minutes == sorted(minutes)
        for hour, lines in by_hour(found, minutes, epochs, orderly):
            counts.add(hour, lines)
        pasts = {}
        for name, lines in grouped.names.items():
            calm = orderly and name not in grouped.uneasy
            block = Lines(lines, epochs, grouped.meanings)
            pasts[name] = block.past(counts, calm, name not in enough)
        restart = grouped.restart and Lines([], epochs, grouped.meanings).event(grouped.restart)
        return Segment(
            supervisor=self._supervisor,
            pasts=pasts,
            restart=restart,
            oldest_at=epochs[found[0][0]] + offset(found[0]) if found else None,
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
                if minute in doubled and doubled[minute] + offset(line) <= limit + SLACK_S:
                    epochs[minute + b"'"] = doubled[minute]
                    minute += b"'"
                limit = min(limit, epochs[minute] + offset(line))
                out.append((minute, *line[1:]))
            found = out[::-1]
        return epochs, found

    def _by_name(self, found: list[Found], epochs: dict[bytes, float]) -> Grouped:
        grouped = Grouped()
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

    def _place(self, line: Found, grouped: Grouped, by_wording: dict[bytes, list[Found]]) -> bool:
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
