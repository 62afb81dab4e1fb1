"""Each target once more, just before it is touched: is it still what the person confirmed?"""

from __future__ import annotations

from dataclasses import replace

from beattop.actions.ended import Changed
from beattop.actions.protect import beats_of, works
from beattop.actions.run import Run
from beattop.actions.steps import keeper
from beattop.actions.writer import WriteClient
from beattop.model.plan import Step
from beattop.model.supervisor import ProgramState
from beattop.text import safe

DOWN = ("STOPPED", "FATAL")
"""States that only a person (or a restart of supervisord) ends."""


def keepers(run: Run) -> None:
    """Raise Changed unless every beat to keep is still the same living process."""
    for keep in run.plan.keep:
        if keep.process is not None and not run.proc.alive(keep.process):
            raise Changed(f"{keeper(keep)}, which was to be kept, does not live any more")


def useful(run: Run, step: Step) -> None:
    """Raise Changed where a working beat would be ended for one that sends nothing any more."""
    look = run.look()
    kept = [b for k in run.plan.keep for b in look.beats if k.process and b.process == k.process]
    works_on = [b for b in kept if works(b) and not (b.process and run.proc.halted(b.process))]
    if kept and not works_on and any(works(b) for b in beats_of(look, step.target)):
        raise Changed(f"{keeper(run.plan.keep[0])}, which was to be kept, sends nothing now")


def heir(run: Run, step: Step) -> None:
    """Raise Changed or Blind unless whoever is to take over will be started again by itself.

    Ending the beat that works would otherwise leave none.
    """
    if step.heir is None or any(
        s.verb == "start" and s.target.program == step.heir for s in run.plan.steps
    ):
        return
    target = replace(step.target, program=step.heir, namespec=step.heir.namespec)
    state = run.read(run.client(target), target)
    if state.state not in ("RUNNING", "STARTING", "BACKOFF", "EXITED"):
        raise Changed(f"{safe(step.heir.namespec)}, which was to take over, is {state.state} now")


def program(run: Run, step: Step, client: WriteClient) -> ProgramState:
    """The target's state now. Raises Changed unless it is the same process as in the plan.

    A respawning program may have any pid or none; it is the same as long as it loops and nothing
    that is kept has died: else one of its lives may have become a working beat.
    """
    keepers(run)
    useful(run, step)
    state = run.read(client, step.target)
    if step.respawning and state.state == "RUNNING" and _lasts(run, step):
        raise Changed(f"it does not loop any more: pid {state.pid} stays up")
    if step.respawning or step.target.process is None or state.state in DOWN:
        return state
    if not state.pid:
        if state.state == "EXITED":
            return state
        raise Changed(f"it is {state.state} now; pid {step.target.process.pid} has ended")
    now = run.process(state)
    if now != step.target.process:
        raise Changed(
            f"it is another process now: pid {state.pid}, started "
            f"{run.clock.words(state.start_at)}, not pid {step.target.process.pid}"
        )
    return state


def _lasts(run: Run, step: Step) -> bool:
    """Whether what looped when the plan was made has come to rest since, by the newest look.

    Its name may have been given to another command, or its conflict mended. An undo means whatever
    its start has brought forth.
    """
    if not run.plan.keep and step.target.process is None:
        return False
    found = run.program(step.target)
    return found is not None and not found.respawning and found.leader is not None
