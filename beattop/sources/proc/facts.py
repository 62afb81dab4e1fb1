"""What is fixed about one process: read once, and again after an exec."""

from __future__ import annotations

import contextlib
import pwd
from functools import lru_cache

import psutil

from beattop.model.commandline.environment import NAMES, SELECTORS, selects
from beattop.model.process import Process, ProcessKey
from beattop.sources.proc.commands import split
from beattop.sources.proc.procfs import TICK_HZ, Procfs
from beattop.sources.proc.stat import Stat
from beattop.text import clean, decode, safe, safe_argv

ENV_NAMES = frozenset(
    {
        # supervisord sets these in each child (supervisor.process.Subprocess).
        "SUPERVISOR_ENABLED",
        "SUPERVISOR_PROCESS_NAME",
        "SUPERVISOR_GROUP_NAME",
        "SUPERVISOR_SERVER_URL",
        # What Celery 5's commands read from it.
        *NAMES,
        # celery.app.utils.Settings and celery.loaders.default.
        "CELERY_BROKER_URL",
        "CELERY_BROKER_READ_URL",
        "CELERY_BROKER_WRITE_URL",
        # What tells one project from another, and one instance of it.
        *SELECTORS,
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
)
"""Names of an environment whose values are kept; see also `listed`."""

_MOST_ENVIRON = 1 << 20
_MOST_CMDLINE = 1 << 17


def listed(name: str) -> bool:
    """Whether a variable's value may be kept: no other is ever read into a sample."""
    return name in ENV_NAMES or selects(name)


def environ(procfs: Procfs, pid: int) -> dict[str, str] | None:
    """The allow-listed part of a process's environment; None where it may not be read."""
    try:
        raw = procfs.read(f"{pid}/environ", _MOST_ENVIRON)
    except OSError:
        return None
    found = {}
    for pair in raw.split(b"\0"):
        name, _, value = pair.partition(b"=")
        known = _listed(name)
        if known is not None:
            found[known] = safe(value.decode("utf-8", "replace"), value=True)
    return found


@lru_cache(maxsize=1024)
def _listed(name: bytes) -> str | None:
    text = name.decode("ascii", "replace")
    return text if listed(text) else None


def cmdline(procfs: Procfs, pid: int) -> bytes:
    """The raw command line; empty for zombies, kernel threads and hidden processes."""
    try:
        return procfs.read(f"{pid}/cmdline", _MOST_CMDLINE)
    except OSError:
        return b""


def process(procfs: Procfs, stat: Stat, raw: bytes, boot_at: float) -> Process | None:
    """The facts of the process behind `stat`; None where it ended meanwhile.

    Needs psutil.PROCFS_PATH to name the same root.
    """
    try:
        told = psutil.Process(stat.pid).as_dict(["cwd", "exe"])
    except psutil.NoSuchProcess:
        return None
    uid, ns_pid = _status(procfs, stat.pid)
    return Process(
        key=ProcessKey(stat.pid, stat.start_ticks),
        ppid=stat.ppid,
        pgrp=stat.pgrp,
        session=stat.session,
        uid=uid,
        user=_user(uid),
        comm=decode(stat.comm),
        argv=safe_argv(split(raw)),
        cwd=clean(told["cwd"]) if told["cwd"] else None,
        exe=clean(told["exe"]) if told["exe"] else None,
        started_at=boot_at + stat.start_ticks / TICK_HZ,
        env=environ(procfs, stat.pid),
        cgroup=_cgroup(procfs, stat.pid),
        ns_pid=ns_pid,
        pid_ns=_pid_ns(procfs, stat.pid),
    )


@lru_cache(maxsize=256)
def _user(uid: int) -> str | None:
    # Cached: the answer may come from a directory service over the network.
    try:
        return clean(pwd.getpwuid(uid).pw_name)
    except (KeyError, OverflowError):
        return None


def _cgroup(procfs: Procfs, pid: int) -> str | None:
    """Its path in cgroup v2, else in v1's systemd hierarchy (cgroups(7))."""
    try:
        lines = procfs.read(f"{pid}/cgroup", 16384).split(b"\n")
    except OSError:
        return None
    for head in (b"0::", b"1:name=systemd:"):
        for line in lines:
            if line.startswith(head) and line != b"0::/":
                return decode(line[len(head) :])
    named = [line.split(b":", 2)[2] for line in lines if line.count(b":") >= 2]
    return decode(named[0]) if named else None


def _status(procfs: Procfs, pid: int) -> tuple[int, int]:
    """(real user id, pid in its own namespace) from one reading; -1 where there is none."""
    uid, ns_pid = -1, pid
    # Without it (hidepid) the process's directory is hidden and none of this is reached.
    with contextlib.suppress(OSError):
        for line in procfs.read(f"{pid}/status").split(b"\n"):
            if line.startswith(b"Uid:"):
                uid = int(line.split(None, 2)[1])
            elif line.startswith(b"NSpid:"):
                ns_pid = int(line.split()[-1])
                break
    return uid, ns_pid


def _pid_ns(procfs: Procfs, pid: int) -> int | None:
    """The number in the link's text, `pid:[4026531836]`."""
    try:
        return int(procfs.link(f"{pid}/ns/pid").partition("[")[2].rstrip("]"))
    except (OSError, ValueError):
        return None
