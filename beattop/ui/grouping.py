"""The table's rows in order: by program, by role or flat; folded, filtered, sorted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from beattop.model.frame import Frame
from beattop.model.role import CELERY
from beattop.model.snapshot import Program
from beattop.ui.blocks import Blocks
from beattop.ui.rows import OUTSIDE, SORTS, Row, RowKey, View
from beattop.ui.trails import Trails

_ROLES: Final = [
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
    "supervisord",
]
_MANY: Final = 20
"""So many programs that are nobody's Celery are folded at first."""
_QUIET: Final = frozenset({"STOPPED", "EXITED"})
Block = list[Row]


def build(frame: Frame, view: View, trails: Trails) -> list[Row]:
    """All rows of a frame in order, folded, filtered and marked as `view` says."""
    make = Blocks(frame, view, trails)
    if view.group == "none":
        return _flat(make, frame, view)
    programs = [make.program(p, n) for n, p in enumerate(frame.snapshot.programs)]
    outside = [make.unmanaged(u, n) for n, u in enumerate(frame.snapshot.unmanaged)]
    for gone in trails.departed():
        side = programs if isinstance(gone.what, Program) else outside
        side.append([make.departed(gone.what, len(side))])
    programs, outside = _matching(programs, view), _matching(outside, view)
    if view.group == "role":
        return _by_role(programs + outside, view)
    rows = [row for block in _ordered(programs, view) for row in block]
    return rows + _outside(_ordered(outside, view), view)


def _matching(blocks: list[Block], view: View) -> list[Block]:
    """Blocks whose head matches, whole; of the others the rows that match, under their head."""
    if view.test is None:
        return blocks
    kept = []
    for block in blocks:
        if view.test(block[0]):
            kept.append(block)
        elif hits := [row for row in block[1:] if view.test(row)]:
            kept.append([block[0], *hits])
    return kept


def _ordered(blocks: list[Block], view: View) -> list[Block]:
    key = SORTS[view.sort][1]
    return sorted(blocks, key=lambda block: key(block[0]), reverse=view.inverted)


def _outside(blocks: list[Block], view: View) -> list[Row]:
    if not blocks:
        return []
    folded = view.folds.get(OUTSIDE, False)
    title = _group(OUTSIDE, "outside supervisor", blocks, folded)
    return [title] if folded else [title, *(row for block in blocks for row in block)]


def _by_role(blocks: list[Block], view: View) -> list[Row]:
    roles: dict[str, list[Block]] = {}
    for block in _ordered(blocks, view):
        roles.setdefault(block[0].role.split(" ")[0] or "other", []).append(block)
    out: list[Row] = []
    for role in sorted(roles, key=_ROLES.index):
        key, members = ("role", role), roles[role]
        folded = view.folds.get(key, role not in CELERY and len(members) > _MANY)
        out.append(_group(key, f"{role} ({len(members)})", members, folded))
        if not folded:
            out += [row for block in members for row in block]
    return out


def _group(key: RowKey, name: str, blocks: Sequence[Block], folded: bool) -> Row:
    heads = [block[0] for block in blocks]
    rss = [row.rss for row in heads if row.rss is not None]
    return Row(
        key,
        "group",
        name,
        cpu=_total([row.cpu for row in heads]),
        churn=_total([row.churn for row in heads]),
        rss=sum(rss) if rss else None,
        folded=folded,
    )


def _total(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _flat(make: Blocks, frame: Frame, view: View) -> list[Row]:
    """Processes alone; a program without one only where it is in trouble."""
    rows: list[Row] = []
    for order, program in enumerate(frame.snapshot.programs):
        rows += [row for row in make.flat(program, order) if _tells(row)]
    for order, loose in enumerate(frame.snapshot.unmanaged):
        rows += [replace(row, depth=0, folded=None) for row in make.unmanaged(loose, order)]
    rows = [row for row in rows if view.test is None or view.test(row)]
    return sorted(rows, key=SORTS[view.sort][1], reverse=view.inverted)


def _tells(row: Row) -> bool:
    return row.kind == "process" or row.pain[0] < 9 or row.state not in _QUIET
