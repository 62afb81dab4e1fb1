"""The table: a scroll view that draws its visible rows as strips and keeps them."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from beattop.ui.columns import Arrangement, arrange, banner, body, head, titles
from beattop.ui.line import EMPTY, Line, Span, cells, fit, wrap
from beattop.ui.paint import changed, paint
from beattop.ui.rows import Row, RowKey
from beattop.ui.selection import Selection
from beattop.ui.widgets.inked import Inked

_STEP: int = 8
"""Cells that one key scrolls sideways."""


class ProgramTable(Inked, ScrollView, can_focus=True, inherit_bindings=False):
    """Rows in, strips out; only lines that changed are drawn again."""

    ALLOW_SELECT = False

    class Moved(Message):
        """Another row is selected."""

    class Opened(Message):
        """A row was double-clicked."""

    class FoldClicked(Message):
        """The fold sign of the selected row was clicked."""

    class Arranged(Message):
        """Columns or sideways position changed: the heading has to follow."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Row] = []
        self.selection = Selection()
        self.words_if_empty = ""
        self.arrangement: Arrangement = arrange(80, 10, 0)
        self.shift = 0
        """Cells by which the part right of the names is scrolled."""
        self.shows_cursor = True
        self._index: dict[RowKey, int] = {}
        self._drawn: dict[int, tuple[Row, bool, Line]] = {}
        self._supervisors = 1

    # --- content ---

    def show(self, rows: list[Row], *, supervisors: int = 1, words_if_empty: str = "") -> None:
        """Take new rows; the selection follows what it is on."""
        self._supervisors = supervisors
        emptied = bool(self.rows) != bool(rows) or words_if_empty != self.words_if_empty
        self.rows, self.words_if_empty = rows, words_if_empty
        self._index = {row.key: number for number, row in enumerate(rows)}
        before = self.selection
        self.selection = self.selection.follow(rows, self._index)
        height = max(1, len(rows))
        if self.virtual_size != Size(self.size.width, height):
            self.virtual_size = Size(self.size.width, height)
        if self._arrange() or emptied:
            self._redraw()
        else:
            self._refresh_changed()
        if before.line != self.selection.line:
            self._keep_in_sight()

    def _arrange(self) -> bool:
        names = max(
            (2 * row.depth + cells(row.name) for row in self.rows[:600] if row.kind != "group"),
            default=10,
        )
        command = max((len(row.command) for row in self.rows[:600]), default=0)
        # The last cell is the scrollbar's, there or not: it must not hide the end of a figure.
        width = (self.size.width or 80) - 1
        new = arrange(width, names, command, supervisors=self._supervisors)
        if new == self.arrangement:
            return False
        self.arrangement = new
        self.shift = max(stop for stop in self._stops() if stop <= self.shift)
        self.post_message(self.Arranged())
        return True

    def _redraw(self) -> None:
        self._drawn.clear()
        self.refresh()

    def _refresh_changed(self) -> None:
        top = self.scroll_offset.y
        regions: list[Region] = []
        for y in range(self.size.height):
            number = top + y
            before = self._drawn.get(number)
            row = self.rows[number] if number < len(self.rows) else None
            if row is None:
                if before is not None:
                    del self._drawn[number]
                    regions.append(Region(0, y, self.size.width, 1))
                continue
            chosen = number == self.selection.line
            if before is not None and before[0] == row and before[1] == chosen:
                continue
            line = self._line(row, chosen)
            self._drawn[number] = (row, chosen, line)
            if before is not None and before[1] == chosen:
                regions += changed(before[2], line, y, self.size.width)
            else:
                regions.append(Region(0, y, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    # --- drawing ---

    def _line(self, row: Row, chosen: bool) -> Line:
        pinned = self.arrangement.pinned
        skip = 0 if self.shift or row.kind != "group" else banner(self.arrangement)
        pinned += sum(width + 1 for _, width in self.arrangement.fitting[:skip])
        room = self.size.width - pinned
        cells_right = body(row, self.arrangement, room + self.shift, skip)
        if self.shift:
            cells_right = (Span(" "), *crop(cells_right, self.shift + 1))
        return (*head(row, pinned, selected=chosen and self.shows_cursor), *cells_right)

    def heading(self, sort: str, *, inverted: bool) -> Line:
        """The line of titles above the rows."""
        line = titles(self.arrangement, sort, inverted=inverted)
        return (line[0], Span(" "), *crop(line[1:], self.shift + 1)) if self.shift else line

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        width = self.size.width
        number = self.scroll_offset.y + y
        if not self.rows:
            return self._empty_line(y, width)
        if number >= len(self.rows):
            return paint(EMPTY, width, self.inks)
        chosen = number == self.selection.line and self.shows_cursor
        kept = self._drawn.get(number)
        if kept is None or kept[0] is not self.rows[number] or kept[1] != chosen:
            kept = self._drawn[number] = (
                self.rows[number],
                chosen,
                self._line(self.rows[number], chosen),
            )
        styles = self.inks
        return paint(kept[2], width, styles, styles["cursor"] if chosen else None)

    def _empty_line(self, y: int, width: int) -> Strip:
        words = [
            part
            for text in self.words_if_empty.split("\n")
            for part in wrap(text, max(10, width - 4))
        ]
        text = words[y - 1] if 0 < y <= len(words) else ""
        return paint((Span(fit(f"  {text}", width), "dim" if y > 1 else ""),), width, self.inks)

    # --- moving ---

    @property
    def current(self) -> Row | None:
        """The selected row."""
        return self.rows[self.selection.line] if self.selection.line < len(self.rows) else None

    def go(self, line: int) -> None:
        """Select the row of that number, or the nearest there is."""
        before = self.selection
        self.selection = Selection.of(self.rows, line)
        if before.line != self.selection.line or before.key != self.selection.key:
            self._keep_in_sight()
            self._refresh_changed()
            self.post_message(self.Moved())

    def go_to(self, key: RowKey) -> bool:
        """Select the row of that identity; False where it is not shown."""
        if key not in self._index:
            return False
        self.go(self._index[key])
        return True

    def _keep_in_sight(self) -> None:
        line, top, height = self.selection.line, self.scroll_offset.y, max(1, self.size.height)
        if line < top:
            self.scroll_to(y=line, animate=False, force=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, force=True)

    def move(self, by: int) -> None:
        """Select a row so many lines further."""
        self.go(self.selection.line + by)

    def page(self, direction: int) -> None:
        """Select a row one page further."""
        self.move(direction * max(1, self.size.height - 1))

    def slide(self, direction: int) -> None:
        """Scroll the columns right of the names: by a column, within a long one by some cells."""
        if direction > 0:
            self._shift_to(next((s for s in self._stops() if s > self.shift), self.shift))
        else:
            self._shift_to(max((s for s in self._stops() if s < self.shift), default=0))

    def slide_home(self) -> None:
        """Show the first columns again."""
        self._shift_to(0)

    def _shift_to(self, shift: int) -> None:
        if shift != self.shift:
            self.shift = shift
            self._redraw()
            self.post_message(self.Arranged())

    def _stops(self) -> list[int]:
        """Where the part right of the names may begin: at columns, and within one too long."""
        room = max(_STEP, self.size.width - 1 - self.arrangement.pinned)
        stops, at = [0], 0
        for _, width in self.arrangement.all:
            end = at + width + 1
            stops += range(at + _STEP, end - room, _STEP) if width > room else ()
            stops += [end - room] if width > room else []
            stops.append(end)
            at = end
        last = next((n for n, stop in enumerate(stops) if stop >= at - room), 0)
        return stops[: last + 1]

    # --- events ---

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Rows keep their strips by number, so scrolling only shows others."""
        super().watch_scroll_y(old_value, new_value)
        if len(self._drawn) > 400:
            self._drawn.clear()

    def on_resize(self) -> None:
        """Choose the columns anew."""
        self.virtual_size = Size(self.size.width, max(1, len(self.rows)))
        self._arrange()
        self._redraw()
        self._keep_in_sight()

    def on_click(self, event: events.Click) -> None:
        """Select the row; on its fold sign fold it; twice opens it."""
        line = self.scroll_offset.y + event.y
        if line >= len(self.rows):
            return
        row = self.rows[line]
        self.go(line)
        if event.chain == 2:
            self.post_message(self.Opened())
        elif row.folded is not None and event.x <= 4 + 2 * row.depth:
            self.post_message(self.FoldClicked())


def crop(line: Sequence[Span], left: int) -> Line:
    """A line without its first `left` cells."""
    out: list[Span] = []
    for span in line:
        taken = cells(span.text)
        if left >= taken:
            left -= taken
            continue
        out.append(span._replace(text=_tail(span.text, left)) if left else span)
        left = 0
    return tuple(out)


def _tail(text: str, left: int) -> str:
    if text.isascii():
        return text[left:]
    while left > 0 and text:
        first = cells(text[0])
        text = (" " * (first - left) if first > left else "") + text[1:]
        left -= first
    return text
