"""A page of lines to scroll and search in: details, log, events, history, help, a plan's body."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from beattop.ui.line import EMPTY, Line, Span
from beattop.ui.paint import changed, paint
from beattop.ui.widgets.inked import Inked


class Pager(Inked, ScrollView, can_focus=True, inherit_bindings=False):
    """Draws the visible ones of its lines; follows the end where told to."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.following = False
        """True while it sticks to the last line."""
        self.cursor: int | None = None
        """A line drawn as chosen; None for none."""
        self.on_width: Callable[[], None] | None = None
        """Called when the width changed: lines wrapped for another width are of no use."""
        self._lines: Sequence[Line] = ()
        self._needle = ""
        self._match: int | None = None
        """The line of the match that the search is at."""
        self._width = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from now on, and draw what changed of the visible ones."""
        old, self._lines = self._lines, lines
        height = max(1, len(lines))
        if self.virtual_size.height != height or self.virtual_size.width != self.size.width:
            self.virtual_size = Size(self.size.width, height)
            if self.following:
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            self.refresh()
            return
        top = self.scroll_offset.y
        regions: list[Region] = []
        for y in range(self.size.height):
            before, after = (
                part[top + y] if top + y < len(part) else EMPTY for part in (old, lines)
            )
            regions += changed(before, after, y, self.size.width)
        if regions:
            self.refresh(*regions)

    @property
    def lines(self) -> Sequence[Line]:
        """What it shows."""
        return self._lines

    def point(self, line: int | None) -> None:
        """Draw that line as chosen and bring it in sight."""
        if line != self.cursor:
            self.cursor = line
            self.refresh()
        if line is not None:
            self._bring(line)

    def _bring(self, line: int) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= line < top + height:
            self.scroll_to(y=max(0, line - height // 2), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        number = self.scroll_offset.y + y
        line = self._lines[number] if number < len(self._lines) else EMPTY
        styles = self.inks
        chosen = number == self.cursor
        if self._needle:
            chosen = chosen or (number == self._match and self._holds(line))
            line = marked(line, self._needle)
        return paint(line, self.size.width, styles, styles["cursor"] if chosen else None)

    # --- moving ---

    def step(self, by: int) -> None:
        """Scroll by so many lines; backwards it stops following."""
        self.following = self.following and by > 0
        self.scroll_to(y=self.scroll_offset.y + by, animate=False, force=True)
        if self.scroll_offset.y + by >= self.max_scroll_y and by > 0:
            self.following = self.follows_at_end

    follows_at_end = False
    """True for pages that grow at their end."""

    def page(self, direction: int) -> None:
        """Scroll by a page."""
        self.step(direction * max(1, self.size.height - 1))

    def to_top(self) -> None:
        """Scroll to the first line."""
        self.following = False
        self.scroll_to(y=0, animate=False, force=True)

    def to_end(self) -> None:
        """Scroll to the last line, and follow what comes."""
        self.following = self.follows_at_end
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    # --- searching ---

    def search(self, needle: str) -> int:
        """Mark what matches, go to the first match from here; returns how many lines match."""
        self._needle = needle.lower()
        found = self._matches()
        top = self.scroll_offset.y
        self._match = next((n for n in found if n >= top), found[0] if found else None)
        self.refresh()
        if self._match is not None:
            self.following = False
            self._bring(self._match)
        return len(found)

    @property
    def searches(self) -> bool:
        """True while something is searched for."""
        return bool(self._needle)

    def next_match(self, direction: int) -> None:
        """Go to the next line that matches, round the end; from here where the last is not seen."""
        found = self._matches()
        if not found:
            return
        top, height = self.scroll_offset.y, max(1, self.size.height)
        here = self._match
        if here is None or not top <= here < top + height:
            here = top - 1 if direction > 0 else top
        if direction > 0:
            self._match = next((n for n in found if n > here), found[0])
        else:
            self._match = next((n for n in reversed(found) if n < here), found[-1])
        self.following = False
        self._bring(self._match)
        self.refresh()

    def _matches(self) -> list[int]:
        return [n for n, line in enumerate(self._lines) if self._holds(line)]

    def _holds(self, line: Line) -> bool:
        return bool(self._needle) and self._needle in "".join(s.text for s in line).lower()

    def on_resize(self) -> None:
        """Lines are wrapped for a width: have them made anew."""
        self.virtual_size = Size(self.size.width, max(1, len(self._lines)))
        if self.size.width != self._width:
            self._width = self.size.width
            if self.on_width is not None:
                self.on_width()
        if self.following:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)


def marked(line: Line, needle: str) -> Line:
    """The line with what matches in the ink of a match."""
    out: list[Span] = []
    for span in line:
        text, small = span.text, span.text.lower()
        if len(small) != len(text):  # lower-casing may lengthen: then the places do not fit
            out.append(span)
            continue
        start = 0
        while (found := small.find(needle, start)) >= 0:
            out += [
                span._replace(text=text[start:found]),
                Span(text[found : found + len(needle)], "match"),
            ]
            start = found + len(needle)
        out.append(span._replace(text=text[start:]))
    return tuple(s for s in out if s.text)
