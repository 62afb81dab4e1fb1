"""What the screen remembers of each program from frame to frame: CPU and memory over time, what is
new, what changed, what is gone. Fed with snapshots, no clock of its own."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from beattop.model.snapshot import Program, ProgramId, Snapshot, Unmanaged

KEPT: Final = 300
"""Points a program: five minutes at one a second."""
MARK_S: Final = 5.0
"""How long a new or changed row stays marked."""
LINGER_S: Final = 8.0
"""How long what is gone stays on the screen."""
_NOT_YET: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Departed:
    """Something that was on the screen and is no more."""

    what: Program | Unmanaged
    at: float


class Trails:
    """Feed it each new snapshot once, oldest first."""

    def __init__(self) -> None:
        self._at = 0.0
        self._points: dict[ProgramId, array[float]] = {}
        self._born: dict[Hashable, float] = {}
        self._servers: set[str] = set()
        """Supervisors whose programs were told: what these add is new."""
        self._states: dict[ProgramId, tuple[str | None, bool, float]] = {}
        self._last: dict[Hashable, Program | Unmanaged] = {}
        self._departed: dict[Hashable, Departed] = {}

    def follow(self, snapshot: Snapshot) -> None:
        """Take a snapshot in. Going back in time (a replay) begins anew."""
        if snapshot.at < self._at:
            self.__init__()  # type: ignore[misc]
        first = not self._at
        self._at = snapshot.at
        present: dict[Hashable, Program | Unmanaged] = {p.id: p for p in snapshot.programs}
        present.update((u.member.key, u) for u in snapshot.unmanaged)
        self._keep_born(snapshot, present, first)
        self._keep_states(snapshot, first)
        for program in snapshot.programs:
            self._keep_point(program)
        names = {(p.id.group, p.id.name) for p in snapshot.programs}
        servers = {s.id for s in snapshot.supervisords}
        for key, gone in self._last.items():
            if key in present or key in self._born:  # still there, or found to be a program's
                continue
            renamed = (  # its supervisord got another name
                isinstance(gone, Program)
                and gone.id.supervisor not in servers
                and (gone.id.group, gone.id.name) in names
            )
            if not renamed:
                self._departed[key] = Departed(gone, snapshot.at)
        self._departed = {
            k: d
            for k, d in self._departed.items()
            if k not in present and abs(snapshot.at - d.at) <= LINGER_S
        }
        self._last = present

    def _keep_born(
        self, snapshot: Snapshot, present: dict[Hashable, Program | Unmanaged], first: bool
    ) -> None:
        born: dict[Hashable, float] = {}
        for key, thing in present.items():
            old = first or (isinstance(thing, Program) and thing.id.supervisor not in self._servers)
            at = float("-inf") if old else snapshot.at
            born[key] = self._born.get(key, at)
            members = thing.members if isinstance(thing, Program) else thing.children
            for member in members:
                born[member.key] = self._born.get(member.key, at)
        self._born = born
        self._servers = {p.id.supervisor for p in snapshot.programs}

    def _keep_states(self, snapshot: Snapshot, first: bool) -> None:
        states: dict[ProgramId, tuple[str | None, bool, float]] = {}
        for p in snapshot.programs:
            before = self._states.get(p.id)
            at = float("-inf") if first or before is None else before[2]
            if (
                before is not None
                and before[:2] != (p.state, p.respawning)
                and not (before[1] and p.respawning)
            ):
                at = snapshot.at
            states[p.id] = (p.state, p.respawning, at)
        self._states = states

    def _keep_point(self, program: Program) -> None:
        points = self._points.setdefault(program.id, array("f"))
        points.append(_NOT_YET if program.cpu_pct is None else program.cpu_pct)
        points.append(_NOT_YET if program.rss_bytes is None else float(program.rss_bytes))
        if len(points) > 4 * KEPT:
            del points[: 2 * KEPT]

    def cpu(self, program: ProgramId) -> list[float]:
        """CPU percent of one core, oldest first; NaN where it was not known."""
        return list(self._points.get(program, ()))[0::2][-KEPT:]

    def memory(self, program: ProgramId) -> list[float]:
        """Resident bytes, oldest first; NaN where it was not known."""
        return list(self._points.get(program, ()))[1::2][-KEPT:]

    def is_new(self, key: Hashable) -> bool:
        """True for what came within the last seconds, after the first look."""
        return abs(self._at - self._born.get(key, float("-inf"))) <= MARK_S

    def is_changed(self, program: ProgramId) -> bool:
        """True where a program's state changed within the last seconds."""
        return program in self._states and abs(self._at - self._states[program][2]) <= MARK_S

    def departed(self) -> list[Departed]:
        """What vanished within the last seconds, oldest first."""
        return list(self._departed.values())
