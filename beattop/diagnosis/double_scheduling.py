"""Two or more beats of one identity that all live: everything is sent so many times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from beattop.diagnosis import lasting
from beattop.diagnosis.identity import Link, known_apart, link
from beattop.diagnosis.keep import best, describe, keep, stop_beat
from beattop.diagnosis.names import app_name, beat_name, program_of, subject
from beattop.diagnosis.refusal import barred
from beattop.model.finding import Certainty, Finding, LastingFix
from beattop.model.snapshot import Beat, Snapshot
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
    living = [b for b in snapshot.beats if _sends(b, snapshot)]
    links: list[Link] = []
    apart: dict[int, dict[int, str]] = {id(b): {} for b in living}
    for a, b in combinations(living, 2):
        found = _link(a, b, snapshot)
        if found is None or found.certainty == "possible":
            reason = known_apart(a, b) or (_sent_apart(a, b, snapshot) if found else None)
            if reason is not None:
                apart[id(a)][id(b)] = apart[id(b)][id(a)] = reason
        if found is not None and not _overlap(a, b, snapshot):
            links.append(found)
    links = _without_bridges(links, apart)
    sure = [found for found in links if found.certainty != "possible"]
    clustered: set[int] = set()
    for cluster in _clusters(living, sure):
        clustered |= {id(b) for b in cluster}
        yield _double(cluster, [k for k in sure if any(k.a is b for b in cluster)], snapshot)
    maybe = [k for k in links if k.certainty == "possible"]
    maybe = [k for k in maybe if not (id(k.a) in clustered and id(k.b) in clustered)]
    for cluster in _clusters(living, maybe):
        yield _double(cluster, [k for k in maybe if any(k.a is b for b in cluster)], snapshot)


def _without_bridges(links: list[Link], apart: Mapping[int, Mapping[int, str]]) -> list[Link]:
    """The links, those in doubt that would join two beats which are known to be apart.

    A beat of unknown broker is like the one of prod and like the one of staging: a duplicate of
    either, nobody knows of which, and no reason to stop one of the two for the other.
    """
    if not any(apart.values()):
        return links
    near: dict[int, set[int]] = {}
    for found in links:
        if found.certainty != "possible":
            near.setdefault(id(found.a), set()).add(id(found.b))
            near.setdefault(id(found.b), set()).add(id(found.a))
    out = []
    for found in links:
        one, two = id(found.a), id(found.b)
        doubts = (
            [
                apart[x][far]
                for x, y in ((one, two), (two, one))
                for far in apart[x].keys() & near[y]
            ]
            if found.certainty == "likely"
            else []
        )
        if not doubts:
            out.append(found)
            continue
        told = f"but it may belong to another: {min(doubts)}"
        out.append(replace(found, certainty="possible", evidence=(*found.evidence, told)))
    return out


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


def _link(a: Beat, b: Beat, snapshot: Snapshot) -> Link | None:
    """How two living beats belong together, what they send included."""
    found = link(a, b)
    one, two = _entries(a, snapshot), _entries(b, snapshot)
    if found is None or not one or not two:
        return found
    if both := one & two:
        return replace(found, evidence=(*found.evidence, f"both send {sorted(both)[0]}"))
    if found.certainty == "certain":
        return found
    told = f"but {_sent_apart(a, b, snapshot)}"
    return replace(found, certainty="possible", evidence=(*found.evidence, told))


def _sent_apart(a: Beat, b: Beat, snapshot: Snapshot) -> str | None:
    """That they send different entries: several schedulers of one app on purpose."""
    one, two = _entries(a, snapshot), _entries(b, snapshot)
    if not one or not two or one & two:
        return None
    return f"what they send differs: {sorted(one)[0]} and {sorted(two)[0]}"


def _entries(beat: Beat, snapshot: Snapshot) -> set[str]:
    """The entries that the end of its log tells of; empty where it is too little to compare."""
    program = program_of(snapshot, beat.program)
    words = program.last_words if program else None
    if words is None or words.sent_at is None or snapshot.at - words.sent_at > FRESH_S:
        return set()
    sent = [match["entry"] for line in words.lines if (match := _SENT.search(line))]
    return set(sent) if len(sent) >= ENOUGH else set()


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


def _if_one(fix: LastingFix, possible: bool) -> LastingFix:
    """A cure for what is only possible is no change to copy."""
    if not possible:
        return fix
    return LastingFix(f"Only if they are one project: {fix.text}", fix.file, fix.line, fix.section)


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
        lasting=_if_one(lasting.double(kept, surplus, snapshot), possible),
        since_at=since,
        identity=f"duplicate-beat:double:{app_name(kept)}:"
        + ",".join(str(b.namespec or b.pid) for b in ordered),
        short=f"{app_name(kept)} is sent {times}: {beat_name(surplus[0], snapshot)} beside "
        f"{beat_name(kept, snapshot)}",
    )
