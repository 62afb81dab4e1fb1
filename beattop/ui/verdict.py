"""What is wrong, in words, with the key that ends it; calm when calm. Pure."""

from __future__ import annotations

from typing import Final

from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.snapshot import Snapshot
from beattop.text import count, listing, moment
from beattop.ui import glyphs
from beattop.ui.calm import Shown, blindness, calm
from beattop.ui.cpubar import cost
from beattop.ui.line import Line, Span, cells, cut, fit, justified, line, width, wrap
from beattop.ui.remedy import Chosen, Remedy, remedy

_SHOWING: Final = frozenset({"findings", "next_finding"})
"""Commands that change nothing."""


def verdict(
    frame: Frame | None,
    size: int,
    shown: Shown,
    *,
    read_only: bool = False,
    more: int = 3,
    facts: bool = True,
    trouble: str | None = None,
    price: float | None = None,
    chosen: Chosen | None = None,
    costs: bool = True,
) -> list[Line]:
    """The verdict for `size` cells: program, cause and key in its first two lines.

    `more` lines go to further findings, one line to what the first costs where `facts` is True;
    without the sum of it where `costs` is False: it stands elsewhere.
    """
    if frame is None:
        words = f"Looking failed: {trouble}" if trouble else "Looking at the box …"
        return [cut(line(" ", (words, "critical" if trouble else "dim")), size)]
    grave = [f for f in frame.findings if f.severity != "info"]
    said = any(f.kind.startswith("supervisor-") for f in grave)
    blind = [blindness(frame.snapshot, size, shown, supervisor=not said)] if facts else []
    if not grave:
        return [*calm(frame, size, shown), *filter(None, blind)]
    first, *others = grave
    rest = len(others) - more if len(others) > more else 0
    cure = remedy(first, frame.snapshot, read_only=read_only, chosen=chosen)
    told = _facts(first, frame.snapshot, price, costs=costs)
    texts = _texts(first, frame.snapshot, size)
    lines = _first(first, cure, texts, size, shown, rest if more < 1 else 0, told, facts=facts)
    for finding in others[: max(0, more - 1 if rest else more)]:
        other = remedy(finding, frame.snapshot, read_only=read_only, chosen=chosen)
        lines.append(_one(finding, other, size, shown))
    if rest and more:
        hidden = others[more - 1 :]
        named = listing([f.programs[0].namespec if f.programs else f.short for f in hidden], 3)
        words = f" {glyphs.MORE} {count(len(hidden), 'more finding')}: {named}"
        lines.append(
            justified(line((words, "warning")), _chip(shown("findings"), "all", "findings"), size)
        )
    return [*lines, *filter(None, blind)]


def _chip(key: str, label: str, command: str, *, act: bool = False) -> Line:
    action = f"screen.{command}"
    return (
        Span(f" {key} ", "act" if act else "key", action),
        Span(f" {label}", "bold", action),
        Span(" "),
    )


def _sign(finding: Finding) -> tuple[str, str]:
    return {
        "critical": (glyphs.CRITICAL, "critical"),
        "warning": (glyphs.WARNING, "warning"),
        "info": (glyphs.INFO, "info"),
    }[finding.severity]


def _first(
    finding: Finding,
    cure: Remedy,
    texts: list[str],
    size: int,
    shown: Shown,
    rest: int,
    told: list[str],
    *,
    facts: bool,
) -> list[Line]:
    sign, ink = _sign(finding)
    chip = _chips(cure.command, cure.label, size, shown, rest)
    top, second = _two(texts, size - 3, size - 4 - width(chip))
    if second.endswith(glyphs.MORE):
        chip = _narrow(cure, size, shown, rest)
        top, second = _two(texts, size - 3, size - 4 - width(chip))
    lead = line((f" {sign} ", ink))
    out = [(*lead, Span(top, ink))]
    if second:
        out.append(justified(line("   ", (second, ink)), chip, size))
        if facts and told:
            out.append(cut(line("   ", _joined(told, size - 3)), size))
    else:
        words = _joined(told, size - 4 - width(chip)) if told else ""
        out.append(justified(line("   ", words), chip, size))
    return out


