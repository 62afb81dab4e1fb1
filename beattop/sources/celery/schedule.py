"""A PersistentScheduler's file, under whichever names its dbm spells it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from beattop.model.files import ScheduleFile
from beattop.text import clean

# dbm.gnu and dbm.sqlite3 use the name itself, ndbm and Berkeley DB .db, dbm.dumb .dat, .dir and
# .bak; sqlite writes to -wal first and sets the file's own time later.
SPELLINGS = ("", ".db", ".dat", ".dir", ".bak", "-wal", "-journal")
_HELD_OPEN = ("", ".db", ".dat")


def read_schedule(path: str, names: Sequence[str]) -> ScheduleFile:
    """The schedule at `path` (as it is reached): its newest time, its main file's size, inode."""
    shown, named = clean(path), tuple(clean(name) for name in names)
    newest: float | None = None
    size: int | None = None
    inode: int | None = None
    denied = False
    for spelling in SPELLINGS:
        try:
            found = os.stat(path + spelling)
        except PermissionError:
            denied = True
            continue
        except OSError:
            continue
        newest = max(newest or 0.0, found.st_mtime)
        if inode is None and spelling in _HELD_OPEN:
            size, inode = found.st_size, found.st_ino
    if newest is None:
        return ScheduleFile(shown, "denied" if denied else "absent", None, None, None, named)
    return ScheduleFile(shown, "ok", newest, size, inode, named)


def is_schedule(link: str, schedule: str) -> bool:
    """Whether an open file's path is that of a schedule, in one of its spellings."""
    return link.startswith(schedule) and link[len(schedule) :] in (*SPELLINGS, "-shm")
