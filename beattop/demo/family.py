"""Which processes belong to an incident, and how they end; standard library only.

Membership is by descent, by a variable in the environment that every child inherits, and, for a
process whose environment was wiped (setproctitle writes its title over it) after its parent died,
by the session it lives in. A signal goes only to the process that was meant: pid and start time,
through a pidfd where the kernel has them (pidfd_send_signal(2), Linux 5.3).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

MARK = "BEATTOP_INCIDENT"
"""The environment variable that every process of an incident carries; its value is the folder."""
PACE_S = 0.02
"""Seconds between two looks at processes that are about to end."""


class Identity(NamedTuple):
    """A process across the reuse of its pid."""

    pid: int
    ticks: int
    """Start time in clock ticks since boot: field 22 of proc_pid_stat(5)."""


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that tell whose a process is."""

    ticks: int
    state: str
    ppid: int
    session: int

    @property
    def alive(self) -> bool:
        """False for a zombie: nothing is left to be ended."""
        return self.state not in "ZX"


def stat(pid: int) -> Stat | None:
    """What /proc says of `pid`; None where it is gone."""
    try:
        raw = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name may hold spaces and brackets: the last bracket ends it.
    fields = raw.rpartition(b")")[2].split()
    return Stat(int(fields[19]), fields[0].decode(), int(fields[1]), int(fields[3]))


def identity(pid: int) -> Identity | None:
    """`pid` as it lives now; None where it is gone or a zombie."""
    found = stat(pid)
    return Identity(pid, found.ticks) if found and found.alive else None


def alive(who: Identity) -> bool:
    """True while that very process lives."""
    return identity(who.pid) == who


def send(who: Identity, number: signal.Signals) -> bool:
    """Signal that very process; False where it is gone, or not ours to signal."""
    try:
        fd = os.pidfd_open(who.pid)
    except AttributeError:  # a python built without it
        fd = -1
    except OSError as error:
        if isinstance(error, ProcessLookupError):
            return False
        fd = -1  # an older kernel, or a sandbox that forbids it
    try:
        if not alive(who):
            return False
        if fd >= 0:
            signal.pidfd_send_signal(fd, number)
        else:
            os.kill(who.pid, number)
    except OSError:
        return False
    else:
        return True
    finally:
        if fd >= 0:
            os.close(fd)


class Family:
    """The processes of one incident."""

    def __init__(self, mark: str) -> None:
        self.known: set[Identity] = set()
        """Processes that were started for the incident or seen in it."""
        self.apart: set[int] = {os.getpid()}
        """Pids that never belong: who ends a family is not part of it."""
        self._mark = f"{MARK}={mark}".encode()
        self._sessions: set[int] = set()

    def add(self, who: Identity) -> None:
        """Count `who`, and the session it leads, to the family."""
        self.known.add(who)
        self._sessions.add(who.pid)

    def living(self, root: int | None = None) -> set[Identity]:
        """Every living member, the descendants of the pid `root` among them."""
        table = {int(name): found for name in os.listdir("/proc") if name.isdigit()
                 for found in [stat(int(name))] if found}  # fmt: skip
        ours = {
            pid
            for pid, found in table.items()
            if Identity(pid, found.ticks) in self.known or self._marked(pid, found)
        }
        if root is not None:
            ours.add(root)
        ours = _with_descendants(ours, table) - self.apart - {root}
        members = {Identity(pid, table[pid].ticks) for pid in ours if table[pid].alive}
        self.known |= members
        return members

    def _marked(self, pid: int, found: Stat) -> bool:
        try:
            words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:  # another user's, or just gone
            return False
        return self._mark in words or (not any(words) and found.session in self._sessions)


def _with_descendants(pids: set[int], table: dict[int, Stat]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, found in table.items():
        children.setdefault(found.ppid, []).append(pid)
    reached, todo = set(pids), list(pids)
    while todo:
        new = [child for child in children.get(todo.pop(), ()) if child not in reached]
        reached.update(new)
        todo += new
    return reached


def end(
    family: Family,
    first: Iterable[Identity],
    *,
    grace_s: float,
    root: int | None = None,
    reap: Callable[[], None] = lambda: None,
) -> set[Identity]:
    """End a whole family; returns what still lives 10 s after SIGKILL (uninterruptible sleep).

    SIGTERM to `first` (the supervisords), which then end their programs in order, for at most
    `grace_s` seconds; then SIGKILL to them, so that nothing is started again, and to the rest.
    `reap` is called between two looks by who has children of its own among them.
    """
    first = tuple(first)
    deadline = time.monotonic() + grace_s
    waiting = [who for who in first if grace_s > 0 and send(who, signal.SIGTERM)]
    while any(map(alive, waiting)) and time.monotonic() < deadline:
        reap()
        time.sleep(PACE_S)
    for who in first:
        send(who, signal.SIGKILL)
    return _kill(family, root, reap)


def _kill(family: Family, root: int | None, reap: Callable[[], None]) -> set[Identity]:
    deadline = time.monotonic() + 10.0
    empty = 0
    while True:
        reap()
        left = family.living(root)
        for who in left:
            send(who, signal.SIGKILL)
        # A child born during one look is seen in the next one.
        empty = 0 if left else empty + 1
        if empty > 1 or time.monotonic() > deadline:
            return left
        time.sleep(PACE_S)
