"""A beat that is refused for ever by a pidfile whose pid now is someone else."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from beattop.diagnosis.lasting import place
from beattop.diagnosis.names import short_name
from beattop.diagnosis.refusal import Refusal, holder, proven_stale, refusal
from beattop.diagnosis.respawning import pace, rate
from beattop.model.finding import Finding, LastingFix
from beattop.model.role import SCHEDULING
from beattop.model.snapshot import Program, Snapshot
from beattop.text import duration, moment


def stale_pidfiles(snapshot: Snapshot) -> Iterable[Finding]:
    """Refused beats whose pidfile names no beat."""
    for program in snapshot.programs:
        gone = program.state == "FATAL" and not program.respawning
        if program.role not in SCHEDULING or not (program.respawning or gone):
            continue
        refused = refusal(program, snapshot)
        if refused is None or refused.fact is None:
            continue
        fact = refused.fact
        explained = fact.holder is None or holder(refused, program, snapshot) is not None
        if explained and not proven_stale(fact, snapshot):
            continue
        yield _stale(program, refused, snapshot)


def _stale(program: Program, refused: Refusal, snapshot: Snapshot) -> Finding:
    fact = refused.fact
    assert fact is not None
    name = short_name(program.id, snapshot)
    what = " ".join(fact.holder_argv[:4]) or "an unknown process"
    proven = proven_stale(fact, snapshot)
    whose = f"pid {fact.pid}, which is `{what}`" + (
        f" of user {fact.holder_user}" if fact.holder_user else ""
    )
    evidence = [f"{fact.path} names {whose}: no beat"]
    if fact.mtime_at is not None:
        evidence.append(f"{fact.path} was written {moment(fact.mtime_at, snapshot.at)}")
    if fact.holder_started_at is not None:
        began = moment(fact.holder_started_at, snapshot.at)
        later = fact.mtime_at is not None and fact.holder_started_at > fact.mtime_at + 2
        evidence.append(
            f"pid {fact.pid} began {began}" + (", after the file was written" if later else "")
        )
    if refused.words:
        evidence.append(f"{name} says: {refused.words}")
    evidence.append(f"{name}: {pace(program)}")
    command = f"rm {shlex.quote(fact.path)}"
    config = program.config
    state = "dies " + rate(program) if program.respawning else "is FATAL"
    return Finding(
        kind="stale-pidfile",
        severity="critical",
        certainty="certain" if proven else "likely",
        summary=f"{name} {state} (exit 73): {fact.path} is stale, its {whose}. No beat runs.",
        effect="respawning" if program.respawning else "down",
        programs=(program.id,),
        pids=(program.pid,) if program.pid else (),
        evidence=tuple(evidence),
        lasting=LastingFix(
            f"Now: {command} (never touch pid {fact.pid}); the beat then starts at its next try. "
            "For good: put the pidfile where a reboot clears it (/run) and let one program alone "
            "write it" + (f": {place(config)}" if config else "") + ".",
            config.file if config else None,
            config.line if config else 0,
            config.section if config else None,
            ticket=f"{fact.path} outlived its beat by "
            + (duration(snapshot.at - fact.mtime_at) if fact.mtime_at else "some time")
            + "; keep pidfiles under /run.",
        ),
        since_at=program.loop_since_at,
        churn_pct=program.churn_pct,
        identity=f"stale-pidfile:{fact.path}:{name}",
        short=f"{name} {state}: stale pidfile {fact.path}, remove it",
        pidfile=fact.path if proven else None,
    )
