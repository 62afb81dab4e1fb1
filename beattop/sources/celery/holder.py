"""The live process behind a number in a pidfile, which counts in the writer's pid namespace."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from beattop.model.process import Process
from beattop.sources.proc.facts import cmdline, process
from beattop.sources.proc.procfs import Procfs


class Hidden(Exception):
    """A process of that number lives, but nothing of it may be seen."""


class Holders:
    """Looks processes up; knows those that are watched anyway."""

    def __init__(self, watched: Iterable[Process], procfs: Procfs | None = None) -> None:
        self._procfs = procfs or Procfs()
        self._own = self._namespace("self")
        self._by_pid: dict[int, Process] = {}
        self._by_ns: dict[tuple[int, int], Process] = {}
        for known in watched:
            self._by_pid[known.pid] = known
            if known.pid_ns is not None:
                self._by_ns[known.pid_ns, known.ns_pid] = known

    def find(self, pid: int, pid_ns: int | None) -> Process | None:
        """The process that `kill(pid, 0)` in that namespace would reach; raises Hidden.

        Of a thread's number it is the thread's process, which is what Celery's check takes for
        alive as well.
        """
        if pid <= 0:
            return None
        if pid_ns is None or pid_ns == self._own:
            return self._here(pid)
        known = self._by_ns.get((pid_ns, pid))
        if known is not None and self._alive(known):
            return known
        return self._there(pid, pid_ns)

    def _here(self, pid: int) -> Process | None:
        known = self._by_pid.get(pid)
        if known is not None and self._alive(known):
            return known
        leader = self._field(pid, b"Tgid:")
        if leader is None:
            if _exists(pid):
                raise Hidden
            return None
        return self._read(leader[0])

    def _there(self, pid: int, pid_ns: int) -> Process | None:
        for candidate in self._procfs.pids():
            numbers = self._field(candidate, b"NSpid:")
            fits = numbers and len(numbers) > 1 and numbers[-1] == pid
            if fits and self._namespace(str(candidate)) == pid_ns:
                return self._read(candidate)
        return None

    def _read(self, pid: int) -> Process | None:
        stat = self._procfs.stat(pid)
        if stat is None:
            return None
        booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        return process(self._procfs, stat, cmdline(self._procfs, pid), booted)

    def _alive(self, known: Process) -> bool:
        stat = self._procfs.stat(known.pid)
        return stat is not None and stat.start_ticks == known.key.start_ticks

    def _field(self, pid: int, name: bytes) -> list[int] | None:
        try:
            raw = self._procfs.read(f"{pid}/status", 8192)
        except OSError:
            return None
        for line in raw.split(b"\n"):
            if line.startswith(name):
                return [int(word) for word in line.split()[1:]]
        return None

    def _namespace(self, pid: str) -> int | None:
        try:
            link = self._procfs.link(f"{pid}/ns/pid")
        except OSError:
            return None
        return int(link.partition("[")[2].rstrip("]") or 0)


def _exists(pid: int) -> bool:
    """Whether a process lives that /proc does not show (mounted with hidepid)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
