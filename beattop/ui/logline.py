"""A line of a log: its colours as our inks, all else that a terminal obeys gone. Pure."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import chop_cells

from beattop.text import clean, safe
from beattop.ui.line import Line, Span, cells

_SGR: Final = re.compile(r"\x1b\[([0-9;:]*)m")  # ECMA-48, select graphic rendition
_COLOURS: Final = ("dim", "critical", "good", "warning", "info", "code", "code", "")
"""Inks of black, red, green, yellow, blue, magenta, cyan, white."""


def coloured(raw: str) -> Line:
    """`raw` cleaned and masked, in the inks its colours mean; plain where masking moved text."""
    if "\x1b[" not in raw:
        return (Span(safe(raw)),)
    pieces = _SGR.split(raw)  # text, parameters, text, ...
    spans: list[Span] = []
    ink = ""
    for number, piece in enumerate(pieces):
        if number % 2:
            ink = _after(piece, ink)
        elif text := clean(piece):
            spans.append(Span(text, ink))
    whole = safe(raw)
    return tuple(spans) if "".join(s.text for s in spans) == whole else (Span(whole),)


def _after(parameters: str, ink: str) -> str:
    """The ink after one sequence; colours of grounds, and of more than sixteen, say nothing."""
    codes = [int(code[:4] or 0) for code in re.split("[;:]", parameters)]
    while codes:
        code = codes.pop(0)
        if code in {0, 39}:
            ink = ""
        elif code in {38, 48, 58}:
            kind = codes.pop(0) if codes else 0
            rest, codes = codes[: 1 if kind == 5 else 3], codes[1 if kind == 5 else 3 :]
            if code == 38 and kind == 5 and rest and rest[0] < 16:
                ink = _COLOURS[rest[0] % 8]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            ink = _COLOURS[code % 10]
        elif code in {1, 2} and not ink:
            ink = "bold" if code == 1 else "dim"
    return ink


def chopped(line: Line, size: int) -> list[Line]:
    """The line in pieces of at most `size` cells, broken after a blank where one is near."""
    if sum(cells(s.text) for s in line) <= size:
        return [line]
    out: list[Line] = []
    row: list[Span] = []
    left = size
    for span in line:
        rest = span.text
        while rest:
            part = chop_cells(rest, left)[0] if left else ""
            if cells(part) > left or not part:  # a wide character at the end of a row
                out.append(tuple(row))
                row, left = [], size
                if size < 2:
                    return out or [()]
                continue
            if len(part) < len(rest) and (blank := part.rfind(" ")) >= len(part) - size // 3:
                part = part[: blank + 1]
                row.append(span._replace(text=part))
                out.append(tuple(row))
                row, left, rest = [], size, rest[len(part) :]
                continue
            row.append(span._replace(text=part))
            rest, left = rest[len(part) :], left - cells(part)
    return [*out, tuple(row)] if row else out
