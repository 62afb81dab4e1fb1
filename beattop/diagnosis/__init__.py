"""What is wrong on the box: one finding a cause and identity, under its most specific kind."""

from __future__ import annotations

from collections.abc import Iterable

from beattop.diagnosis.beat_down import beats_down
from beattop.diagnosis.double_scheduling import double_scheduling
from beattop.diagnosis.duplicate_beat import respawning
from beattop.diagnosis.lone import orphans, silent_beats
from beattop.diagnosis.program_down import programs_down
from beattop.diagnosis.respawn_loop import respawn_loops
from beattop.diagnosis.stale_pidfile import stale_pidfiles
from beattop.diagnosis.supervisord import denied, doubles, not_answering
from beattop.diagnosis.traits import normal_app
from beattop.model.finding import SEVERITIES, Finding
from beattop.model.paths import project
from beattop.model.snapshot import Beat, ProgramId, Snapshot

# Among findings of one severity: what blocks everything else first, then what burns most.
_ORDER = (
    "double-supervisor",
    "supervisor-not-answering",
    "duplicate-beat",
    "stale-pidfile",
    "beat-down",
    "respawn-loop",
    "program-down",
    "beat-silent",
    "orphan",
    "supervisor-denied",
)


def diagnose(snapshot: Snapshot) -> tuple[Finding, ...]:
    """All findings, most severe first. Pure: the same snapshot gives the same findings."""
    out: list[Finding] = []
    twice: set[str] = set()
    for finding, surplus in doubles(snapshot):
        out.append(finding)
        twice |= set(surplus)
    out.extend(not_answering(snapshot, twice))
    doubled = {p.id for p in snapshot.programs if p.id.supervisor in twice}
    out.extend(f for f in _duplicates(snapshot) if not _told(f, doubled))
    claimed = _programs(out) | doubled
    out.extend(f for f in stale_pidfiles(snapshot) if not set(f.programs) & claimed)
    claimed = _programs(out) | doubled
    out.extend(respawn_loops(snapshot, claimed))
    claimed = _programs(out) | doubled
    out.extend(beats_down(snapshot, claimed))
    out.extend(programs_down(snapshot, claimed))
    pids = {pid for f in out if f.severity != "info" for pid in f.pids}
    out.extend(silent_beats(snapshot, pids))
    pids |= {k.pid for f in out if f.severity != "info" for k in f.keep if k.pid is not None}
    out.extend(orphans(snapshot, pids))
    out.extend(denied(snapshot))
    out = [f for f in out if _concerns(f, snapshot)]
    return tuple(
        sorted(
            out,
            key=lambda f: (
                SEVERITIES.index(f.severity),
                _ORDER.index(f.kind),
                -(f.churn_pct or 0.0),
                f.identity,
            ),
        )
    )


def _duplicates(snapshot: Snapshot) -> Iterable[Finding]:
    yield from respawning(snapshot)
    yield from double_scheduling(snapshot)


def _told(finding: Finding, doubled: set[ProgramId]) -> bool:
    """Whether a second supervisord on one conf already explains these duplicates."""
    return bool({*finding.programs, *(k.program for k in finding.keep)} & doubled)


def _programs(findings: Iterable[Finding]) -> set[ProgramId]:
    return {p for f in findings for p in f.programs}


def _concerns(finding: Finding, snapshot: Snapshot) -> bool:
    """With --supervisor, strangers count only where they share an identity with its programs."""
    if not snapshot.limited_to:
        return True
    if finding.kind == "beat-silent":
        return bool(finding.programs)
    if finding.kind != "duplicate-beat":
        return True
    if finding.certainty == "possible" and len(finding.programs) < len(finding.pids):
        return False  # an app's name alone makes no stranger one of theirs
    named = [*(p.supervisor for p in finding.programs), *(k.supervisor for k in finding.keep)]
    if any(s in snapshot.limited_to for s in named):
        return True
    pids = {*finding.pids, *(k.pid for k in finding.keep)}
    return any(_theirs(b, snapshot) for b in snapshot.beats if b.pid in pids)


def _theirs(beat: Beat, snapshot: Snapshot) -> bool:
    """Whether a stranger was started by one of the limit's supervisords, or sends what their
    workers do: one app from one project."""
    if beat.was_supervisor in snapshot.limited_to:
        return True
    app, place = normal_app(beat.key.app), project(beat.key.cwd)
    if app is None or place is None or beat.supervisor is not None:
        return False
    return any(
        normal_app(m.line.app) == app and project(m.process.cwd) == place
        for p in snapshot.programs
        if p.id.supervisor in snapshot.limited_to
        for m in p.members
    )
