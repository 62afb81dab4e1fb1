"""A finding in full: summary, evidence, what to keep, what to stop and how, what lasts. Pure."""

from __future__ import annotations

from beattop.model.finding import Finding, Target
from beattop.model.snapshot import Snapshot
from beattop.text import moment
from beattop.ui import glyphs
from beattop.ui.line import Line, Span, line, paragraph
from beattop.ui.logline import chopped
from beattop.ui.remedy import called

_SIGNS = {
    "critical": (glyphs.CRITICAL, "critical"),
    "warning": (glyphs.WARNING, "warning"),
    "info": (glyphs.INFO, "info"),
}


def brief(finding: Finding, snapshot: Snapshot, width: int) -> list[Line]:
    """All of a finding, for `width` cells."""
    sign, ink = _SIGNS[finding.severity]
    out = paragraph(finding.summary, width - 1, ink, 3, line((f" {sign} ", ink)))
    since = f", since {moment(finding.since_at, snapshot.at)}" if finding.since_at else ""
    churn = f", {finding.churn_pct:.0f} % of a core" if finding.churn_pct else ""
    kind = f"{finding.kind}, {finding.severity}, {finding.certainty}{since}{churn}"
    out += paragraph(kind, width - 1, "dim", 3, line("   "))
    for evidence in finding.evidence:
        out += paragraph(evidence, width - 1, "", 5, line((f"   {glyphs.DOT} ", "dim")))
    for keep in finding.keep:
        name = keep.namespec or f"pid {keep.pid}"
        pid = f", pid {keep.pid}" if keep.namespec and keep.pid is not None else ""
        out += _labelled(
            "keep", f"{name}{pid}" + (f": {keep.why}" if keep.why else ""), width, "good"
        )
    for target in finding.stop:
        out += _target("stop" if target.via != "advice" else "by hand", target, width)
    for target in finding.alternatives:
        out += _target("or else", target, width)
    if finding.lasting.text:
        out += _labelled("for good", finding.lasting.text, width, "bold")
    indent = " " * (12 if width >= 60 else 3)
    for row in finding.lasting.diff.expandtabs(4).splitlines():
        ink = "good" if row[:1] == "+" else "warning" if row[:1] == "-" else "dim"
        for part in chopped(line((row, ink)), width - len(indent) - 1):
            out.append((Span(indent), *part))
    if finding.lasting.ticket:
        out += _labelled("ticket", finding.lasting.ticket, width)
    return out


def _target(label: str, target: Target, width: int) -> list[Line]:
    out = _labelled(
        label,
        called(target) + (f": {target.why}" if target.why else ""),
        width,
        "critical" if label == "stop" else "",
    )
    return out + (_labelled("", target.command, width, "code") if target.command else [])


def _labelled(label: str, text: str, width: int, ink: str = "") -> list[Line]:
    return paragraph(text, width - 1, ink, 12, line((f"   {label:<9}", "dim")))
