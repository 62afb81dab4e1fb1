"""Programs that die and are started again for ever, for a cause of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from beattop.diagnosis.cause import cause
from beattop.diagnosis.keep import ctl
from beattop.diagnosis.lasting import place
from beattop.diagnosis.names import short_name
from beattop.diagnosis.respawning import pace, rate
from beattop.model.finding import Finding, LastingFix
from beattop.model.snapshot import Program, ProgramId, Snapshot
from beattop.text import count, moment

CRITICAL_PCT = 25.0
"""Of a core: what a loop may burn before it is critical (contract)."""


def respawn_loops(snapshot: Snapshot, claimed: Collection[ProgramId]) -> Iterable[Finding]:
    """One finding a program that no duplicate and no pidfile explains."""
    for program in snapshot.programs:
        if program.respawning and program.id not in claimed:
            yield _loop(program, snapshot)


def _loop(program: Program, snapshot: Snapshot) -> Finding:
    name = short_name(program.id, snapshot)
    effect, cure = cause(program)
    churn = program.churn_pct or 0.0
    ended = "dies"
    if program.last_exit is not None:
        how = program.last_exit.signal or f"exit {program.last_exit.status}"
        ended = f"dies {rate(program)} ({how})"
    said = f": {program.last_error}" if program.last_error else ""
    kind = f"{program.role} " if program.role not in ("other", "wrapper") else ""
    summary = f"{name} ({kind.strip() or 'program'}) {ended}{said}".rstrip(".")
    evidence = [f"{name}: {pace(program)}"]
    if program.loop_exits and program.loop_since_at:
        since = moment(program.loop_since_at, snapshot.at)
        evidence.append(f"{count(program.loop_exits, 'exit')} in a row since {since}")
    if program.last_exit is not None:
        evidence.append(f"last exit: {how} ({program.last_exit.meaning})")
    if program.last_error:
        evidence.append(f"its last words: {program.last_error}")
    if program.config is not None:
        evidence.append(f"configured in {place(program.config)}: {program.config.command}")
    stop = ctl(snapshot, program, "stop")
    if stop is not None:
        evidence.append(f"to end the burn, not the cause: {stop}")
    lasting = cure[0].upper() + cure[1:] + "."
    if program.config is not None:
        lasting = f"{place(program.config)}: {cure}."
    return Finding(
        kind="respawn-loop",
        severity="critical" if churn >= CRITICAL_PCT else "warning",
        certainty="certain",
        summary=summary + ".",
        effect=effect,
        programs=(program.id,),
        pids=(program.pid,) if program.pid else (),
        evidence=tuple(evidence),
        lasting=LastingFix(
            lasting,
            program.config.file if program.config else None,
            program.config.line if program.config else 0,
            program.config.section if program.config else None,
            ticket=summary + ".",
        ),
        since_at=program.loop_since_at,
        churn_pct=program.churn_pct,
        identity=f"respawn-loop:{program.id.supervisor}:{program.namespec}",
        short=f"{name} {ended}{said}",
    )
