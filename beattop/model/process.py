"""Processes: what is fixed about one, and what its counters say at an instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class ProcessKey(NamedTuple):
    """Names one process for good: a pid comes round again, a pid with its start does not."""

    pid: int
    start_ticks: int
    """Field 22 of /proc/PID/stat: clock ticks after boot (proc_pid_stat(5))."""


@dataclass(frozen=True, slots=True)
class Process:
    """What stays the same between two execs. Text is cleaned, secrets in argv are masked."""

    key: ProcessKey
    ppid: int
    pgrp: int
    session: int
    uid: int
    user: str | None
    comm: str
    argv: tuple[str, ...]
    cwd: str | None
    exe: str | None
    started_at: float
    env: Mapping[str, str] | None
    """Allow-listed names only; None where the environment could not be read."""
    cgroup: str | None
    ns_pid: int
    """The pid in its own pid namespace (last field of NSpid, proc_pid_status(5))."""
    pid_ns: int | None
    """Inode of its pid namespace; None where unreadable."""
    runner: str | None = None
    """An ancestor that is not watched itself and would start it again: honcho, watchmedo ..."""

    @property
    def pid(self) -> int:
        """The pid in the viewer's namespace."""
        return self.key.pid


class Usage(NamedTuple):
    """Counters of one live or zombie process at the sample's instant.

    A NamedTuple, since one is built for every watched process every second.
    """

    key: ProcessKey
    ppid: int
    pgrp: int
    state: str
    """One letter as in proc_pid_stat(5): R S D Z T t X I."""
    cpu_s: float
    """User and system seconds of all its threads, dead ones too."""
    dead_cpu_s: float
    """cutime + cstime: seconds of its reaped children and theirs."""
    rss_bytes: int | None
