"""Moving, searching, filtering, sorting, folding, tagging."""

from __future__ import annotations

from dataclasses import replace

from beattop.text import count
from beattop.ui.query import parse
from beattop.ui.rows import GROUPINGS, OUTSIDE, SORTS, Row, RowKey
from beattop.ui.screens.board import Board
from beattop.ui.widgets.prompt import Prompt


class TableKeys(Board):
    """The keys that bend the table; none of them touches the box."""

    # --- moving ---

    def action_up(self) -> None:
        """One row up."""
        self._move(-1)

    def action_down(self) -> None:
        """One row down."""
        self._move(1)

    def _move(self, by: int) -> None:
        self.touched = True
        self.table.move(by)

    def action_page_up(self) -> None:
        """One page up."""
        self.touched = True
        self.table.page(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self.touched = True
        self.table.page(1)

    def action_top(self) -> None:
        """First row."""
        self.touched = True
        self.table.go(0)

    def action_bottom(self) -> None:
        """Last row."""
        self.touched = True
        self.table.go(len(self.table.rows) - 1)

    def action_scroll_left(self) -> None:
        """Columns to the left."""
        self.table.slide(-1)

    def action_scroll_right(self) -> None:
        """Columns to the right."""
        self.table.slide(1)

    def on_program_table_moved(self) -> None:
        """Keys and clicks move the selection, and with it what the verdict's keys would do."""
        self.touched = True
        self.draw_top()

    def on_program_table_fold_clicked(self) -> None:
        """A click on the fold sign."""
        self._fold(None)

    # --- searching and filtering ---

    def action_search(self) -> None:
        """Search as you type."""
        self._open("Search", "")  # Enter at once keeps the last one, as in less and vim

    def action_filter(self) -> None:
        """Filter as you type."""
        self._open("Filter", self.query_text.text)

    def _open(self, purpose: str, text: str) -> None:
        self.prompt.open(purpose, text)
        self.draw_strip()
        self.draw_footer()
        self._hint()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Each character counts."""
        self._apply(event.purpose, event.text)
        self._hint()

    def _apply(self, purpose: str, text: str) -> None:
        if purpose == "Filter":
            self.query_text = parse(text)
            self.draw_table()
        else:
            self.search_text = parse(text)
            self._to_match(0)

    def _hint(self) -> None:
        if self.prompt.purpose == "Filter":
            shown = sum(1 for row in self.table.rows if row.kind != "group")
            self.prompt.hint(
                self.query_text.trouble
                or f"{count(shown, 'row')} · words role:beat state:respawning cpu>5 !not"
            )
        else:
            found = len(self._matches())
            self.prompt.hint(
                self.search_text.trouble
                or (f"{found} found" if self.search_text else "F3 or ↓ next")
            )

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Enter keeps it, Esc clears it."""
        if not event.kept:
            self._apply(event.purpose, "")
        self.table.focus()
        self.draw_strip()
        self.draw_footer()

    def on_prompt_next(self, event: Prompt.Next) -> None:
        """F3 while typing."""
        self._to_match(event.direction)

    def action_match_next(self) -> None:
        """Next match."""
        self._to_match(1)

    def action_match_previous(self) -> None:
        """Previous match."""
        self._to_match(-1)

    def _matches(self) -> list[int]:
        if not self.search_text:
            return []
        return [n for n, row in enumerate(self.table.rows) if self.search_text(row)]

    def _to_match(self, direction: int) -> None:
        found = self._matches()
        if not found:
            if direction and not self.search_text:
                self.beattop.say(
                    f"Nothing is searched for yet: {self.beattop.keymap.shown('search')}"
                )
            return
        here = self.table.selection.line
        if direction >= 0:
            first = here + (1 if direction else 0)
            line = next((n for n in found if n >= first), found[0])
        else:
            line = next((n for n in reversed(found) if n < here), found[-1])
        self.touched = True
        self.table.go(line)

    # --- sorting and grouping ---

    def action_sort_by(self, column: str) -> None:
        """A click on a title; twice inverts."""
        if column in SORTS:
            self._sort(
                column, inverted=not self.view.inverted if self.view.sort == column else False
            )

    def _sort(self, column: str, *, inverted: bool = False) -> None:
        self.view = replace(self.view, sort=column, inverted=inverted)
        self.draw_table()

    def action_sort(self) -> None:
        """Choose the column from a list."""
        from beattop.ui.screens.choose import ChooseSort  # noqa: PLC0415 - not needed for the first frame

        def chosen(column: str | None) -> None:
            if column is not None:
                self._sort(column)

        self.app.push_screen(ChooseSort(self.view.sort), chosen)

    def action_invert(self) -> None:
        """Invert the order."""
        self.view = replace(self.view, inverted=not self.view.inverted)
        self.draw_table()

    def action_sort_cpu(self) -> None:
        """By CPU."""
        self._sort("cpu")

    def action_sort_memory(self) -> None:
        """By memory."""
        self._sort("rss")

    def action_sort_time(self) -> None:
        """By time up."""
        self._sort("age")

    def action_sort_pain(self) -> None:
        """Worst first."""
        self._sort("pain")

    def action_group(self) -> None:
        """Next grouping."""
        place = (GROUPINGS.index(self.view.group) + 1) % len(GROUPINGS)
        self.view = replace(self.view, group=GROUPINGS[place])
        self.draw_table()

    # --- folding and tagging ---

    def action_tree(self) -> None:
        """Processes under each program, or programs alone."""
        self.view = replace(self.view, tree=not self.view.tree)
        self.draw_table()

    def action_fold(self) -> None:
        """Hide the row's processes."""
        self._fold(True)

    def action_unfold(self) -> None:
        """Show the row's processes."""
        self._fold(False)

    def _fold(self, folded: bool | None) -> None:
        row = self.table.current
        if row is None:
            return
        key = row.key if row.folded is not None else row.parent
        owner = next((r for r in self.table.rows if r.key == key), None)
        if owner is None or owner.folded is None:
            return
        self.view = replace(
            self.view,
            folds={**self.view.folds, owner.key: not owner.folded if folded is None else folded},
        )
        self.touched = True
        if row.key != owner.key:
            self.table.go_to(owner.key)
        self.draw_table()

    def action_fold_all(self) -> None:
        """Unfold everything; where nothing is folded, fold everything."""
        foldable: list[Row] = [row for row in self.table.rows if row.folded is not None]
        target = not any(row.folded for row in foldable)
        folds: dict[RowKey, bool] = dict(self.view.folds)
        folds.update((row.key, target and row.kind != "group") for row in foldable)
        if not target and self.frame is not None:
            folds.update((p.id, False) for p in self.frame.snapshot.programs)
        self.view = replace(self.view, folds=folds)
        self.draw_table()

    def action_tag(self) -> None:
        """Tag a program, or a process outside, and go one down."""
        row = self.table.current
        if row is not None and (row.kind == "program" or row.depth == 0 or row.parent == OUTSIDE):
            key: RowKey = row.program if row.program is not None else row.key
            self.view = replace(self.view, tagged=self.view.tagged ^ {key})
            self.draw_table()
        self._move(1)

    def action_untag(self) -> None:
        """No tags."""
        self.view = replace(self.view, tagged=frozenset())
        self.draw_table()
