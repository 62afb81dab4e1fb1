"""A real terminal without tmux: a pty read by pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """Runs one command in a pty of a given size and knows what its screen shows."""

    def __init__(
        self, argv: list[str], env: Mapping[str, str], cwd: Path, columns: int = 120, rows: int = 40
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave

        def control() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            cwd=cwd,
            close_fds=True,
            preexec_fn=control,  # noqa: PLW1509  no threads here
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._master)
        os.close(self._slave)

    def read(self, seconds: float = 0.05) -> None:
        """Take what it wrote within `seconds`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                return
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            self.raw += data
            self._stream.feed(data)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def wait(
        self, shown: Callable[[str], object] | str, what: str = "", within: float = 30.0
    ) -> str:
        """Read until the screen shows it."""
        done = (lambda text: shown in text) if isinstance(shown, str) else shown
        deadline = time.monotonic() + within
        while not done(self.text):
            assert self.process.poll() is None or shown, (
                f"ended with {self.process.returncode}:\n{self.text}"
            )
            assert time.monotonic() < deadline, (
                f"waited {within} s for {what or shown}:\n{self.text}"
            )
            self.read()
        return self.text

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def end(self, within: float = 10.0) -> int:
        """Wait for its end, reading on."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"did not end:\n{self.text}"
            self.read()
        self.read()
        return self.process.returncode

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def restored(self) -> bool:
        """Whether the alternate screen and the mouse are off again, and the line discipline as before."""
        left = self.raw.rfind(LEFT)
        mouse = self.raw.rfind(b"\x1b[?1000l") > self.raw.rfind(b"\x1b[?1000h")
        return (
            left > self.raw.rfind(ENTERED)
            and mouse
            and termios.tcgetattr(self._slave)[3] == self.before[3]
        )


def beattop(*words: object) -> list[str]:
    return [sys.executable, "-m", "beattop", *(str(word) for word in words)]
