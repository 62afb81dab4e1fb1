"""A beat that another one's pidfile turns away, respawned for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from beattop.diagnosis import lasting
from beattop.diagnosis.identity import link
from beattop.diagnosis.keep import describe, keep, stop_beat, stop_program
from beattop.diagnosis.names import app_name, beat_name, short_name, subject
from beattop.diagnosis.refusal import Refusal, holder, proven_stale, refusal, turned_away
from beattop.diagnosis.respawning import pace, rate
from beattop.model.finding import Finding, Target
from beattop.model.role import SCHEDULING
from beattop.model.snapshot import Beat, Program, Snapshot
from beattop.text import count, listing, moment


def respawning(snapshot: Snapshot) -> Iterable[Finding]:
    """Beat programs that a living beat's pidfile turns away, grouped by who turns them away."""
    groups: dict[tuple[int | None, str | None], list[tuple[Program, Refusal]]] = {}
    holders: dict[tuple[int | None, str | None], Beat] = {}
    for program in snapshot.programs:
        if program.role not in SCHEDULING:
            continue
        if not program.respawning and not turned_away(program, snapshot):
            continue
        refused = refusal(program, snapshot)
        if refused is None or proven_stale(refused.fact, snapshot):
            continue
        held = holder(refused, program, snapshot) or _same_identity(program, snapshot)
        if held is None:
            continue
        key = (held.pid, refused.path)
        groups.setdefault(key, []).append((program, refused))
        holders[key] = held
    for key, found in groups.items():
        yield _respawning(found, holders[key], snapshot)


def _same_identity(program: Program, snapshot: Snapshot) -> Beat | None:
    """Where neither file nor words are readable: exit 73 beside a living beat of one identity."""
    own = next((b for b in snapshot.beats if b.program == program.id), None)
    if own is None:
        return None
    for other in snapshot.beats:
        if other.pid is None or other.program == program.id or other.health == "respawning":
            continue
        found = link(own, other)
        if found is not None and found.certainty != "possible":
            return other
    return None


def _respawning(
    found: Sequence[tuple[Program, Refusal]], held: Beat, snapshot: Snapshot
) -> Finding:
    programs = [p for p, _ in found]
    first, refused = found[0]
    names = listing([short_name(p.id, snapshot) for p in programs])
    path = refused.path
    who = subject(held, snapshot)
    holds = f"holds {path}" if path else "holds the pidfile"
    many = len(programs) > 1
    verb = (
        f"are further beats of {app_name(held)} and die"
        if many
        else (f"is a second beat of {app_name(held)} and dies")
    )
    exit_words = f"exit {first.last_exit.status}" if first.last_exit else "refused"
    evidence = _refusal_evidence(found, held, snapshot)
    certain = refused.words is not None or held.holds_pidfile is True
    since = min((p.loop_since_at for p in programs if p.loop_since_at), default=None)
    stops = tuple(
        stop_program(
            p,
            snapshot,
            f"{pace(p)}, never scheduled anything: stopping it loses nothing",
            p.pid,
        )
        for p in programs
    )
    return Finding(
        kind="duplicate-beat",
        severity="critical",
        certainty="certain" if certain else "likely",
        summary=f"{names} {verb} {rate(first)} ({exit_words}): {who} {holds}.",
        effect="respawning",
        programs=tuple(p.id for p in programs),
        pids=tuple(p.pid for p in programs if p.pid),
        evidence=evidence,
        keep=(keep(held, snapshot),),
        stop=stops,
        alternatives=_hand_over(held, programs, snapshot),
        lasting=lasting.respawning(programs, held, snapshot),
        since_at=since,
        churn_pct=_churn(programs),
        identity=f"duplicate-beat:respawning:{held.namespec or held.pid}:{names}",
        short=f"{names} respawns {rate(first)} ({exit_words}): "
        f"{beat_name(held, snapshot)} holds the pidfile",
        pidfile=path,
    )


def _refusal_evidence(
    found: Sequence[tuple[Program, Refusal]], held: Beat, snapshot: Snapshot
) -> tuple[str, ...]:
    out = [describe(held, snapshot)]
    for program, refused in found:
        name = short_name(program.id, snapshot)
        if refused.words:
            out.append(f"{name} says: {refused.words}")
        if program.last_exit:
            out.append(
                f"{name} exited {program.last_exit.status} ({program.last_exit.meaning})"
                f" at {moment(program.last_exit.at, snapshot.at)}"
            )
        if program.loop_exits:
            since = program.loop_since_at
            when = f" since {moment(since, snapshot.at)}" if since else ""
            exits = count(program.loop_exits, "exit")
            out.append(f"{name}: {exits} in a row{when}, {pace(program)}")
    fact = found[0][1].fact
    if fact is not None and fact.pid is not None:
        written = f", written {moment(fact.mtime_at, snapshot.at)}" if fact.mtime_at else ""
        his = fact.holder is not None and fact.holder.pid in (held.pid, held.main_pid)
        whose = f": that is {beat_name(held, snapshot)}" if his else ""
        out.append(f"{fact.path} names pid {fact.pid}{written}{whose}")
    return tuple(out)


def _hand_over(held: Beat, programs: Sequence[Program], snapshot: Snapshot) -> tuple[Target, ...]:
    """Second choice where a stranger holds the pidfile: end it, so that a program takes over."""
    if len(programs) != 1:
        return ()
    name = short_name(programs[0].id, snapshot)
    target = stop_beat(held, snapshot, f"then {name} takes the pidfile at its next start")
    return (target,) if target.via == "signal" else ()


def _churn(programs: Sequence[Program]) -> float | None:
    known = [p.churn_pct for p in programs if p.churn_pct is not None]
    return sum(known) if known else None
