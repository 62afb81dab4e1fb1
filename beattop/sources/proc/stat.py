"""One line of /proc/PID/stat (proc_pid_stat(5))."""

from __future__ import annotations

from typing import NamedTuple


class Stat(NamedTuple):
    """The fields that matter here; times in clock ticks, rss in pages."""

    pid: int
    comm: bytes
    state: str
    ppid: int
    pgrp: int
    session: int
    utime: int
    stime: int
    cutime: int
    cstime: int
    threads: int
    start_ticks: int
    rss_pages: int
    exit_code: int
    """Wait status of a zombie; 0 as well where the reader may not see it."""

    @property
    def ended(self) -> bool:
        """Dead in all its threads: a leader that ended alone leaves a zombie with threads."""
        return self.state in "ZX" and self.threads <= 1


def parse(raw: bytes) -> Stat:
    """The fields of one line; ValueError or IndexError where it is no stat line."""
    # comm may hold spaces and brackets: it ends at the last bracket of the line.
    head, _, tail = raw.rpartition(b")")
    pid, _, comm = head.partition(b" (")
    f = tail.split()
    return Stat(
        int(pid),
        comm,
        f[0].decode("ascii", "replace"),
        int(f[1]),
        int(f[2]),
        int(f[3]),
        int(f[11]),
        int(f[12]),
        int(f[13]),
        int(f[14]),
        int(f[17]),
        int(f[19]),
        int(f[21]),
        int(f[49]) if len(f) > 49 else 0,
    )
