"""What the widgets that draw lines share: their inks, looked up once a pass."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from beattop.ui.paint import Inks, inks


class Inked(Widget):
    """Mix in before the widget's own base."""

    _inks: Inks | None = None

    @property
    def inks(self) -> Inks:
        """The inks on this widget's ground."""
        if self._inks is None:
            self._inks = inks(self)
        return self._inks

    def render_lines(self, crop: Region) -> list[Strip]:
        """Working out the ground takes a quarter of a millisecond: once a pass, not once a line."""
        self._inks = None
        return super().render_lines(crop)
