"""What is heard between two samples, and whether it is worth a sample of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum

from beattop.model.lifecycle import Exit, LifecycleEvent
from beattop.model.logevents import LogEvent
from beattop.model.supervisor import Supervisord
from beattop.sources.lifecycle import Drained, Drops

_MOST_PIDS = 1000
_FEW = 3
"""Deaths in a row after which a program that is no loop is known to be none."""

_LASTED_S = 60.0
"""Who lived so long begins anew: its death is the first of a row."""

Name = tuple[str, str]
"""(supervisor, bare name), as its log has it."""


class News(IntEnum):
    """How much a look is worth, now instead of at the next turn."""

    NONE = 0
    DEATH = 1
    """A program died: it may be the begin of something."""
    ROW = 2
    """It died again: it may just have become a loop."""


class Ration:
    """A handful of looks at once, then one from time to time."""

    def __init__(self, most: float, every_s: float, now: float) -> None:
        self._most, self._every_s = most, every_s
        self._left, self._at = most, now

    def take(self, now: float) -> bool:
        """Use one up at `now` (monotonic seconds); False where none is left."""
        self._left = min(self._most, self._left + (now - self._at) / self._every_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Between:
    """Keeps what was heard early for the sample that follows; for the collector's thread.

    A death is worth a look where a supervisord's child died that is not known to die again and
    again: a crash loop is to be named at once, and a named one costs no more looks than needed, nor
    does a cron-like program, which was looked at when it had died a few times.
    """

    def __init__(self) -> None:
        self.looping: Collection[Name] = frozenset()
        """Programs that are named already; may be replaced from any thread."""
        self._drained: list[Drained] = []
        self._logged: list[LogEvent] = []
        self._names: dict[int, Name] = {}
        """The newest pids that logs told of."""
        self._spawned: dict[Name, float] = {}
        self._row: dict[Name, int] = {}
        """Deaths in a row that nobody asked for, since the start."""

    def hear(
        self,
        drained: Drained,
        logged: Iterable[LogEvent],
        supervisords: Iterable[Supervisord],
    ) -> News:
        """Keep these, and tell what a look at the box is worth now."""
        logged = tuple(logged)
        self._drained.append(drained)
        self._logged += logged
        self._learn(logged)
        servers = {s.key.pid for s in supervisords if s.key is not None}
        told = [self._news(e) for e in logged]
        died = {(e.supervisor, e.name) for e in logged if e.kind in ("exited", "stopped")}
        for e in drained.events:
            if isinstance(e, Exit) and e.ppid in servers:
                name = self._names.get(e.pid)
                if name is None:
                    told.append(News.DEATH)
                elif name not in died:  # its line is still to be written
                    told.append(self._worth(name, self._row.get(name, 0) + 1))
        return max(told, default=News.NONE)

    def _news(self, event: LogEvent) -> News:
        name = (event.supervisor, event.name)
        if event.kind == "exited":
            return self._worth(name, self._row.get(name, 0), event.expected is not True)
        return News.DEATH if event.kind == "fatal" and name not in self.looping else News.NONE

    def _worth(self, name: Name, row: int, unexpected: bool = False) -> News:
        """Of the death that is the `row`-th of a program."""
        if name in self.looping or (row > _FEW and not unexpected):
            return News.NONE
        return News.ROW if 1 < row <= _FEW else News.DEATH

    def drained(self, last: Drained) -> Drained:
        """All that was drained since the sample before, with `last` at its end."""
        if not self._drained:
            return last
        parts, self._drained = [*self._drained, last], []
        events: list[LifecycleEvent] = []
        execs: set[int] = set()
        for part in parts:
            events += part.events
            execs -= {e.pid for e in part.events if isinstance(e, Exit)}
            execs |= part.execs
        drops = Drops(
            sum(p.drops.overflows for p in parts),
            sum(p.drops.lost for p in parts),
            sum(p.drops.unheard_forks for p in parts),
            sum(p.drops.discarded for p in parts),
        )
        return Drained(tuple(events), frozenset(execs), drops, any(p.rescan for p in parts))

    def logged(self, last: tuple[LogEvent, ...]) -> tuple[LogEvent, ...]:
        """The same of log events."""
        self._learn(last)
        if not self._logged:
            return last
        early, self._logged = self._logged, []
        return (*early, *last)

    def _learn(self, logged: Iterable[LogEvent]) -> None:
        for event in logged:
            if event.kind == "spawned" and event.pid is not None:
                self._names.pop(event.pid, None)
                self._names[event.pid] = (event.supervisor, event.name)
            self._count(event)
        while len(self._names) > _MOST_PIDS:
            del self._names[next(iter(self._names))]

    def _count(self, event: LogEvent) -> None:
        name = (event.supervisor, event.name)
        if event.kind == "spawned":
            self._spawned[name] = event.at
        elif event.kind == "stopped":
            self._row.pop(name, None)
        elif event.kind == "exited":
            lasted = event.at - self._spawned.get(name, event.at) > _LASTED_S
            self._row[name] = 1 if lasted else self._row.get(name, 0) + 1
