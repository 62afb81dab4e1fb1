"""One watched process: its open stat file, its CPU clock and what both last said."""

from __future__ import annotations

import contextlib
import os
import time

from beattop.model.process import Process, Usage
from beattop.sources.proc.commands import is_supervisord
from beattop.sources.proc.procfs import TICK_HZ, Procfs, cpu_clock
from beattop.sources.proc.stat import Stat, parse

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Row:
    """Mutable; belongs to one Sampler."""

    __slots__ = (
        "_clock", "_fd", "_ns", "_procfs", "looks", "pid", "process", "stale", "start_ticks",
        "supervisord", "usage", "words",
    )  # fmt: skip

    def __init__(
        self, procfs: Procfs, stat: Stat, raw: bytes, process: Process, keep_open: bool
    ) -> None:
        self._procfs = procfs
        self._clock: int | None = cpu_clock(stat.pid) if procfs.clocks else None
        self._ns = -1
        self._fd = -1
        self.pid = stat.pid
        self.start_ticks = stat.start_ticks
        self.looks = 0
        self.stale = True
        """Whether stat has to be read although its clock stands still."""
        self.bear(process, raw)
        self.usage = self._usage(stat, None)
        if keep_open:
            # It ended, or no descriptor is left: it is read by name instead.
            with contextlib.suppress(OSError):
                self._fd = procfs.open(f"{stat.pid}/stat")

    def bear(self, process: Process, raw: bytes) -> None:
        """Take these facts; `raw` is the command line that they were read with."""
        self.process = process
        self.words = hash(raw)  # only to notice a change: it may hold a password
        self.supervisord = is_supervisord(process.argv)

    @property
    def holds_file(self) -> bool:
        """Whether it keeps a descriptor open."""
        return self._fd >= 0

    def close(self) -> None:
        """Let the descriptor go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self, anyway: bool) -> bool:
        """Bring `usage` up to date; False where the process is gone.

        Its stat is read only where the clock moved: whatever a process does to itself costs it
        some CPU. What others do to it (a dead parent, reclaimed memory) needs `anyway`.
        """
        ns: int | None = None
        if self._clock is not None:
            try:
                ns = time.clock_gettime_ns(self._clock)
            except OSError:
                return False
            if ns == self._ns and not (anyway or self.stale):
                return True
        try:
            if self._fd >= 0:
                # An open stat file never turns into another process's: ESRCH once it is reaped.
                stat = parse(os.pread(self._fd, 2048, 0))
            else:
                stat = parse(self._procfs.read(f"{self.pid}/stat", 2048))
        except (OSError, ValueError, IndexError):
            return False
        if stat.start_ticks != self.start_ticks:
            return False
        self._ns = -1 if ns is None else ns
        self.stale = False
        self.usage = self._usage(stat, ns)
        return True

    def _usage(self, stat: Stat, ns: int | None) -> Usage:
        return Usage(
            self.process.key,
            stat.ppid,
            stat.pgrp,
            stat.state,
            ns / 1e9 if ns is not None else (stat.utime + stat.stime) / TICK_HZ,
            (stat.cutime + stat.cstime) / TICK_HZ,
            stat.rss_pages * _PAGE,
        )
