"""Counting a log without building an event for each line.

One regular expression finds the lines that count. What they say is worked out once for each
wording, and of a line no more is kept than its time, until a stretch has come together; then each
name is gone through once. A run of exits is followed line by line only where one may end within
the stretch: at a stop, a new start of supervisord, a silence of minutes after an exit, or of an
hour in a life.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Container, Sequence
from itertools import count, repeat
from operator import add, itemgetter, truediv

from beattop.model.logevents import LogEvent
from beattop.sources.mainlog.clock import SLACK_S, Clock
from beattop.sources.mainlog.lines import MAX_LINE, parse_message
from beattop.sources.mainlog.onename import Lines, Stamps, Wording
from beattop.sources.mainlog.segment import Pile, Segment, join, most_recent

_LINES = re.compile(
    # Dots are quicker than digits; Clock.minute is strict about what they stood for.
    rb"\n(....-..-.. ..:..):([0-5]\d,\d{3}) [A-Z]{4} "
    rb"(s(?:pawned: .* with pid (?=\d)|topped: .*|upervisord started with pid (?=\d))|exited: .*"
    rb"|gave up: .*|could not write pidfile .*)(\d{0,10})(?=\r?\n)"
)
_MOST_LINES = 1 << 16
"""In a stretch; some fifty bytes each."""
_MOST_WORDINGS = 8192
_NOTHING = LogEvent(0.0, "", "gap", "")
"""Of lines that only look as if they counted."""
_minute = itemgetter(0)

_Found = tuple[bytes, bytes, bytes, bytes]
"""A line that counts: its minute, its second, its wording up to the pid, the pid."""


class Wordings(dict[bytes, Wording]):
    """What each wording says, worked out when it is met first; for all tallies of a log."""

    def __init__(self, supervisor: str) -> None:
        super().__init__()
        self.supervisor = supervisor

    def __missing__(self, words: bytes) -> Wording:
        message = words + b"0" if words.endswith(b" with pid ") else words.rstrip(b"\r")
        event = parse_message(message, self.supervisor) if len(message) <= MAX_LINE else None
        found = self[words] = Wording(event or _NOTHING)
        return found


class Tally:
    """Counts one supervisord's log, block by block."""

    __slots__ = (
        "_backwards", "_clock", "_enough", "_limit", "_pids", "_pile", "_supervisor", "_times",
        "_wordings",
    )  # fmt: skip

    def __init__(
        self,
        wordings: Wordings,
        clock: Clock,
        limit: float,
        enough: Container[str] = (),
        backwards: bool = True,
    ) -> None:
        """Nothing was written later than `limit` (Unix seconds); of names in `enough` no recent
        events are wanted. `backwards`: the blocks come newest first, else oldest first.
        """
        self._wordings = wordings
        self._clock = clock
        self._limit = limit
        self._enough = enough
        self._backwards = backwards
        self._pile = Pile(Segment(wordings.supervisor))
        # Of the stretch, in the order of reading.
        self._times = array("d")
        self._pids: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Read the next block, whole lines."""
        found = _LINES.findall(b"\n" + data)
        unknown = {m for m in set(map(_minute, found)) if self._clock.minute(m) is None}
        if unknown:
            found = [line for line in found if line[0] not in unknown]
        if not found:
            return
        numbers = count(len(self._times))
        if self._backwards:
            numbers = count(~len(self._times), -1)
            found.reverse()
        minutes, seconds, wordings, pids = zip(*found, strict=True)
        self._times.extend(self._timed(minutes, seconds))
        self._pids += pids
        known = self._wordings
        for words, number in zip(wordings, numbers, strict=False):
            known[words].numbers.append(number)
        if len(self._times) > _MOST_LINES or len(known) > _MOST_WORDINGS:
            self._fold()

    def segment(self) -> Segment:
        """All that was read so far."""
        self._fold()
        return self._pile.segment()

    def _timed(self, minutes: Sequence[bytes], seconds: Sequence[bytes]) -> list[float]:
        """The lines' times, in the order of reading.

        In the hour that comes twice the latest is taken that is not after what follows.
        """
        pairs = {minute: self._clock.minute(minute) or (0.0, 0.0) for minute in set(minutes)}
        first = {minute: pair[0] for minute, pair in pairs.items()}
        second = {minute: pair[1] for minute, pair in pairs.items()}
        milliseconds = map(int, b" ".join(seconds).replace(b",", b"").split())
        parts = list(map(truediv, milliseconds, repeat(1000)))
        times = list(map(add, map(first.__getitem__, minutes), parts))
        if first != second:
            limit = self._limit
            newest_first = range(len(times))
            for i in newest_first if self._backwards else reversed(newest_first):
                later = second[minutes[i]] + parts[i]
                if later <= limit + SLACK_S:
                    times[i] = later
                limit = min(limit, times[i])
        if self._backwards:
            self._limit = min(self._limit, times[-1])
        return times

    def _fold(self) -> None:
        """Go through the stretch name by name, and begin the next."""
        if not self._times:
            return
        said = [each for each in self._wordings.values() if each.numbers]
        first = 0
        if self._backwards:
            first = -len(self._times)
            self._times.reverse()
            self._pids.reverse()
            for each in said:
                each.numbers.reverse()
        stamps = Stamps(first, self._times, self._pids)
        names: dict[str, list[Wording]] = {}
        restarts = []
        for each in said:
            if each.event.kind == "server-started":
                restarts.append(each)
            elif each.event is not _NOTHING:
                names.setdefault(each.event.name, []).append(each)
        most = most_recent(len(names))
        pasts = {
            name: Lines(own, restarts, stamps).past(most if self._wanted(name) else 0)
            for name, own in names.items()
        }
        newest = max([(each.numbers[-1], each.event) for each in restarts], default=None)
        restart = stamps.full(*newest) if newest else None
        stretch = Segment(self._wordings.supervisor, pasts, restart, self._times[0])
        if self._backwards:
            self._pile.under(stretch)
        else:
            self._pile = Pile(join(self._pile.segment(), stretch))
        if len(self._wordings) > _MOST_WORDINGS:
            self._wordings.clear()
        for each in said:
            each.numbers = array("i")
        self._times, self._pids = array("d"), []

    def _wanted(self, name: str) -> bool:
        """Whether recent events are; read forwards, the last ones count."""
        return name not in self._enough and not (self._backwards and name in self._pile.known)
