"""`beattop demo`: the incident that beattop was written for, brought up and taken away again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from beattop.demo import environment, story
from beattop.demo.environment import DemoError
from beattop.demo.family import Identity, alive
from beattop.demo.lifeline import Lifeline, LifelineError
from beattop.text import safe

LIFE_S = 6 * 3600.0
"""Seconds after which a demo ends whatever happens."""
GRACE_S = 1.0
"""Seconds between SIGTERM to supervisord and SIGKILL to all: nothing outside the folder is lost."""
_REFUSED = re.compile(rb"exited: beat2 \(exit status 73;")
_FAILED = re.compile(rb"(?:exited|gave up): beat[ :]")

__all__ = ["DemoError", "Incident"]


class Incident:
    """A real supervisord with a worker, a beat, and a second beat that respawns for ever.

    As a context manager it returns once the loop goes round, and takes everything away at its
    end. Should this process end in any other way, a guard process takes it away (see lifeline).
    Raises DemoError, in one line, where it cannot be brought up.
    """

    conf: Path
    """The supervisord.conf, as `--supervisor` takes it."""
    folder: Path
    """Holds everything; removed at the end."""
    supervisord_pid: int

    def __init__(
        self,
        progress: Callable[[str], None] = lambda line: None,
        *,
        within_s: float = 90.0,
        life_s: float = LIFE_S,
    ) -> None:
        """progress takes lines of narration; within_s is the deadline for the loop to begin."""
        self._progress = progress
        self._within_s = within_s
        self._life_s = life_s
        self._lifeline: Lifeline | None = None
        self._base = Path()

    def __enter__(self) -> Incident:
        try:
            self._begin()
        except (OSError, LifelineError) as error:
            self._end()
            reason = getattr(error, "strerror", None) or str(error)
            raise DemoError(
                f"the demo cannot be built in {self._base}: {safe(reason)}; "
                "TMPDIR may name another folder"
            ) from error
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress("ending the demo …")
        left = self._end()
        if left:
            self._progress(f"could not take away: {', '.join(left)}")

    @property
    def url(self) -> str:
        """Its supervisord's server: `unix:///path`."""
        return f"unix://{self.folder / environment.SOCKET}"

    def _begin(self) -> None:
        supervisord = environment.program("supervisor.supervisord", "supervisord")
        celery = environment.program("celery", "celery")
        self._base = environment.base()
        self._lifeline = Lifeline(
            self._base, environment.PREFIX, life_s=self._life_s, grace_s=GRACE_S
        )
        self.folder = self._lifeline.folder
        self._progress(f"building the incident in {self.folder} …")
        self.conf = story.write(self.folder, celery, root=os.geteuid() == 0)
        started = self._lifeline.start(
            [*supervisord, "-n", "-c", str(self.conf)],
            env=environment.clean(self.folder / "home"),
            cwd=self.folder,
            output=self.folder / "log" / "supervisord.out",
        )
        self.supervisord_pid = started.pid
        self._await(started)

    def _await(self, supervisord: Identity) -> None:
        deadline = time.monotonic() + self._within_s
        steps = (
            ("supervisord", f"supervisord answers (pid {supervisord.pid})", self._answers),
            ("beat", "beat holds the pidfile", (self.folder / story.PIDFILE).exists),
            ("beat2", "beat2 was refused: exit 73", lambda: self._refused(1)),
            ("beat2", "supervisord started it again, and again: exit 73", lambda: self._refused(2)),
        )
        for program, words, done in steps:
            while not done():
                if not alive(supervisord):
                    raise DemoError(f"supervisord ended: {self._tail('supervisord')}")
                if _FAILED.search(self._log()):
                    raise DemoError(f"celery beat ended: {self._tail('beat')}")
                if time.monotonic() > deadline:
                    raise DemoError(
                        f"no incident within {self._within_s:.0f} s, waiting for: {words}; "
                        f"{program} says: {self._tail(program)}"
                    )
                time.sleep(0.05)
            self._progress(words)

    def _answers(self) -> bool:
        return story.answers(self.folder / environment.SOCKET)

    def _log(self) -> bytes:
        try:
            return (self.folder / "log" / "supervisord.log").read_bytes()
        except FileNotFoundError:
            return b""

    def _refused(self, times: int) -> bool:
        return len(_REFUSED.findall(self._log())) >= times

    def _tail(self, program: str) -> str:
        """The last words in a log, an error's before others, on one line."""
        for name in (f"{program}.out", f"{program}.log"):
            with suppress(OSError):
                lines = (self.folder / "log" / name).read_text(errors="replace").split("\n")
                spoken = [safe(line).strip() for line in lines[-50:] if line.strip()]
                errors = [line for line in spoken if "error" in line.lower()]
                if spoken:
                    return (errors or spoken)[-1][:300]
        return "nothing"

    def _end(self) -> list[str]:
        return self._lifeline.close() if self._lifeline else []
