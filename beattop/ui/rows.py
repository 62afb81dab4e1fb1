"""The table's rows from a snapshot: programs, their processes, dead lives, and what is outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from beattop.model.finding import SEVERITIES, Finding
from beattop.model.frame import Frame
from beattop.model.lives import Life
from beattop.model.process import ProcessKey
from beattop.model.role import CELERY
from beattop.model.snapshot import Member, Program, ProgramId, Snapshot, Unmanaged
from beattop.text import duration
from beattop.ui import glyphs
from beattop.ui.trails import LINGER_S, Trails

RowKey = ProgramId | ProcessKey | tuple[str, ...]
Grouping = Literal["program", "role", "none"]
GROUPINGS: Final[tuple[Grouping, ...]] = ("program", "role", "none")
OUTSIDE: Final[RowKey] = ("outside",)
_ROLE_ORDER: Final = (
    "beat",
    "worker+beat",
    "worker",
    "flower",
    "events",
    "control",
    "multi",
    "pool",
    "wrapper",
    "other",
)
_TOMBS: Final = 2
"""Dead lives shown under one program at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; None where a figure is not known or makes no sense for it."""

    key: RowKey
    kind: Literal["program", "process", "dead", "group"]
    name: str
    depth: int = 0
    parent: RowKey | None = None
    program: ProgramId | None = None
    process: ProcessKey | None = None
    pid: int | None = None
    role: str = ""
    sign: str = ""
    state: str = ""
    ink: str = ""
    """Ink of the state."""
    cpu: float | None = None
    churn: float | None = None
    rss: int | None = None
    age_s: float | None = None
    spawns_per_min: float | None = None
    lives_s: tuple[float, ...] = ()
    median_s: float | None = None
    last_exit: str = ""
    command: str = ""
    finding: str = ""
    """Kind and severity of the finding it is part of."""
    pain: tuple[int, int] = (9, 0)
    """Sorts the worst first: severity of its finding, place of the finding."""
    order: int = 0
    folded: bool | None = None
    """None where there is nothing to fold."""
    mark: Literal["", "new", "changed", "dead"] = ""
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How the user wants to see them."""

    group: Grouping = "program"
    sort: str = "pain"
    inverted: bool = False
    tree: bool = True
    folds: Mapping[RowKey, bool] = field(default_factory=dict)
    """What the user folded (True) or unfolded himself."""
    tagged: frozenset[RowKey] = frozenset()
    test: Callable[[Row], bool] | None = None


SORTS: Final[dict[str, tuple[str, Callable[[Row], tuple[float | str, ...]]]]] = {
    "pain": ("worst first", lambda r: (*r.pain, r.order)),
    "name": ("program", lambda r: (r.name.lower(),)),
    "role": ("role", lambda r: (r.role, r.name.lower())),
    "state": ("state", lambda r: (r.state, r.name.lower())),
    "cpu": ("CPU %", lambda r: (-(r.cpu or 0.0), r.order)),
    "churn": ("churn %", lambda r: (-(r.churn or 0.0), r.order)),
    "rss": ("memory", lambda r: (-(r.rss or 0), r.order)),
    "age": ("time up", lambda r: (-(r.age_s or 0.0), r.order)),
    "spawns": ("spawns a minute", lambda r: (-(r.spawns_per_min or 0.0), r.order)),
    "lives": (
        "length of lives",
        lambda r: (r.median_s if r.median_s is not None else 9e9, r.order),
    ),
    "exit": ("last exit", lambda r: (r.last_exit == "", r.last_exit, r.order)),
    "command": ("command", lambda r: (r.command, r.order)),
}
"""Orders by id: its words and its key, most interesting first."""

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


def build(frame: Frame, view: View, trails: Trails) -> list[Row]:
    """All rows of a frame in order, folded, filtered and marked as `view` says."""
    snapshot = frame.snapshot
    pains = _Pains(frame.findings)
    blocks = [
        _program(p, n, snapshot, view, trails, pains) for n, p in enumerate(snapshot.programs)
    ]
    outside = [
        _unmanaged(u, n, snapshot, view, trails, pains) for n, u in enumerate(snapshot.unmanaged)
    ]
    for gone in trails.departed():
        if isinstance(gone.what, Program):
            blocks.append(
                [_gone(_program(gone.what, len(blocks), snapshot, view, trails, pains)[0])]
            )
        else:
            outside.append(
                [_gone(_unmanaged(gone.what, len(outside), snapshot, view, trails, pains)[0])]
            )
    if view.group == "none":
        return _flat(blocks + outside, view)
    blocks, outside = _matching(blocks, view), _matching(outside, view)
    if view.group == "role":
        return _by_role(blocks + outside, view)
    rows = [row for block in _ordered(blocks, view) for row in block]
    return rows + _outside(_ordered(outside, view), view)


