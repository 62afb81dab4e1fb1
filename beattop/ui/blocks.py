"""Blocks of rows: a program with its processes and dead lives, a process outside. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from beattop.model.exits import exit_brief
from beattop.model.frame import Frame
from beattop.model.lives import Life
from beattop.model.snapshot import Member, Program, ProgramId, Unmanaged
from beattop.text import duration
from beattop.ui import glyphs
from beattop.ui.pains import CALM, KEPT, RESPAWNING, Pains
from beattop.ui.rows import OUTSIDE, Mark, Row, RowKey, View, short_command
from beattop.ui.trails import LINGER_S, Trails

_TOMBS: Final = 2
"""Dead lives shown under one program at once."""
_STATES: Final = {
    "RUNNING": (glyphs.STEADY, ""),
    "STARTING": (glyphs.STARTING, ""),
    "BACKOFF": (glyphs.WARNING, "warning"),
    "STOPPING": (glyphs.STOPPING, ""),
    "STOPPED": (glyphs.STOPPED, "dim"),
    "EXITED": (glyphs.EXITED, "dim"),
    "FATAL": (glyphs.CRITICAL, "critical"),
    "UNKNOWN": (glyphs.UNKNOWN, "warning"),
}


class Blocks:
    """Makes the blocks of one frame; the first row of a block is its head."""

    def __init__(self, frame: Frame, view: View, trails: Trails) -> None:
        self._at = frame.snapshot.at
        self._view = view
        self._trails = trails
        self._pains = Pains(frame.findings)
        self._health = {b.program: b.health for b in frame.snapshot.beats if b.program is not None}

    # --- programs ---

    def program(self, p: Program, order: int) -> list[Row]:
        """A program, and below it what is unfolded."""
        ended = [life for life in p.lives if life.ended_at is not None]
        dead = self._dead(p, ended)
        top = self._head(p, order, ended, foldable=bool(p.members or dead))
        if top.folded is not False:
            return [top]
        mourned = {life.pid for life in dead}
        # A zombie that waits for its parent has its tombstone already.
        alive = [m for m in p.members if not (m.state == "Z" and m.process.ns_pid in mourned)]
        rows = [top, *self._tree(alive, p.id, p.id)]
        if p.respawning and not alive:
            rows.append(_between(p.id))
        return rows + [_tomb(life, p.id) for life in reversed(dead)]

    def _dead(self, p: Program, ended: list[Life]) -> list[Life]:
        """Lives to mourn; a loop always shows its last ones, so that its rows do not jump."""
        return [
            life
            for life in ended[-_TOMBS:]
            if p.respawning
            or (life.ended_at is not None and abs(self._at - life.ended_at) <= LINGER_S)
        ]

    def _head(self, p: Program, order: int, ended: list[Life], *, foldable: bool) -> Row:
        pain = self._pains.programs.get(p.id, RESPAWNING if p.respawning else CALM)
        shut = self._view.compact or pain[0] > KEPT or (pain[0] == KEPT and len(p.members) < 2)
        open_to_fold = foldable and self._view.tree
        sign, state, ink = self._state(p)
        pool = sum(1 for m in p.members if m.role == "pool")
        end = p.last_exit
        leader = p.leader
        argv = (
            leader.process.argv if leader else tuple(p.config.command.split() if p.config else ())
        )
        return Row(
            key=p.id,
            kind="program",
            name=p.namespec,
            depth=int(self._view.group == "role"),
            program=p.id,
            pid=p.pid,
            role=f"{p.role} +{pool}" if pool else p.role,
            sign=sign,
            state=state,
            ink=ink,
            cpu=p.cpu_pct,
            churn=p.churn_pct if p.respawning else None,
            rss=p.rss_bytes if p.members else None,
            age_s=p.uptime_s,
            spawns_per_min=p.spawns_per_min,
            lives_s=tuple(s for s in map(lasted, ended[-10:]) if s is not None),
            median_s=p.lifetime_median_s,
            last_exit=f"{end.signal or end.status} {end.meaning}".strip() if end else "",
            exit_brief=exit_brief(end.status, end.signal) if end else "",
            command=short_command(argv),
            finding=self._pains.words.get(p.id, ""),
            pain=pain,
            order=order,
            folded=self._view.folds.get(p.id, shut) if open_to_fold else None,
            mark=self._mark(p),
            tagged=p.id in self._view.tagged,
        )

    def _mark(self, p: Program) -> Mark:
        if self._trails.is_new(p.id):
            return "new"
        return "changed" if self._trails.is_changed(p.id) else ""

    def _state(self, p: Program) -> tuple[str, str, str]:
        if p.respawning:
            return glyphs.RESPAWN, "RESPAWNING", "critical"
        health = self._health.get(p.id)
        if health == "silent":
            return glyphs.WARNING, "SILENT", "warning"
        if health == "standby":
            return glyphs.STEADY, "STANDBY", ""
        if p.periodic and p.state in {"EXITED", "STARTING", "RUNNING", "BACKOFF"}:
            return glyphs.STEADY, "PERIODIC", ""
        sign, ink = _STATES.get(p.state or "", (glyphs.UNKNOWN, "dim"))
        return sign, p.state or "not told", ink

    # --- processes ---

    def _tree(
        self, members: Sequence[Member], parent: RowKey, program: ProgramId | None
    ) -> list[Row]:
        depths: dict[int, int] = {}
        rows = []
        for number, m in enumerate(members):
            depth = depths[m.process.pid] = depths.get(m.ppid, 0) + 1
            rows.append(self._process(m, number, depth, parent, program))
        return rows

    def flat(self, p: Program, order: int) -> list[Row]:
        """A program's processes alone; the program itself only where it has none."""
        if not p.members:
            return [self._head(p, order, [], foldable=False)]
        pain = self._pains.programs.get(p.id, RESPAWNING if p.respawning else CALM)
        return [
            self._process(m, order, 0, p.id, p.id, f"{p.namespec} {m.process.pid}", pain)
            for m in p.members
        ]

    def _process(
        self,
        m: Member,
        order: int,
        depth: int,
        parent: RowKey,
        program: ProgramId | None,
        name: str = "",
        pain: tuple[int, int] = CALM,
    ) -> Row:
        return Row(
            key=m.key,
            kind="process",
            name=name or str(m.process.pid),
            depth=depth,
            parent=parent,
            program=program,
            process=m.key,
            pid=m.process.pid,
            role=m.role,
            state=m.state,
            ink="critical" if m.state == "Z" else "warning" if m.state in "DT" else "dim",
            cpu=m.cpu_pct,
            rss=m.rss_bytes,
            age_s=max(0.0, self._at - m.process.started_at),
            command=short_command(m.process.argv) or f"[{m.process.comm}]",
            pain=pain,
            order=order,
            mark="new" if self._trails.is_new(m.key) else "",
            tagged=m.key in self._view.tagged,
        )

    def unmanaged(self, u: Unmanaged, order: int) -> list[Row]:
        """A Celery outside every supervisord, and below it what is unfolded."""
        row = self._process(u.member, order, 1, OUTSIDE, None)
        pid = u.member.process.pid
        pain = self._pains.pids.get(pid, CALM)
        bad = pain[0] < 2
        foldable = bool(u.children) and self._view.tree
        top = replace(
            row,
            role=u.role,
            cpu=u.cpu_pct,
            rss=u.rss_bytes,
            sign=glyphs.WARNING if bad else glyphs.INFO,
            state=u.origin,
            ink="warning" if bad else "",
            pain=pain,
            folded=self._view.folds.get(row.key, True) if foldable else None,
            last_exit=f"was {u.was}" if u.was else "",
            finding=self._pains.words.get(pid, ""),
        )
        if top.folded is not False and self._view.group != "none":
            return [top]
        kids = self._tree(u.children, row.key, None)
        return [top, *(replace(kid, depth=kid.depth + 1) for kid in kids)]

    def departed(self, what: Program | Unmanaged, order: int) -> Row:
        """What was a row a moment ago."""
        block = self.program if isinstance(what, Program) else self.unmanaged
        row = block(what, order)[0]  # type: ignore[arg-type]
        return replace(
            row,
            key=("gone", *map(str, row.key)),
            kind="dead",
            sign=glyphs.DEAD,
            state="gone",
            ink="dim",
            mark="dead",
            folded=None,
            cpu=None,
            churn=None,
            rss=None,
            age_s=None,
            spawns_per_min=None,
        )


def lasted(life: Life) -> float | None:
    """Seconds a life lasted; None while it lives or where its birth was not seen."""
    if life.ended_at is None or life.spawned_at is None:
        return None
    return max(0.0, life.ended_at - life.spawned_at)


def _between(program: ProgramId) -> Row:
    return Row(
        key=("between", *program),
        kind="dead",
        name=glyphs.PENDING,
        depth=1,
        parent=program,
        program=program,
        state="between",
        command="between two lives",
        ink="dim",
    )


def _tomb(life: Life, program: ProgramId) -> Row:
    ended = f"exited {life.status}" if life.status is not None else "gone"
    span = lasted(life)
    return Row(
        key=("dead", *program, str(life.pid), f"{life.ended_at:.2f}"),
        kind="dead",
        name=str(life.pid or "?"),
        depth=1,
        parent=program,
        program=program,
        pid=life.pid,
        sign=glyphs.DEAD,
        state=life.signal or ended,
        ink="dim",
        age_s=span,
        mark="dead",
        command="" if span is None else f"lived {duration(span)}",
    )
