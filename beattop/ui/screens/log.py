"""l: a program's log, followed, with its spawns and exits marked in the stream."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from beattop.model.frame import Event, Frame
from beattop.model.snapshot import Program, ProgramId
from beattop.model.supervisor import Supervisord
from beattop.ui import glyphs
from beattop.ui.line import Line, Span, line, paragraph, plain
from beattop.ui.logfile import LogFile
from beattop.ui.logline import chopped
from beattop.ui.messages import LinesRead
from beattop.ui.screens.page import PageScreen

_KEPT: Final = 5000
_LATE_S: Final = 0.5
"""A file's lines are seen so long after they were written, at most."""
_BAD: Final = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|Traceback|[A-Z]\w*Error|[A-Z]\w*Exception)\b")


class _Entry(NamedTuple):
    """One line of the log, or one thing that happened, and when it was seen."""

    spans: Line
    at: float


class LogPage(PageScreen):
    """stdout or stderr (`o` switches); search, filter; End follows.

    Through the file; where that is on another box or not for this user, through supervisord.
    """

    grows = True
    offers = frozenset({"page_search", "page_filter", "page_copy"})

    def __init__(self, program: ProgramId) -> None:
        super().__init__()
        self._program_id = program
        self._stderr = False
        self._file: LogFile | None = None
        self._end: Callable[[], None] | None = None
        """Ends the reading."""
        self._asked = False
        """Read through supervisord."""
        self._entries: list[_Entry] = []
        self._places: list[int] = []
        """Where in `_drawn` each entry begins."""
        self._drawn: list[Line] = []
        self._drawn_for: tuple[int, str] = (0, "")
        self._trouble = ""
        self._marked_at = 0.0

    # --- where the log is ---

    def _program(self) -> Program | None:
        if self.frame is None:
            return None
        return next((p for p in self.frame.snapshot.programs if p.id == self._program_id), None)

    def _server(self) -> Supervisord | None:
        servers = self.frame.snapshot.supervisords if self.frame else ()
        return next((s for s in servers if s.id == self._program_id.supervisor), None)

    def _paths(self) -> tuple[str | None, str | None]:
        p = self._program()
        if p is None:
            return None, None
        out = p.stdout_log or (p.config.stdout_log if p.config else None)
        err = p.stderr_log or (p.config.stderr_log if p.config else None)
        return out, (None if p.config is not None and p.config.redirect_stderr else err)

    def _reached(self, path: str) -> Path:
        """As it is reached from here: a container's files lie under its root."""
        server = self._server()
        return Path(server.root + path) if server is not None and server.root else Path(path)

    # --- life ---

    def on_mount(self) -> None:
        """Open whichever there is; a Celery program writes to stderr."""
        self.frame = self.beattop.frame
        self._marked_at = self.frame.snapshot.at if self.frame else 0.0
        out, err = self._paths()
        p = self._program()
        celery = p is not None and p.role not in {"other", "supervisord"}
        self._stderr = err is not None and (out is None or celery)
        super().on_mount()
        self._open()

    def on_unmount(self) -> None:
        """Read no further."""
        self._close()

    def _close(self) -> None:
        if self._end is not None:
            self._end()
        self._file = self._end = None
        self._asked = False

    def _open(self) -> None:
        self._close()
        self._entries.clear()
        self._forget()
        path, server = self._paths()[self._stderr], self._server()
        elsewhere = server is not None and server.key is None and bool(server.answers)
        if not self.beattop.feed.live:
            self._no_log("a recording holds no logs, only a program's last words")
        elif elsewhere or path is None:
            p = self._program()
            told = p is not None and (p.config is not None or p.state is not None)
            none = "supervisord keeps no file of it (NONE, syslog)" if told else "no log is known"
            self._ask("its file is not on this box" if path else none)
        else:
            self._trouble = ""
            self._file = LogFile(self._reached(path), self._heard)
            self._end = self._file.stop
            self._file.start()
        self.draw()

    def _ask(self, why: str) -> None:
        """Read it through supervisord, which is there for that."""
        channel = "stderr" if self._stderr else "stdout"
        end = None
        if self._paths()[self._stderr] is not None:
            end = self.beattop.feed.log(self._program_id, channel, self._told)
        if end is not None:
            self._close()
            self._end, self._asked = end, True
            self._trouble = f"{why}: read through supervisord, every 10 s or more"
        elif self._file is None:
            self._no_log(why)
        else:  # it may come yet
            self._trouble = why

    def _no_log(self, why: str) -> None:
        self._trouble = why
        p = self._program()
        for text in p.last_words.lines if p is not None and p.last_words is not None else ():
            self._entries.append(_Entry((Span(text),), 0.0))

    def _heard(self, lines: list[Line], fresh: bool, trouble: str) -> None:
        """Called in the reader's thread: only posts."""
        self.post_message(LinesRead(lines, fresh=fresh, trouble=trouble))

    def _told(self, lines: list[str], fresh: bool, trouble: str) -> None:
        """The same, of lines that supervisord told."""
        self._heard([(Span(text),) for text in lines], fresh, trouble)

    def on_lines_read(self, event: LinesRead) -> None:
        """The log grew, or there is trouble with it."""
        if event.fresh and event.lines:
            self._entries.clear()
            self._forget()
        if event.trouble and self._file is not None and not self._file.opened:
            self._ask(event.trouble)
        elif event.trouble or not self._asked:
            self._trouble = event.trouble
        now = 0.0 if event.fresh else time.time()
        for spans in event.lines:
            bare = all(not s.ink for s in spans)
            bad = bare and _BAD.search(plain([spans]))
            self._entries.append(
                _Entry(tuple(s._replace(ink="warning") for s in spans) if bad else spans, now)
            )
        self._trim()
        self.draw()

    def _trim(self) -> None:
        if len(self._entries) > _KEPT:
            del self._entries[: len(self._entries) - _KEPT]
            self._forget()

    def _forget(self) -> None:
        self._drawn, self._places, self._drawn_for = [], [], (0, "")

    def show_frame(self, frame: Frame) -> None:
        """Mark what happened to the program since the last frame."""
        self.frame = frame
        news = [e for e in frame.events if e.program == self._program_id and e.at > self._marked_at]
        for event in news:
            self._mark(event)
        if news:
            self._marked_at = max(e.at for e in news)
            self._trim()
            self.draw()

    def _mark(self, event: Event) -> None:
        """Put it behind the lines that were there when it happened."""
        place = len(self._entries)
        while place and not self._asked and self._entries[place - 1].at > event.at + _LATE_S:
            place -= 1
        words = f"{glyphs.RULE * 3} {event.text} {glyphs.RULE * 3}"
        entry = _Entry((Span(words, "critical" if event.bad else "title"),), event.at)
        self._entries.insert(place, entry)
        if place < len(self._places):
            del self._drawn[self._places[place] :]
            del self._places[place:]

    # --- drawing ---

    def title_words(self) -> tuple[Line, Line]:
        """Which log."""
        path = self._paths()[self._stderr] or "no file"
        words = line(
            (self._program_id.namespec, "title"),
            f"  {'stderr' if self._stderr else 'stdout'}  ",
            (path, "dim"),
        )
        mark = f"filter ‹{self.filter_text}›  " if self.filter_text else ""
        follows = self.is_mounted and self.pager.following
        return words, line((f"{mark}{'following' if follows else 'End follows'}", "dim"))

    def build(self, size: int) -> Sequence[Line]:
        """All lines, long ones broken, those drawn before kept."""
        if self._drawn_for != (size, self.filter_text):
            self._drawn, self._places, self._drawn_for = [], [], (size, self.filter_text)
        needle = self.filter_text.lower()
        for entry in self._entries[len(self._places) :]:
            self._places.append(len(self._drawn))
            if not needle or needle in plain([entry.spans]).lower():
                self._drawn += [(Span(" "), *part) for part in chopped(entry.spans, size - 1)]
        why = self._trouble
        head = paragraph(why, size - 1, "warning", 1, line(" ")) if why else []
        if not self._drawn and not head:
            words = " No line matches the filter." if needle else " Nothing in it yet."
            head = [line((words, "dim"))]
        return [*head, *self._drawn]

    # --- keys ---

    def action_page_switch(self) -> None:
        """The other of stdout and stderr."""
        if self._paths()[not self._stderr] is None:
            p = self._program()
            joined = p is not None and p.config is not None and p.config.redirect_stderr
            self.beattop.say(
                "stderr goes into stdout's log (redirect_stderr)."
                if joined
                else "There is no other log file."
            )
            return
        self._stderr = not self._stderr
        self._open()
        self.draw_footer()

    def other(self) -> str:
        """The other log, where there is one."""
        if self._paths()[not self._stderr] is None:
            return ""
        return "stdout" if self._stderr else "stderr"

    def command(self) -> str:
        """The same by hand."""
        path, server = self._paths()[self._stderr], self._server()
        if self._asked and server is not None and server.ctl:
            words = [*server.ctl, "tail", "-f", self._program_id.namespec]
            return shlex.join([*words, "stderr"] if self._stderr else words)
        return f"tail -F {shlex.quote(path)}" if path else ""
