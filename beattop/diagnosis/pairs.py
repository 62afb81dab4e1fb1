"""Which of the living beats are worth comparing: nearly as few pairs as there are beats.

Beats that are alike in all that tells schedules apart are compared in a row, each with the next;
of two sorts, only those next to each other in age. Whoever belongs together is joined all the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from beattop.diagnosis.traits import Traits
from beattop.model.snapshot import Beat
from beattop.model.supervisor import ProgramConfig


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A living beat with what it is compared by."""

    beat: Beat
    traits: Traits
    sent: frozenset[str]
    """The entries that the end of its log tells of; empty where that is too little."""
    idle: bool
    """It has sent nothing since it began, and may be a standby."""
    locked: bool
    """It holds the lock that makes others its standbys."""
    config: ProgramConfig | None = None
    """Its program's section; None for one that no supervisord runs."""

    @property
    def began_at(self) -> float:
        """When it, or the worker that embeds it, began."""
        return float("inf") if self.beat.since_at is None else self.beat.since_at

    @property
    def variants(self) -> Hashable:
        """What of its section's environment tells it from other programs of its supervisord."""
        c = self.config
        return (c.supervisor, c.file, c.section, c.variants) if c and c.variants else None

    @property
    def app(self) -> Hashable:
        """Equal for two that run one app, or one script in one folder."""
        t = self.traits
        return t.app if t.app is not None else (t.cwd, t.script)

    @property
    def sort(self) -> Hashable:
        """Equal for two between which nothing but a file or a folder can differ."""
        t = self.traits
        told = (
            t.broker,
            t.settings,
            t.config,
            t.scheduler,
            t.peers,
            t.pid_ns,
            self.sent,
            self.idle,
            self.variants,
        )
        return (self.app, *told)

    @property
    def node(self) -> Hashable:
        """Equal for two that are like the same others."""
        return (self.sort, self.traits.projects)


def pairs(living: Iterable[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """The pairs to be compared, each once, the older first."""
    told: set[frozenset[int]] = set()
    for bucket in _buckets(sorted(living, key=lambda c: c.began_at)):
        sorts: dict[Hashable, list[Candidate]] = {}
        for one in bucket:
            sorts.setdefault(one.sort, []).append(one)
        for pair in _pairs(list(sorts.values())):
            names = frozenset(map(id, pair))
            if names not in told:
                told.add(names)
                yield pair


def _buckets(living: Sequence[Candidate]) -> Iterable[list[Candidate]]:
    """Those that have something in common: the app and a place or file, or an open file alone."""
    out: dict[Hashable, list[Candidate]] = {}
    for one in living:
        t = one.traits
        top = t.app.split(".")[0] if t.app is not None else one.app
        # In one order whatever the seed of hashes, so that evidence always stands alike.
        keys: list[Hashable] = [("app", one.app), *(("inode", i) for i in sorted(t.inodes))]
        keys += [("project", top, p) for p in sorted(t.projects)]
        names = {*t.schedules, *t.deleted, *([t.schedule] if t.schedule else [])}
        keys += [("schedule", name) for name in sorted(names)]
        keys += [("pidfile", top, t.pidfile)] if t.pidfile else []
        for key in keys:
            out.setdefault(key, []).append(one)
    return (bucket for bucket in out.values() if len(bucket) > 1)


def _pairs(sorts: Sequence[Sequence[Candidate]]) -> Iterator[tuple[Candidate, Candidate]]:
    for alike in sorts:
        yield from pairwise(alike)
    for one, two in combinations(sorts, 2):
        a, b = one[0].traits, two[0].traits
        open_both = a.inodes & b.inodes or a.deleted or b.deleted
        if a.broker and b.broker and a.broker != b.broker and not open_both:
            continue
        row = sorted((*one, *two), key=lambda c: c.began_at)
        yield from ((x, y) for x, y in pairwise(row) if x.sort != y.sort)
