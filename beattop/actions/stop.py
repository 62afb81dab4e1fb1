"""The stop of a program, so that it holds: asked until it is taken, watched until it is true.

One call often misses a looping program: caught in EXITED it returns fault 70 and is spawned again
in the same turn of supervisord's loop. A second call at once meets the fresh child. With
wait=True supervisord would spin at 100 % CPU, so /proc is watched instead and supervisord is
asked rarely: each question wakes it and makes a loop spin faster.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from beattop.actions import validate
from beattop.actions.ended import Failed, Unverified
from beattop.actions.guard import Guard, judge, needs_config
from beattop.actions.run import Run
from beattop.actions.steps import address, supervisord
from beattop.actions.writer import BAD_NAME, NOT_RUNNING, NoAnswer, Refused, WriteClient
from beattop.model.finding import Target
from beattop.model.plan import Step
from beattop.model.process import ProcessKey
from beattop.model.supervisor import ProgramState
from beattop.text import count

TRIES = 6
SECOND_LOOK_S = 1.2
"""supervisord's loop turns once a second: STOPPED over a longer span than that stays STOPPED."""
ASK_EVERY_S = 5.0
WATCH_EXTRA_S = 5.0
"""supervisord kills at its next turn and reaps at the one after, each a second or more away."""
MARGIN_S = 0.4
"""Of its shortest life a loop's child has this left when a call signals its process group."""
MOMENT_S = 10.0
"""How long such a moment is waited for."""
GUARDED_TRIES = 3


@dataclass(slots=True)
class Stopping:
    """A program that was asked to stop."""

    index: int
    step: Step
    client: WriteClient
    before: ProgramState
    leaders: list[ProcessKey] = field(default_factory=list)
    """The process it ran when it was asked, and the one that was there for the last call."""
    stopped: ProgramState | None = None
    stopped_at: float = 0.0
    """Monotonic time of the first look that found it stopped."""
    asked_at: float = 0.0
    ours: bool = False
    """True where this call stopped it: what it was before can be had back."""
    missed: bool = False
    """True where the call got no answer, so that it may be carried out later."""


def ask(run: Run, index: int, step: Step) -> Stopping:
    """Re-validate, then ask: at most TRIES times, the last accepted. Raises Ended."""
    client = run.client(step.target)
    stopping = Stopping(index, step, client, validate.program(run, step, client))
    stopping.asked_at = run.clock.monotonic()
    if stopping.before.state in validate.DOWN:
        stopping.stopped, stopping.stopped_at = stopping.before, stopping.asked_at
        down = stopping.before.state
        run.checks.tick(index, "asked", "skipped", f"is {down} already")
        run.checks.tick(index, "stopped", "done", f"{down} at {run.clock.words()}")
        return stopping
    _remember(run, stopping, stopping.before)
    guard = _guard(run, stopping)
    run.check_cancelled()
    run.acted = True
    tries, state = _until_taken(run, stopping, guard)
    _remember(run, stopping, state)
    way = f"{stopping.before.state} → {state.state if state else '?'}"
    words = {1: "1st", 2: "2nd", 3: "3rd"}.get(tries, f"{tries}th")
    if stopping.missed:
        run.checks.tick(index, "asked", "done", "no answer; it may still be carried out")
    elif stopping.ours:
        run.checks.tick(index, "asked", "done", f"{words} try, {way}")
    else:
        # What somebody else has stopped, or what ended by itself, is not ours to take back.
        run.checks.tick(index, "asked", "skipped", f"not running, {way}")
    return stopping


def _remember(run: Run, stopping: Stopping, state: ProgramState | None) -> None:
    key = run.process(state) if state is not None else None
    if key is not None and key not in stopping.leaders:
        stopping.leaders.append(key)


def _guard(run: Run, stopping: Stopping) -> Guard:
    target = stopping.step.target
    try:
        version = stopping.client.version()
        told = (
            stopping.client.config(stopping.before.group, stopping.before.name)
            if needs_config(version)
            else {}
        )
    except (Refused, NoAnswer):
        version, told = "", {}
    found = run.program(target)
    return judge(version, told, found.config if found else None)


def _until_taken(run: Run, stopping: Stopping, guard: Guard) -> tuple[int, ProgramState | None]:
    """(which call was taken, the state after it); raises Failed where none was."""
    client, target = stopping.client, stopping.step.target
    state = stopping.before
    tries = GUARDED_TRIES if guard.stands else TRIES
    for attempt in range(1, tries + 1):
        if guard.stands:
            state = _harmless(run, stopping, state, guard)
            if state.state in (*validate.DOWN, "STOPPING", "EXITED"):
                return attempt, state
        stopping.asked_at = run.clock.monotonic()
        try:
            client.stop(address(target))
        except Refused as why:
            if why.code == BAD_NAME:
                raise Failed("the program does not exist any more") from None
            if why.code != NOT_RUNNING:
                raise Failed(f"supervisord refused the stop: {why}", target.command) from None
        except NoAnswer as why:
            if not why.sent:
                raise Failed(f"supervisord could not be asked: {why}", target.command) from None
            # A timed-out stop is carried out later all the same: from here on only reads.
            stopping.missed = True
            return attempt, None
        else:
            stopping.ours = True
            return attempt, _read(run, stopping)
        state = run.read(client, target)
        if state.state in validate.DOWN or state.state == "STOPPING":
            return attempt, state
    if state.state == "EXITED":
        return tries, state
    raise Failed(f"{tries} calls missed it; it is {state.state}", target.command)


