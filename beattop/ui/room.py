"""How much of what a pane has room for. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """Lines for each part; the table takes what is left."""

    cpu_rows: int
    """0 where the CPU goes into the header."""
    more_findings: int
    facts: bool
    """A line on what the first finding costs."""
    gaps: bool
    """Blank lines between the parts."""
    heading: bool
    footer: bool


def room(height: int) -> Room:
    """The parts for a pane of so many lines; header and verdict (2 lines) are always there."""
    if height < 6:
        return Room(0, 0, False, False, False, False)
    if height < 13:
        return Room(0, 0, False, False, True, True)
    if height < 20:
        return Room(1, 1, False, False, True, True)
    if height < 30:
        return Room(1, 2, True, False, True, True)
    return Room(2, 5 if height >= 40 else 3, True, True, True, True)
