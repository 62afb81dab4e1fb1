"""A program in a terminal of its own, with what it used until its first picture."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from tests.bench.clocks import cpu_s

_ESCAPES = re.compile(rb"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]|\x1b[()][0-9A-Za-z]|\x1b\][^\x07\x1b]*")
_KEPT = 400_000
"""Bytes of the beginning that are searched for the first picture."""


class Terminal:
    """Runs `argv` in a pty of (columns, rows); its output is read and thrown away."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        size: tuple[int, int],
        mark: str,
    ) -> None:
        """`mark` is what its first picture holds."""
        self._argv, self._env, self._size = argv, env, size
        self._mark = mark.encode()
        self._seen = threading.Event()
        self._head = bytearray()
        self.bytes = 0
        self.first_wall_s = self.first_cpu_s = float("nan")

    def __enter__(self) -> Terminal:
        self._master, slave = pty.openpty()
        columns, rows = self._size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._begun = time.monotonic()
        self._child = subprocess.Popen(
            self._argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **self._env},
            start_new_session=True,
            # One system call, no lock: a thread of ours cannot block it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    @property
    def pid(self) -> int:
        return self._child.pid

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the other end is closed
                return
            if not data:
                return
            self.bytes += len(data)
            if self._seen.is_set() or len(self._head) > _KEPT:
                continue
            self._head += data
            if self._mark in _ESCAPES.sub(b"", bytes(self._head)):
                self.first_cpu_s = cpu_s(self.pid)
                self.first_wall_s = time.monotonic() - self._begun
                self._seen.set()

    def wait_picture(self, within_s: float) -> bool:
        """Whether its first picture came in time."""
        return self._seen.wait(within_s)

    @property
    def runs(self) -> bool:
        return self._child.poll() is None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._master)
