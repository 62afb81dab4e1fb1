"""What processes and the box have used, from the kernel's own accounts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

HZ = os.sysconf("SC_CLK_TCK")


def own_s(pid: int) -> float:
    """CPU of a process and its threads, in seconds (clock_getcpuclockid(3)); 0 once it is reaped."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2) / 1e9
    except OSError:
        return 0.0


def cpu_s(pid: int) -> float:
    """The same with the children that it has reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return own_s(pid)
    return own_s(pid) + (int(fields[13]) + int(fields[14])) / HZ


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processes() -> int:
    """How many live on the box."""
    return sum(name.isdigit() for name in os.listdir("/proc"))


def forks() -> int:
    """Forks since boot, threads included (proc_stat(5))."""
    found = re.search(r"\nprocesses (\d+)", Path("/proc/stat").read_text())
    assert found
    return int(found[1])


def mid(values: Iterable[float]) -> float:
    """The median; nan of nothing."""
    known = list(values)
    return median(known) if known else float("nan")
