"""Runs of unrequested exits: where one begins, what ends it.

A run is a row of exits that nobody asked for. It ends with

- a requested stop or a new start of supervisord;
- a life out of proportion: of two neighbours the longer lasted more than max(1 h, 20 x the
  shorter). The longer's exit ends the old run and may begin the next;
- a wait out of proportion: between an exit and the next spawn passed more than max(5 min, 3 x the
  wait before).

Each decision looks at no more than the three events before, so a log can be folded backwards, in
pieces: whatever came earlier can change what the first three events decide and nothing after. A
median over the whole run would not have that property.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from beattop.model.logevents import LogKind

CONTEXT = 3
"""How many events of a run's kinds settle the state, whatever was before them."""
LONG_LIFE_S = 3600.0
LONG_LIFE_RATIO = 20.0
LONG_WAIT_S = 300.0
LONG_WAIT_RATIO = 3.0

RUN_KINDS: frozenset[LogKind] = frozenset(("spawned", "exited", "stopped", "server-started", "gap"))
"""The kinds of events that bear on a run."""


@dataclass(frozen=True, slots=True)
class Streak:
    """A run that goes on."""

    count: int
    """Unrequested exits in it."""
    since_at: float | None
    """Spawn of its first life, or that life's exit where the spawn is not known; None for none."""


class Run:
    """The fold of one name's events, oldest first."""

    __slots__ = ("_ended", "_length", "_open", "_wait", "count", "events", "settled", "since_at")

    def __init__(self, events: int = 0, settled: bool = False) -> None:
        self.count = 0
        self.since_at: float | None = None
        self.events = events
        """How many events it has taken."""
        self.settled = settled
        """Whether the present run began after the first three of them."""
        self._open: float | None = None
        self._length: float | None = None
        self._ended: float | None = None
        self._wait: float | None = None

    def add(self, kind: LogKind, at: float) -> None:
        """Take an event of RUN_KINDS."""
        if kind == "spawned":
            self._spawned(at)
        elif kind == "exited":
            self._exited(at)
        else:
            if kind != "gap":
                self._cut()
            self._open = self._length = self._ended = self._wait = None
        self.events += 1

    def follow(self, events: Iterable[tuple[LogKind, float]]) -> Run:
        """Take several; returns itself."""
        for kind, at in events:
            self.add(kind, at)
        return self

    def shift(self, by: float) -> None:
        """The clock was set by so many seconds: a life, or a wait, is no longer for that."""
        if self._open is not None:
            self._open += by
        if self._ended is not None:
            self._ended += by

    def _spawned(self, at: float) -> None:
        wait = None
        if self._open is not None:
            # The exit between was not seen, or two groups have a process of this name.
            self._length = None
        elif self._ended is not None:
            wait = max(0.0, at - self._ended)
            if wait > _patience(self._wait):
                self._cut()
        self._wait, self._ended, self._open = wait, None, at

    def _exited(self, at: float) -> None:
        length = None
        if self._open is None:
            self._wait = None
        else:
            length = max(0.0, at - self._open)
            if self._length is not None and _disproportionate(length, self._length):
                self._cut()
        if self.count == 0:
            self.since_at = at if self._open is None else self._open
        self.count += 1
        self._length, self._ended, self._open = length, at, None

    def _cut(self) -> None:
        self.count, self.since_at = 0, None
        if self.events >= CONTEXT:
            self.settled = True


def _disproportionate(one: float, other: float) -> bool:
    return max(one, other) > max(LONG_LIFE_S, LONG_LIFE_RATIO * min(one, other))


def _patience(wait_before: float | None) -> float:
    return max(LONG_WAIT_S, LONG_WAIT_RATIO * (wait_before or 0.0))
