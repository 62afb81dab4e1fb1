"""Two beats of one identity: one refused and respawned for ever, or all alive and sending."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from beattop.diagnosis import lasting
from beattop.diagnosis.identity import Link, link
from beattop.diagnosis.keep import best, describe, keep, stop_beat, stop_program
from beattop.diagnosis.names import app_name, beat_name, program_of, short_name, subject
from beattop.diagnosis.refusal import (
    Refusal,
    barred,
    holder,
    proven_stale,
    refusal,
    turned_away,
)
from beattop.diagnosis.respawning import pace, rate
from beattop.model.finding import Certainty, Finding, Target
from beattop.model.role import SCHEDULING
from beattop.model.snapshot import Beat, Program, Snapshot
from beattop.text import count, duration, listing, moment

OVERLAP_S = 4.0
"""A beat that is new beside an old one for fewer seconds may be a deploy's change of guard."""
TOGETHER_S = 10.0
"""Two that began within so many seconds of each other are no change of guard."""


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
        out.append(
            f"{fact.path} names pid {fact.pid}{written}: that is {beat_name(held, snapshot)}"
        )
    return tuple(out)


def _hand_over(held: Beat, programs: Sequence[Program], snapshot: Snapshot) -> tuple[Target, ...]:
    """Second choice where a stranger holds the pidfile: end it, so that a program takes over."""
    if not held.unmanaged or len(programs) != 1:
        return ()
    name = short_name(programs[0].id, snapshot)
    target = stop_beat(held, snapshot, f"then {name} takes the pidfile at its next start")
    return (target,) if target.via == "signal" else ()


def _churn(programs: Sequence[Program]) -> float | None:
    known = [p.churn_pct for p in programs if p.churn_pct is not None]
    return sum(known) if known else None


def double_scheduling(snapshot: Snapshot) -> Iterable[Finding]:
    """Living beats that send one schedule, clustered; the possible ones told apart."""
    living = [b for b in snapshot.beats if _sends(b, snapshot)]
    links = [
        found
        for a, b in combinations(living, 2)
        if not _overlap(a, b, snapshot) and (found := link(a, b)) is not None
    ]
    sure = [found for found in links if found.certainty != "possible"]
    clustered: set[int] = set()
    for cluster in _clusters(living, sure):
        clustered |= {id(b) for b in cluster}
        yield _double(cluster, [k for k in sure if any(k.a is b for b in cluster)], snapshot)
    maybe = [k for k in links if k.certainty == "possible"]
    maybe = [k for k in maybe if not (id(k.a) in clustered and id(k.b) in clustered)]
    for cluster in _clusters(living, maybe):
        yield _double(cluster, [k for k in maybe if any(k.a is b for b in cluster)], snapshot)


def _sends(beat: Beat, snapshot: Snapshot) -> bool:
    """Whether it is alive, on its own, and neither refused nor a standby nor on its way out."""
    if beat.pid is None or beat.health in ("respawning", "standby", "down"):
        return False
    program = program_of(snapshot, beat.program)
    if program is not None and program.state == "STOPPING":
        return False
    if barred(beat, snapshot):
        return False
    return beat.state not in ("Z", "X")


def _overlap(a: Beat, b: Beat, snapshot: Snapshot) -> bool:
    """Whether the younger may be just about to take over from the older."""
    ages = [snapshot.at - (x.since_at or snapshot.at) for x in (a, b)]
    return min(ages) < OVERLAP_S and abs(ages[0] - ages[1]) > TOGETHER_S


def _clusters(beats: Sequence[Beat], links: Sequence[Link]) -> list[list[Beat]]:
    """Beats joined by links, each cluster of two or more in the order of `beats`."""
    home = {id(b): {id(b)} for b in beats}
    for found in links:
        joined = home[id(found.a)] | home[id(found.b)]
        for member in joined:
            home[member] = joined
    seen: set[int] = set()
    out = []
    for beat in beats:
        if id(beat) in seen or len(home[id(beat)]) < 2:
            continue
        seen |= home[id(beat)]
        out.append([b for b in beats if id(b) in home[id(beat)]])
    return out


def _double(cluster: Sequence[Beat], links: Sequence[Link], snapshot: Snapshot) -> Finding:
    ordered = best(cluster, snapshot)
    kept, surplus = ordered[0], ordered[1:]
    grades: list[Certainty] = ["certain", "likely", "possible"]
    certainty = min((k.certainty for k in links), key=grades.index)
    possible = certainty == "possible"
    names = listing([subject(b, snapshot) for b in surplus])
    together = min(snapshot.at - (b.started_at or snapshot.at) for b in cluster)
    since = snapshot.at - together
    times = "twice" if len(cluster) == 2 else f"{len(cluster)} times"
    if possible:
        summary = (
            f"{subject(kept, snapshot)} and {names} both run {app_name(kept)}: "
            "two projects of one name, or everything is sent twice."
        )
    else:
        summary = (
            f"Everything of {app_name(kept)} is sent {times} since {moment(since, snapshot.at)}: "
            f"{names} {'schedules' if len(surplus) == 1 else 'schedule'} beside "
            f"{subject(kept, snapshot)}."
        )
    evidence = [describe(b, snapshot) for b in ordered]
    evidence += [line for k in links for line in k.evidence]
    evidence.append(f"side by side for {duration(together)}")
    return Finding(
        kind="duplicate-beat",
        severity="info" if possible else "critical",
        certainty=certainty,
        summary=summary,
        effect="double-scheduling",
        programs=tuple(dict.fromkeys(b.program for b in surplus if b.program)),
        pids=tuple(b.pid for b in surplus if b.pid),
        evidence=tuple(dict.fromkeys(evidence)),
        keep=(keep(kept, snapshot),),
        stop=()
        if possible
        else tuple(
            stop_beat(b, snapshot, "a surplus beat: each task it sends is sent already")
            for b in surplus
        ),
        lasting=lasting.double(kept, surplus, snapshot),
        since_at=since,
        identity=f"duplicate-beat:double:{app_name(kept)}:"
        + ",".join(str(b.namespec or b.pid) for b in ordered),
        short=f"{app_name(kept)} is sent {times}: {beat_name(surplus[0], snapshot)} beside "
        f"{beat_name(kept, snapshot)}",
    )
