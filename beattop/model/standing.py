"""How many programs stand as they should, by what supervisord says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from beattop.model.snapshot import Program
from beattop.model.supervisor import PASSING


@dataclass(frozen=True, slots=True)
class Standing:
    """Each program counts once."""

    steady: int
    """Between two lives a periodic program is as it should be: no word that comes and goes."""
    passing: int
    """On the way from one state to another: neither steady nor at rest."""
    idle: int
    unknown: int
    """Those whose state nobody told."""


def standing(programs: Sequence[Program]) -> Standing:
    """Of a box on which nothing is found wrong."""
    told = [p for p in programs if p.state is not None]
    passing = sum(p.state in PASSING and not p.periodic for p in told)
    steady = sum(p.periodic or (p.pid is not None and p.state not in PASSING) for p in told)
    return Standing(steady, passing, len(told) - passing - steady, len(programs) - len(told))
