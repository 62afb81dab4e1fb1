"""Which of several beats to keep, and how each other one is ended."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from beattop.diagnosis.names import beat_name, program_of, server_of
from beattop.model.finding import Keep, Target, Via
from beattop.model.snapshot import Beat, Program, Snapshot
from beattop.text import duration

_LAST = 1 << 62
"""Sorts behind every number that is known."""


def rank(beat: Beat, snapshot: Snapshot) -> tuple[object, ...]:
    """Sorts beats, the one to keep first (facts measured on Celery 3.1 to 5.7).

    A `worker -B` is never stopped for its beat: that would lose its running tasks, so it is kept,
    unless its beat is silent: then the one that works is kept, and the other is advice.
    """
    program = program_of(snapshot, beat.program)
    order = program.config.order if program and program.config else _LAST
    started = beat.started_at if beat.started_at is not None else _LAST
    return (
        beat.health == "silent",
        not beat.embedded,
        beat.holds_pidfile is not True,
        beat.unmanaged,
        round(started),
        not (beat.handles and beat.handles.peers),
        beat.process.start_ticks if beat.process else _LAST,
        order,
        beat.pid or _LAST,
    )


def keep(beat: Beat, snapshot: Snapshot) -> Keep:
    """The beat that goes on, with why."""
    reasons = []
    if beat.holds_pidfile:
        reasons.append(f"holds {beat.pidfile}")
    if beat.embedded:
        reasons.append("is embedded in a worker, which is never stopped for it")
    if beat.unmanaged:
        reasons.append("is not supervised")
    if beat.started_at is not None:
        reasons.append(f"up {duration(snapshot.at - beat.started_at)}")
    if beat.last_sent_at is not None and snapshot.at - beat.last_sent_at < 600:
        reasons.append(f"last wrote or sent {duration(snapshot.at - beat.last_sent_at)} ago")
    return Keep(
        beat.supervisor,
        beat.namespec,
        beat.pid,
        program=beat.program,
        process=beat.process,
        why=", ".join(reasons),
    )


def ctl(snapshot: Snapshot, program: Program, verb: str) -> str | None:
    """The supervisorctl call to do the same by hand."""
    server = server_of(snapshot, program.id.supervisor)
    if server is None or not server.ctl:
        return None
    return shlex.join([*server.ctl, verb, program.namespec])


def stop_program(program: Program, snapshot: Snapshot, why: str, pid: int | None) -> Target:
    """Stop a supervised program, or say what a person does where beattop must not."""
    server = server_of(snapshot, program.id.supervisor)
    via: Via = "xmlrpc"
    if server is None or server.answers is not True or not server.writable:
        via = "advice"
        why = f"{why}; its supervisord does not answer here"
    elif others := _would_fall(program):
        via = "advice"
        why = f"{why}; but stopping {program.namespec} would stop {others} with it"
    command = ctl(snapshot, program, "stop")
    if _would_fall(program):
        command = f"kill -TERM {pid}" if pid else None
    return Target(
        program.id.supervisor,
        program.namespec,
        pid,
        via,
        command,
        program=program.id,
        process=next((m.key for m in program.members if m.process.pid == pid), None),
        why=why,
    )


def _would_fall(program: Program) -> str | None:
    """What else lives in a program's tree: its stop would end that too."""
    for member in program.members:
        if member.role in ("worker", "worker+beat", "flower"):
            return f"a {member.role.partition('+')[0]} (pid {member.process.pid})"
    beats = [m for m in program.members if m.role == "beat"]
    if len(beats) > 1:
        return f"{len(beats)} beats"
    return None


def stop_beat(beat: Beat, snapshot: Snapshot, why: str = "") -> Target:
    """How one surplus beat is ended: XML-RPC, SIGTERM, or a word to a person."""
    program = program_of(snapshot, beat.program)
    if beat.embedded:
        return _embedded(beat, program, why)
    if program is not None:
        return stop_program(program, snapshot, why, beat.pid)
    via, command, reason = _signal(beat, snapshot)
    return Target(
        beat.supervisor,
        None,
        beat.pid,
        via,
        command,
        process=beat.process,
        why="; ".join(part for part in (why, reason) if part),
    )


def _embedded(beat: Beat, program: Program | None, why: str) -> Target:
    where = f"[{program.config.section}]" if program and program.config else "its command"
    child = beat.pid is not None and beat.pid != beat.main_pid
    if beat.origin == "orphan":
        return Target(
            None,
            None,
            beat.pid,
            "advice",
            f"kill -TERM {beat.main_pid}",
            process=beat.process,
            why=f"{why}; no supervisord holds that worker (pid {beat.main_pid}) any more: when it "
            f"is idle, kill -TERM {beat.main_pid} ends it with its beat; its running task is "
            "waited for"
            + (f". In an emergency kill -TERM {beat.pid} ends its beat alone" if child else ""),
        )
    advice = (
        f"take -B (--beat) out of {where} and restart that worker when it is idle; never stop a "
        "worker for its beat"
    )
    if child:
        advice += f". In an emergency kill -TERM {beat.pid} ends its embedded beat alone"
    return Target(
        beat.supervisor,
        beat.namespec,
        beat.pid,
        "advice",
        f"kill -TERM {beat.pid}" if child else None,
        program=beat.program,
        process=beat.process,
        why="; ".join(part for part in (why, advice) if part),
    )


def _signal(beat: Beat, snapshot: Snapshot) -> tuple[Via, str | None, str]:
    kill = f"kill -TERM {beat.pid}"
    if beat.supervisor is not None:
        return "advice", None, f"{beat.supervisor} runs it: stop its program there"
    if beat.unit:
        return (
            "advice",
            shlex.join(["systemctl", "stop", beat.unit]),
            (f"it belongs to the systemd unit {beat.unit}, which may start it again"),
        )
    if beat.container:
        told = f"it runs in a container ({beat.container}): stop it there"
        return "advice", kill if beat.container.startswith("pid namespace") else None, told
    if beat.runner:
        return "advice", kill, f"{beat.runner} started it and may start it again"
    if snapshot.viewer.uid not in (0, beat.uid):
        owner = beat.user or f"uid {beat.uid}"
        who = owner if owner == "root" else f"{owner} or root"
        return "advice", kill, f"it is {owner}'s process: {who} may end it"
    return "signal", kill, ""


def describe(beat: Beat, snapshot: Snapshot) -> str:
    """One line of evidence on a living beat: who, how long, where."""
    age = duration(snapshot.at - beat.started_at) if beat.started_at is not None else "?"
    place = f", in {beat.key.cwd}" if beat.key.cwd else ""
    user = f", user {beat.user}" if beat.user else ""
    return f"pid {beat.pid}: {beat_name(beat, snapshot)}, up {age}{place}{user}"


def best(beats: Sequence[Beat], snapshot: Snapshot) -> list[Beat]:
    """The beats, the one to keep first."""
    return sorted(beats, key=lambda b: rank(b, snapshot))
