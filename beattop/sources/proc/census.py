"""Which processes there are, and which of them are new, at a cost that does not grow."""

from __future__ import annotations

import os

from beattop.sources.proc.procfs import Procfs

_ROLL = 10  # known strangers looked at again each time: some 0.1 ms
_WIDEST = 2000  # beyond this many pids in between a listing is cheaper


class Census:
    """Keeps count of the box's pids without listing them each time."""

    def __init__(self, procfs: Procfs) -> None:
        self._procfs = procfs
        self._tells_newest = procfs.clocks and _own_loadavg(procfs)
        self._cursor = self._newest()
        self._known: set[int] = set()
        self._round: list[int] = []
        self._links_beyond: int | None = None

    def everyone(self) -> list[int]:
        """A full listing (1 ms for 1000 processes); OSError where /proc cannot be listed."""
        pids = self._procfs.pids()
        self._known = set(pids)
        self._round = pids[:]
        if self._procfs.native:
            self._links_beyond = os.stat(self._procfs.root).st_nlink - len(pids)
        return pids

    def _newest(self) -> int | None:
        """The pid given out last, where that can be told.

        The last word of loadavg (proc_loadavg(5)) is the cursor of a cyclic allocator: whatever
        was born between two readings has a pid between the two values.
        """
        if not self._tells_newest:
            return None
        try:
            return int(self._procfs.read("loadavg", 128).split()[-1])
        except (OSError, ValueError, IndexError):
            return None

    def newcomers(self) -> list[int]:
        """Pids of processes born since the last call (or the first listing) and still there."""
        cursor, before = self._newest(), self._cursor
        self._cursor = cursor
        if cursor is None or before is None or not 0 <= cursor - before <= _WIDEST:
            known = self._known
            return [pid for pid in self.everyone() if pid not in known]
        # The CPU clock answers for processes only; getpgid(2) would for threads as well.
        clock = self._procfs.cpu_ns
        return [pid for pid in range(before + 1, cursor + 1) if clock(pid) is not None]

    def some(self) -> list[int]:
        """The next few of the box in turn: what changed its name unseen is found in the end."""
        if not self._round:
            self.everyone()
        chosen, self._round = self._round[-_ROLL:], self._round[:-_ROLL]
        return chosen

    def count(self) -> int:
        """How many processes live on the box.

        /proc's link count grows by one for each (proc_root_getattr in the kernel's fs/proc/root.c);
        outside the initial namespace it counts others too, so every listing sets it right.
        """
        if self._links_beyond is None:
            return len(self._known)
        return os.stat(self._procfs.root).st_nlink - self._links_beyond


def _own_loadavg(procfs: Procfs) -> bool:
    # lxcfs lays a file of its own over it, whose last word means nothing.
    try:
        return os.stat(f"{procfs.root}/loadavg").st_dev == os.stat(procfs.root).st_dev
    except OSError:
        return False
