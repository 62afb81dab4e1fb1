"""How fast a program respawns, in words."""

from __future__ import annotations

from beattop.model.snapshot import Program
from beattop.text import duration


def rate(program: Program) -> str:
    """`every 2.7 s`, or `again and again` where no rate is known yet."""
    if program.spawns_per_min:
        return f"every {duration(60 / program.spawns_per_min)}"
    return "again and again"


def pace(program: Program) -> str:
    """`respawning 22.5 times a minute, each life 2.2 s`."""
    words = "respawning"
    if program.spawns_per_min:
        words += f" {program.spawns_per_min:.1f} times a minute"
    if program.lifetime_median_s is not None:
        words += f", each life {duration(program.lifetime_median_s)}"
    return words
