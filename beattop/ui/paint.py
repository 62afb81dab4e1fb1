"""From lines of spans to strips of cells, in the theme's inks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from beattop.text import clean
from beattop.ui.ink import LOUD, mix
from beattop.ui.line import EMPTY, Line, cells

Inks = Mapping[str, Style]
_mixed: dict[Style, Inks] = {}
_mixed_for: Mapping[str, str] = {}


def inks(widget: Widget) -> Inks:
    """The inks on a widget's own ground; mixed anew when the theme changes."""
    global _mixed_for  # noqa: PLW0603 - one theme at a time, and mixing takes a millisecond
    variables = widget.app.theme_variables
    if _mixed_for is not variables:
        _mixed.clear()
        _mixed_for = variables
    ground = widget.rich_style
    styles = _mixed.get(ground)
    if styles is None:
        # The terminal's own colours need not be named: that saves bytes on a slow line.
        base = Style() if _plain(ground) else ground
        mixed = mix(variables)
        styles = _mixed[ground] = {name: base + style for name, style in mixed.items()} | {
            "cursor": mixed["cursor"]
        }
    return styles


def _plain(style: Style) -> bool:
    return all(color is None or color.is_default for color in (style.color, style.bgcolor))


def paint(line: Line, width: int, styles: Inks, over: Style | None = None) -> Strip:
    """A strip of exactly `width` cells; `over`, if any, lies over every cell's style."""
    segments: list[Segment] = []
    text, ink, taken = "", "", 0
    for span in line:
        # Text arrives clean; should any source forget, the terminal still gets nothing to obey.
        shown = span.text if span.text.isprintable() else clean(span.text)
        taken += cells(shown)
        quiet = ink not in LOUD and span.ink not in LOUD
        if span.ink == ink or (quiet and shown.isspace()):
            text += shown  # a blank looks the same in any quiet ink: fewer changes, fewer bytes
        elif quiet and (not text or text.isspace()):
            text, ink = text + shown, span.ink
        else:
            if text:
                segments.append(Segment(text, styles[ink]))
            text, ink = shown, span.ink
    if taken < width and ink not in LOUD:
        text += " " * (width - taken)
        taken = width
    if text:
        segments.append(Segment(text, styles[ink]))
    if taken < width:
        segments.append(Segment(" " * (width - taken), styles[""]))
        taken = width
    if over is not None:
        segments = [Segment(s.text, over if s.style is None else s.style + over) for s in segments]
    strip = Strip(segments, taken)
    return strip if taken == width else strip.crop(0, width)


def changed(old: Line, new: Line, y: int, width: int) -> Region | None:
    """The part of line `y` to draw anew when `old` becomes `new`; None where they are equal."""
    if old == new:
        return None
    left = 0
    for a, b in zip(old, new, strict=False):
        if a != b:
            break
        left += cells(a.text)
    right = width
    if sum(cells(s.text) for s in old) == sum(cells(s.text) for s in new):
        right = sum(cells(s.text) for s in new)
        for a, b in zip(reversed(old), reversed(new), strict=False):
            if a != b:
                break
            right -= cells(a.text)
    return Region(left, y, max(1, min(right, width) - left), 1) if left < width else None


def differences(old: Sequence[Line], new: Sequence[Line], width: int) -> list[Region]:
    """The parts of a block of lines to draw anew."""
    regions = []
    for y in range(max(len(old), len(new))):
        before, after = (lines[y] if y < len(lines) else EMPTY for lines in (old, new))
        region = changed(before, after, y, width)
        if region is not None:
            regions.append(region)
    return regions
