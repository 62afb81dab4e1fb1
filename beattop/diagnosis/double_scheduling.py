"""Two or more beats of one identity that all live: everything is sent so many times."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

from beattop.diagnosis import lasting
from beattop.diagnosis.identity import Link, known_apart, linked
from beattop.diagnosis.keep import best, describe, keep, stop_beat, stop_program
from beattop.diagnosis.names import app_name, beat_name, program_of, subject
from beattop.diagnosis.pairs import Candidate, pairs
from beattop.diagnosis.refusal import barred
from beattop.diagnosis.traits import Traits, foreign, one_project
from beattop.model.beathealth import idle, locked
from beattop.model.files import LastWords
from beattop.model.finding import Certainty, Finding, LastingFix
from beattop.model.snapshot import Beat, Program, Snapshot
from beattop.model.supervisor import ProgramConfig
from beattop.text import duration, listing, moment

OVERLAP_S = 4.0
"""A beat that is new beside an old one for fewer seconds may be a deploy's change of guard."""
FRESH_S = 120.0
ENOUGH = 3
"""So many lines of what it sent just now, and two logs may be compared."""
_SENT = re.compile(r"Scheduler: Sending due task (?P<entry>.+)")
TOGETHER_S = 10.0
"""Two that began within so many seconds of each other are no change of guard."""


def double_scheduling(snapshot: Snapshot) -> Iterable[Finding]:
    """Living beats that send one schedule, clustered; the possible ones told apart."""
    words = {p.id: p.last_words for p in snapshot.programs}
    living = [
        _candidate(b, words.get(b.program) if b.program else None, snapshot)
        for b in snapshot.beats
        if _sends(b, snapshot)
    ]
    links: list[Link] = []
    nodes = {id(c.beat): c for c in living}
    for a, b in pairs(living):
        found = None if _overlap(a.beat, b.beat, snapshot) else _link(a, b)
        if found is not None:
            links.append(found)
    links = _without_bridges(links, nodes)
    sure = [found for found in links if found.certainty != "possible"]
    beats = [c.beat for c in living]
    kept: dict[int, Beat] = {}
    for cluster in _clusters(beats, sure):
        kept |= dict.fromkeys(map(id, cluster), best(cluster, snapshot)[0])
        yield _double(cluster, _among(cluster, sure), snapshot)
    maybe = [k for k in links if not (id(k.a) in kept and id(k.b) in kept)]
    for cluster in _clusters(beats, maybe):
        # Of those that surely are one, the one that is kept stands for all.
        several = {id(b): b for b in (kept.get(id(b), b) for b in cluster)}
        yield _double(list(several.values()), _among(cluster, maybe), snapshot)


def _candidate(beat: Beat, words: LastWords | None, snapshot: Snapshot) -> Candidate:
    sent = _entries(words, snapshot)
    program = program_of(snapshot, beat.program)
    config = program.config if program else None
    return Candidate(beat, Traits.of(beat), sent, idle(beat, words), locked(words), config)


def _among(cluster: Iterable[Beat], links: Iterable[Link]) -> list[Link]:
    names = {id(b) for b in cluster}
    return [found for found in links if id(found.a) in names]


def _without_bridges(links: Sequence[Link], known: Mapping[int, Candidate]) -> list[Link]:
    """The links, those in doubt that would join two beats which are known to be apart.

    A beat of unknown broker is like the one of prod and like the one of staging: a duplicate of
    either, nobody knows of which, and no reason to stop one of the two for the other.
    """
    near: dict[Hashable, dict[Hashable, Candidate]] = {}
    ends = [(known[id(k.a)], known[id(k.b)]) for k in links]
    for found, (one, two) in zip(links, ends, strict=True):
        if found.certainty != "possible":
            near.setdefault(one.node, {})[two.node] = two
            near.setdefault(two.node, {})[one.node] = one
    out = []
    for found, (one, two) in zip(links, ends, strict=True):
        doubts: list[str] = []
        if found.certainty == "likely":
            for x, y in ((one, two), (two, one)):
                reasons = (_apart(x, far) for far in near[y.node].values() if far.node != x.node)
                doubts += [reason for reason in reasons if reason]
        if not doubts:
            out.append(found)
            continue
        told = f"but it may belong to another: {min(doubts)}"
        out.append(replace(found, certainty="possible", evidence=(*found.evidence, told)))
    return out


def _apart(a: Candidate, b: Candidate) -> str | None:
    """Why two are two schedules; None where nothing says so, or a file says otherwise."""
    found = _link(a, b)
    if found is not None and found.certainty != "possible":
        return None
    return known_apart(a.traits, b.traits) or (_sent_apart(a, b) if found else None)


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


def _link(a: Candidate, b: Candidate) -> Link | None:
    """How two living beats belong together, what they send and how they are set up included."""
    found = _sending(a, b)
    name = _variant(a.config, b.config)
    if found is None or found.certainty != "likely" or name is None:
        return found
    told = f"but the environment= of their sections differs in {name}: perhaps two tenants"
    return replace(found, certainty="possible", evidence=(*found.evidence, told))


def _variant(a: ProgramConfig | None, b: ProgramConfig | None) -> str | None:
    """The first variable that tells two sections of one supervisord apart."""
    if a is None or b is None or a.supervisor != b.supervisor or a.section == b.section:
        return None
    other = dict(b.variants)
    return next((n for n, number in a.variants if other.get(n, number) != number), None)


