"""A pidfile read as Celery reads it, and the process it names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from beattop.model.files import FileStatus, Pidfile
from beattop.sources.celery.holder import Hidden, Holders
from beattop.sources.rooted import open_regular
from beattop.text import clean

_MOST_BYTES = 256
_MOST_PID = 2**22
"""PID_MAX_LIMIT, proc_sys_kernel(5)."""


def read_pidfile(
    path: str,
    names: Sequence[str],
    pid_ns: int | None,
    holders: Holders,
    network: Mapping[int, str] = MappingProxyType({}),
) -> Pidfile:
    """The pidfile at `path` (as it is reached), configured as `names`; `network` as mounts.shared.

    Celery takes the first line for a number and refuses one without newline (celery.platforms);
    such a file is garbage, its number is told all the same.
    """
    shown, named = clean(path), tuple(clean(name) for name in names)
    try:
        handle = open_regular(path)
    except FileNotFoundError:
        return Pidfile(shown, "absent", None, None, None, named=named)
    except PermissionError:
        return Pidfile(shown, "denied", None, _mtime(path), None, named=named)
    except OSError:
        return Pidfile(shown, "garbage", None, _mtime(path), None, named=named)
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        mtime_at = found.st_mtime
        raw = file.read(_MOST_BYTES)
    status, pid = parse(raw)
    try:
        process = holders.find(pid, pid_ns) if pid is not None else None
    except Hidden:
        # Alive, but whose it is may not be seen: nothing may be concluded from it.
        return Pidfile(shown, "denied", pid, mtime_at, None, named=named)
    return Pidfile(
        path=shown,
        status=status,
        pid=pid,
        mtime_at=mtime_at,
        holder=process.key if process else None,
        holder_argv=process.argv if process else (),
        holder_user=process.user if process else None,
        holder_started_at=process.started_at if process else None,
        named=named,
        shared=network.get(found.st_dev),
    )


def parse(raw: bytes) -> tuple[FileStatus, int | None]:
    """(ok or garbage, the number) of a pidfile's bytes."""
    line, newline, _ = raw.partition(b"\n")
    word = line.strip()
    if not word.isdigit() or not 0 < int(word) <= _MOST_PID:
        return "garbage", None
    return ("ok" if newline else "garbage"), int(word)


def _mtime(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None
