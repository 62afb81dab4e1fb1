"""The last working beat of an identity: what no plan against duplicates may take away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from beattop.model.finding import Finding, Keep, Target
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, ProgramId, Snapshot

# A beat of unknown health lives: an old one with another scheduler than the file's tells no more.
_WORKS = ("working", None)


def beats_of(snapshot: Snapshot, target: Target) -> tuple[Beat, ...]:
    """The beats that stopping `target` would end: its own, its worker's, its supervisord's."""
    servers = {s.id for s in snapshot.supervisords if s.key and s.key == target.process}
    return tuple(
        beat
        for beat in snapshot.beats
        if (target.program is not None and beat.program == target.program)
        or (target.process is not None and beat.process == target.process)
        or (target.process is not None and beat.embedded and beat.main_pid == target.process.pid)
        or beat.supervisor in servers
    )


def works(beat: Beat) -> bool:
    """Whether it lives and nothing tells that it sends nothing."""
    return beat.process is not None and beat.health in _WORKS and beat.state != "Z"


@dataclass(frozen=True, slots=True)
class Kept:
    """All that some finding keeps."""

    programs: frozenset[ProgramId]
    processes: frozenset[ProcessKey]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Kept:
        """Of all of them together, whatever their certainty."""
        keeps = [keep for finding in findings for keep in finding.keep]
        return cls(
            frozenset(k.program for k in keeps if k.program is not None),
            frozenset(k.process for k in keeps if k.process is not None),
        )

    def holds(self, target: Target) -> bool:
        """Whether `target` is kept on behalf of some finding."""
        return target.program in self.programs or target.process in self.processes


def _beat_kept(snapshot: Snapshot, keep: Keep) -> Beat | None:
    """The living beat that `keep` names; None where it names none."""
    for beat in snapshot.beats:
        if beat.process is None or beat.state == "Z":
            continue
        if beat.process == keep.process or (
            keep.process is None and keep.program is not None and beat.program == keep.program
        ):
            return beat
    return None


def handed_on(snapshot: Snapshot, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with keepers that stay: where one of a loop's is stopped by another finding,
    what that one keeps, if it works. A loop schedules nothing, so nothing is lost with it. In a
    circle each keeps its own."""
    stops = [(t, f) for f in findings for t in f.stop if t.via != "advice"]

    def stay(keep: Keep, seen: tuple[Finding, ...]) -> Iterator[Keep]:
        for target, finding in stops:
            if _same(target, keep) and finding not in seen and _works_on(snapshot, finding):
                for heir in finding.keep:
                    yield from stay(heir, (*seen, finding))
                return
        yield keep

    return tuple(
        replace(f, keep=tuple(dict.fromkeys(k for keep in f.keep for k in stay(keep, (f,)))))
        if not any(works(beat) for target in f.stop for beat in beats_of(snapshot, target))
        else f
        for f in findings
    )


def _same(target: Target, keep: Keep) -> bool:
    if target.process is not None and keep.process is not None:
        return target.process == keep.process
    return target.program is not None and target.program == keep.program


def _works_on(snapshot: Snapshot, finding: Finding) -> bool:
    """Whether a beat that `finding` keeps works."""
    beats = (_beat_kept(snapshot, keep) for keep in finding.keep)
    return any(beat is not None and works(beat) for beat in beats)


def withheld(
    snapshot: Snapshot, finding: Finding, target: Target, kept: Kept, stopping: Sequence[Target]
) -> str | None:
    """Why `target` must not be stopped for `finding`, in words; None where it may.

    `stopping` are all targets of the plan: a keeper among them keeps nothing.
    """
    if kept.holds(target):
        return "it is the beat that another finding keeps"
    ended = beats_of(snapshot, target)
    if not ended:
        return None
    gone = {beat.process for other in stopping for beat in beats_of(snapshot, other)}
    keepers = [_beat_kept(snapshot, keep) for keep in finding.keep]
    alive = [
        beat
        for beat in keepers
        if beat is not None
        and beat.process not in gone
        and beat.health not in ("down", "respawning")
    ]
    if not alive:
        return "no other beat that lives would be left"
    if any(works(beat) for beat in ended) and not any(works(beat) for beat in alive):
        return "it is the last working beat: the one that would be kept sends nothing"
    return None


def others(snapshot: Snapshot, beat: Beat, leaving: frozenset[ProgramId]) -> tuple[Beat, ...]:
    """The working beats of the same identity, apart from those of the programs `leaving`."""

    def same(other: Beat) -> bool:
        if other.pidfile is not None and other.pidfile == beat.pidfile:
            return True
        if other.schedule is not None and other.schedule == beat.schedule:
            return True
        known = beat.key.app is not None and beat.key.cwd is not None
        return known and other.key[:2] == beat.key[:2]

    return tuple(
        other
        for other in snapshot.beats
        if other is not beat and other.program not in leaving and works(other) and same(other)
    )
