"""Programs, no beats, that supervisord gave up or cannot even start."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from beattop.diagnosis.beat_down import server_hangs
from beattop.diagnosis.cause import ran, remedy
from beattop.diagnosis.keep import ctl
from beattop.diagnosis.lasting import at, fix
from beattop.diagnosis.names import short_name
from beattop.model.finding import Finding
from beattop.model.role import SCHEDULING
from beattop.model.snapshot import Program, ProgramId, Snapshot
from beattop.text import moment


def programs_down(snapshot: Snapshot, claimed: Collection[ProgramId]) -> Iterable[Finding]:
    """One finding a program without a process; those in `claimed` have a more specific one."""
    for program in snapshot.programs:
        if program.members or program.role in SCHEDULING or program.id in claimed:
            continue
        down = program.state == "FATAL" or (program.state == "BACKOFF" and not ran(program))
        if down and not server_hangs(program, snapshot):
            yield _down(program, snapshot)


def _down(program: Program, snapshot: Snapshot) -> Finding:
    name = short_name(program.id, snapshot)
    given_up = program.state == "FATAL"
    state = "is FATAL" if given_up else "cannot be started"
    told = "supervisord gave it up" if given_up else "supervisord tries again and again"
    why = program.last_error if ran(program) else program.spawnerr
    because = f": {why}" if why else ""
    evidence = [f"{told}: {program.state}"]
    if program.spawnerr:
        evidence.append(f"supervisord says: {program.spawnerr}")
    if program.last_exit:
        ended = program.last_exit.signal or f"status {program.last_exit.status}"
        evidence.append(
            f"last exit {ended} ({program.last_exit.meaning}) "
            f"at {moment(program.last_exit.at, snapshot.at)}"
        )
    if program.last_error and ran(program):
        evidence.append(f"its last words: {program.last_error}")
    config = program.config
    start = ctl(snapshot, program, "start") or "start it again"
    cure = remedy(program)
    summary = f"{name} {state}: {told}{because}"
    return Finding(
        kind="program-down",
        severity="warning",
        certainty="certain",
        summary=summary,
        effect="down",
        programs=(program.id,),
        pids=(),
        evidence=tuple(evidence),
        lasting=fix(at(config, f"{cure}, then {start}."), config, ticket=summary),
        since_at=program.last_exit.at if program.last_exit else None,
        identity=f"program-down:{program.id.supervisor}:{program.namespec}",
        short=f"{name} {state}{because}",
    )