def _sending(a: Candidate, b: Candidate) -> Link | None:
    found = linked(a.beat, b.beat, a.traits, b.traits)
    if found is not None and found.certainty == "likely" and (a.idle or b.idle):
        if (a.idle and b.locked) or (b.idle and a.locked):
            return None  # celery-redbeat, named in the settings
        pid = (a if a.idle else b).beat.pid
        told = f"but nothing tells that pid {pid} sends: it may be a standby (celery-redbeat)"
        return replace(found, certainty="possible", evidence=(*found.evidence, told))
    if found is None or not a.sent or not b.sent:
        return found
    if both := a.sent & b.sent:
        told = f"both send {min(both)}"
        # Two schedulers of one project on purpose would not send the same.
        known = one_project(a.traits, b.traits) and not _peers_apart(a, b)
        grade = "likely" if known and found.certainty == "possible" else found.certainty
        return replace(found, certainty=grade, evidence=(*found.evidence, told))
    if found.certainty == "certain":
        return found
    told = f"but {_sent_apart(a, b)}"
    return replace(found, certainty="possible", evidence=(*found.evidence, told))


def _peers_apart(a: Candidate, b: Candidate) -> bool:
    one, two = a.traits.peers, b.traits.peers
    return bool(one and two and not one & two)


def _sent_apart(a: Candidate, b: Candidate) -> str | None:
    """That they send different entries: several schedulers of one app on purpose."""
    if not a.sent or not b.sent or a.sent & b.sent:
        return None
    return f"what they send differs: {min(a.sent)} and {min(b.sent)}"


def _entries(words: LastWords | None, snapshot: Snapshot) -> frozenset[str]:
    """The entries that the end of its log tells of; empty where it is too little to compare."""
    if words is None or words.sent_at is None or snapshot.at - words.sent_at > FRESH_S:
        return frozenset()
    sent = [match["entry"] for line in words.lines if (match := _SENT.search(line))]
    return frozenset(sent) if len(sent) >= ENOUGH else frozenset()


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


def _sources(cluster: Sequence[Beat], snapshot: Snapshot) -> list[Program]:
    """The programs that go on leaving beats behind: they detach, and end well again and again."""
    left = {(b.was_supervisor, b.was) for b in cluster}
    return [
        p
        for p in snapshot.programs
        if (p.id.supervisor, p.namespec) in left
        and p.respawning
        and p.last_exit is not None
        and p.last_exit.status == 0
    ]


def _if_one(fix: LastingFix, possible: bool) -> LastingFix:
    """A cure for what is only possible is no change to copy."""
    if not possible:
        return fix
    return LastingFix(f"Only if they are one project: {fix.text}", fix.file, fix.line, fix.section)


def _two_apps(cluster: Sequence[Beat]) -> bool:
    """Whether a file alone joins them: their apps have nothing in common."""
    found = [Traits.of(b) for b in cluster]
    return any(foreign(found[0], other) for other in found[1:])


def _double(cluster: Sequence[Beat], links: Sequence[Link], snapshot: Snapshot) -> Finding:
    ordered = best(cluster, snapshot)
    kept, surplus = ordered[0], ordered[1:]
    grades: list[Certainty] = ["certain", "likely", "possible"]
    certainty = min((k.certainty for k in links), key=grades.index)
    possible = certainty == "possible"
    names = listing([subject(b, snapshot) for b in surplus])
    sources = _sources(cluster, snapshot)
    together = min(snapshot.at - (b.started_at or snapshot.at) for b in cluster)
    since = snapshot.at - together
    times = "twice" if len(cluster) == 2 else f"{len(cluster)} times"
    if possible and _two_apps(cluster):
        summary = (
            f"{listing([subject(b, snapshot) for b in ordered])} keep two apps' schedules in one "
            "file: each overwrites the other's, or they are one project and everything is sent "
            f"{times}."
        )
    elif possible:
        summary = (
            f"{listing([subject(b, snapshot) for b in ordered])} "
            f"{'both' if len(cluster) == 2 else 'all'} run {app_name(kept)}: "
            f"{'two' if len(cluster) == 2 else len(cluster)} projects of one name, or everything "
            f"is sent {times}."
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
        programs=tuple(
            dict.fromkeys([*(b.program for b in surplus if b.program), *(p.id for p in sources)])
        ),
        pids=tuple(b.pid for b in surplus if b.pid),
        evidence=tuple(dict.fromkeys(evidence)),
        keep=(keep(kept, snapshot),),
        stop=()
        if possible
        else (
            *(
                stop_program(p, snapshot, "it leaves a beat behind each time", p.pid)
                for p in sources
            ),
            *(
                stop_beat(b, snapshot, "a surplus beat: each task it sends is sent already")
                for b in surplus
            ),
        ),
        lasting=_if_one(lasting.double(kept, surplus, snapshot), possible),
        since_at=since,
        identity=f"duplicate-beat:double:{app_name(kept)}:"
        + ",".join(str(b.namespec or b.pid) for b in ordered),
        short=f"{app_name(kept)} is sent {times}: {beat_name(surplus[0], snapshot)} beside "
        f"{beat_name(kept, snapshot)}",
    )
