"""The end of a program's log file, and what is added to it, read in a thread of its own."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from beattop.ui.line import Line, Span
from beattop.ui.logline import coloured

_TAIL: Final = 128 * 1024
"""Bytes of what is there already."""
_MOST: Final = 512 * 1024
"""Bytes read at once of what is added; more is skipped, and said."""
_EVERY_S: Final = 0.4
_LONGEST: Final = 4000
Tell = Callable[[list[Line], bool, str], None]
"""(lines, from the start again, trouble in words)"""


class LogFile(threading.Thread):
    """Tells of new lines, cleaned and masked, until stopped; survives rotation and removal."""

    def __init__(self, path: Path, tell: Tell) -> None:
        super().__init__(name="beattop-log", daemon=True)
        self._path = path
        self._tell = tell
        self._over = threading.Event()
        self._inode: tuple[int, int] | None = None
        self._place = 0
        self._rest = b""
        self._trouble = ""
        self.opened = False
        """It was there, and this user may read it."""

    def stop(self) -> None:
        """Read no further; returns at once."""
        self._over.set()

    def run(self) -> None:
        """Read, wait, read."""
        while not self._over.is_set():
            try:
                self._look()
            except OSError as error:
                self._say_trouble(f"{self._path}: {error.strerror or error}")
            except Exception as error:  # noqa: BLE001 - a thread's exception is silent: the page has to say it
                self._say_trouble(f"reading {self._path} failed: {error!r}")
                return
            self._over.wait(_EVERY_S)

    def _say_trouble(self, words: str) -> None:
        self._inode = None
        if words != self._trouble:
            self._trouble = words
            self._tell([], True, words)

    def _look(self) -> None:
        # Not blocking: a log may be a FIFO, and waiting for its writer would be for ever.
        handle = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                self._say_trouble(f"{self._path} is no regular file: there is nothing to follow")
                return
            identity = (facts.st_dev, facts.st_ino)
            if identity != self._inode:
                fresh = self._inode is None
                self._inode, self._trouble, self.opened = identity, "", True
                self._place, self._rest = (max(0, facts.st_size - _TAIL) if fresh else 0), b""
                self._read(handle, facts.st_size, fresh=fresh, partial=fresh and self._place > 0)
            elif facts.st_size < self._place:
                self._place, self._rest = 0, b""
                self._tell([(Span("(the file was truncated)"),)], False, "")
                self._read(handle, facts.st_size)
            elif facts.st_size > self._place:
                self._read(handle, facts.st_size)
        finally:
            os.close(handle)

    def _read(self, handle: int, end: int, *, fresh: bool = False, partial: bool = False) -> None:
        skipped = end - self._place - _MOST
        if skipped > 0:
            self._place, self._rest = self._place + skipped, b""
            words = f"({skipped:,} bytes skipped: they came too fast)"
            self._tell([(Span(words),)], False, "")
        data = os.pread(handle, end - self._place, self._place)
        self._place += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MOST:
            whole, self._rest = [*whole, self._rest], b""
        if partial and whole:
            del whole[0]
        if whole or fresh:
            texts = (raw.decode("utf-8", "replace").rstrip("\r")[:_LONGEST] for raw in whole)
            self._tell([coloured(text) for text in texts], fresh, "")