class _Pains:
    """Where in the findings a program or process stands."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.programs: dict[ProgramId, tuple[int, int]] = {}
        self.pids: dict[int, tuple[int, int]] = {}
        self.words: dict[ProgramId | int, str] = {}
        for number, f in enumerate(findings):
            rank = (SEVERITIES.index(f.severity), number)
            for program in f.programs:
                self.programs.setdefault(program, rank)
                self.words.setdefault(program, f"{f.kind} {f.severity}")
            for pid in f.pids:
                self.pids.setdefault(pid, rank)
                self.words.setdefault(pid, f"{f.kind} {f.severity}")
        for number, f in enumerate(findings):
            for kept in f.keep:  # what is kept stands right after what is wrong
                if kept.program is not None:
                    self.programs.setdefault(kept.program, (3, number))
                elif kept.pid is not None:
                    self.pids.setdefault(kept.pid, (3, number))


def _program(
    p: Program, order: int, snapshot: Snapshot, view: View, trails: Trails, pains: _Pains
) -> list[Row]:
    pain = pains.programs.get(p.id, (2, 999) if p.respawning else (9, 0))
    sign, state, ink = _state(p, snapshot)
    pool = sum(1 for m in p.members if m.role == "pool")
    ended = [life for life in p.lives if life.ended_at is not None]
    fold_by_default = pain[0] > 3 or (pain[0] == 3 and len(p.members) < 2)
    children = bool(p.members) or any(_recent(life, snapshot.at) for life in ended)
    folded = (view.folds.get(p.id, fold_by_default) if children else None) if view.tree else None
    top = Row(
        p.id, "program", p.namespec, 0, None, p.id, None, p.pid,
        f"{p.role} +{pool}" if pool else p.role, sign, state, ink,
        p.cpu_pct, p.churn_pct if p.respawning else None, p.rss_bytes, p.uptime_s, p.spawns_per_min,
        tuple(life.ended_at - life.spawned_at for life in ended[-10:] if life.ended_at is not None),
        p.lifetime_median_s, _exit_words(p), _command(p), pains.words.get(p.id, ""), pain, order, folded,
        "new" if trails.is_new(p.id) else "changed" if trails.is_changed(p.id) else "", p.id in view.tagged,
    )  # fmt: skip
    if folded is not False and view.group != "none":
        return [top]
    rows = [top, *_tree(p.members, p.id, p.id, snapshot, trails, view)]
    dead = [life for life in ended if _recent(life, snapshot.at)][-_TOMBS:]
    return rows + [_tomb(life, p.id) for life in reversed(dead)]


def _recent(life: Life, at: float) -> bool:
    return life.ended_at is not None and at - life.ended_at <= LINGER_S


def _state(p: Program, snapshot: Snapshot) -> tuple[str, str, str]:
    if p.respawning:
        return glyphs.RESPAWN, "RESPAWNING", "critical"
    health = (
        next((b.health for b in snapshot.beats if b.program == p.id), None)
        if p.role == "beat"
        else None
    )
    if health == "silent":
        return glyphs.WARNING, "SILENT", "warning"
    if health == "standby":
        return glyphs.STEADY, "STANDBY", ""
    if p.periodic and p.state in {"EXITED", "STARTING", "RUNNING", "BACKOFF"}:
        return glyphs.STEADY, "PERIODIC", ""
    return _named(p.state)


def _named(state: str | None) -> tuple[str, str, str]:
    sign, ink = _STATES.get(state or "", (glyphs.UNKNOWN, "dim"))
    return sign, state or "not told", ink


def _exit_words(p: Program) -> str:
    end = p.last_exit
    if end is None:
        return ""
    return f"{end.status if end.signal is None else end.signal} {end.meaning}".strip()


def _command(p: Program) -> str:
    leader = p.leader
    return short_command(
        leader.process.argv if leader else p.config.command.split() if p.config else ()
    )


def short_command(argv: Sequence[str]) -> str:
    """A command line without its interpreter's and script's folders."""
    words = list(argv)
    if (
        len(words) > 1
        and words[0].rsplit("/", 1)[-1].startswith("python")
        and not words[1].startswith("-")
    ):
        words = words[1:]
    if words and " " not in words[0]:
        words[0] = words[0].rsplit("/", 1)[-1]
    return " ".join(words)


def _tree(
    members: Sequence[Member],
    parent: RowKey,
    program: ProgramId | None,
    snapshot: Snapshot,
    trails: Trails,
    view: View,
) -> list[Row]:
    depths: dict[int, int] = {}
    rows = []
    for number, m in enumerate(members):
        depth = depths[m.process.pid] = depths.get(m.ppid, 0) + 1
        rows.append(_process(m, number, depth, parent, program, snapshot, trails, view))
    return rows


def _process(
    m: Member, order: int, depth: int, parent: RowKey, program: ProgramId | None,
    snapshot: Snapshot, trails: Trails, view: View,
) -> Row:  # fmt: skip
    return Row(
        m.key, "process", str(m.process.pid), depth, parent, program, m.key, m.process.pid, m.role,
        "", m.state, "critical" if m.state == "Z" else "warning" if m.state in "DT" else "dim",
        m.cpu_pct, None, m.rss_bytes, max(0.0, snapshot.at - m.process.started_at),
        command=short_command(m.process.argv) or f"[{m.process.comm}]", order=order,
        mark="new" if trails.is_new(m.key) else "", tagged=m.key in view.tagged,
    )  # fmt: skip


def _tomb(life: Life, program: ProgramId) -> Row:
    how = life.signal or (f"exited {life.status}" if life.status is not None else "gone")
    lasted = None if life.ended_at is None else life.ended_at - life.spawned_at
    return Row(
        ("dead", *program, str(life.pid), f"{life.spawned_at:.2f}"), "dead", str(life.pid), 1, program, program,
        pid=life.pid, sign=glyphs.DEAD, state=how, ink="dim", age_s=lasted, mark="dead",
        command="" if lasted is None else f"lived {duration(lasted)}",
    )  # fmt: skip


def _unmanaged(
    u: Unmanaged, order: int, snapshot: Snapshot, view: View, trails: Trails, pains: _Pains
) -> list[Row]:
    row = _process(u.member, order, 1, OUTSIDE, None, snapshot, trails, view)
    pain = pains.pids.get(u.member.process.pid, (9, 0))
    folded = view.folds.get(row.key, True) if u.children and view.tree else None
    bad = pain[0] < 2
    top = replace(
        row, role=u.role, cpu=u.cpu_pct, rss=u.rss_bytes, sign=glyphs.WARNING if bad else glyphs.INFO,
        state=u.origin, ink="warning" if bad else "", pain=pain, folded=folded, last_exit=f"was {u.was}" if u.was else "",
        finding=pains.words.get(u.member.process.pid, ""),
    )  # fmt: skip
    if folded is not False and view.group != "none":
        return [top]
    kids = [
        replace(r, depth=r.depth + 1)
        for r in _tree(u.children, row.key, None, snapshot, trails, view)
    ]
    return [top, *kids]


def _gone(row: Row) -> Row:
    return replace(
        row, key=("gone", *map(str, row.key)), kind="dead", sign=glyphs.DEAD, state="gone", ink="dim", mark="dead",
        folded=None, cpu=None, churn=None, rss=None, age_s=None, spawns_per_min=None,
    )  # fmt: skip


def _matching(blocks: list[list[Row]], view: View) -> list[list[Row]]:
    if view.test is None:
        return blocks
    kept = []
    for block in blocks:
        hits = [row for row in block[1:] if view.test(row)]
        if view.test(block[0]):
            kept.append(block)
        elif hits:
            kept.append([block[0], *hits])
    return kept


def _ordered(blocks: list[list[Row]], view: View) -> list[list[Row]]:
    key = SORTS[view.sort][1]
    return sorted(blocks, key=lambda block: key(block[0]), reverse=view.inverted)


def _outside(blocks: list[list[Row]], view: View) -> list[Row]:
    if not blocks:
        return []
    folded = view.folds.get(OUTSIDE, False)
    title = _group(OUTSIDE, "outside supervisor", [b[0] for b in blocks], folded)
    return [title] if folded else [title, *(row for block in blocks for row in block)]


def _by_role(blocks: list[list[Row]], view: View) -> list[Row]:
    roles: dict[str, list[list[Row]]] = {}
    for block in _ordered(blocks, view):
        roles.setdefault(block[0].role.split(" ")[0] or "other", []).append(block)
    out: list[Row] = []
    for role in sorted(roles, key=_ROLE_ORDER.index):
        key = ("role", role)
        folded = view.folds.get(key, role not in CELERY and len(roles[role]) > 20)
        members = roles[role]
        out.append(_group(key, f"{role} ({len(members)})", [b[0] for b in members], folded))
        if not folded:
            out += [
                replace(row, depth=row.depth + (row.kind == "program"))
                for block in members
                for row in block
            ]
    return out


def _group(key: RowKey, name: str, tops: Sequence[Row], folded: bool) -> Row:
    def total(values: list[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return sum(known) if known else None

    rss = total([t.rss for t in tops])
    return Row(
        key, "group", name, cpu=total([t.cpu for t in tops]), churn=total([t.churn for t in tops]),
        rss=None if rss is None else int(rss), folded=folded,
    )  # fmt: skip


def _flat(blocks: list[list[Row]], view: View) -> list[Row]:
    rows = []
    for block in blocks:
        top, *below = block
        alive = [r for r in below if r.kind == "process"]
        if top.kind == "process":
            rows += [replace(r, depth=0, folded=None) for r in block]
        elif alive:
            head = top.program.namespec if top.program else ""
            rows += [
                replace(r, depth=0, name=f"{head} {r.pid}", pain=top.pain, order=top.order)
                for r in alive
            ]
        elif top.pain[0] < 9 or top.state not in {"STOPPED", "EXITED"}:
            rows.append(replace(top, folded=None))
    rows = [r for r in rows if view.test is None or view.test(r)]
    return sorted(rows, key=SORTS[view.sort][1], reverse=view.inverted)
