"""The process that outlives its holder to end what the holder began; standard library only.

It makes the folder and starts the processes itself, so there is no instant at which the holder's
death would leave anything behind. Orders come as JSON lines on stdin, one answer each on stdout:

    {"start": argv, "cwd": path, "env": {...}, "output": path}  ->  {"pid": 12, "ticks": 345}
    {"adopt": [pid, ticks]}                                     ->  {}
                                              where it fails    ->  {"error": words}

The end of stdin, of the holder, of the time allowed, and SIGTERM, SIGINT and SIGHUP mean the end:
every process of the family and the folder are gone when the guard exits with 0.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from beattop.demo.family import MARK, Family, Identity, end, stat

PR_SET_PDEATHSIG = 1  # prctl(2)
PR_SET_CHILD_SUBREAPER = 36


class Guard:
    """Keeps one folder and one family of processes until the holder is gone."""

    def __init__(self, folder: Path, subreaper: bool) -> None:
        self.folder = folder
        self.family = Family(str(folder))
        self.first: list[Identity] = []
        self._kept: list[subprocess.Popen[bytes]] = []
        try:
            self._libc: ctypes.CDLL | None = ctypes.CDLL(None)
        except OSError:  # a static python: the marker has to do
            self._libc = None
        if subreaper and self._libc:
            # Orphans become the guard's own: descent then finds every one of them.
            self._libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def obey(self, line: bytes) -> dict[str, Any]:
        """Carry out one order."""
        order = json.loads(line)
        if "adopt" in order:
            self.family.add(Identity(*order["adopt"]))
            return {}
        try:
            return self._start(order)
        except OSError as error:
            return {"error": f"{error.strerror or error}: {order['start'][0]}"}

    def _start(self, order: dict[str, Any]) -> dict[str, Any]:
        with Path(order["output"]).open("ab") as output:
            child = subprocess.Popen(
                order["start"],
                cwd=order["cwd"],
                env={**order["env"], MARK: str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=self._tie,  # one thread only: safe  # noqa: PLW1509
            )
        self._kept.append(child)
        found = stat(child.pid)
        if found is None:
            return {"error": "it ended at once"}
        who = Identity(child.pid, found.ticks)
        self.first.append(who)
        self.family.add(who)
        return who._asdict()

    def _tie(self) -> None:
        """In the child: the death of the guard itself ends supervisord, in order."""
        if self._libc:
            self._libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

    def end(self, grace_s: float) -> set[Identity]:
        """End the family, remove the folder; returns what could not be ended."""
        left = end(self.family, self.first, grace_s=grace_s, root=os.getpid(), reap=reap)
        remove(self.folder)
        return left


def reap() -> None:
    """Collect children that ended, adopted orphans among them."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def remove(folder: Path) -> bool:
    """Remove the whole folder, never following a link; True when it is gone."""
    for _ in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return True
    return False


def say(answer: dict[str, Any]) -> None:
    """Answer the holder; that it is gone is learnt elsewhere."""
    with suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")


def watch(guard: Guard, holder: int, wake: int, life_s: float) -> None:
    """Obey orders until the holder is gone, its time is over, or a signal comes."""
    over = time.monotonic() + life_s
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(wake, select.POLLIN)
    pidfd = -1
    with suppress(OSError, AttributeError):  # the pipe alone has to do
        pidfd = os.pidfd_open(holder)
        poll.register(pidfd, select.POLLIN)
    if os.getppid() != holder:
        return
    heard = b""
    while (left := over - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            if fd == pidfd:
                return
            data = os.read(fd, 65536)
            if fd == wake:
                reap()
                if set(data) - {signal.SIGCHLD}:
                    return
                continue
            if not data:
                return
            *lines, heard = (heard + data).split(b"\n")
            for line in lines:
                say(guard.obey(line))


def main(argv: list[str] | None = None) -> int:
    """Arguments: the holder's pid, base folder, prefix, seconds to live, grace, subreaper 0|1."""
    holder, base, prefix, life_s, grace_s, subreaper = argv or sys.argv[1:]
    wake, bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, _noted)
    os.umask(0o077)
    try:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    except OSError as error:
        say({"error": error.strerror or str(error)})
        return 1
    guard = Guard(folder, subreaper == "1")
    say({"folder": str(folder)})
    try:
        watch(guard, int(holder), wake, float(life_s))
    finally:
        left = guard.end(float(grace_s))
    return 1 if left or folder.exists() else 0


def _noted(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe tells it to the loop."""
