"""l: a program's log, followed, with its spawns and exits marked in the stream."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.cells import chop_cells

from beattop.model.frame import Frame
from beattop.model.snapshot import Program, ProgramId
from beattop.ui import glyphs
from beattop.ui.line import Line, Span, line
from beattop.ui.logfile import LogFile
from beattop.ui.messages import LinesRead
from beattop.ui.screens.page import PageScreen

_KEPT = 5000
_BAD = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|Traceback|[A-Z]\w*Error|[A-Z]\w*Exception)\b")


class LogPage(PageScreen):
    """stdout or stderr (`o` switches); search, filter; End follows."""

    grows = True
    offers = frozenset({"page_search", "page_filter", "page_switch", "page_copy"})

    def __init__(self, program: ProgramId) -> None:
        super().__init__()
        self._program_id = program
        self._stderr = False
        self._reader: LogFile | None = None
        self._entries: list[tuple[str, str]] = []
        self._drawn: list[Line] = []
        self._drawn_for: tuple[int, str] = (0, "")
        self._count = 0
        self._trouble = ""
        self._marked_at = 0.0

    # --- where the log is ---

    def _program(self) -> Program | None:
        if self.frame is None:
            return None
        return next((p for p in self.frame.snapshot.programs if p.id == self._program_id), None)

    def _paths(self) -> tuple[str | None, str | None]:
        p = self._program()
        if p is None:
            return None, None
        out = p.stdout_log or (p.config.stdout_log if p.config else None)
        err = p.stderr_log or (p.config.stderr_log if p.config else None)
        return out, (None if p.config is not None and p.config.redirect_stderr else err)

    def _reached(self, path: str) -> Path:
        """As it is reached from here: a container's files lie under its root."""
        servers = self.frame.snapshot.supervisords if self.frame else ()
        root = next((s.root for s in servers if s.id == self._program_id.supervisor), "")
        return Path(root + path) if root else Path(path)

    # --- life ---

    def on_mount(self) -> None:
        """Open whichever there is; a Celery program writes to stderr."""
        self.frame = self.beattop.frame
        self._marked_at = self.frame.snapshot.at if self.frame else 0.0
        out, err = self._paths()
        self._stderr = err is not None and (
            out is None or (self._program_id.name != "" and self._celery())
        )
        super().on_mount()
        self._open()

    def _celery(self) -> bool:
        p = self._program()
        return p is not None and p.role not in {"other", "supervisord"}

    def on_unmount(self) -> None:
        """Read no further."""
        if self._reader is not None:
            self._reader.stop()

    def _open(self) -> None:
        if self._reader is not None:
            self._reader.stop()
        self._entries.clear()
        self._forget()
        path = self._paths()[self._stderr]
        if path is None:
            self._reader = None
            p = self._program()
            self._trouble = "no log file is known for it" + (
                ": supervisord keeps none (NONE, syslog), or its conf is not readable" if p else ""
            )
            for text in p.last_words.lines if p is not None and p.last_words is not None else ():
                self._entries.append((text, ""))
        else:
            self._trouble = ""
            self._reader = LogFile(self._reached(path), self._heard)
            self._reader.start()
        self.draw()

    def _heard(self, lines: list[str], fresh: bool, trouble: str) -> None:
        """Called in the reader's thread: only posts."""
        self.post_message(LinesRead(lines, fresh=fresh, trouble=trouble))

    def on_lines_read(self, event: LinesRead) -> None:
        """The file grew, or there is trouble with it."""
        if event.fresh and event.lines:
            self._entries.clear()
            self._forget()
        self._trouble = event.trouble
        self._entries += [(text, "warning" if _BAD.search(text) else "") for text in event.lines]
        self._trim()
        self.draw()

    def _trim(self) -> None:
        if len(self._entries) > _KEPT:
            del self._entries[: len(self._entries) - _KEPT]
            self._forget()

    def _forget(self) -> None:
        self._drawn, self._count, self._drawn_for = [], 0, (0, "")

    def show_frame(self, frame: Frame) -> None:
        """Mark what happened to the program since the last frame."""
        self.frame = frame
        news = [e for e in frame.events if e.program == self._program_id and e.at > self._marked_at]
        for event in news:
            self._entries.append(
                (
                    f"{glyphs.RULE * 3} {event.text} {glyphs.RULE * 3}",
                    "critical" if event.bad else "title",
                )
            )
        if news:
            self._marked_at = max(e.at for e in news)
            self._trim()
            self.draw()

    # --- drawing ---

    def title_words(self) -> tuple[Line, Line]:
        """Which file."""
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
            self._drawn, self._count, self._drawn_for = [], 0, (size, self.filter_text)
        needle = self.filter_text.lower()
        for text, ink in self._entries[self._count :]:
            if needle and needle not in text.lower():
                continue
            parts = chop_cells(text, size - 1) if text else [""]
            self._drawn += [(Span(" "), Span(part, ink)) for part in parts]
        self._count = len(self._entries)
        head = [line((f" {self._trouble}", "warning"))] if self._trouble else []
        if not self._drawn and not head:
            head = [
                line(
                    (" Nothing in it yet." if not needle else " No line matches the filter.", "dim")
                )
            ]
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

    def command(self) -> str:
        """The same by hand."""
        path = self._paths()[self._stderr]
        return f"tail -F {shlex.quote(path)}" if path else ""
