"""A word to the user that goes away by itself: in a small pane a toast would hide the verdict."""

from __future__ import annotations

from typing import Final

from textual.timer import Timer

from beattop.ui.line import cut, line, wrap
from beattop.ui.widgets.lines import Lines

_STAYS_S: Final = 6.0
_LOW: Final = 13
"""Panes lower than this have but one line for it, or two short ones."""
_NARROW: Final = 60


class Note(Lines):
    """Nothing, or one to three lines for some seconds."""

    _timer: Timer | None = None

    def say(self, words: str, *, bad: bool = False) -> None:
        """Show the words for a while."""
        size = self.app.size
        most = 3 if size.height >= _LOW else 1 if size.width >= _NARROW else 2
        rows = wrap(words, size.width - 3)
        if len(rows) > most:
            rows = [*rows[: most - 1], " ".join(rows[most - 1 :])]
        ink = "critical" if bad else "bold"
        self.show([cut(line((f" {row}", ink)), size.width) for row in rows])
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_STAYS_S, self.hush)

    def hush(self) -> None:
        """Show nothing."""
        self.show([])
