"""The machine's own counters: CPU, load, how many processes, the newest pid."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from beattop.model.box import CpuTimes, Host
from beattop.model.sample import STEP_S
from beattop.sources.proc.procfs import TICK_HZ, Procfs
from beattop.text import clean


class _Ticks(NamedTuple):
    """The first line of /proc/stat, in seconds; guest time is in user already (proc_stat(5))."""

    work: float
    idle: float
    iowait: float
    steal: float
    cores: int


class Box:
    """Reads the counters and makes a busy time of them that never falls."""

    def __init__(
        self,
        procfs: Procfs,
        monotonic: Callable[[], float] = time.monotonic,
        since_boot: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._procfs = procfs
        self._monotonic = monotonic
        self._since_boot = since_boot
        self._before: tuple[float, _Ticks] | None = None
        self._busy = self._idle = self._steal = 0.0
        cores, booted = self._read_stat()
        if procfs.native:
            # btime has whole seconds only.
            booted = time.time() - since_boot()
        self.host = Host(clean(socket.gethostname()), cores.cores, booted, TICK_HZ)

    def stepped(self, now: float) -> float:
        """By how many seconds the clock was set since the last call; `host.boot_at` follows it.

        `now` is the Unix time of this instant. Slewing moves the time since boot alike.
        """
        if not self._procfs.native:
            return 0.0
        by = now - self._since_boot() - self.host.boot_at
        if abs(by) < STEP_S:
            return 0.0
        self.host = replace(self.host, boot_at=self.host.boot_at + by)
        return by

    def _read_stat(self) -> tuple[_Ticks, float]:
        raw = self._procfs.read("stat", 1 << 18)
        line, _, rest = raw.partition(b"\n")
        words = [int(word) / TICK_HZ for word in line.split()[1:]]
        words += [0.0] * (8 - len(words))
        user, nice, system, idle, iowait, irq, softirq, steal = words[:8]
        _, _, boot = rest.partition(b"\nbtime ")
        ticks = _Ticks(
            user + nice + system + irq + softirq, idle, iowait, steal, raw.count(b"\ncpu") or 1
        )
        return ticks, float(boot.split(None, 1)[0]) if boot else 0.0

    def cpu(self, processes: int | None) -> CpuTimes:
        """The counters now; OSError where /proc/stat cannot be read."""
        now = self._monotonic()
        ticks, _ = self._read_stat()
        if self._before is None:
            self._busy, self._steal = ticks.work, ticks.steal
            self._idle = ticks.idle + ticks.iowait
        else:
            then, old = self._before
            # idle and iowait may step back (proc_stat(5)); a step is not time.
            idle = max(0.0, ticks.idle - old.idle) + max(0.0, ticks.iowait - old.iowait)
            steal = max(0.0, ticks.steal - old.steal)
            # Not user + system: those are sampled at ticks and were 3-4 % low.
            self._busy += max(0.0, ticks.cores * (now - then) - idle - steal)
            self._idle += idle
            self._steal += steal
        self._before = (now, ticks)
        return CpuTimes(self._busy, self._idle, self._steal, self._load(), processes)

    def _load(self) -> tuple[float, float, float]:
        try:
            one, five, fifteen = self._procfs.read("loadavg", 128).split()[:3]
            return float(one), float(five), float(fifteen)
        except (OSError, ValueError):
            return 0.0, 0.0, 0.0
