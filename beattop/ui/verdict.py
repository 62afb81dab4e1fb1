"""What is wrong, in words, with the key that ends it; calm when calm. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.snapshot import Program, Snapshot
from beattop.text import count, duration, listing, moment
from beattop.ui import glyphs
from beattop.ui.cpubar import cost
from beattop.ui.line import Line, Span, cells, cut, fit, justified, line, width, wrap
from beattop.ui.remedy import remedy

Shown = Callable[[str], str]
"""The key of a command, as it stands on the screen."""


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
) -> list[Line]:
    """The verdict for `size` cells: program, cause and key in its first two lines.

    `more` lines go to further findings, one line to what the first costs where `facts` is True.
    """
    if frame is None:
        words = f"Looking failed: {trouble}" if trouble else "Looking at the box …"
        return [cut(line(" ", (words, "critical" if trouble else "dim")), size)]
    grave = [f for f in frame.findings if f.severity != "info"]
    if not grave:
        return _calm(frame, size, shown)
    first, *others = grave
    rest = len(others) - more if len(others) > more else 0
    lines = _first(
        first, frame.snapshot, size, shown, read_only, facts, rest if more < 1 else 0, price
    )
    for finding in others[: max(0, more - 1 if rest else more)]:
        lines.append(_one(finding, size, shown, read_only))
    if rest and more:
        hidden = others[more - 1 :]
        named = listing([f.short for f in hidden], 2)
        words = f" {glyphs.MORE} {count(len(hidden), 'more finding')}: {named}"
        lines.append(
            justified(line((words, "warning")), _chip(shown("findings"), "all", "findings"), size)
        )
    return lines


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
    snapshot: Snapshot,
    size: int,
    shown: Shown,
    read_only: bool,
    facts: bool,
    rest: int,
    price: float | None,
) -> list[Line]:
    sign, ink = _sign(finding)
    cure = remedy(finding, read_only=read_only)
    chip = _chips(cure.command, cure.label, size, shown, rest)
    top, second = _two(finding, size - 3, size - 4 - width(chip), size)
    if second.endswith(glyphs.MORE):
        chip = _chips(cure.command, cure.short, size, shown, rest)
        top, second = _two(finding, size - 3, size - 4 - width(chip), size)
    lead = line((f" {sign} ", ink))
    out = [(*lead, Span(top, ink))]
    told = _facts(finding, snapshot, price, told_cost=facts and bool(second))
    if second:
        out.append(justified(line("   ", (second, ink)), chip, size))
        if facts and told:
            out.append(cut(line("   ", (f"{told}.", "")), size))
    else:
        out.append(justified(line("   ", (f"{told}." if told else "", "")), chip, size))
    return out


def _chips(command: str, label: str, size: int, shown: Shown, rest: int) -> Line:
    chip = _chip(
        shown(command), fit(label, min(cells(label), size // 2)), command, act=command != "findings"
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


def _one(finding: Finding, size: int, shown: Shown, read_only: bool) -> Line:
    sign, ink = _sign(finding)
    cure = remedy(finding, read_only=read_only)
    words = (
        finding.summary if cells(finding.summary) < size - 30 else finding.short or finding.summary
    )
    chip = _chip(shown(cure.command), cure.label, cure.command) if size >= 60 else ()
    return justified(line((f" {sign} ", ink), (words, ink)), chip, size)


def _facts(finding: Finding, snapshot: Snapshot, price: float | None, told_cost: bool) -> str:
    parts = []
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
        burnt = cost(snapshot, price) if told_cost else ""
        if burnt:
            parts.append(burnt)
    if finding.kind == "duplicate-beat" and finding.effect == "respawning" and finding.actionable:
        parts.append(f"stopping {listing([p.namespec for p in programs], 2) or 'it'} loses nothing")
    return f" {glyphs.DOT} ".join(parts)


def _calm(frame: Frame, size: int, shown: Shown) -> list[Line]:
    snapshot = frame.snapshot
    words = calm_words(snapshot)
    notes = [f for f in frame.findings if f.severity == "info"]
    out = [cut(line((f" {text}", "dim")), size) for text in wrap(words, size - 2)[:2]]
    if notes and size >= 60:
        text = f" {glyphs.INFO} {notes[0].short or notes[0].summary}" + (
            f" (+{len(notes) - 1})" if len(notes) > 1 else ""
        )
        out.append(
            justified(line((text, "dim")), line((f"{shown('findings')} evidence ", "dim")), size)
        )
    return out


def calm_words(snapshot: Snapshot) -> str:
    """One sentence or three for a box without trouble, or without anything to look at."""
    if not snapshot.supervisords and not snapshot.unmanaged:
        return "No supervisord and no Celery on this box, as far as this user sees."
    if not snapshot.supervisords:
        loose = count(len(snapshot.unmanaged), "Celery process", "Celery processes")
        return f"No supervisord here; {loose} outside of any."
    programs = snapshot.programs
    up = [p for p in programs if p.pid is not None]
    parts = [_steady(programs, up)]
    if not snapshot.beats and not snapshot.unmanaged and not any(_celery(p) for p in programs):
        parts.append("None of them runs Celery.")
    elif beats := _beats(snapshot):
        parts.append(beats)
    exits = [(p.last_exit.at, p) for p in programs if p.last_exit is not None and not p.periodic]
    if exits:
        at, who = max(exits, key=lambda e: e[0])
        parts.append(f"Last exit {duration(snapshot.at - at)} ago ({who.namespec}).")
    return " ".join(parts)


def _celery(program: Program) -> bool:
    return program.role not in {"other", "wrapper", "supervisord"}


def _steady(programs: Sequence[Program], up: Sequence[Program]) -> str:
    if not programs:
        return "supervisord has no programs yet."
    if len(up) == len(programs):
        return (
            f"All {count(len(programs), 'program')} steady."
            if len(programs) > 1
            else "The one program is steady."
        )
    down = len(programs) - len(up)
    whole = count(len(programs), "program")
    return f"{len(up)} of {whole} steady, {down} not running by design or request."


def _beats(snapshot: Snapshot) -> str:
    alive = [b for b in snapshot.beats if b.health != "down" and b.pid is not None]
    apps = Counter(b.key.app or "an app without a name" for b in alive)
    if not apps:
        return "No beat runs here." if any(_celery(p) for p in snapshot.programs) else ""
    words = []
    for place, (app, number) in enumerate(sorted(apps.items())):
        many = "one" if number == 1 else str(number)
        beats = f" {'beat' if number == 1 else 'beats'}" if place == 0 else ""
        words.append(f"{many}{beats} for {app}")
    return _sentence(", ".join(words))


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."
