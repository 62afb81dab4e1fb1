"""The last that can be read of a process that just ended, while it is a zombie."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from beattop.sources.proc.procfs import TICK_HZ, Procfs


class LastLook(NamedTuple):
    """What was still there to read."""

    own_s: float | None
    """Its own CPU; None where it was reaped before."""
    dead_s: float | None
    """CPU of the children that it reaped; None where its stat was gone."""
    start_ticks: int | None
    wait_status: int | None
    """As wait(2) gives it, where the viewer may see it."""
    living: bool
    """Whether it is not dead: other threads go on, or one of them is just execing."""

    def cpu_s(self, childless: bool) -> float | None:
        """All that it used; a process that never forked needs no stat for that."""
        if self.own_s is None or (self.dead_s is None and not childless):
            return None
        return self.own_s + (self.dead_s or 0.0)


GONE = LastLook(None, None, None, None, False)
"""Nothing was."""


def last_look(procfs: Procfs, pid: int) -> LastLook:
    """Read the CPU clock at once, then stat: under supervisord there are some 4 ms for it."""
    ns = procfs.cpu_ns(pid)
    own = None if ns is None else ns / 1e9
    stat = procfs.stat(pid)
    if stat is None:
        return LastLook(own, None, None, None, False)
    return LastLook(
        own,
        (stat.cutime + stat.cstime) / TICK_HZ,
        stat.start_ticks,
        stat.exit_code if stat.ended and _may_see(procfs, pid, stat.exit_code) else None,
        not stat.ended,
    )


def _may_see(procfs: Procfs, pid: int, exit_code: int) -> bool:
    # The kernel writes 0 for those that ptrace(2) would refuse.
    if exit_code or os.geteuid() == 0:
        return True
    try:
        return os.stat(f"{procfs.root}/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


def meaning(wait_status: int | None) -> tuple[int | None, str | None]:
    """(exit status, name of the signal): exactly one of them, or neither where unknown."""
    if wait_status is None:
        return None, None
    number = wait_status & 0x7F
    if not number:
        return (wait_status >> 8) & 0xFF, None
    try:
        return None, signal.Signals(number).name
    except ValueError:  # only the first and the last real-time signal have names in Python
        beyond = number - signal.SIGRTMIN
        return None, f"SIGRTMIN+{beyond}" if beyond > 0 else f"signal {number}"
