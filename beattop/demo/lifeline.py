"""The holder's end of the line to its guard: when it is let go, everything ends."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import beattop
from beattop.demo.family import MARK, Family, Identity, end
from beattop.demo.guard import remove

ANSWER_S = 15.0
"""Seconds within which a guard answers, python's own start on a slow box included."""
NEEDED = ("LD_LIBRARY_PATH", "TZ", "TZDIR")
"""What a child takes over: python's own libraries, and the zone in which logs tell the time."""
_SOURCE = Path(beattop.__file__).resolve().parent.parent
_BOOT = f"import sys; sys.path.append({str(_SOURCE)!r}); import beattop.demo.guard as guard; "


class LifelineError(Exception):
    """The guard refused or failed; the text says why."""


class Lifeline:
    """A private folder and the processes started for it, which live no longer than the holder.

    A guard (beattop.demo.guard) in a session of its own makes the folder and starts the
    processes. It holds the read end of a pipe whose write end is here, close-on-exec: whatever
    ends this process, SIGKILL included, closes it, and the guard ends all and removes the folder.
    """

    def __init__(
        self,
        base: Path,
        prefix: str = "beattop-",
        *,
        life_s: float,
        grace_s: float,
        subreaper: bool = True,
    ) -> None:
        """Start the guard, which makes `base`/`prefix`XXXXXXXX with mode 0700.

        life_s: seconds after which all ends even while held. grace_s: seconds that started
        processes have after SIGTERM. subreaper: orphans become the guard's children, not init's.
        Raises LifelineError.
        """
        self._grace_s = grace_s
        self._started: list[Identity] = []
        self._heard = b""
        words = (os.getpid(), base, prefix, life_s, grace_s, int(subreaper))
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", f"{_BOOT}sys.exit(guard.main())"]
                + [str(word) for word in words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # no Ctrl-C, no hang-up of this terminal reaches it
                env={name: os.environ[name] for name in NEEDED if name in os.environ},
                cwd="/",
            )
        except OSError as error:
            raise LifelineError(f"cannot run {sys.executable}: {error.strerror}") from error
        try:
            self.folder = Path(self._answer()["folder"])
        except BaseException:
            self._let_go()
            raise

    @property
    def mark(self) -> dict[str, str]:
        """The variable by which the guard knows a process that it did not start."""
        return {MARK: str(self.folder)}

    def start(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, output: Path
    ) -> Identity:
        """Start `argv` in a session of its own, stdout and stderr appended to `output`."""
        order = {"start": list(argv), "env": dict(env), "cwd": str(cwd), "output": str(output)}
        who = Identity(**self._order(order))
        self._started.append(who)
        return who

    def adopt(self, who: Identity) -> None:
        """Have a process that was started otherwise ended with the rest."""
        self._order({"adopt": list(who)})
        self._started.append(who)

    def close(self) -> list[str]:
        """Let go and wait until all is gone; returns what could not be ended or removed."""
        self._let_go()
        if self._guard.returncode == 0:
            return []
        # Somebody ended the guard itself: do its work here.
        family = Family(str(self.folder))
        for who in self._started:
            family.add(who)
        left = [f"process {who.pid}" for who in end(family, self._started, grace_s=self._grace_s)]
        return left if remove(self.folder) else [*left, f"folder {self.folder}"]

    def _let_go(self) -> None:
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe:
                with suppress(OSError):  # an order that a dead guard never took
                    pipe.close()
        try:
            self._guard.wait(self._grace_s + ANSWER_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._guard.stdin
        try:
            self._guard.stdin.write(json.dumps(order).encode() + b"\n")
            self._guard.stdin.flush()
        except OSError as error:
            raise LifelineError("the guard process was ended") from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._guard.stdout
        deadline = time.monotonic() + ANSWER_S
        poll = select.poll()
        poll.register(self._guard.stdout, select.POLLIN)
        while b"\n" not in self._heard:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise LifelineError(f"the guard process did not answer in {ANSWER_S:.0f} s")
            data = os.read(self._guard.stdout.fileno(), 65536)
            if not data:
                raise LifelineError("the guard process ended: is this python complete?")
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LifelineError(answer["error"])
        return answer
