"""The files that hold what is older than the part that was read at once."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from beattop.sources.mainlog.blocks import backwards, forwards
from beattop.sources.mainlog.place import NoLogError, Rotated, missing, open_regular, rotated
from beattop.sources.mainlog.tail import FileId, line_end

_MOST_FILES = 200
_MOST_UNPACKED = 4 << 30


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where the reading began: all before it is unread."""

    id: FileId
    offset: int
    written_at: float
    """When the file had been written last, then."""

    def moved(self, cut: FileId, copy: FileId) -> Boundary:
        """The same place after the file was copied away and cut (logrotate's copytruncate)."""
        return replace(self, id=copy) if self.id == cut else self


class Part:
    """One older file, or the begin of one; owns a descriptor."""

    __slots__ = ("_fd", "key", "packed", "path", "size", "written_at")

    def __init__(self, path: str, fd: int, packed: bool, end: int | None = None) -> None:
        """`end`: read no further than this; None for all of a file that will not change again."""
        info = os.fstat(fd)
        self.path = path
        self._fd = fd
        self.packed = packed
        self.size = info.st_size if end is None else end
        """Bytes to read, as they lie on the disk."""
        self.written_at = info.st_mtime
        self.key = ""
        """Names its content for good; "" for a file that still grows."""
        if end is None:
            self.key = f"{info.st_dev} {info.st_ino} {info.st_size} {info.st_mtime_ns}"

    @property
    def id(self) -> FileId:
        """Device and inode."""
        info = os.fstat(self._fd)
        return info.st_dev, info.st_ino

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """(bytes done, whole lines): newest first, but oldest first where packed.

        Raises OSError, EOFError, zlib.error, and ValueError for what grows too large.
        """
        if not self.packed:
            for offset, data in backwards(self._fd, line_end(self._fd, self.size)):
                yield self.size - offset, data
            return
        unpacked = 0
        with open(self._fd, "rb", closefd=False) as raw, gzip.GzipFile(fileobj=raw) as file:
            for data in forwards(file):
                unpacked += len(data)
                if unpacked > _MOST_UNPACKED:
                    raise ValueError("unpacks to more than 4 GiB")
                yield min(raw.tell(), self.size), data

    def begin(self, end: int) -> Part:
        """Its first `end` bytes as a part of their own."""
        return Part(self.path, os.dup(self._fd), self.packed, end)

    def close(self) -> None:
        """Give the descriptor back; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True, slots=True)
class Shelf:
    """The parts, newest first, and what is known to be missing from them."""

    parts: tuple[Part, ...]
    words: tuple[str, ...]


def older_parts(path: str, boundary: Boundary | None) -> Shelf:
    """Everything that was written before `boundary`."""
    if boundary is None:
        return Shelf((), ("the log itself cannot be read",))
    older, unread = rotated(path)
    words = [unread] if unread else []
    if missing(older):
        words.append(f"a number is missing between {path}'s rotated files")
    opened: list[Part] = []
    for file in (Rotated(path, 0, False), *older)[:_MOST_FILES]:
        try:
            opened.append(Part(file.path, open_regular(file.path), file.packed))
        except (OSError, NoLogError) as error:
            if file.number:
                words.append(f"{file.path} cannot be read: {error}")
    at = next((i for i, part in enumerate(opened) if part.id == boundary.id), None)
    if at is None:
        # It was packed or deleted meanwhile. What was not written since is older all the same.
        if boundary.offset:
            words.append("the file whose end was read is gone, the rest of it unread")
        parts = [p for p in opened if p.path != path and p.written_at < boundary.written_at]
    else:
        begin = opened[at]
        parts = opened[at + 1 :]
        if begin.size < boundary.offset:
            words.append(f"{begin.path} was cut before it was read")
        elif boundary.offset:
            parts.insert(0, begin.begin(boundary.offset))
    for part in opened:
        if part not in parts:
            part.close()
    return Shelf(tuple(parts), tuple(words))
