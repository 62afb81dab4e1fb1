"""What the terminal shows by now: what stands there already is not sent again.

Textual draws the whole screen four to seven times where a page opens, and a followed log's blanks
with every line: over ssh that is what one waits for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.strip import Strip

from beattop.ui.line import cells

Piece = tuple[int, int, Strip]
"""Column and line where it begins, and what is drawn there."""
_BLANKS: Final = 8
"""So many are dearer than moving on."""
_PATCHES: Final = 16
"""A row with more small changes is put together anew."""


class Picture:
    """The rows whose whole content is known, each with what was drawn over it since."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._rows: dict[int, Strip] = {}
        self._patches: dict[int, dict[int, Strip]] = {}

    def forget(self) -> None:
        """The terminal may show anything."""
        self._rows.clear()
        self._patches.clear()

    def sized(self, width: int, height: int) -> None:
        """The terminal has this size; one that was resized may show anything."""
        if self._size != (width, height):
            self._size = (width, height)
            self.forget()

    def news(self, pieces: Iterable[Piece]) -> list[Piece]:
        """What of the pieces has to be sent; from now on the terminal shows them."""
        return [piece for x, y, strip in pieces if (piece := self._new(x, y, strip)) is not None]

    def _new(self, x: int, y: int, strip: Strip) -> Piece | None:
        width, length = self._size[0], strip.cell_length
        if x == 0 and length == width:
            old = self._whole(y)
            self._rows[y] = strip
            return _rest(x, y, old, strip)
        if y not in self._rows:
            return x, y, strip
        if length < width // 2:
            return self._patch(x, y, strip)
        old = self._whole(y)
        if old is None or not _plain(old) or not _plain(strip):
            self._lose(y)
            return x, y, strip
        end = x + length
        self._rows[y] = Strip.join([old.crop(0, x), strip, old.crop(end)])
        return _rest(x, y, old.crop(x, end), strip)

    def _patch(self, x: int, y: int, strip: Strip) -> Piece | None:
        """A small one is kept beside its row: most rows of a table get several a frame."""
        there: Strip | None
        patches = self._patches.setdefault(y, {})
        if not _plain(strip) or (not patches and not _plain(self._rows[y])):
            self._lose(y)
            return x, y, strip
        if not patches:
            there = self._rows[y].crop(x, x + strip.cell_length)
        else:
            there = patches[x] if next(reversed(patches)) == x else None
        if there == strip:
            return None
        patches.pop(x, None)
        patches[x] = strip  # at the end: what is drawn last lies above
        if len(patches) > _PATCHES and (row := self._whole(y)) is not None:
            self._rows[y] = row
        return x, y, strip

    def _whole(self, y: int) -> Strip | None:
        """The row as it is shown, its patches taken in; None where it is not known."""
        row = self._rows.get(y)
        for x, strip in self._patches.pop(y, {}).items():
            if row is not None:
                row = Strip.join([row.crop(0, x), strip, row.crop(x + strip.cell_length)])
        return row

    def _lose(self, y: int) -> None:
        self._rows.pop(y, None)
        self._patches.pop(y, None)


def _plain(strip: Strip) -> bool:
    """Whether each character takes one cell: half of a wide one cannot be compared."""
    text = strip.text
    return text.isascii() or (
        len(text) == strip.cell_length and all(cells(char) == 1 for char in text)
    )


def _rest(x: int, y: int, old: Strip | None, new: Strip) -> Piece | None:
    """What differs, without the blanks at the end that both have in one style."""
    if old is None:
        return x, y, new
    if old == new:
        return None
    before, after = old._segments[-1:], new._segments[-1:]
    if before and after and before[0].style == after[0].style:
        blanks = min(len(s.text) - len(s.text.rstrip(" ")) for s in (before[0], after[0]))
        if blanks >= _BLANKS:
            new = new.crop(0, new.cell_length - blanks)
    return x, y, new
