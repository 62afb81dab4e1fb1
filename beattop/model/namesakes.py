"""Programs of one bare name in several groups: whose a log line is.

supervisord's log writes `00` for `beat:00` and `worker:00` alike. The pid of a `spawned` line, and
who lives and who does not, tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beattop.model.logevents import LogEvent
from beattop.model.process import Process
from beattop.model.snapshot import ProgramId

_SLACK_S = 1.0
"""supervisord stamps its line just after the fork."""


@dataclass(slots=True)
class Namesakes:
    """Remembers each namesake's present life."""

    _open: dict[ProgramId, int | None] = field(default_factory=dict)

    def whose(
        self,
        event: LogEvent,
        candidates: Sequence[ProgramId],
        living: Mapping[ProgramId, Process],
        owner: Mapping[int, ProgramId],
    ) -> ProgramId | None:
        """The program of one line; None where it could be several's.

        `living` are the leaders that live now, `owner` tells a pid's program where that is known;
        pids as supervisord numbers them. Lines come in the order of the log.
        """
        if event.kind == "spawned":
            found = self._born(event, candidates, living, owner)
            if found is not None:
                self._open[found] = event.pid
            return found
        if event.kind in ("exited", "stopped"):
            found = self._ended(candidates, living)
            if found is not None:
                self._open[found] = None
            return found
        waiting = [c for c in candidates if self._open.get(c) is None and c not in living]
        return waiting[0] if event.kind == "fatal" and len(waiting) == 1 else None

    def _born(
        self,
        event: LogEvent,
        candidates: Sequence[ProgramId],
        living: Mapping[ProgramId, Process],
        owner: Mapping[int, ProgramId],
    ) -> ProgramId | None:
        known = owner.get(event.pid) if event.pid is not None else None
        if known in candidates:
            return known
        # Whoever lives since before then cannot have been born then.
        rest = [
            c for c in candidates if c not in living or living[c].started_at > event.at + _SLACK_S
        ]
        if len(rest) > 1:
            rest = [c for c in rest if self._open.get(c) is None] or rest
        return rest[0] if len(rest) == 1 else None

    def _ended(
        self, candidates: Sequence[ProgramId], living: Mapping[ProgramId, Process]
    ) -> ProgramId | None:
        def lives(program: ProgramId) -> bool:
            leader = living.get(program)
            return leader is not None and leader.ns_pid == self._open.get(program)

        rest = [c for c in candidates if self._open.get(c) is not None and not lives(c)]
        if not rest:
            rest = [c for c in candidates if c not in living]
        return rest[0] if len(rest) == 1 else None
