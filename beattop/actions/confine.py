"""The bounds of a confined run: the demo's keys must not reach the box around it."""

from __future__ import annotations

from beattop.actions.run import Run
from beattop.model.plan import Step
from beattop.model.process import ProcessKey

OUTSIDE = "it is outside of what this beattop may touch"


def outside(run: Run, step: Step) -> bool:
    """Whether `step` concerns anything but the allowed supervisords and what they started."""
    if run.confined_to is None:
        return False
    target = step.target
    if step.verb in ("stop", "start", "restart"):
        owner = target.program.supervisor if target.program else None
        return owner not in run.confined_to
    if step.verb == "remove-pidfile":
        return step.heir is None or step.heir.supervisor not in run.confined_to
    return target.process is None or not _inside(run, target.process, run.confined_to)


def _inside(run: Run, key: ProcessKey, allowed: frozenset[str]) -> bool:
    """Whether it is in the tree of an allowed supervisord, or fell out of it."""
    roots = {s.key.pid for s in run.look().supervisords if s.id in allowed and s.key}
    if roots & set(run.proc.ancestors(key.pid)):
        return True
    return run.proc.environ(key.pid).get("SUPERVISOR_SERVER_URL") in allowed
