"""Following a main log: what it said before, and each line as it is written."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

from beattop.model.logevents import LogEvent, Past
from beattop.model.source import SourceStatus, Status
from beattop.sources.mainlog.blocks import backwards
from beattop.sources.mainlog.cache import Cache
from beattop.sources.mainlog.clock import SLACK_S, Clock, zone_of
from beattop.sources.mainlog.history import History
from beattop.sources.mainlog.lines import parse_lines
from beattop.sources.mainlog.parts import Boundary
from beattop.sources.mainlog.place import NoLogError, locate, open_regular, rotated
from beattop.sources.mainlog.rotation import LOST, Chain
from beattop.sources.mainlog.segment import Segment
from beattop.sources.mainlog.tail import Tail, line_end
from beattop.sources.mainlog.tally import Tally, Wordings
from beattop.sources.mainlog.words import trouble

FIRST_BYTES = 2 << 20
"""Read at once, for the first frame; what is older is History's."""
_MOST_A_POLL = 4 << 20
_LOCATE_EVERY = 40
"""Polls after which links in the path are followed anew: a deploy may have moved one."""


class MainLog:
    """One supervisord's log. Opens it and reads its end at once; for one thread."""

    def __init__(self, supervisor: str, path: str | None, root: str = "") -> None:
        """`path` as supervisord's own mount namespace names it, `root` how that is reached."""
        self.supervisor = supervisor
        self._named = path
        self._root = root
        self._clock = Clock(zone_of(root))
        self._chain: Chain | None = None
        self._polls = 0
        self._lost_at: float | None = None
        self._read_at: float | None = None
        self._trouble: tuple[Status, str] | None = None
        self._segment = Segment(supervisor, complete=False)
        self._pasts: tuple[Past, ...] = ()
        self._boundary: Boundary | None = None
        self._begin()

    @property
    def complete(self) -> bool:
        """Whether `pasts` leave nothing older unread and no line was lost since."""
        return self._segment.complete and self._lost_at is None

    def pasts(self) -> tuple[Past, ...]:
        """What the end of the log said when it was opened; the same object until it is reopened."""
        return self._pasts

    def poll(self) -> list[LogEvent]:
        """What was written since the last time, oldest first; costs one stat if nothing was.

        Where lines were lost a `gap` event stands in their place.
        """
        chain = self._chain
        if chain is None:
            self._begin()
            return []
        self._polls += 1
        try:
            if self._polls % _LOCATE_EVERY == 0:
                chain.path = locate(self._named, self._root)
            if not chain.look(os.stat(chain.path)):
                self._read_at, self._trouble = time.time(), None
                return []
            lines = chain.read(_MOST_A_POLL)
            self._read_at, self._trouble = time.time(), None
        except (OSError, NoLogError) as error:
            self._trouble = trouble(chain.path, error, held=True)
            lines = self._rest(chain)
        if chain.copy is not None and self._boundary is not None:
            self._boundary = self._boundary.moved(*chain.copy)
        return self._events(lines)

    def status(self) -> SourceStatus:
        """How the log can be read, and what would mend it."""
        status, detail = self._trouble or ("ok", "")
        if status == "ok" and self._lost_at is not None:
            lost = time.strftime("%H:%M:%S", time.localtime(self._lost_at))
            status, detail = "degraded", f"the log was cut: lines before {lost} may be lost"
        elif status == "ok" and self._clock.shift_s:
            hours = -self._clock.shift_s / 3600
            detail = f"its times are {hours:+g} h against ours, and put right here"
        return SourceStatus(
            "mainlog", self._named or self.supervisor, status, detail, self._read_at
        )

    def history(self, cache: Cache | None = None) -> History:
        """A reader of everything older than `pasts`."""
        path = self._chain.path if self._chain else ""
        return History(path, self._boundary, self._segment, self._clock, cache)

    def close(self) -> None:
        """Give the descriptors back."""
        if self._chain is not None:
            self._chain.close()
            self._chain = None

    def _begin(self) -> None:
        path = (self._root + self._named) if self._named else self.supervisor
        try:
            path = locate(self._named, self._root)
            fd = open_regular(path)
        except (OSError, NoLogError) as error:
            self._trouble = trouble(path, error, held=False)
            return
        tail = Tail(fd)
        try:
            self._read_end(path, fd, tail)
        except (OSError, EOFError) as error:
            tail.close()
            self._trouble = trouble(path, error, held=False)
            return
        self._read_at, self._trouble = time.time(), None
        self._chain = Chain(path, tail, tail.written_at)

    def _read_end(self, path: str, fd: int, tail: Tail) -> None:
        size = os.fstat(fd).st_size
        end = line_end(fd, size)
        if end and end == size:
            last = os.pread(fd, 1 << 13, max(0, end - (1 << 13))).splitlines()[-1]
            self._clock.calibrate(last[:23], tail.written_at)
        tally = Tally(Wordings(self.supervisor), self._clock, tail.written_at + SLACK_S)
        start = end
        for start, data in backwards(fd, end):
            tally.add(data)
            if end - start >= FIRST_BYTES:
                break
        else:
            start = 0
        segment = tally.segment()
        older, unread = rotated(path)
        self._segment = replace(segment, complete=start == 0 and not older and not unread)
        self._pasts = self._segment.finished()
        self._boundary = Boundary(tail.id, start, tail.written_at)
        tail.skip(size)

    def _rest(self, chain: Chain) -> list[bytes | None]:
        """What the files that are held open still give, where the path itself is in trouble."""
        try:
            return chain.read(_MOST_A_POLL)
        except OSError:
            return []  # the trouble is told already

    def _events(self, lines: Sequence[bytes | None]) -> list[LogEvent]:
        now = time.time()
        events: list[LogEvent] = []
        piece: list[bytes] = []
        for line in (*lines, LOST):
            if line is not LOST:
                piece.append(line)
                continue
            events += parse_lines(piece, self.supervisor, self._clock, now + SLACK_S)
            events.append(LogEvent(now, self.supervisor, "gap", "", text="lines were lost"))
            piece = []
        events.pop()  # the last one only ended the loop
        if any(line is LOST for line in lines):
            self._lost_at = now
        return events
