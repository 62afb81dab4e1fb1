"""Lines of styled spans: the one form in which text reaches a widget.

A span is text, the name of an ink (see `ink.py`) and, where it can be clicked, an action. Text is
never parsed as markup. Pure: the words of the screen can be tested without a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from beattop.ui import glyphs


class Span(NamedTuple):
    """Text in one ink; a click on it runs `action` (a Textual action string), if any."""

    text: str
    ink: str = ""
    action: str = ""


Line = tuple[Span, ...]
EMPTY: Line = ()


def line(*spans: Span | str | tuple[str, str]) -> Line:
    """A line from spans, bare text, and (text, ink) pairs."""
    return tuple(
        Span(s) if isinstance(s, str) else s if isinstance(s, Span) else Span(*s) for s in spans
    )


def width(spans: Iterable[Span]) -> int:
    """Cells that the spans take."""
    return sum(cells(s.text) for s in spans)


def cells(text: str) -> int:
    """Cells that `text` takes; wide characters take two."""
    return len(text) if text.isascii() else cell_len(text)


def plain(lines: Iterable[Line]) -> str:
    """The bare text of lines."""
    return "\n".join("".join(s.text for s in spans).rstrip() for spans in lines)


def fit(text: str, size: int, *, right: bool = False) -> str:
    """`text` in exactly `size` cells: padded, or cut with an ellipsis."""
    taken = cells(text)
    if taken == size:
        return text
    if taken < size:
        return text.rjust(size - taken + len(text)) if right else text + " " * (size - taken)
    if size <= 1:
        return set_cell_size(text, size)
    return set_cell_size(text, size - 1) + glyphs.MORE


def cut(spans: Line, size: int) -> Line:
    """A line that is at most `size` cells wide, the last span cut with an ellipsis."""
    out: list[Span] = []
    left = size
    for span in spans:
        taken = cells(span.text)
        if taken > left:
            if left > 0:
                out.append(span._replace(text=fit(span.text, left)))
            break
        out.append(span)
        left -= taken
    return tuple(out)


def justified(left: Line, right: Line, size: int) -> Line:
    """`left` and `right` at the two ends of `size` cells; `right` stays whole, `left` gives way."""
    room = size - width(right)
    if room < 8:
        return cut(left, size)
    left = cut(left, room - 1)
    return (*left, Span(" " * (room - width(left))), *right)


def wrap(text: str, size: int, first: int | None = None) -> list[str]:
    """`text` broken at spaces into lines of at most `size` cells; longer words are chopped.

    The first line has `first` cells where that is given; it stays empty where no word fits there.
    """
    size = max(1, size)
    room = size if first is None else max(0, min(first, size))
    lines: list[str] = []
    current = ""
    taken = 0
    for word in text.split():
        long = cells(word)
        if taken and taken + 1 + long <= room:
            current, taken = f"{current} {word}", taken + 1 + long
            continue
        if current or long > room < size:
            lines.append(current)
            room = size
        if long > size:
            *whole, current = chop_cells(word, size)
            lines += whole
            taken = cells(current)
        else:
            current, taken = word, long
    return [*lines, current] if current else lines or [""]


def paragraph(text: str, size: int, ink: str = "", indent: int = 0, first: Line = ()) -> list[Line]:
    """`text` wrapped, the first line after `first`, the others after `indent` spaces."""
    out: list[Line] = []
    lead = first or ((Span(" " * indent),) if indent else ())
    for words in wrap(text, size - indent, size - width(lead)):
        out.append((*lead, Span(words, ink)))
        lead = (Span(" " * indent),) if indent else ()
    return out
