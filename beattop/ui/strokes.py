"""Updates of the screen in few bytes: over ssh they are what a second of looking costs.

Textual 8 draws a part of a line from its widget's left edge on, and names the whole style of
each segment, then resets it. Here a part is that part, and a style names what differs from the
one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from beattop.ui.picture import Picture, Piece

_PLAIN: Final = Style()
_SYSTEMS: Final = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}
_ATTRIBUTES: Final = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "blink": "5",
    "blink2": "6",
    "reverse": "7",
    "conceal": "8",
    "strike": "9",
    "underline2": "21",
    "frame": "51",
    "encircle": "52",
    "overline": "53",
}


class Strokes(CompositorUpdate):
    """The same picture as the update that it is made from, on a terminal that shows `shown`."""

    def __init__(self, pieces: list[Piece], shown: Picture) -> None:
        self._pieces = pieces
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """Raw data for the terminal, to be sent; it begins and ends without any style."""
        system = _SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        out: list[str] = []
        style, here = _PLAIN, (-1, -1)
        for x, y, strip in self._shown.news(self._pieces):
            if (x, y) != here:
                out.append(f"\x1b[{x + 1}G" if y == here[1] else f"\x1b[{y + 1};{x + 1}H")
            for text, own, _ in strip:
                out += (turn(style, own or _PLAIN, system), text)
                style = own or _PLAIN
            here = (x + strip.cell_length, y)
        out.append(turn(style, _PLAIN, system))
        return "".join(out)


def frugal(update: RenderableType | None, shown: Picture) -> RenderableType | Strokes | None:
    """The update in few bytes; any other renderable as it is.

    The insides of an update are Textual's own business: where a later 8.x has others, its own
    drawing goes on, which costs only bytes.
    """
    try:
        if isinstance(update, ChopsUpdate):
            return Strokes(list(_parts(update)), shown)
        if isinstance(update, LayoutUpdate):
            return Strokes(list(_lines(update.strips, update.region.x, update.region.y)), shown)
    except (AttributeError, TypeError, ValueError):
        pass
    if update is not None:
        shown.forget()
    return update


def _parts(update: ChopsUpdate) -> Iterator[Piece]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= right or end <= left:
                continue
            start = max(x, left)
            yield start, y, strip.crop(start - x, min(end, right) - x)


def _lines(strips: Iterable[Iterable[Strip]], left: int, top: int) -> Iterator[Piece]:
    for y, line in enumerate(strips, top):
        x = left
        for strip in line:
            yield x, y, strip
            x += strip.cell_length


@lru_cache(4096)
def turn(old: Style, new: Style, system: ColorSystem) -> str:
    """The sequence that makes style `new` of style `old` (ECMA-48, SGR)."""
    before, after = _codes(old, system), _codes(new, system)
    if before == after:
        return ""
    if after == _codes(_PLAIN, system):
        return "\x1b[m"
    # Taking an attribute away differs between terminals: anew from nothing.
    gone = set(before[0]) - set(after[0])
    whole = [*(() if before == _codes(_PLAIN, system) else ("0",)), *after[0]]
    whole += [code for code, none in zip(after[1:], ("39", "49"), strict=True) if code != none]
    if gone:
        return f"\x1b[{';'.join(whole)}m"
    less = [code for code in after[0] if code not in before[0]]
    less += [b for a, b in zip(before[1:], after[1:], strict=True) if a != b]
    return f"\x1b[{min(';'.join(less), ';'.join(whole), key=len)}m"


@lru_cache(1024)
def _codes(style: Style, system: ColorSystem) -> tuple[tuple[str, ...], str, str]:
    """Attributes, foreground and background of a style as SGR parameters."""
    front, ground = (
        ";".join(color.downgrade(system).get_ansi_codes(foreground)) if color else none
        for color, foreground, none in ((style.color, True, "39"), (style.bgcolor, False, "49"))
    )
    return tuple(code for name, code in _ATTRIBUTES.items() if getattr(style, name)), front, ground
