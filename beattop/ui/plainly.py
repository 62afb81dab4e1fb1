"""The last step before the terminal in ASCII mode."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from beattop.ui.glyphs import to_ascii


class AsciiOnly(LineFilter):
    """Lets nothing but ASCII through, cell for cell, whatever drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Textual's filter interface."""
        return [
            s if s.text.isascii() else Segment(to_ascii(s.text), s.style, s.control)
            for s in segments
        ]
