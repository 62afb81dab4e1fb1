"""An identity that has a beat program, but no living beat."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from beattop.diagnosis.cause import ran, remedy
from beattop.diagnosis.identity import link
from beattop.diagnosis.keep import ctl
from beattop.diagnosis.lasting import place
from beattop.diagnosis.names import app_name, server_of, short_name
from beattop.model.finding import Finding, LastingFix, Severity
from beattop.model.snapshot import Beat, Program, ProgramId, Snapshot
from beattop.text import moment

_UP = ("STARTING", "RUNNING")


def beats_down(snapshot: Snapshot, claimed: Collection[ProgramId]) -> Iterable[Finding]:
    """One finding an identity; programs in `claimed` have a more specific one."""
    absent = [b for b in snapshot.beats if b.health == "down" and b.program not in claimed]
    programs = {p.id: p for p in snapshot.programs}
    told: list[Beat] = []
    for beat in absent:
        if beat.program is None or any(_one(beat, other) for other in told):
            continue
        program = programs[beat.program]
        if _somebody_else(beat, snapshot) or server_hangs(program, snapshot):
            continue
        if program.state in _UP and not program.members:
            continue  # between two lives: it is being started again
        told.append(beat)
        same = [b for b in absent if b is beat or _one(beat, b)]
        yield _down([programs[b.program] for b in same if b.program], beat, snapshot)


def _one(a: Beat, b: Beat) -> bool:
    """Whether they are one schedule; a namesake that only might be does not stand in for it."""
    found = link(a, b)
    return found is not None and found.certainty != "possible"


def server_hangs(program: Program, snapshot: Snapshot) -> bool:
    """Whether its supervisord does not answer: that is told once, for all its programs."""
    server = server_of(snapshot, program.id.supervisor)
    return server is not None and server.key is not None and server.answers is False


def _somebody_else(beat: Beat, snapshot: Snapshot) -> bool:
    """Whether another beat lives, or still tries to, for the same schedule.

    Of a program whose section was taken out of the conf nothing tells whose schedule it sent: any
    beat that lives beside it may be its successor.
    """
    nobody_knows = not any(beat.key) and beat.pidfile is None and beat.schedule is None
    for other in snapshot.beats:
        if nobody_knows and other.pid is not None and other.supervisor == beat.supervisor:
            return True
        if other.pid is None and other.health != "respawning":
            continue
        if _one(beat, other):
            return True
        if other.was is not None and (other.was_supervisor, other.was) == (
            beat.supervisor,
            beat.namespec,
        ):
            return True
    return False


def _severity(programs: list[Program]) -> Severity:
    """Info where somebody asked for it, or it was never to start by itself."""
    for program in programs:
        if program.state in ("FATAL", "BACKOFF", "EXITED", "UNKNOWN"):
            return "critical"
        if program.state is None and program.last_exit is not None:
            return "critical"
    return "info"


def _down(programs: list[Program], beat: Beat, snapshot: Snapshot) -> Finding:
    severity = _severity(programs)
    program = next((p for p in programs if p.state in ("FATAL", "EXITED")), programs[0])
    name = short_name(program.id, snapshot)
    app = app_name(beat)
    since = program.last_exit.at if program.last_exit else None
    when = f" since {moment(since, snapshot.at)}" if since and severity == "critical" else ""
    state: str = program.state or "not running"
    waits = program.state in _UP
    if waits:
        state += ", but its command has started no beat"
    words = program.last_error if ran(program) else program.spawnerr
    why = f": {words}" if words else ""
    summary = f"No beat runs for {app}{when}: {name} is {state}{why}"
    evidence = [f"{short_name(p.id, snapshot)} is {p.state or 'not running'}" for p in programs]
    if program.last_exit is not None:
        ended = program.last_exit.signal or f"status {program.last_exit.status}"
        evidence.append(f"last exit {ended} ({program.last_exit.meaning})")
    if program.spawnerr:
        evidence.append(f"supervisord says: {program.spawnerr}")
    if program.last_error and ran(program):
        evidence.append(f"its last words: {program.last_error}")
    if program.config is not None and not program.config.autostart:
        evidence.append(f"autostart=false in {place(program.config)}")
    start = ctl(snapshot, program, "start")
    then = f"{remedy(program)}, then {start or 'start it again'}"
    if severity == "info":
        then = f"start it: {start}" if start else "start it"
    server = server_of(snapshot, program.id.supervisor)
    if program.state is None and server is not None and server.key is None:
        named = f": supervisord -c {server.conf}" if server.conf else ""
        then = f"start its supervisord, which does not run{named}"
    if waits:
        then = "see what its command waits for (l): a lock, a script"
    return Finding(
        kind="beat-down",
        severity=severity,
        certainty="certain",
        summary=summary.rstrip(".") + ". Nothing is scheduled.",
        effect="down",
        programs=tuple(p.id for p in programs),
        pids=(),
        evidence=tuple(evidence),
        lasting=LastingFix(
            f"{then[0].upper()}{then[1:]}.",
            program.config.file if program.config else None,
            program.config.line if program.config else 0,
            program.config.section if program.config else None,
            ticket=summary,
        ),
        since_at=since,
        identity=f"beat-down:{name}",
        short=f"no beat runs for {app}: {name} is {state}",
    )
