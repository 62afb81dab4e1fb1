"""Readings that are taken again and again until each is true or its time is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from beattop.actions.run import Run
from beattop.model.plan import Tick


@dataclass(slots=True)
class Watch:
    """One open check. `read` gives its tick now, and the reading in words."""

    step: int
    name: str
    read: Callable[[], tuple[Tick, str]]
    until: float
    """Monotonic; still pending then is failed."""


def follow(run: Run, watches: Sequence[Watch], every: float = 0.25) -> bool:
    """Read all until none is pending. False where the plan's whole time was over before."""
    pending = list(watches)
    while pending:
        for watch in tuple(pending):
            tick, detail = watch.read()
            if tick == "pending" and run.clock.monotonic() >= watch.until:
                tick = "failed"
            run.checks.tick(watch.step, watch.name, tick, detail)
            if tick != "pending":
                pending.remove(watch)
        if pending and run.late():
            return False
        if pending:
            run.pause(every)
    return True
