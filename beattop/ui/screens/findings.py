"""v: every finding with its evidence, and how each way of looking fares."""

from __future__ import annotations

from collections.abc import Sequence

from beattop.model.source import SourceStatus
from beattop.text import count, duration
from beattop.ui import glyphs
from beattop.ui.brief import brief
from beattop.ui.calm import calm_words
from beattop.ui.line import EMPTY, Line, fit, line, paragraph
from beattop.ui.screens.page import PageScreen

_INKS = {
    "ok": "good",
    "absent": "dim",
    "degraded": "warning",
    "denied": "warning",
    "timeout": "warning",
    "down": "critical",
}


class FindingsPage(PageScreen):
    """The whole verdict."""

    def title_words(self) -> tuple[Line, Line]:
        """How many there are."""
        number = len(self.frame.findings) if self.frame else 0
        host = self.frame.snapshot.host.name if self.frame else ""
        return line(("Verdict", "title"), f"  {count(number, 'finding')}"), line((host, "bold"))

    def build(self, size: int) -> Sequence[Line]:
        """Findings, then sources."""
        if self.frame is None:
            return [line((" Nothing was seen yet.", "dim"))]
        snapshot = self.frame.snapshot
        out: list[Line] = [EMPTY]
        if not self.frame.findings:
            lead = line((f" {glyphs.STEADY} ", "good"))
            out += [*paragraph(calm_words(snapshot), size - 1, "good", 3, lead), EMPTY]
        for finding in self.frame.findings:
            out += [*brief(finding, snapshot, size), EMPTY]
        out.append(line((" How each way of looking fares", "title")))
        for source in snapshot.sources:
            ink = _INKS[source.status]
            head = line(" ", (fit(source.name, 11), "bold"), (fit(source.status, 9), ink))
            told = (source.target, _age(source, snapshot.at), source.detail)
            out += paragraph(
                ", ".join(text for text in told if text),
                size - 1,
                "" if source.status != "ok" else "dim",
                21,
                head,
            )
        return out

    def command(self) -> str:
        """All stop commands."""
        findings = self.frame.findings if self.frame else ()
        return "\n".join(t.command for f in findings for t in f.stop if t.command)


def _age(source: SourceStatus, at: float) -> str:
    """How old its word is; nothing where it is this moment's."""
    old = at - source.at if source.at is not None else 0.0
    return f"{duration(old)} ago" if old >= 1.0 else ""
