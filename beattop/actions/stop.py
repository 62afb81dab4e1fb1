"""The stop of a program, so that it holds: asked until it is taken, watched until it is true.

One call often misses a looping program: caught in EXITED it returns fault 70 and is spawned again
in the same turn of supervisord's loop. A second call at once meets the fresh child. With
wait=True supervisord would spin at 100 % CPU, so /proc is watched instead and supervisord is
asked rarely: each question wakes it and makes a loop spin faster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from beattop.actions import validate
from beattop.actions.ended import Failed, Unverified
from beattop.actions.guard import Guard, judge, needs_config
from beattop.actions.run import Run
from beattop.actions.writer import BAD_NAME, NOT_RUNNING, NoAnswer, Refused, WriteClient
from beattop.model.plan import Step
from beattop.model.process import ProcessKey
from beattop.model.supervisor import ProgramState
from beattop.text import count

TRIES = 6
SECOND_LOOK_S = 1.2
"""supervisord's loop turns once a second: STOPPED over a longer span than that stays STOPPED."""
ASK_EVERY_S = 5.0
WATCH_EXTRA_S = 2.0
SETTLED_S = 0.4
"""A child that lived so long has its own process group: it makes that before it execs."""


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
        run.checks.tick(index, "asked", "skipped", f"is {stopping.before.state} already")
        return stopping
    _remember(run, stopping, stopping.before)
    guard = _guard(run, stopping)
    if guard.stands:
        _good_moment(run, stopping)
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
        run.checks.tick(index, "asked", "done", f"not running, {way}")
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


def _good_moment(run: Run, stopping: Stopping) -> None:
    """Where one call is all there may be: wait for a child that has settled, or for BACKOFF."""
    for _ in range(6):
        if stopping.before.state == "BACKOFF":
            return
        key = run.process(stopping.before)
        run.pause(SETTLED_S)
        if key is not None and run.proc.alive(key):
            return
        stopping.before = run.read(stopping.client, stopping.step.target)


def _until_taken(run: Run, stopping: Stopping, guard: Guard) -> tuple[int, ProgramState | None]:
    """(how many calls it took, the state after the last); raises Failed where none was taken."""
    client, target = stopping.client, stopping.step.target
    state = stopping.before
    for attempt in range(1, TRIES + 1):
        if attempt > 1 and guard.stands and state.state != "BACKOFF":
            raise Failed(
                f"the call met it between two lives ({state.state}), and {guard.why}, for that "
                "could end supervisord itself: try again later, or stop it",
                target.command,
            )
        try:
            client.stop(target.namespec or "")
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
        return TRIES, state
    raise Failed(f"{TRIES} calls at once all missed it; it is {state.state}", target.command)


def _read(run: Run, stopping: Stopping) -> ProgramState | None:
    """Its state; None where supervisord does not say: the stop is asked for, the watch goes on."""
    try:
        return stopping.client.state(stopping.step.target.namespec or "")
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
            run.pause(0.1)
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
        stopping.ours |= stopping.missed
        run.checks.tick(stopping.index, "stopped", "done", f"{state.state} at {run.clock.words()}")
        return None
    _remember(run, stopping, state)
    run.checks.tick(stopping.index, "stopped", "pending", f"{state.state}, {waited}")
    if not over:
        return None
    if now - stopping.asked_at < limit:
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
    stopping.stopped = state
    run.checks.tick(
        stopping.index,
        "stays-stopped",
        "done",
        f"{state.state}, read twice, {apart:.1f} s apart, at {run.clock.words()}",
    )
