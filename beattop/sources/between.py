"""What is heard between two samples, and whether it is worth a sample of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from beattop.model.lifecycle import Exit, LifecycleEvent
from beattop.model.logevents import LogEvent
from beattop.model.supervisor import Supervisord
from beattop.sources.lifecycle import Drained, Drops

_MOST_PIDS = 1000

Name = tuple[str, str]
"""(supervisor, bare name), as its log has it."""


class Between:
    """Keeps what was heard early for the sample that follows; for the collector's thread.

    A death is worth a look where a supervisord's child died that is not known to die again and
    again: a crash loop is to be named at once, and a named one costs no more looks than needed.
    """

    def __init__(self) -> None:
        self.looping: Collection[Name] = frozenset()
        """Programs that are named already; may be replaced from any thread."""
        self._drained: list[Drained] = []
        self._logged: list[LogEvent] = []
        self._names: dict[int, Name] = {}
        """The newest pids that logs told of."""

    def hear(
        self,
        drained: Drained,
        logged: Iterable[LogEvent],
        supervisords: Iterable[Supervisord],
    ) -> bool:
        """Keep these, and tell whether the box should be looked at now."""
        logged = tuple(logged)
        self._drained.append(drained)
        self._logged += logged
        self._learn(logged)
        servers = {s.key.pid for s in supervisords if s.key is not None}
        looping = self.looping
        if any(
            e.kind in ("exited", "fatal") and (e.supervisor, e.name) not in looping for e in logged
        ):
            return True
        return any(
            isinstance(e, Exit) and e.ppid in servers and self._names.get(e.pid) not in looping
            for e in drained.events
        )

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
        while len(self._names) > _MOST_PIDS:
            del self._names[next(iter(self._names))]
