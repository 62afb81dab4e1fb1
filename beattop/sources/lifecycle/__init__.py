"""Births and deaths of watched processes, as well as this box lets them be known.

A: the kernel's proc connector. B: the children files four times a second, pidfds, and
supervisord's log, which is a source of its own. C: the difference of two looks at /proc.
"""

from __future__ import annotations

import time
from typing import Literal

from beattop.model.lifecycle import LifecycleEvent
from beattop.model.source import SourceStatus
from beattop.sources.lifecycle.children import Children
from beattop.sources.lifecycle.connector import Connector
from beattop.sources.lifecycle.poll import Poll
from beattop.sources.lifecycle.source import Drained, Drops, Lifecycle, Unavailable, Wake
from beattop.sources.proc.reading import ProcessReading

__all__ = ["Drained", "Drops", "Hearing", "Lifecycle", "Mode", "Unavailable", "Wake", "choose"]

Mode = Literal["auto", "connector", "log", "poll"]


_AGAIN_S = (2.0, 10.0, 60.0, 600.0)
"""So long after one failed try of the connector follows the next, where it may yet be had."""


def choose(mode: Mode = "auto", on_exit: Wake | None = None, why: str = "") -> Lifecycle:
    """The best source that can be had, already open: it is never without one.

    A mode other than `auto` is tried first; where it cannot be had, the next lower one says why.
    `on_exit` is called from the source's thread soon after a watched process ended. `why` nothing
    better than `mode` is asked for, else the user is told to have asked.
    """
    return _choose(mode, on_exit, why)[0]


def _choose(mode: Mode, on_exit: Wake | None, why: str) -> tuple[Lifecycle, bool]:
    """The source, and whether the connector may be had a little later."""
    why = why or f"asked for by --lifecycle {mode}"
    passing = False
    if mode in ("auto", "connector"):
        try:
            source: Lifecycle = Connector(on_exit)
            source.open()
        except Unavailable as error:
            passing = error.passing
            why = f"{error}; it is tried again later" if passing else str(error)
        else:
            return source, False
    if mode != "poll":
        try:
            source = Children(why, on_exit)
            source.open()
        except Unavailable as error:
            why = f"{why}; {error}"
        else:
            return source, passing
    return Poll(why), passing


class Hearing:
    """A Lifecycle that is the best one of the moment; for one thread.

    Where a busy box was slow to prove the connector, it is tried a few times more; where a source
    broke, the next lower way goes on.
    """

    def __init__(self, mode: Mode, on_exit: Wake | None = None) -> None:
        self._mode: Mode = mode
        self._on_exit = on_exit
        self._again = list(_AGAIN_S)
        self._source, passing = _choose(mode, on_exit, "")
        self._due: float | None = self._next() if passing else None

    def open(self) -> None:
        """It is already."""

    def close(self) -> None:
        """End, its thread too."""
        self._source.close()

    def drain(self) -> Drained:
        """What was heard since the last call; seldom with a fraction of a second for a try."""
        better = self._try() if self._due is not None and time.monotonic() >= self._due else None
        drained = self._source.drain()
        status = self._source.status()
        if better is None and status.status == "down":
            lower: Mode = "log" if isinstance(self._source, Connector) else "poll"
            better = choose(lower, self._on_exit, status.detail)
        if better is not None:
            self._source.close()
            self._source = better
            self._due = None
        return drained

    def observe(self, reading: ProcessReading) -> tuple[LifecycleEvent, ...]:
        """As the source does."""
        return self._source.observe(reading)

    def status(self) -> SourceStatus:
        """Of the source in force."""
        return self._source.status()

    def _next(self) -> float | None:
        return time.monotonic() + self._again.pop(0) if self._again else None

    def _try(self) -> Lifecycle | None:
        better = Connector(self._on_exit)
        try:
            better.open()
        except Unavailable as error:
            self._due = self._next() if error.passing else None
            if self._due is None and isinstance(self._source, Children | Poll):
                self._source.because(str(error))
            return None
        return better
