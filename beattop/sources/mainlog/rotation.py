"""One log across the files that it lies in: rotated, cut, replaced, gone and back."""

from __future__ import annotations

import os

from beattop.sources.mainlog.place import NoLogError, open_regular, rotated
from beattop.sources.mainlog.tail import FileId, Tail, TruncatedError

LOST = None
"""Stands among lines where some are missing."""
_MOST_FILES = 200
_FEW = 3
_AT_ONCE = 1 << 20


class Chain:
    """The file that is being read and those that came after it."""

    __slots__ = ("_lost", "_next", "_read_at", "copy", "path", "tail")

    def __init__(self, path: str, tail: Tail, read_at: float) -> None:
        """`read_at`: when `tail` was last up to date, in Unix time as files' mtimes are."""
        self.path = path
        self.tail = tail
        self.copy: tuple[FileId, FileId] | None = None
        """(cut file, the file to which what was cut away had been copied)."""
        self._next: list[Tail] = []
        self._read_at = read_at
        self._lost = False

    def look(self, info: os.stat_result) -> bool:
        """Whether there is anything to read; `info` is the path's. Raises OSError, NoLogError."""
        newest = self._next[-1] if self._next else self.tail
        if (info.st_dev, info.st_ino) == newest.id:
            self._read_at = max(self._read_at, info.st_mtime)
            return bool(self._next) or info.st_size != newest.position
        # An empty successor: supervisord may write on to the file it holds until it reopens.
        if info.st_size > 0:
            self._find_later(newest)
        return True

    def read(self, most: int) -> list[bytes | None]:
        """Whole lines, of at most about `most` bytes; raises OSError."""
        out: list[bytes | None] = []
        while most > 0:
            before = self.tail.position
            try:
                out += self.tail.lines(most)
            except TruncatedError:
                out += self._cut()
                continue
            most -= self.tail.position - before
            if self.tail.position == before and self._next:
                out += self.tail.last()
                self.tail.close()
                self.tail = self._next.pop(0)
                if self._lost:
                    out.append(LOST)
                    self._lost = False
            elif self.tail.position == before or not self._next:
                break
        return out

    def close(self) -> None:
        """Give the descriptors back."""
        for tail in (self.tail, *self._next):
            tail.close()
        self._next = []

    def _find_later(self, newest: Tail) -> None:
        """Open all files that came after `newest`: more than one where rotation was quick.

        A file may be renamed while they are looked through, but only to a higher number: it is met
        twice then, never missed.
        """
        later: list[Tail] = []
        seen: set[FileId] = set()
        beside = False
        older, _ = rotated(self.path)
        for path in (self.path, *(file.path for file in older if not file.packed))[:_MOST_FILES]:
            try:
                tail = Tail(open_regular(path))
            except (OSError, NoLogError):
                if path == self.path:
                    for other in later:
                        other.close()
                    raise
                continue
            if tail.id == newest.id:
                beside = True
                tail.close()
                break
            if tail.id in seen or (path != self.path and tail.written_at <= self._read_at):
                tail.close()
                continue
            seen.add(tail.id)
            later.append(tail)
        # Where files are compressed at once none is left beside; otherwise ours fell off the end,
        # and what came between may have fallen off with it.
        self._lost = self._lost or not (beside or all(file.packed for file in older))
        self._next += reversed(later)

    def _cut(self) -> list[bytes | None]:
        """The file was cut: begin it anew, but first look for what had been copied away."""
        out: list[bytes | None] = [LOST]
        older, _ = rotated(self.path)
        for file in older[:_FEW]:
            try:
                fd = open_regular(file.path)
            except (OSError, NoLogError):
                continue
            if self.tail.holds(fd):
                copy = self.tail.moved(fd)
                self.copy = (self.tail.id, copy.id)
                out = []
                while lines := copy.lines(_AT_ONCE):
                    out += lines
                copy.close()
                break
            os.close(fd)
        self.tail.restart()
        return out
