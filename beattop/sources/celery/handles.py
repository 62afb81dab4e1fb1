"""What a beat holds open: its schedule, perhaps deleted under it, and its broker's address."""

from __future__ import annotations

import os
import posixpath

import psutil

from beattop.model.files import Handles
from beattop.sources.celery.schedule import is_schedule
from beattop.sources.celery.targets import Holder
from beattop.sources.rooted import inode, inside
from beattop.text import clean

_DELETED = " (deleted)"
_MOST_FDS = 4096


def read_handles(target: Holder, root: str, prefix: str = "") -> Handles:
    """The descriptors of one process; needs its own user or root.

    `root` is how its files are reached, `prefix` what its links show before its own paths.
    """
    key = target.process.key
    folder = f"/proc/{key.pid}/fd"
    try:
        descriptors = os.listdir(folder)[:_MOST_FDS]
    except OSError:
        return Handles(key, (), (), (), (), readable=False)
    wanted = _wanted(target.schedule, root, prefix)
    pipes = 0
    schedules: list[str] = []
    deleted: list[str] = []
    inodes: list[tuple[int, int]] = []
    for number in descriptors:
        try:
            link = os.readlink(f"{folder}/{number}")
        except OSError:
            continue
        pipes += link.startswith("pipe:") and int(number) > 2
        gone = link.endswith(_DELETED)
        path = link.removesuffix(_DELETED).removeprefix(prefix)
        if not any(is_schedule(path, name) for name in wanted):
            continue
        shown = clean(f"{root}{path}")
        schedules.append(shown)
        deleted += [shown] if gone else []
        try:
            found = os.stat(f"{folder}/{number}")
            inodes.append((found.st_dev, found.st_ino))
        except OSError:
            continue
    return Handles(
        key=key,
        schedules=tuple(dict.fromkeys(schedules)),
        deleted=tuple(dict.fromkeys(deleted)),
        inodes=tuple(dict.fromkeys(inodes)),
        # A pool child's connections are its parent's.
        peers=() if target.fork and pipes else _peers(key.pid),
        readable=True,
        pipes=pipes,
        root=inode(f"/proc/{key.pid}/root"),
    )


def _wanted(schedule: str | None, root: str, prefix: str) -> tuple[str, ...]:
    """A schedule's path as its own root names it: with and without links followed."""
    if schedule is None:
        return ()
    schedule = schedule.removeprefix(prefix)
    folder, name = posixpath.split(schedule)
    real = inside(root, folder).removeprefix(root)
    followed = inside(root, schedule).removeprefix(root)
    return (schedule, posixpath.join(real, name), followed)


def _peers(pid: int) -> tuple[str, ...]:
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except (psutil.Error, OSError, RuntimeError):  # RuntimeError: a line psutil cannot read
        return ()
    names = []
    for one in found:
        if one.status == psutil.CONN_ESTABLISHED and hasattr(one.raddr, "ip"):
            ip = one.raddr.ip
            names.append(f"[{ip}]:{one.raddr.port}" if ":" in ip else f"{ip}:{one.raddr.port}")
    return tuple(sorted(set(names)))
