"""A program's lives and its last minutes, drawn. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import localtime, strftime
from typing import Final

from beattop.model.lives import Life
from beattop.model.snapshot import Program
from beattop.text import duration, size
from beattop.ui import glyphs
from beattop.ui.fields import LABEL, field, percent
from beattop.ui.line import Line, fit, line

_SHOWN: Final = 12


def lives(p: Program, at: float, width: int) -> list[Line]:
    """The last lives, newest first: each as long as it lasted, with the CPU that it used; then how
    often it ended how.
    """
    if not p.lives:
        return [line((" none seen yet", "dim"))]
    shown = list(reversed(p.lives))[:_SHOWN]
    longest = max((_span(life, at) or 0.0 for life in shown), default=0.0) or 1.0
    room = max(8, min(40, width - 69))
    out = [_life(life, at, longest, room) for life in shown]
    if p.past is not None and p.past.exit_counts:
        counts = ", ".join(f"{how} ×{number:,}" for how, number in p.past.exit_counts[:8])
        out += field("exits", counts, width)
    return out


def _life(life: Life, at: float, longest: float, room: int) -> Line:
    span = _span(life, at)
    born = "before the log"
    if life.spawned_at is not None:
        born = strftime("%a %H:%M:%S", localtime(life.spawned_at))
    drawn = "?" if span is None else glyphs.STROKE * max(1, round(room * span / longest))
    ink, words = _end(life)
    return line(
        (f" {fit(born, 13)} ", "dim"),
        fit(str(life.pid or "?"), 8),
        (fit(duration(span), 7, right=True), "bold"),
        (f" {fit(drawn, room)} ", "good" if life.ended_at is None else "dim"),
        fit(_used(life), 13),
        (words, ink),
    )


def _span(life: Life, at: float) -> float | None:
    if life.spawned_at is None:
        return None
    return max(0.0, (at if life.ended_at is None else life.ended_at) - life.spawned_at)


def _used(life: Life) -> str:
    """CPU of an ended life whose clock was read in time."""
    return "" if life.cpu_s is None else f"{life.cpu_s:.2f} CPU s"


def _end(life: Life) -> tuple[str, str]:
    if life.ended_at is None:
        return "good", "alive"
    ended = f"exited {life.status}" if life.status is not None else "ended, unknown how"
    how = life.signal or ended
    if life.requested:
        return "dim", f"{how}, asked for"
    return ("dim", how) if life.expected else ("warning", how)


def graphs(cpu: Sequence[float], memory: Sequence[float], width: int) -> list[Line]:
    """CPU and memory of the last minutes, a character a point or more."""
    room = max(10, width - LABEL - 26)
    return [
        _graph("CPU", cpu, room, percent),
        _graph("memory", memory, room, lambda v: size(int(v))),
    ]


def _graph(name: str, values: Sequence[float], room: int, tell: Callable[[float], str]) -> Line:
    label = (f" {fit(name, LABEL)}  ", "dim")
    known = [v for v in values if not math.isnan(v)]
    if len(known) < 2:
        return line(label, ("not enough seen yet", "dim"))
    highest = max(known)
    step = -(-len(values) // room)
    drawn = ""
    for start in range(0, len(values), step):
        points = [v for v in values[start : start + step] if not math.isnan(v)]
        drawn += glyphs.bar(max(points) / (highest or 1.0)) if points else " "
    return line(label, (drawn, "info"), f"  now {tell(known[-1])}, most {tell(highest)}")
