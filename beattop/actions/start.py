"""The start of a program, watched until it has proven itself."""

from __future__ import annotations

from beattop.actions import validate
from beattop.actions.ended import Blind, Changed, Failed, Unverified
from beattop.actions.run import Run
from beattop.actions.steps import address
from beattop.actions.writer import (
    ALREADY_STARTED,
    BAD_NAME,
    NO_FILE,
    NOT_EXECUTABLE,
    SPAWN_ERROR,
    NoAnswer,
    Refused,
    WriteClient,
)
from beattop.model.plan import Step
from beattop.model.supervisor import ProgramState

SECOND_S = 1.2
"""supervisord notices that startsecs are over at its next turn, up to a second later."""
SPARE_S = 1.0
SERVICES = frozenset({"beat", "worker", "worker+beat", "flower", "events"})
"""Roles of programs that run until they are stopped."""
_WORDS = {
    BAD_NAME: "the program does not exist any more",
    NO_FILE: "its command does not exist",
    NOT_EXECUTABLE: "its command cannot be executed",
}


def start(run: Run, index: int, step: Step, check: str = "asked") -> bool:
    """Start it and watch it outlive startsecs. True where this call started it. Raises Ended.

    While STOPPING, supervisord says yes to a start and does nothing: so that is waited out.
    """
    client = run.client(step.target)
    state = _stopped(run, step, client)
    if state.state in ("RUNNING", "STARTING"):
        run.checks.tick(index, check, "skipped", f"is {state.state} already, pid {state.pid}")
        _watch(run, index, step, client, state)
        return False
    run.check_cancelled()
    run.acted = True
    asked = _ask(run, step, client)
    run.checks.tick(index, check, "done", f"{asked}, was {state.state}")
    _watch(run, index, step, client, state)
    return True


def _stopped(run: Run, step: Step, client: WriteClient) -> ProgramState:
    """Its state once it is not STOPPING any more."""
    end = run.clock.monotonic() + run.stopwaitsecs(step.target) + 2
    while True:
        validate.keepers(run)
        state = run.read(client, step.target)
        if state.state != "STOPPING":
            return state
        if run.clock.monotonic() >= end or run.late():
            raise Failed("it is still STOPPING, so it cannot be started yet", step.command)
        run.pause(0.5)


def _ask(run: Run, step: Step, client: WriteClient) -> str:
    try:
        client.start(address(step.target))
    except Refused as why:
        if why.code == ALREADY_STARTED:
            return "somebody else has started it"
        if why.code == SPAWN_ERROR:
            # Also said of one that was spawned and had ended when supervisord answered.
            return "accepted, but supervisord tells of a spawn error"
        words = _WORDS.get(why.code, "supervisord refused the start")
        raise Failed(f"{words} ({why})", step.command) from None
    except NoAnswer as why:
        if not why.sent:
            raise Failed(f"supervisord could not be asked: {why}", step.command) from None
        return "no answer; it may still be carried out"
    return f"accepted at {run.clock.words()}"


def _watch(run: Run, index: int, step: Step, client: WriteClient, before: ProgramState) -> None:
    """RUNNING with one process that outlives startsecs; raises Failed or Unverified."""
    startsecs = run.startsecs(step.target.program)
    needed = startsecs + SECOND_S
    end = run.clock.monotonic() + 2 * needed + SPARE_S
    pid, since = None, run.clock.monotonic()
    while True:
        state = _state(run, step, client)
        now = run.clock.monotonic()
        if state is not None:
            _gave_up(state, step)
            if _ended_well(run, step, state, before):
                words = f"ran and ended as it should (exit {state.exit_status})"
                run.checks.tick(index, "runs", "done", f"{words} at {run.clock.words()}")
                return
            if state.pid != pid:
                pid, since = state.pid, now
            run.checks.tick(index, "runs", "pending", f"{state.state}, pid {pid}")
            again = pid or state.start_at > before.start_at
            if step.respawning and step.verb == "start" and again:
                words = f"{state.state}, pid {pid}; it looped before, so it loops again"
                run.checks.tick(index, "runs", "done", f"{words}, at {run.clock.words()}")
                return
            if state.state == "RUNNING" and now - since >= needed:
                words = f"RUNNING, pid {pid}, outlived startsecs ({startsecs:g} s)"
                run.checks.tick(index, "runs", "done", f"{words}, at {run.clock.words()}")
                return
        if now >= end or run.late():
            _over(state, startsecs, step)
        # One process is looked at in /proc; supervisord is asked again when its time has come.
        key = run.process(state) if state is not None else None
        until = since + needed if key else now + 0.5
        run.pause()
        while run.clock.monotonic() < min(until, end) and (key is None or run.proc.alive(key)):
            run.pause()


def _state(run: Run, step: Step, client: WriteClient) -> ProgramState | None:
    """Its state; None where supervisord does not say (the start is asked for all the same)."""
    try:
        return run.read(client, step.target)
    except Blind:
        return None
    except Changed as why:
        raise Failed(str(why)) from None


def _ended_well(run: Run, step: Step, state: ProgramState, before: ProgramState) -> bool:
    """Whether it is no service, and has done its work: a migration, a job that runs once."""
    found = run.program(step.target)
    if found is None or found.config is None or found.role in SERVICES:
        return False
    anew = state.start_at > before.start_at
    return state.state == "EXITED" and anew and state.exit_status in found.config.exitcodes


def _gave_up(state: ProgramState, step: Step) -> None:
    if state.state in ("FATAL", "UNKNOWN"):
        words = state.spawnerr or "see its log"
        raise Failed(f"it did not stay up: {state.state} ({words})", step.command)


def _over(state: ProgramState | None, startsecs: float, step: Step) -> None:
    if state is None:
        raise Unverified("asked to start, but supervisord does not answer")
    if state.state in ("RUNNING", "STARTING"):
        raise Unverified(f"it is {state.state}, but no process of it has lived {startsecs:g} s yet")
    words = state.spawnerr or "see its log"
    raise Failed(f"it did not stay up: {state.state} ({words})", step.command)
