"""A plan, and how carrying it out goes, as lines. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from time import localtime, strftime

from beattop.model.finding import Keep
from beattop.model.plan import Check, Outcome, Plan, Step
from beattop.model.snapshot import Snapshot
from beattop.ui import glyphs
from beattop.ui.line import EMPTY, Line, Span, cells, cut, line, paragraph
from beattop.ui.plandeed import VERBS, commands
from beattop.ui.remedy import called

_TICKS = {
    "pending": (glyphs.PENDING, "dim"),
    "done": (glyphs.DONE, "good"),
    "failed": (glyphs.CRITICAL, "critical"),
    "skipped": (glyphs.DASH, "dim"),
}


def plan_lines(
    plan: Plan,
    chosen: Collection[int],
    width: int,
    *,
    read_only: str = "",
    cursor: int | None = None,
    room: int | None = None,
) -> tuple[list[Line], dict[int, int]]:
    """The plan's body, and the line on which each step stands.

    What is kept stands first, but below the calls where not both fit into `room` lines.
    """
    out: list[Line] = []
    places: dict[int, int] = {}
    if read_only:
        out += _read_only(plan, read_only, width)
    steps = [
        _step(step, number in chosen, width, boxes=len(plan.steps) > 1, pointed=number == cursor)
        for number, step in enumerate(plan.steps)
    ]
    keeps = [row for keep in plan.keep for row in _keep(keep, width)]
    low = room is not None and len(out) + len(keeps) + sum(map(len, steps)) > room
    out += [] if low else keeps
    for number, rows in enumerate(steps):
        places[number] = len(out)
        out += rows
    out += keeps if low else []
    if plan.steps and (plan.warnings or plan.advice or plan.lasting):
        out.append(EMPTY)
    for text in dict.fromkeys(plan.warnings):
        out += paragraph(text, width, "warning", 3, line((f" {glyphs.WARNING} ", "warning")))
    for text in plan.advice:
        out += paragraph(text, width, "", 10, line((" by hand  ", "bold")))
    for text in plan.lasting:
        out += paragraph(text, width, "", 10, line((" for good ", "bold")))
    if plan.empty and not plan.advice:
        out += [line((" There is nothing to do.", "dim"))]
    return out, places


def _keep(keep: Keep, width: int) -> list[Line]:
    name = keep.namespec or f"pid {keep.pid}"
    pid = f"pid {keep.pid}" if keep.namespec and keep.pid is not None else ""
    why = ", ".join(part for part in (pid, keep.why) if part)
    return paragraph(why, width, "", 8, line((" keep   ", "good"), (name, "bold"), "  "))


def _read_only(plan: Plan, why: str, width: int) -> list[Line]:
    out = paragraph(
        f"Nothing will be done: {why}. Whoever may can run this; c copies it:",
        width,
        "warning",
        1,
        line(" "),
    )
    for command in commands(plan):
        out += paragraph(command, width, "code", 3, line("   "))
    return [*out, EMPTY]


def _step(step: Step, taken: bool, width: int, *, boxes: bool, pointed: bool) -> list[Line]:
    box = f"[{'x' if taken else ' '}] " if boxes else ""
    lead = [Span(glyphs.CURSOR if pointed else " ", "tag"), Span(box, "bold" if taken else "dim")]
    grave = step.verb not in {"start"}
    lead += [Span(f"{VERBS[step.verb]:<6} ", ("critical" if grave else "good") if taken else "dim")]
    name = (
        called(step.target)
        if step.verb != "remove-pidfile" or step.pidfile is None
        else step.pidfile.path
    )
    lead += [Span(name, "bold" if taken else "dim"), Span("  ")]
    out = (
        paragraph(step.target.why, width, "", 8, tuple(lead)) if step.target.why else [tuple(lead)]
    )
    server = f"   {step.server}" if step.server else ""
    if cells(step.call) + cells(server) + 9 <= width:
        out.append(line("        ", (step.call, "code"), (server, "dim")))
    else:
        out += paragraph(step.call, width, "code", 8, line("        "))
        out += paragraph(step.server, width, "dim", 8, line("        ")) if step.server else []
    if step.command:
        out += paragraph(f"the same as: {step.command}", width, "dim", 8, line("        "))
    if step.if_left:
        out += paragraph("only if it outlives the steps before", width, "dim", 8, line("        "))
    return out


def progress_lines(
    plan: Plan,
    checks: Mapping[tuple[int, str], Check],
    outcome: Outcome | None,
    before: Snapshot,
    now: Snapshot,
    width: int,
    *,
    undo: str = "",
    room: int | None = None,
) -> list[Line]:
    """The checklist as it fills in, what it did to the box, and how it ended.

    Where all of it does not fit into `room` lines, how it ended stands first, or what it still
    waits for.
    """
    out = [row for check in checks.values() for row in _check(plan, check, width)]
    if not checks:
        out.append(line((f" {glyphs.PENDING} asking …", "dim")))
    effect = _effect(before, now)
    if outcome is None:
        if room is None or len(out) + 2 <= room:
            return [*out, EMPTY, effect]
        return _briefly(plan, checks.values(), effect, width)
    ending = _ending(plan, outcome, width, undo)
    if room is not None and len(out) + 2 + len(ending) > room:
        return [*ending, effect, EMPTY, *out]
    return [*out, EMPTY, effect, *ending]


def _check(plan: Plan, check: Check, width: int) -> list[Line]:
    sign, ink = _TICKS[check.tick]
    when = strftime("%H:%M:%S", localtime(check.at)) if check.at is not None else ""
    when = "" if when in check.detail else when
    lead = line((f" {sign} ", ink), (_label(plan, check), "bold" if check.tick == "failed" else ""))
    return paragraph(f"{check.detail}  {when}".strip(), width, "dim", 5, (*lead, Span("  ")))


def _briefly(plan: Plan, checks: Iterable[Check], effect: Line, width: int) -> list[Line]:
    """What failed and what is waited for, then what is done, the newest first."""
    out: list[Line] = []
    done: list[str] = []
    for check in checks:
        if check.tick == "done":
            done.insert(0, _label(plan, check))
        elif check.tick == "failed":
            out += _check(plan, check, width)
        else:
            sign, ink = _TICKS[check.tick]
            words = f"  {check.detail}" if check.detail else ""
            out.append(cut(line((f" {sign} ", ink), _label(plan, check), (words, "dim")), width))
    out.append(effect)
    if done:
        sign, ink = _TICKS["done"]
        words = f" {glyphs.DOT} ".join(done)
        out += paragraph(words, width, "", 3, line((f" {sign} ", ink)))
    return out


def _label(plan: Plan, check: Check) -> str:
    name = _named(plan, check) if len(plan.steps) > 1 else ""
    return check.label if name.rstrip(": ") in check.label else f"{name}{check.label}"


_ENDINGS = {
    "done": (glyphs.DONE, "good"),
    "cancelled": (glyphs.WARNING, "warning"),
    "unverified": (glyphs.WARNING, "warning"),
    "refused": (glyphs.WARNING, "warning"),
}


def _ending(plan: Plan, outcome: Outcome, width: int, undo: str) -> list[Line]:
    sign, ink = _ENDINGS.get(outcome.status, (glyphs.CRITICAL, "critical"))
    out = paragraph(outcome.summary, width, ink, 3, line((f" {sign} ", ink)))
    if undo:
        out.append(line((f"   {undo}", "dim")))
    if outcome.further is not None:
        words = f"Next, if you want: {outcome.further.title}"
        out += paragraph(words, width, "bold", 3, line("   "))
    if outcome.status in {"done", "unverified"}:
        for text in plan.lasting:
            out += paragraph(text, width, "", 10, line((" for good ", "bold")))
    return out


def _named(plan: Plan, check: Check) -> str:
    names: Sequence[str]
    if check.name.startswith("keeper-"):
        names = [k.namespec or f"pid {k.pid}" for k in plan.keep]
    else:
        names = [called(s.target) for s in plan.steps]
    return f"{names[check.step]}: " if check.step < len(names) else ""


def _effect(before: Snapshot, now: Snapshot) -> Line:
    def pair(name: str, old: float | None, new: float | None) -> list[tuple[str, str]]:
        if old is None or new is None:
            return []
        return [
            (f" {name} ", "dim"),
            (f"{old:.0f} % {glyphs.ARROW} ", ""),
            (f"{new:.0f} %", "good" if new < old - 0.5 else "bold"),
            ("  ", ""),
        ]

    return line(
        *pair("churn", before.cpu.churn_pct, now.cpu.churn_pct),
        *pair("box", before.cpu.busy_pct, now.cpu.busy_pct),
    )
