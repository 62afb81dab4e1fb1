"""What one look at /proc brings home."""

from __future__ import annotations

from dataclasses import dataclass

from beattop.model.box import CpuTimes, Host
from beattop.model.process import Process, Usage


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """The watched processes and the box's counters at one instant."""

    at: float
    """Unix seconds."""
    processes: tuple[Process, ...]
    usage: tuple[Usage, ...]
    """One for each of `processes`, in the same order; zombies are among them."""
    cpu: CpuTimes
    host: Host
    up_s: float = 0.0
    """Seconds since boot at that instant (CLOCK_BOOTTIME)."""
    supervisords: frozenset[int] = frozenset()
    """Pids of those that are one by their command line."""