def _harmless(run: Run, stopping: Stopping, state: ProgramState, guard: Guard) -> ProgramState:
    """Its state once a call can do no harm; raises Failed where that moment does not come.

    In BACKOFF no signal is sent. Elsewhere its process group has to be there, and to be there
    still when the call is handled: so not at the end of a life, whose successor has none for an
    instant.
    """
    target, begun = stopping.step.target, run.clock.monotonic()
    life = run.shortest_life(target.program) if stopping.step.respawning else math.inf
    exited_at = begun
    while True:
        now = run.clock.monotonic()
        exited_at = exited_at if state.state == "EXITED" else now
        if state.state in (*validate.DOWN, "BACKOFF", "STOPPING"):
            return state
        if state.state == "RUNNING" and not stopping.step.respawning:
            return state
        if now - exited_at >= SECOND_LOOK_S:
            return state  # nobody starts it again
        key = run.process(state)
        found = run.proc.stat(key.pid) if key else None
        if found and found.pgrp == found.pid and run.proc.age(found) <= life - MARGIN_S:
            return state
        if now - begun >= MOMENT_S or run.late():
            raise Failed(
                f"not asked, since {_hasty(state, life)}, and {guard.why}",
                _without_signal(run, target),
            )
        run.pause()
        state = run.read(stopping.client, target)


def _hasty(state: ProgramState, life: float) -> str:
    if life <= MARGIN_S:
        return f"it dies again within {life:.1f} s"
    return f"it is {state.state} and its process cannot be seen from here"


def _without_signal(run: Run, target: Target) -> str | None:
    """A command that takes it out of the way between two lives, when it is a group of its own."""
    wanted = target.program
    server = supervisord(run.look(), target.supervisor)
    if wanted is None or server is None or not server.ctl:
        return None
    group = [p for p in run.begun.programs if p.id[:2] == wanted[:2]]
    return shlex.join([*server.ctl, "remove", wanted.group]) if len(group) == 1 else None


def _read(run: Run, stopping: Stopping) -> ProgramState | None:
    """Its state; None where supervisord does not say: the stop is asked for, the watch goes on."""
    try:
        return stopping.client.state(address(stopping.step.target))
    except (Refused, NoAnswer):
        return None


def settle(run: Run, all_of: Sequence[Stopping]) -> dict[int, Failed | Unverified]:
    """Watch until each is stopped, for its stopwaitsecs and 2 s. Returns what went wrong."""
    wrong: dict[int, Failed | Unverified] = {}
    waiting = [s for s in all_of if s.stopped is None]
    asked: dict[int, float] = {}
    while waiting:
        for stopping in tuple(waiting):
            ended = _look(run, stopping, asked)
            if ended is not None:
                wrong[stopping.index] = ended
            if ended is not None or stopping.stopped is not None:
                waiting.remove(stopping)
        if waiting:
            run.pause()
    return wrong


def _look(run: Run, stopping: Stopping, asked: dict[int, float]) -> Failed | Unverified | None:
    """One look at one program; an ending where it is over for it."""
    now = run.clock.monotonic()
    limit = run.stopwaitsecs(stopping.step.target) + WATCH_EXTRA_S
    over = now - stopping.asked_at >= limit or run.late()
    lives = [key for key in stopping.leaders if run.proc.alive(key)]
    waited = f"{count(int(now - stopping.asked_at), 'second')}"
    due = now - asked.get(stopping.index, -math.inf) >= (ASK_EVERY_S if lives else 0.5)
    if not due and not over:
        return None
    asked[stopping.index] = now
    state = _read(run, stopping)
    if state is None:
        run.checks.tick(stopping.index, "stopped", "pending", f"no answer for {waited}")
        if over:
            return Unverified(f"asked to stop, but supervisord has not answered for {waited}")
        return None
    if state.state in validate.DOWN or (state.state == "EXITED" and not stopping.ours):
        stopping.stopped, stopping.stopped_at = state, now
        run.checks.tick(stopping.index, "stopped", "done", f"{state.state} at {run.clock.words()}")
        return None
    _remember(run, stopping, state)
    run.checks.tick(stopping.index, "stopped", "pending", f"{state.state}, {waited}")
    begun = run.program(stopping.step.target)
    if state.state == "STOPPING" and (begun is None or begun.config is None):
        over = run.late()  # its stopwaitsecs are not known: it has all the time there is
    if not over:
        return None
    if run.late():
        return Unverified(f"asked to stop and {state.state}, but the time was over")
    pid = f" (pid {state.pid})" if state.pid else ""
    return Failed(f"it is still {state.state}{pid} after {waited}", stopping.step.target.command)


def stays(run: Run, stopping: Stopping) -> None:
    """The second look, long enough after the first; raises Failed or Unverified."""
    left = stopping.stopped_at + SECOND_LOOK_S - run.clock.monotonic()
    run.pause(max(0.0, left))
    state = _read(run, stopping)
    apart = run.clock.monotonic() - stopping.stopped_at
    if state is None:
        raise Unverified("stopped, but supervisord does not answer a second time")
    again = stopping.stopped is not None and state.start_at > stopping.stopped.start_at
    if again or state.state not in (*validate.DOWN, "EXITED"):
        pid = f" with pid {state.pid}" if state.pid else ""
        raise Failed(f"it did not stay stopped: it is {state.state}{pid} again")
    run.checks.tick(
        stopping.index,
        "stays-stopped",
        "done",
        f"{state.state}, read twice, {apart:.1f} s apart, at {run.clock.words()}",
    )
