"""The few facts of /proc that an action is proven by, read at the moment they are needed.

psutil is not used here: it names a process by a float of its start time, an action needs the
clock ticks themselves (field 22 of /proc/PID/stat, proc_pid_stat(5)).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from beattop.model.process import ProcessKey
from beattop.text import decode, safe_argv

_OURS = b"SUPERVISOR_"


class Stat(NamedTuple):
    """One process as /proc/PID/stat tells it."""

    pid: int
    state: str
    ppid: int
    pgrp: int
    start_ticks: int

    @property
    def key(self) -> ProcessKey:
        """Its pid and start."""
        return ProcessKey(self.pid, self.start_ticks)

    @property
    def lives(self) -> bool:
        """False for a zombie: it runs no more, though its pid is still taken."""
        return self.state not in ("Z", "X")


class Procfs:
    """Reads below `root`; what is gone or may not be read is None or empty, never an error."""

    def __init__(self, root: str = "/proc") -> None:
        self._root = root

    def stat(self, pid: int) -> Stat | None:
        """None where there is no such process."""
        raw = self._read(pid, "stat")
        # The command's name is in parentheses and may itself hold spaces and parentheses.
        fields = raw.rpartition(b")")[2].split()
        if len(fields) < 20:
            return None
        return Stat(pid, fields[0].decode(), int(fields[1]), int(fields[2]), int(fields[19]))

    def alive(self, key: ProcessKey) -> bool:
        """Whether that very process still runs."""
        found = self.stat(key.pid)
        return found is not None and found.key == key and found.lives

    def all(self) -> Iterator[Stat]:
        """Every process there is."""
        for name in os.listdir(self._root):
            if name.isdigit():
                found = self.stat(int(name))
                if found is not None:
                    yield found

    def children(self, pid: int) -> list[int]:
        """Its children, of all its threads (proc_pid_task_children(5))."""
        try:
            tasks = os.listdir(f"{self._root}/{pid}/task")
        except OSError:
            return []
        out: list[int] = []
        for task in tasks:
            out += [int(word) for word in self._read(pid, f"task/{task}/children").split()]
        return out

    def ancestors(self, pid: int) -> list[int]:
        """`pid` and its line of parents up to pid 1."""
        out: list[int] = []
        while pid > 0 and pid not in out:
            out.append(pid)
            found = self.stat(pid)
            pid = found.ppid if found else 0
        return out

    def own_pid(self, pid: int) -> int:
        """Its pid as its own pid namespace numbers it (last field of NSpid)."""
        words = self._status(pid, b"NSpid:").split()
        return int(words[-1]) if words else pid

    def uid(self, pid: int) -> int | None:
        """Its real user; None where it is gone."""
        words = self._status(pid, b"Uid:").split()
        return int(words[0]) if words else None

    def supervised(self, pid: int) -> dict[str, str]:
        """The SUPERVISOR_* variables it was started with; empty where unreadable or wiped."""
        out: dict[str, str] = {}
        for entry in self._read(pid, "environ").split(b"\0"):
            name, mark, value = entry.partition(b"=")
            if mark and name.startswith(_OURS):
                out[decode(name)] = decode(value)
        return out

    def words(self, pid: int) -> str:
        """Its command line, cleaned and masked, at most 120 characters."""
        argv = self._read(pid, "cmdline").rstrip(b"\0").split(b"\0")
        return " ".join(safe_argv(word.decode("utf-8", "replace") for word in argv))[:120]

    def _status(self, pid: int, field: bytes) -> bytes:
        for line in self._read(pid, "status").splitlines():
            if line.startswith(field):
                return line[len(field) :]
        return b""

    def _read(self, pid: int, name: str) -> bytes:
        try:
            with open(f"{self._root}/{pid}/{name}", "rb") as file:
                return file.read()
        except OSError:
            return b""
