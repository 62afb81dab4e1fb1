"""One watched process: its open stat file, its CPU clock and what both last said."""

from __future__ import annotations

import contextlib
import os
import time

from beattop.model.process import Process, Usage
from beattop.sources.proc.procfs import TICK_HZ, Procfs, cpu_clock
from beattop.sources.proc.stat import Stat
from beattop.sources.supervisor.invocation import invocation

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
        self.usage = Usage(process.key, stat.ppid, stat.pgrp, stat.state, 0.0, 0.0, None)
        """Nothing in it is to be used before the first `read`."""
        if keep_open:
            # It ended, or no descriptor is left: it is read by name instead.
            with contextlib.suppress(OSError):
                self._fd = procfs.open(f"{stat.pid}/stat")

    def bear(self, process: Process, raw: bytes) -> None:
        """Take these facts; `raw` is the command line that they were read with."""
        self.process = process
        self.words = hash(raw)  # only to notice a change: it may hold a password
        self.supervisord = invocation(process.argv) is not None

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
                raw = os.pread(self._fd, 1024, 0)
            else:
                raw = self._procfs.read(f"{self.pid}/stat", 1024)
            # As stat.parse, but no field more than is used: this runs for everyone all the time.
            f = raw[raw.rindex(b")") + 2 :].split(None, 22)
            if int(f[19]) != self.start_ticks:
                return False
            self.usage = Usage(
                self.usage.key,
                int(f[1]),
                int(f[2]),
                f[0].decode(),
                ns / 1e9 if ns is not None else (int(f[11]) + int(f[12])) / TICK_HZ,
                (int(f[13]) + int(f[14])) / TICK_HZ,
                int(f[21]) * _PAGE,
            )
        except (OSError, ValueError, IndexError):
            return False
        self._ns = -1 if ns is None else ns
        self.stale = False
        return True