def _joined(parts: list[str], size: int) -> str:
    """As many of the parts as fit, the most important stand first."""
    whole = [f" {glyphs.DOT} ".join(parts[:n]) + "." for n in range(1, len(parts) + 1)]
    return next((words for words in reversed(whole) if cells(words) <= size), whole[0])


def _chips(command: str, label: str, size: int, shown: Shown, rest: int) -> Line:
    chip = _chip(
        shown(command),
        fit(label, min(cells(label), size // 2)),
        command,
        act=command not in _SHOWING,
    )
    if rest:
        others = _chip(shown("findings"), f"+{rest}", "findings")
        return others if command == "findings" else (*chip, *others)
    if size >= 100 and command != "findings":
        return (*chip, Span(" "), *_chip(shown("findings"), "evidence", "findings"))
    return chip


def _narrow(cure: Remedy, size: int, shown: Shown, rest: int) -> Line:
    """The key with as much beside it as leaves a word of the cause; the key itself always."""
    bare = _chip(shown(cure.command), cure.short, cure.command, act=cure.command not in _SHOWING)
    for chip in (_chips(cure.command, cure.short, size, shown, rest), bare):
        if size - width(chip) >= 11:
            return chip
    return bare[:1]


def _texts(finding: Finding, snapshot: Snapshot, size: int) -> list[str]:
    """The summary and its short form, then both without the supervisords' addresses."""
    whole = [finding.summary, finding.short or finding.summary]
    bare = whole
    for server in snapshot.supervisords:
        bare = [text.replace(f" ({server.id})", "") for text in bare]
    return [whole[0], bare[0], bare[1]] if size >= 70 else [whole[1], bare[1]]


def _two(texts: list[str], first: int, second: int) -> tuple[str, str]:
    """The first text that fits on a first and a shorter second line, else the last, cut."""
    for text in texts:
        top, *below = wrap(text, first)
        left = " ".join(below)
        if cells(left) <= second:
            return top, left
    return top, fit(left, max(4, second)).rstrip()


def _one(finding: Finding, cure: Remedy, size: int, shown: Shown) -> Line:
    sign, ink = _sign(finding)
    words = (
        finding.summary if cells(finding.summary) < size - 30 else finding.short or finding.summary
    )
    chip = _chip(shown(cure.command), cure.label, cure.command) if size >= 60 else ()
    return justified(line((f" {sign} ", ink), (words, ink)), chip, size)


def _facts(finding: Finding, snapshot: Snapshot, price: float | None, *, costs: bool) -> list[str]:
    """How often, since when, what it burns, what its end would cost."""
    parts = []
    since = None
    programs = [p for p in snapshot.programs if p.id in finding.programs]
    loops = sum(p.loop_exits for p in programs)
    if loops > 1:
        since = min((p.loop_since_at for p in programs if p.loop_since_at), default=None)
        parts.append(
            count(loops, "respawn") + (f" since {moment(since, snapshot.at)}" if since else "")
        )
    elif finding.since_at and " since " not in finding.summary:
        parts.append(f"since {moment(finding.since_at, snapshot.at)}")
    if finding.churn_pct and snapshot.cpu.busy_pct:
        parts.append(f"burns {finding.churn_pct:.0f} of {snapshot.cpu.busy_pct:.0f} busy %")
        if costs and (burnt := cost(snapshot, price)):
            parts.append(
                burnt.replace(f" since {moment(since, snapshot.at)}", "") if since else burnt
            )
    if finding.kind == "duplicate-beat" and finding.effect == "respawning" and finding.actionable:
        parts.append(f"stopping {listing([p.namespec for p in programs], 2) or 'it'} loses nothing")
    return parts
