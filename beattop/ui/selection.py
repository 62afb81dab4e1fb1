"""What is selected, by identity: it stays the same through re-sorts, and through a respawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from beattop.model.snapshot import ProgramId
from beattop.ui.rows import Row, RowKey


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected row's key, and what to fall back on when that is gone."""

    key: RowKey | None = None
    program: ProgramId | None = None
    leader: bool = False
    """It was its program's first process: the next life's takes its place."""
    line: int = 0
    lost: RowKey | None = None
    """What was selected and is not shown: it is selected again when it comes back."""

    @classmethod
    def of(cls, rows: Sequence[Row], line: int) -> Selection:
        """Row number `line` as a selection."""
        if not rows:
            return cls()
        line = max(0, min(line, len(rows) - 1))
        row = rows[line]
        leader = (
            row.kind == "process"
            and row.parent == row.program
            and line > 0
            and rows[line - 1].key == row.parent
        )
        return cls(row.key, row.program, leader, line)

    def follow(self, rows: Sequence[Row], index: Mapping[RowKey, int]) -> Selection:
        """The same selection among new rows."""
        wanted = self.key if self.lost is None else self.lost
        if wanted is None:
            return Selection.of(rows, 0)
        if not rows:
            return Selection(lost=wanted)
        if self.lost is not None and self.lost in index:
            return Selection.of(rows, index[self.lost])
        line = None if self.key is None else index.get(self.key)
        if line is None and self.program is not None:
            line = index.get(self.program)
            below = rows[line + 1] if line is not None and line + 1 < len(rows) else None
            if (
                self.leader
                and line is not None
                and below is not None
                and below.kind == "process"
                and below.parent == self.program
            ):
                line += 1
        if line is None:
            return replace(Selection.of(rows, self.line), lost=wanted)
        found = replace(Selection.of(rows, line), lost=self.lost)
        if found.key != self.key and found.program == self.program and self.leader:
            return Selection(
                found.key, self.program, True, found.line
            )  # between two lives: waits for the next
        return found
