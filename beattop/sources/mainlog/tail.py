"""The end of one open file, as it grows."""

from __future__ import annotations

import os

from beattop.sources.mainlog.blocks import pread
from beattop.sources.mainlog.lines import MAX_LINE

FileId = tuple[int, int]
"""(device, inode)."""
Mark = tuple[int, bytes]
"""A place in a file, and the bytes before it."""
NO_MARK: Mark = (0, b"")
_MARK = 64


class TruncatedError(Exception):
    """What was read is no longer there: the file was cut, or written anew in its place."""


class Tail:
    """Owns a descriptor. Raises OSError where reading fails."""

    __slots__ = ("_endless", "_fd", "_mark", "_rest", "id", "position", "written_at")

    def __init__(self, fd: int) -> None:
        info = os.fstat(fd)
        self._fd = fd
        self.id: FileId = (info.st_dev, info.st_ino)
        self.written_at = info.st_mtime
        """When it was written last, as known at the opening."""
        self.position = 0
        """Bytes read so far."""
        self._mark = b""
        """The last bytes read: a file that was cut and has grown again does not have them there."""
        self._rest = b""
        self._endless = False

    def skip(self, end: int) -> None:
        """Go on from `end`; whatever there is of a line before it belongs to the next."""
        size = os.fstat(self._fd).st_size
        length = min(end, MAX_LINE + 1)
        before = pread(self._fd, length, end - length) if size >= end else b""
        self.position = end
        self._mark = before[-_MARK:]
        self._keep(before[before.rfind(b"\n") + 1 :])

    def restart(self) -> None:
        """Go on from the begin."""
        self.position, self._mark, self._rest, self._endless = 0, b"", b"", False

    def lines(self, most: int) -> list[bytes]:
        """Whole lines that were added, of at most about `most` bytes; raises TruncatedError."""
        mark = len(self._mark)
        data = os.pread(self._fd, mark + most, self.position - mark)
        if not data.startswith(self._mark):
            raise TruncatedError
        data = data[mark:]
        if not data:
            return []
        self.position += len(data)
        self._mark = (self._mark + data)[-_MARK:]
        if self._endless:
            _, newline, data = data.partition(b"\n")
            self._endless = not newline
        *lines, rest = (self._rest + data).split(b"\n")
        self._keep(rest)
        return lines

    def last(self) -> list[bytes]:
        """What stands after the last newline, for a file that will not grow any more."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []

    def holds(self, fd: int) -> bool:
        """Whether another file has the same bytes where this one was read last."""
        mark = len(self._mark)
        return bool(mark) and os.pread(fd, mark, self.position - mark) == self._mark

    @property
    def mark(self) -> Mark:
        """Tells a file that was read so far from another one that got its number."""
        return self.position, self._mark

    def bears(self, mark: Mark) -> bool:
        """Whether the mark is of this file; an empty one is of none."""
        position, data = mark
        return bool(data) and os.pread(self._fd, len(data), position - len(data)) == data

    def moved(self, fd: int) -> Tail:
        """The same place in a copy of the file."""
        tail = Tail(fd)
        tail.position, tail._mark = self.position, self._mark
        tail._rest, tail._endless = self._rest, self._endless
        return tail

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)

    def _keep(self, rest: bytes) -> None:
        self._rest = rest
        if len(rest) > MAX_LINE:
            self._rest, self._endless = b"", True


def line_end(fd: int, size: int) -> int:
    """Offset after the last newline of the first `size` bytes; 0 where there is none."""
    position = size
    while position > 0:
        start = max(0, position - (1 << 16))
        at = pread(fd, position - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        position = start
    return 0
