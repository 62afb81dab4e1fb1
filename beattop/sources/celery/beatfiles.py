"""The files of the box's beats, read in threads that no hung disk can stall."""

from __future__ import annotations

import posixpath
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from beattop.model.process import Process, Usage
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord
from beattop.sources.celery.round import BeatReading, Round, Seen, ServerOf
from beattop.text import safe

__all__ = ["BeatFiles", "BeatReading"]

EVERY_S = 2.0
HANG_S = 3.0
"""So long may one path keep the thread: then another thread goes on without its folder."""
_MOST_HUNG = 8
_SHARE = 20.0
"""At least so many times a round's own length between two rounds; a quarter where there is news."""
_LEAST_GAP_S = 0.3


class _SupersededError(Exception):
    """Another thread took over while this one hung."""


class BeatFiles:
    """Pidfiles, schedules, open files and last words; every method but wait_first is instant."""

    def __init__(self, server_of: ServerOf = lambda supervisor: None) -> None:
        """`server_of` gives the address of a supervisord, to ask it for logs we may not read."""
        self._server_of = server_of
        self._seen = Seen()
        self._reading = BeatReading()
        self._trouble = ""
        self._looked = False
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._turn = 0
        self._at: tuple[str, float] | None = None
        """Folder that is being looked at, and since when (monotonic)."""
        self._hung: dict[str, int] = {}
        """Folder that hangs -> the turn whose thread waits there."""

    def observe(
        self,
        processes: Sequence[Process],
        usage: Sequence[Usage],
        programs: Sequence[ProgramState],
        configs: Sequence[ProgramConfig],
        supervisords: Sequence[Supervisord],
    ) -> None:
        """Hear of the box; the first time, and when its processes or programs change, look now."""
        before = self._seen
        self._seen = Seen(
            tuple(processes), tuple(usage), tuple(programs), tuple(configs), tuple(supervisords)
        )
        if self._turn == 0:
            self._begin()
        elif _news(before, self._seen):
            self._wake.set()
        self._mind_hanging()

    def refresh(self) -> None:
        """Look now."""
        self._wake.set()

    def latest(self) -> BeatReading:
        """The newest reading; empty before the first."""
        if not self._trouble:
            return self._reading
        broken = SourceStatus("pidfile", "", "degraded", self._trouble)
        return replace(self._reading, sources=(broken, *self._reading.sources))

    def wait_first(self, seconds: float) -> bool:
        """Wait for the first whole round; False where time ran out before."""
        with self._changed:
            return self._changed.wait_for(lambda: self._looked, seconds)

    def stop(self) -> None:
        """No more rounds; does not wait for one that goes on."""
        self._ended.set()
        self._wake.set()

    def _begin(self) -> None:
        self._turn += 1
        self._at = None
        name = f"beat files {self._turn}"
        threading.Thread(target=self._run, args=(self._turn,), name=name, daemon=True).start()

    def _mind_hanging(self) -> None:
        at = self._at
        if at is None or time.monotonic() - at[1] < HANG_S or len(self._hung) >= _MOST_HUNG:
            return
        with self._changed:
            self._hung = {**self._hung, at[0]: self._turn}
        self._begin()

    def _came_back(self, turn: int) -> None:
        """A thread that hung is through: its folder may be looked at again."""
        with self._changed:
            self._hung = {folder: t for folder, t in self._hung.items() if t != turn}

    def _run(self, turn: int) -> None:
        rounds = Round(lambda path: self._touch(turn, path), self._server_of)
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                reading = rounds.look(self._seen)
                trouble = ""
            except _SupersededError:
                self._came_back(turn)
                return
            # The thread's boundary: without this it would end unseen.
            except Exception as error:  # noqa: BLE001
                trouble = safe(f"reading the beats' files fails: {type(error).__name__}: {error}")
                reading = self._reading
            if turn != self._turn:
                self._came_back(turn)
                return
            self._publish(reading, trouble)
            took_s = time.monotonic() - began
            self._ended.wait(max(_LEAST_GAP_S, _SHARE / 4 * took_s))
            self._wake.wait(max(EVERY_S, _SHARE * took_s))
            self._wake.clear()

    def _publish(self, reading: BeatReading, trouble: str) -> None:
        self._at = None
        with self._changed:
            self._reading, self._trouble, self._looked = reading, trouble, True
            self._changed.notify_all()

    def _touch(self, turn: int, path: str) -> bool:
        if turn != self._turn:
            raise _SupersededError
        folder = posixpath.dirname(path)
        self._at = (folder, time.monotonic())
        return folder not in self._hung


def _news(before: Seen, now: Seen) -> bool:
    def marks(seen: Seen) -> tuple[object, ...]:
        return (
            {p.key for p in seen.processes},
            [(s.id, s.key) for s in seen.supervisords],
            len(seen.configs),
            {(p.group, p.name, p.state) for p in seen.programs},
        )

    return marks(before) != marks(now)
