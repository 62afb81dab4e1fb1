"""From lines of spans to strips of cells, in the theme's inks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from beattop.text import clean
from beattop.ui.ink import LOUD, mix
from beattop.ui.line import EMPTY, Line, Span, cells

Inks = Mapping[str, Style]
Cell = tuple[str, str]
"""Text and ink."""
_BLANK: Final = (" ", "")
_NEAR: Final = 4
"""Cells that cost no more to draw again than to skip."""
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


def changed(old: Line, new: Line, y: int, width: int) -> list[Region]:
    """The parts of line `y` to draw anew when `old` becomes `new`; none where they are equal."""
    if old == new:
        return []
    parts: list[tuple[int, int]] = []
    for left, right in _differing(old, new, width):
        if parts and left - parts[-1][1] <= _NEAR:
            parts[-1] = (parts[-1][0], right)
        else:
            parts.append((left, right))
    return [Region(a, y, min(b, width) - a, 1) for a, b in parts if a < width]


def _differing(old: Line, new: Line, width: int) -> Iterator[tuple[int, int]]:
    """Where cells differ: span by span as far as the spans of both take the same cells."""
    at = number = 0
    for a, b in zip(old, new, strict=False):
        taken = cells(b.text)
        if taken != cells(a.text):
            break
        if a != b:
            yield from _runs(_cells((a,)), _cells((b,)), at)
        at += taken
        number += 1
    before, after = (_cells(spans[number:]) for spans in (old, new))
    long = min(max(len(before), len(after)), max(0, width - at))
    yield from _runs(_filled(before, long), _filled(after, long), at)


def _filled(looks: list[Cell], size: int) -> list[Cell]:
    return looks + [_BLANK] * (size - len(looks))


def _runs(old: Sequence[Cell], new: Sequence[Cell], at: int) -> Iterator[tuple[int, int]]:
    start = None
    for x, (a, b) in enumerate(zip(old, new, strict=False), at):
        if a == b:
            if start is not None:
                yield start, x
            start = None
        elif start is None:
            start = x
    if start is not None:
        yield start, at + min(len(old), len(new))


def _cells(spans: Iterable[Span]) -> list[Cell]:
    """Each cell's looks; the cells of a wide character differ from any other's together."""
    out: list[Cell] = []
    for text, ink, _ in spans:
        blank = (" ", ink) if ink in LOUD else _BLANK
        if len(text) == cells(text):
            out += [blank if char == " " else (char, ink) for char in text]
        else:
            out += [(f"{text}{n}", ink) for n in range(cells(text))]
    return out


def differences(old: Sequence[Line], new: Sequence[Line], width: int) -> list[Region]:
    """The parts of a block of lines to draw anew."""
    regions: list[Region] = []
    for y in range(max(len(old), len(new))):
        before, after = (lines[y] if y < len(lines) else EMPTY for lines in (old, new))
        regions += changed(before, after, y, width)
    return regions
