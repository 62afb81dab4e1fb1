"""Plans for programs that a person selected: stop, start, restart, with all that may surprise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from beattop.actions.protect import others, works
from beattop.actions.steps import (
    Parts,
    ProgramVerb,
    advised,
    called,
    mute,
    program_target,
    rpc_step,
)
from beattop.model.plan import Plan, Step
from beattop.model.snapshot import Beat, Program, ProgramId, Snapshot
from beattop.text import count, safe

_UP = ("RUNNING", "STARTING", "BACKOFF")
_PAST = {"stop": "stopped", "start": "started", "restart": "restarted"}


def plan_program(verb: ProgramVerb, programs: Sequence[Program], snapshot: Snapshot) -> Plan:
    """Stop, start or restart `programs`; the last working beat too, after one more warning."""
    parts = Parts.empty()
    chosen = list({p.id: p for p in programs}.values())
    touched = frozenset(p.id for p in chosen)
    for found in chosen:
        name = safe(found.namespec)
        target = program_target(snapshot, found, verb)
        reason = mute(snapshot, found.id.supervisor)
        if reason is not None:
            parts.advice.append(advised(target, f"not {_PAST[verb]}, {reason}"))
            continue
        idle = _idle(verb, found)
        if idle is not None:
            parts.warnings.append(f"{name} {idle}: left out")
            continue
        if verb == "start":
            target = replace(target, pid=None, process=None)
        parts.steps.append(rpc_step(snapshot, verb, target))
        parts.warnings += _warnings(verb, found, snapshot, touched)
    number = len(parts.steps)
    words = count(number, "program")
    if len(chosen) == 1 or number == 1:
        words = called(parts.steps[0].target) if number else safe(chosen[0].namespec)
    return parts.plan(f"{verb.capitalize()} {words}", snapshot)


def _idle(verb: ProgramVerb, found: Program) -> str | None:
    """Why there is nothing to do for it; None where there is."""
    if verb == "start" and found.state == "STOPPING":
        return "is still stopping (start it once it is STOPPED)"
    if verb == "start" and (found.respawning or found.state in _UP):
        if found.respawning:
            return "is started over and over already"
        again = "is in BACKOFF: supervisord starts it again by itself"
        return again if found.state == "BACKOFF" else "runs already"
    if verb == "stop" and not found.respawning and found.pid is None:
        return f"is {found.state}" if found.state in ("STOPPED", "FATAL", "EXITED") else None
    return None


def _warnings(
    verb: ProgramVerb, found: Program, snapshot: Snapshot, touched: frozenset[ProgramId]
) -> list[str]:
    out: list[str] = []
    name = safe(found.namespec)
    beats = [b for b in snapshot.beats if b.program == found.id]
    for beat in beats:
        if verb == "start":
            out += _second(name, others(snapshot, beat, touched))
        elif works(beat) and not others(snapshot, beat, touched):
            until = "until it runs again" if verb == "restart" else "until somebody starts it"
            app = f" of {safe(beat.key.app)}" if beat.key.app else ""
            out.append(f"{name} is the last working beat{app}: nothing is scheduled {until}")
    if verb != "start":
        out += _losses(name, found)
    if verb == "stop" and found.config is not None and found.config.autostart:
        out.append(f"{name} comes back when supervisord restarts (autostart)")
    if any(m.process.pid == snapshot.viewer.pid for m in found.members):
        out.append(f"beattop itself runs in {name} and ends with it")
    return out


def surprises(steps: Sequence[Step], snapshot: Snapshot) -> tuple[str, ...]:
    """What the starts among `steps` meet by now: they run already, or another one schedules."""
    starting = [s.target.program for s in steps if s.verb == "start"]
    chosen = [p for p in snapshot.programs if p.id in starting]
    touched = frozenset(p.id for p in chosen)
    out = []
    for found in chosen:
        idle = _idle("start", found)
        out += [f"{safe(found.namespec)} {idle}"] if idle else []
        out += [] if idle else _warnings("start", found, snapshot, touched)
    return tuple(out)


def _second(name: str, rivals: Sequence[Beat]) -> list[str]:
    return [
        f"{safe(b.namespec) if b.namespec else f'pid {b.pid}'} schedules the same already: "
        f"{name} becomes a second beat"
        for b in rivals
    ]


def _losses(name: str, found: Program) -> list[str]:
    if found.role not in ("worker", "worker+beat"):
        return []
    wait = found.config.stopwaitsecs if found.config else 10.0
    return [f"{name} is a worker: its running tasks get {wait:.0f} s (stopwaitsecs), then SIGKILL"]
