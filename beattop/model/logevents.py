"""What supervisord's main log tells of its programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LogKind = Literal[
    "spawned",  # spawned: 'NAME' with pid N
    "running",  # success: NAME entered RUNNING state, ...
    "exited",  # exited: NAME (exit status N; expected|not expected) | (terminated by SIGX; ...)
    "stopped",  # stopped: NAME (exit status N | terminated by SIGX): somebody asked for it
    "fatal",  # gave up: NAME entered FATAL state, ...
    "spawn-error",  # spawnerr: ... | couldn't exec ...
    "stopping",  # waiting for NAME to stop | stopped group
    "killing",  # killing 'NAME' (N) with SIGKILL
    "reaped-unknown",  # reaped unknown pid N ...
    "server-started",  # supervisord started with pid N
    "server-stopping",  # received SIGTERM indicating exit request | SIGHUP ... restart
    "gap",  # not a line: what was written here is lost (truncation, a rotation that was missed)
]


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of a main log."""

    at: float
    """Unix seconds, to the millisecond; the log writes local time."""
    supervisor: str
    kind: LogKind
    name: str
    """The bare process name: the log has no groups. Empty for the server's own lines."""
    pid: int | None = None
    """As supervisord's namespace numbers it."""
    status: int | None = None
    signal: str | None = None
    expected: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What the log says of one name up to where it was read: counts whole, events the last few."""

    supervisor: str
    name: str
    spawns: int
    exits: int
    """Exits that nobody asked for; requested stops do not count."""
    first_at: float
    """Time of the oldest event that was read; 0 where there is none of its own."""
    complete: bool
    """False where older logs are not read (yet) or a gap was met."""
    loop_since_at: float | None
    """Start of the run of unrequested exits that is still going on, none a requested stop ended."""
    loop_exits: int
    """Exits in that run."""
    exit_counts: tuple[tuple[str, int], ...]
    """("73", 5120) or ("SIGKILL", 2): how often it ended so."""
    by_hour: tuple[tuple[float, int, int], ...]
    """(start of the hour, spawns, exits), oldest first, hours without events left out."""
    recent: tuple[LogEvent, ...]
    """The last events of its lives (spawned, exited, stopped, fatal), at most 60, oldest first."""
    gap: bool = False
    """True where lines are known to be lost within."""
    head: tuple[tuple[LogKind, float], ...] = ()
    """(kind, at) of the first three that bear on a run, restarts of supervisord included: what an
    older Past may still change (see beattop.model.streak)."""
    tail: tuple[tuple[LogKind, float], ...] = ()
    """The last three of the same: what a newer Past goes on from."""
    settled: bool = False
    """True where the run that goes on began after `head`: nothing older can change it."""
