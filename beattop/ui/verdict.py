"""What is wrong, in words, with the key that ends it; calm when calm. Pure."""

from __future__ import annotations

from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.snapshot import Snapshot
from beattop.text import count, listing, moment
from beattop.ui import glyphs
from beattop.ui.calm import Shown, blindness, calm
from beattop.ui.cpubar import cost
from beattop.ui.line import Line, Span, cells, cut, fit, justified, line, width, wrap
from beattop.ui.remedy import Chosen, Remedy, remedy


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
    blind = [blindness(frame.snapshot, size, shown)] if facts else []
    if not grave:
        return [*calm(frame, size, shown), *filter(None, blind)]
    first, *others = grave
    rest = len(others) - more if len(others) > more else 0
    cure = remedy(first, read_only=read_only, chosen=chosen)
    told = _facts(first, frame.snapshot, price, costs=costs)
    lines = _first(first, cure, size, shown, rest if more < 1 else 0, told, facts=facts)
    for finding in others[: max(0, more - 1 if rest else more)]:
        lines.append(
            _one(finding, remedy(finding, read_only=read_only, chosen=chosen), size, shown)
        )
    if rest and more:
        hidden = others[more - 1 :]
        named = listing([f.short for f in hidden], 2)
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
    size: int,
    shown: Shown,
    rest: int,
    told: list[str],
    *,
    facts: bool,
) -> list[Line]:
    sign, ink = _sign(finding)
    chip = _chips(cure.command, cure.label, size, shown, rest)
    top, second = _two(finding, size - 3, size - 4 - width(chip), size)
    if second.endswith(glyphs.MORE):
        chip = _chips(cure.command, cure.short, size, shown, rest)
        top, second = _two(finding, size - 3, size - 4 - width(chip), size)
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
        act=command not in {"findings", "next_finding"},
    )
    if rest:
        return (*chip, *_chip(shown("findings"), f"+{rest}", "findings"))
    if size >= 100 and command != "findings":
        return (*chip, Span(" "), *_chip(shown("findings"), "evidence", "findings"))
    return chip


def _two(finding: Finding, first: int, second: int, size: int) -> tuple[str, str]:
    """The summary on a first and a shorter second line, else its short form, cut if need be."""
    texts = [finding.summary, finding.short or finding.summary]
    for text in texts if size >= 70 else texts[::-1][:1]:
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
    elif finding.since_at:
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
