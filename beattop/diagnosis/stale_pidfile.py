"""A beat that is refused for ever by a pidfile whose pid now is someone else."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable

from beattop.diagnosis.lasting import at, fix, without_pidfile
from beattop.diagnosis.names import app_name, short_name
from beattop.diagnosis.refusal import Refusal, holder, proven_stale, refusal, turned_away
from beattop.diagnosis.respawning import pace, rate
from beattop.model.files import Pidfile
from beattop.model.finding import Finding, LastingFix
from beattop.model.role import SCHEDULING
from beattop.model.snapshot import Beat, Program, Snapshot
from beattop.text import duration, moment


def stale_pidfiles(snapshot: Snapshot) -> Iterable[Finding]:
    """Refused beats whose pidfile names no beat."""
    for program in snapshot.programs:
        if program.role not in SCHEDULING or not _refusable(program, snapshot):
            continue
        refused = refusal(program, snapshot)
        if refused is None or refused.fact is None:
            continue
        fact = refused.fact
        explained = fact.holder is None or holder(refused, program, snapshot) is not None
        if refused.freed:
            yield _freed(program, refused, snapshot)
        elif not explained or proven_stale(fact, snapshot):
            yield _stale(program, refused, snapshot)


def _refusable(program: Program, snapshot: Snapshot) -> bool:
    return program.respawning or program.state == "FATAL" or turned_away(program, snapshot)


def _beat(fact: Pidfile, snapshot: Snapshot) -> Beat | None:
    """The beat whose pid a file holds: of another project, or this would be a duplicate."""
    return next((b for b in snapshot.beats if fact.pid in (b.pid, b.main_pid)), None)


def _freed(program: Program, refused: Refusal, snapshot: Snapshot) -> Finding:
    """The rest of the loop, once what barred the beat is gone: nothing to do but to wait."""
    name = short_name(program.id, snapshot)
    fact = refused.fact
    assert fact is not None
    now = {"absent": "is gone", "garbage": "names no pid"}.get(fact.status, "is nobody's")
    evidence = [f"{fact.path} {now}", f"{name}: {pace(program)}"]
    if refused.words:
        evidence.insert(1, f"{name} said: {refused.words}")
    return Finding(
        kind="stale-pidfile",
        severity="critical",
        certainty="likely",
        summary=f"{name} was refused (exit 73) by {fact.path}, which {now}: "
        "its next try should be let in.",
        effect="respawning",
        programs=(program.id,),
        pids=(program.pid,) if program.pid else (),
        evidence=tuple(evidence),
        lasting=LastingFix(
            f"Wait for its next try; if that is refused too, read its log (l): {name}."
        ),
        since_at=program.loop_since_at,
        churn_pct=program.churn_pct,
        identity=f"stale-pidfile:{fact.path}:{name}",
        short=f"{name} was refused by {fact.path}, which {now}: wait for its next try",
    )


def _command(argv: tuple[str, ...]) -> str:
    """The first words, paths of interpreter and script cut off: `python celery -A proj worker`."""
    # A title that setproctitle wrote is one word with spaces, and no path.
    words = [word if " " in word else posixpath.basename(word) or word for word in argv[:2]]
    return " ".join((*words, *argv[2:8])) or "an unknown process"


def _stale(program: Program, refused: Refusal, snapshot: Snapshot) -> Finding:
    fact = refused.fact
    assert fact is not None
    name = short_name(program.id, snapshot)
    what = _command(fact.holder_argv)
    proven = proven_stale(fact, snapshot)
    holder = f"`{what}`" + (f" of user {fact.holder_user}" if fact.holder_user else "")
    whose = f"pid {fact.pid}, which is {holder}"
    stranger = None if proven else _beat(fact, snapshot)
    whom = f"the beat of {app_name(stranger)}, another project" if stranger else "no beat"
    evidence = [f"{fact.path} names {whose}: {whom}"]
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
    stale = f"{fact.path} is stale (its pid {fact.pid} is {holder})"
    summary = f"{name} {state} (exit 73): {stale}. No beat runs."
    cure = (
        f"let {name} keep no pidfile (--pidfile=, for supervisord runs it once as it is), or put "
        f"it where a reboot clears it (/run). Right now {command} lets it start at its next try; "
        f"never touch pid {fact.pid}."
    )
    short = f"{name} {state}: stale pidfile {fact.path}, remove it"
    ticket = (
        f"{fact.path} outlived its beat by "
        + (duration(snapshot.at - fact.mtime_at) if fact.mtime_at else "some time")
        + f"; let {name} keep no pidfile (--pidfile=), or one under /run."
    )
    if not proven:
        # The file's pid may well have written it: a worker with the same --pidfile.
        own = next((b for b in snapshot.beats if b.program == program.id), None)
        runs = f"No beat runs for {app_name(own)}." if stranger and own else "No beat runs."
        summary = f"{name} {state} (exit 73): {fact.path} holds {whose}: {whom}. {runs}"
        why = f"pid {fact.pid} may have written {fact.path} itself"
        if fact.shared is not None:
            why = f"a beat of another host may hold {fact.path}"
            evidence.append(
                f"{fact.path} lies on {fact.shared}: a beat of another host may have written it"
            )
        cure = (
            f"give {name} a --pidfile of its own, or none (--pidfile=, for supervisord runs it "
            f"once as it is): {why}, so leave that file."
        )
        short = f"{name} {state}: {fact.path} is another program's pidfile"
        ticket = f"{name} and pid {fact.pid} share the pidfile {fact.path}."
    return Finding(
        kind="stale-pidfile",
        severity="critical",
        certainty="certain" if proven else "likely",
        summary=summary,
        effect="respawning" if program.respawning else "down",
        programs=(program.id,),
        pids=(program.pid,) if program.pid else (),
        evidence=tuple(evidence),
        lasting=fix(at(config, cure), config, without_pidfile(config) if config else "", ticket),
        since_at=program.loop_since_at,
        churn_pct=program.churn_pct,
        identity=f"stale-pidfile:{fact.path}:{name}",
        short=short,
        pidfile=fact.path if proven else None,
    )
