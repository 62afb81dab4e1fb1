"""Files that tell the truth about a beat: pidfile, schedule, last words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from beattop.model.process import ProcessKey

FileStatus = Literal["ok", "absent", "denied", "garbage"]


@dataclass(frozen=True, slots=True)
class Pidfile:
    """A pidfile that some beat (or worker) is configured to hold."""

    path: str
    """Resolved: absolute, links followed, as the viewer reaches it."""
    status: FileStatus
    pid: int | None
    """As written in it; None where there is no number."""
    mtime_at: float | None
    holder: ProcessKey | None
    """The live process of that pid in the pidfile's namespace, whatever it is."""
    holder_argv: tuple[str, ...] = ()
    holder_user: str | None = None
    holder_started_at: float | None = None
    named: tuple[str, ...] = ()
    """The absolute paths by which it is configured, links not followed."""
    shared: str | None = None
    """The type of the file system, where other hosts write to it: "nfs4". Its pid and its time may
    be another host's."""

    @property
    def outlived(self) -> bool:
        """Whether its pid was given to the holder after the file was written, so not by it."""
        began, written = self.holder_started_at, self.mtime_at
        return began is not None and written is not None and began > written + 2


@dataclass(frozen=True, slots=True)
class ScheduleFile:
    """A schedule's database file, or one of the files that its dbm spells from that name."""

    path: str
    status: FileStatus
    mtime_at: float | None
    size: int | None
    inode: int | None
    named: tuple[str, ...] = ()
    """The absolute paths by which it is configured, links not followed."""


@dataclass(frozen=True, slots=True)
class Handles:
    """What one scheduling process holds open."""

    key: ProcessKey
    schedules: tuple[str, ...]
    """Resolved paths of open schedule files, a deleted one with its ` (deleted)` cut off."""
    deleted: tuple[str, ...]
    """Those of them that were deleted under it."""
    inodes: tuple[tuple[int, int], ...]
    """(device, inode) of the same."""
    peers: tuple[str, ...]
    """Established TCP peers, "host:port"."""
    readable: bool
    """False where the viewer may not look into its descriptors."""
    pipes: int | None = None
    """How many pipes it holds above descriptor 2; None where unreadable."""
    root: tuple[int, int] | None = None
    """(device, inode) of its root directory: two of one root name the same files by one path."""
    starts_beat: bool = False
    """Whether the script that it runs starts a beat by Celery's own calls."""
    may_stand_by: bool | None = None
    """Whether a scheduler that waits for a lock (celery-redbeat) is installed where it imports
    Celery from; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class LastWords:
    """The end of one program's own log, cleaned and masked."""

    supervisor: str
    group: str
    name: str
    lines: tuple[str, ...]
    """The last lines, oldest first."""
    mtime_at: float | None
    sent_at: float | None
    """mtime or stamp of the last `Scheduler: Sending due task` line; None where none is seen."""
    path: str | None
