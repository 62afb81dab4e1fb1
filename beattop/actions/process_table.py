"""The process table as an action is proven by it: read at the moment it is needed.

psutil is not used for identity: it names a process by a float of its start time, an action needs
the clock ticks themselves (field 22 of /proc/PID/stat, proc_pid_stat(5)).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from beattop.model.process import ProcessKey
from beattop.sources.proc.commands import split
from beattop.sources.proc.facts import cmdline, environ
from beattop.sources.proc.procfs import Procfs
from beattop.sources.proc.stat import Stat
from beattop.text import safe_argv

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def key(stat: Stat) -> ProcessKey:
    """Its pid and start."""
    return ProcessKey(stat.pid, stat.start_ticks)


class ProcessTable:
    """Reads below `root`; what is gone or may not be read is None or empty, never an error."""

    def __init__(self, root: str = "/proc") -> None:
        self._procfs = Procfs(root)

    def stat(self, pid: int) -> Stat | None:
        """None where there is no such process."""
        return self._procfs.stat(pid)

    def alive(self, process: ProcessKey) -> bool:
        """Whether that very process still runs; a zombie does not."""
        found = self.stat(process.pid)
        return found is not None and key(found) == process and not found.ended

    def halted(self, process: ProcessKey) -> bool:
        """Whether a signal or a tracer has stopped that very process: it does nothing."""
        found = self.stat(process.pid)
        return found is not None and key(found) == process and found.state in "Tt"

    def age(self, found: Stat) -> float:
        """Seconds since it began; start_ticks count from boot (proc_pid_stat(5))."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - found.start_ticks / _TICKS_PER_S

    def all(self) -> Iterator[Stat]:
        """Every process there is."""
        for pid in self._procfs.pids():
            found = self.stat(pid)
            if found is not None:
                yield found

    def children(self, pid: int) -> list[int]:
        """Its children, of all its threads."""
        listed = self._procfs.children(pid)
        return self._procfs.tree().get(pid, []) if listed is None else listed

    def ancestors(self, pid: int) -> list[int]:
        """`pid` and its line of parents up to pid 1."""
        out: list[int] = []
        while pid > 0 and pid not in out:
            out.append(pid)
            found = self.stat(pid)
            pid = found.ppid if found else 0
        return out

    def own_pid(self, pid: int) -> int:
        """Its pid as its own pid namespace numbers it (last field of NSpid)."""
        words = self._status(pid, b"NSpid:")
        return int(words[-1]) if words else pid

    def uid(self, pid: int) -> int | None:
        """Its real user; None where it is gone."""
        words = self._status(pid, b"Uid:")
        return int(words[0]) if words else None

    def environ(self, pid: int) -> dict[str, str]:
        """The allow-listed variables it was started with; empty where unreadable or wiped."""
        return environ(self._procfs, pid) or {}

    def words(self, pid: int) -> str:
        """Its command line, cleaned and masked, at most 120 characters."""
        return " ".join(safe_argv(split(cmdline(self._procfs, pid))))[:120]

    def _status(self, pid: int, field: bytes) -> list[bytes]:
        try:
            lines = self._procfs.read(f"{pid}/status").splitlines()
        except OSError:
            lines = []
        return next((line.split()[1:] for line in lines if line.startswith(field)), [])
