"""The machine and its CPU counters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """What stays the same about the box while it is up."""

    name: str
    cores: int
    boot_at: float
    tick_hz: int
    """sysconf(_SC_CLK_TCK): the unit of /proc/PID/stat's times."""


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Cumulated seconds of all cores, from the first line of /proc/stat (proc_stat(5))."""

    busy_s: float
    """cores x elapsed - idle - iowait - steal, as far as the counters tell."""
    idle_s: float
    """Idle and iowait."""
    steal_s: float
    load: tuple[float, float, float]
    processes: int | None = None
    """How many processes live on the box."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks."""

    uid: int
    user: str | None
    read_only: bool
    pid: int
    pid_ns: int | None = None
    """The inode of its pid namespace."""
