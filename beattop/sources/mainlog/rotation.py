"""One log across the files that it lies in: rotated, cut, replaced, gone and back."""

from __future__ import annotations

import os

from beattop.sources.mainlog.place import NoLogError, Rotated, open_regular, rotated
from beattop.sources.mainlog.tail import NO_MARK, FileId, Mark, Tail, TruncatedError

LOST = None
"""Stands among lines where some are missing."""
_MOST_FILES = 200
_FEW = 3
_LOOKS = 4
"""At the files beside the log, where a rename in the midst of it may have hidden one."""
_AT_ONCE = 1 << 20


class Chain:
    """The file that is being read and those that came after it."""

    __slots__ = ("_begun_at", "_lost", "_next", "_read", "copy", "path", "tail")

    def __init__(self, path: str, tail: Tail, begun_at: float) -> None:
        """`begun_at`: when `tail` was up to date, in Unix time as files' mtimes are."""
        self.path = path
        self.tail = tail
        self.copy: tuple[FileId, FileId] | None = None
        """(cut file, the file to which what was cut away had been copied)."""
        self._next: list[Tail] = []
        self._begun_at = begun_at
        self._lost = False
        self._read: dict[FileId, Mark] = {}
        """The files read to their end, as far as they can still be there."""

    def look(self, info: os.stat_result) -> bool:
        """Whether there is anything to read; `info` is the path's. Raises OSError, NoLogError."""
        newest = self._next[-1] if self._next else self.tail
        if (info.st_dev, info.st_ino) == newest.id:
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
                self._read.pop(self.tail.id, None)
                self._read[self.tail.id] = self.tail.mark
                if len(self._read) > _MOST_FILES:
                    del self._read[next(iter(self._read))]
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
        """Open all files that came after `newest`: more than one where rotation was quick."""
        for left in reversed(range(_LOOKS)):
            later, whole = self._walk(newest)
            # Two rotations between two openings would put the files out of order.
            still = not later or self._is_at_path(later[0])
            if still and (whole or not left):
                self._lost = self._lost or not whole
                self._next += reversed(later)
                return
            for tail in later:
                tail.close()

    def _is_at_path(self, tail: Tail) -> bool:
        try:
            info = os.stat(self.path)
        except OSError:
            return False
        return (info.st_dev, info.st_ino) == tail.id

    def _walk(self, newest: Tail) -> tuple[list[Tail], bool]:
        """Files after `newest`, the last first, and whether none can be missing among them.

        A file may be renamed while they are looked through: to a higher number, so that it is met
        twice; but a listing made at that moment may hide it.
        """
        later: list[Tail] = []
        beside = gap = False
        held = {tail.id for tail in (self.tail, *self._next)}
        older, _ = rotated(self.path)
        for place, file in enumerate((Rotated(self.path, 0, False), *older)[:_MOST_FILES]):
            gap = gap or file.number != place
            if file.packed:
                continue
            try:
                tail = Tail(open_regular(file.path))
            except (OSError, NoLogError):
                gap = True
                if file.number:
                    continue
                raise
            if tail.id in held or tail.bears(self._read.get(tail.id, NO_MARK)):
                # What is read, or will be: all that is older is so, too.
                beside = tail.id == newest.id
                tail.close()
                break
            known = any(tail.id == other.id for other in later)
            if known or (file.number and tail.written_at <= self._begun_at):
                tail.close()
            else:
                later.append(tail)
        # Where files are compressed at once none is left beside; otherwise ours fell off the end,
        # and what came between may have fallen off with it.
        return later, not gap if beside else all(file.packed for file in older)

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
                self._read[copy.id] = copy.mark
                copy.close()
                break
            os.close(fd)
        self.tail.restart()
        return out
