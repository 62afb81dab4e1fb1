"""A main log that can be read only through supervisord itself.

supervisor.readLog(offset, length) counts bytes; (-n, 0) gives the last n. An offset that lay in a
file since rotated away silently gives nothing, so no offset is kept: each time the end is asked
for, and what follows the last line that is known is new.
"""

from __future__ import annotations

import http.client
import time
import xmlrpc.client
from collections.abc import Callable, Sequence
from dataclasses import replace

from beattop.model.logevents import LogEvent, Past
from beattop.model.source import SourceStatus, Status
from beattop.model.supervisor import ProgramState
from beattop.sources.mainlog.clock import SLACK_S, Clock, zone_of
from beattop.sources.mainlog.lines import parse, parse_lines
from beattop.sources.mainlog.tally import Tally, Wordings
from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.transport import CALL_ERRORS

_FIRST = 64 << 10
_USUAL = 8 << 10
_MOST = 1 << 20
_LONGEST_S = 600.0
"""Between two looks; zones are told apart by quarters of an hour."""
_KNOWN = 3
"""So many last lines together are taken to stand in the log only once."""


class RpcLog:
    """Like MainLog, but each poll asks supervisord, which wakes it and speeds up what loops there.

    `read(offset, length)` calls readLog and gives text; it may raise what xmlrpc.client raises. The
    log's older part stays unread: `complete` is always False.
    """

    complete = False

    def __init__(
        self,
        supervisor: str,
        read: Callable[[int, int], str],
        why: str = "",
        root: str = "",
        programs: Callable[[], Sequence[ProgramState]] = tuple,
    ) -> None:
        """Asks nothing yet. `why`: words for why the file itself is not read; `programs` asks for
        their states, once, to tell the writer's zone by when they started."""
        self.supervisor = supervisor
        self._read = read
        self._why = why
        self._programs = programs
        self._clock = Clock(zone_of(root))
        self._pasts: tuple[Past, ...] | None = None
        self._known: list[str] = []
        self._status: tuple[Status, str] = ("degraded", "not asked yet")
        self._read_at: float | None = None
        self._lost = False

    def pasts(self) -> tuple[Past, ...]:
        """What the end of the log said at the first good poll."""
        return self._pasts or ()

    def poll(self) -> list[LogEvent]:
        """What was written since the last time; the first time it is `pasts` that is filled."""
        try:
            lines, lost = self._new_lines()
        except CALL_ERRORS as error:
            status, words = explain(error, self.supervisor)
            self._status = (status, f"{words}{self._because()}")
            return []
        before, now = self._read_at, time.time()
        self._read_at = now
        self._status = ("degraded", f"read through supervisord, now and then{self._because()}")
        raw = [line.encode() for line in lines]
        if self._pasts is None:
            self._anchor(raw)
            block = b"".join(line + b"\n" for line in raw)
            tally = Tally(Wordings(self.supervisor), self._clock, now + SLACK_S)
            tally.add(block)
            self._pasts = replace(tally.segment(), complete=False).finished()
            return []
        if before is not None and not lost:
            self._learn_zone(raw, before, now)
        events = parse_lines(raw, self.supervisor, self._clock, now + SLACK_S)
        if lost:
            self._lost = True
            at = events[0].at if events else now
            events.insert(0, LogEvent(at, self.supervisor, "gap", "", text="lines were lost"))
        return events

    def status(self) -> SourceStatus:
        """Never better than degraded."""
        status, detail = self._status
        if self._lost and status == "degraded":
            detail += "; more was written between two looks than could be read"
        return SourceStatus("mainlog", self.supervisor, status, detail, self._read_at)

    def close(self) -> None:
        """Nothing is held."""

    def _anchor(self, lines: list[bytes]) -> None:
        """The line of a process's spawn and when supervisord says it was tell the writer's zone."""
        try:
            started = {(each.name, each.pid): each.start_at for each in self._programs()}
        except CALL_ERRORS:
            return  # what comes between two looks will tell
        for line in reversed(lines):
            event = parse(line, self.supervisor, self._clock)
            if event is None or event.kind != "spawned" or event.pid is None:
                continue
            at = started.get((event.name, event.pid))
            if at is not None:
                self._clock.calibrate(line[:23], at)
                return

    def _learn_zone(self, new: list[bytes], before: float, now: float) -> None:
        """Lines that came between two looks tell how far the writer's zone, or host, is off."""
        half = (now - before) / 2
        last = next((s for raw in reversed(new) if self._clock.read(s := raw[:23])), None)
        if last is not None and 0 <= half < _LONGEST_S / 2:
            self._clock.calibrate(last, before + half, half + SLACK_S)

    def _because(self) -> str:
        return f" ({self._why})" if self._why else ""

    def _new_lines(self) -> tuple[list[str], bool]:
        """Whole lines after those that are known, and whether some between were lost."""
        length = _USUAL if self._known else _FIRST
        before = None
        while True:
            text = self._end(length)
            # The first line may be cut; then it is none that can be read.
            lines = [line for line in text.rpartition("\n")[0].split("\n") if line]
            last, at = self._known[-1:], _after(lines, self._known)
            if at is None and text != before and length < _MOST:
                before, length = text, min(length * 8, _MOST)
                continue
            self._known = lines[-_KNOWN:]
            if at is None:
                # Where none is known, those are new that are newer by their stamps.
                return [line for line in lines if line[:23] > last[0][:23]], True
            return lines[at:], False

    def _end(self, length: int) -> str:
        # Where the cut lies within a character supervisord fails to decode it (HTTP 500).
        for more in range(3):
            try:
                return self._read(-(length + more), 0)
            except xmlrpc.client.ProtocolError as error:
                if error.errcode != http.client.INTERNAL_SERVER_ERROR:
                    raise
        return self._read(-(length + 3), 0)


def _after(lines: list[str], known: list[str]) -> int | None:
    """Index behind the last place where `known` stand in a row; None where they do not.

    All are new where none was known.
    """
    if not known:
        return 0
    for at in range(len(lines), len(known) - 1, -1):
        if lines[at - len(known) : at] == known:
            return at
    return None
