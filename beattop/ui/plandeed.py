"""What a plan amounts to: the words on its button, its commands, and when to ask twice. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from beattop.actions.protect import others, works
from beattop.model.plan import Plan
from beattop.model.snapshot import Snapshot
from beattop.ui.remedy import called

VERBS: Final = {
    "stop": "stop",
    "start": "start",
    "restart": "restart",
    "signal": "SIGTERM",
    "kill": "SIGKILL",
    "remove-pidfile": "remove",
}
"""A step's verb in words."""


def deed(plan: Plan, chosen: Collection[int]) -> str:
    """The words on the button: "Stop beat2", "Stop 3 targets"."""
    steps = [step for number, step in enumerate(plan.steps) if number in chosen]
    verbs = "/".join(dict.fromkeys(VERBS[step.verb] for step in steps if not step.if_left))
    name = called(steps[0].target) if len(steps) == 1 else f"{len(steps)} targets"
    if len(steps) == 1 and steps[0].verb == "remove-pidfile":
        name = "the pidfile"
    return f"{verbs[:1].upper()}{verbs[1:]} {name}"


def commands(plan: Plan, chosen: Collection[int] | None = None) -> list[str]:
    """The plan's commands to run by hand."""
    steps = [s for n, s in enumerate(plan.steps) if chosen is None or n in chosen]
    return [step.command for step in steps if step.command]


def alarm(plan: Plan, chosen: Collection[int], snapshot: Snapshot) -> str:
    """One more warning where the schedule ends with what is stopped; "" elsewhere."""
    touched = frozenset(
        step.target.program
        for number, step in enumerate(plan.steps)
        if number in chosen and step.verb in {"stop", "restart"} and step.target.program
    )
    last = [
        beat
        for beat in snapshot.beats
        if beat.program in touched and works(beat) and not others(snapshot, beat, touched)
    ]
    if not last:
        return ""
    names = ", ".join(
        f"{b.namespec} (app {b.key.app})" if b.key.app else str(b.namespec) for b in last
    )
    what = "is the last working beat: without it nothing is scheduled"
    return f"{names} {what}. Confirm once more, or cancel."
