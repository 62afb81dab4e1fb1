"""A block of lines: header, verdict, CPU bar, headings and footers are all of this kind."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from beattop.ui.line import EMPTY, Line, Span, cells
from beattop.ui.paint import differences, paint
from beattop.ui.widgets.inked import Inked


class Lines(Inked):
    """Draws the lines it was last given, and only what changed of them; as high as they are."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from now on."""
        old, self._lines = self._lines, tuple(lines)
        if len(old) != len(self._lines):
            self.styles.height = len(self._lines)
            self.refresh(layout=True)
            return
        regions = differences(old, self._lines, self.size.width or 1000)
        if regions:
            self.refresh(*regions)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What it shows."""
        return self._lines

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        line = self._lines[y] if y < len(self._lines) else EMPTY
        return paint(line, self.size.width, self.inks)

    async def _on_click(self, event: events.Click) -> None:
        span = span_at(self._lines[event.y], event.x) if event.y < len(self._lines) else None
        if span is not None and span.action:
            event.stop()
            await self.run_action(span.action)


def span_at(line: Line, x: int) -> Span | None:
    """The span that covers cell `x` of a line."""
    left = 0
    for span in line:
        left += cells(span.text)
        if x < left:
            return span
    return None
