"""Enter: everything known of one program or process."""

from __future__ import annotations

from collections.abc import Sequence

from beattop.actions.steps import command
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program, ProgramId, Unmanaged
from beattop.ui.dossier import program_lines, unmanaged_lines
from beattop.ui.line import Line, line
from beattop.ui.screens.page import PageScreen


class DetailsPage(PageScreen):
    """Follows its program or process by identity while frames come."""

    def __init__(
        self, *, program: ProgramId | None = None, process: ProcessKey | None = None
    ) -> None:
        super().__init__()
        self._program = program
        self._process = process
        self._last: Program | Unmanaged | None = None

    def _thing(self) -> Program | Unmanaged | None:
        if self.frame is None:
            return None
        snapshot = self.frame.snapshot
        if self._program is not None:
            return next((p for p in snapshot.programs if p.id == self._program), None)
        return next((u for u in snapshot.unmanaged if u.member.key == self._process), None)

    def _findings(self) -> list[Finding]:
        if self.frame is None:
            return []
        pid = self._process.pid if self._process else None
        about = [
            f
            for f in self.frame.findings
            if self._program in f.programs or (pid is not None and pid in f.pids)
        ]
        kept = [
            f
            for f in self.frame.findings
            if self._program is not None and any(k.program == self._program for k in f.keep)
        ]
        return about + [f for f in kept if f not in about]

    def title_words(self) -> tuple[Line, Line]:
        """Its name; where it lives."""
        if self._program is not None:
            return line((self._program.namespec, "title")), line((self._program.supervisor, "dim"))
        return line((f"pid {self._process.pid if self._process else '?'}", "title")), line(
            ("outside supervisor", "dim")
        )

    def build(self, size: int) -> Sequence[Line]:
        """Its dossier; the last one while it is gone."""
        thing = self._thing()
        gone = thing is None
        thing = self._last = thing if thing is not None else self._last
        if thing is None or self.frame is None:
            return [line((" It is not there any more.", "warning"))]
        lines = (
            [line((" It is gone: this is the last that was seen of it.", "warning"))]
            if gone
            else []
        )
        if isinstance(thing, Program):
            return lines + program_lines(
                thing, self.frame.snapshot, self._findings(), self.beattop.trails, size
            )
        return lines + unmanaged_lines(thing, self.frame.snapshot, self._findings(), size)

    def command(self) -> str:
        """The finding's commands, else the status command."""
        commands = [t.command for f in self._findings() for t in f.stop if t.command]
        if not commands and self._program is not None and self.frame is not None:
            status = command(self.frame.snapshot, "status", self._program)  # type: ignore[arg-type]
            return status or ""
        return "\n".join(commands)
