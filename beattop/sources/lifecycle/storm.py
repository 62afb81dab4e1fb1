"""Tells a fork storm from an ordinary day."""

from __future__ import annotations

import re

from beattop.sources.proc.procfs import Procfs

STORM_EVENTS = 2500.0
"""Events a second (two or three a fork) from which on the whole box is not listened to: they cost
some 3 us each."""
_CALM_FORKS = 400.0
_CALM_S = 2.0
_WINDOW_S = 0.25
_FORKS = re.compile(rb"\nprocesses (\d+)")


class Storm:
    """Fed with counts of events, it says when to stop listening, and when to begin again."""

    def __init__(self, procfs: Procfs, now: float) -> None:
        self._procfs = procfs
        self.raging = False
        self._since = now
        self._events = 0
        self._forks = 0
        self._calm = 0.0
        self.unheard = 0
        """Forks of the box during storms, threads included."""

    def count(self, events: int, overflowed: bool, now: float) -> bool:
        """Events of the whole box were read; True where they have become a storm."""
        self._events += events
        span = now - self._since
        if overflowed or (span >= _WINDOW_S and self._events > STORM_EVENTS * span):
            self.raging = True
            self._forks = self._box_forks()
            self._calm = 0.0
        elif span < _WINDOW_S:
            return False
        self._since, self._events = now, 0
        return self.raging

    def over(self, now: float) -> bool:
        """Asked from time to time while it rages; True where it has been calm for a while."""
        span = now - self._since
        if span < _WINDOW_S:
            return False
        forks = self._box_forks()
        self.unheard += forks - self._forks
        calm = forks - self._forks < _CALM_FORKS * span
        self._calm = self._calm + span if calm else 0.0
        self._since, self._forks = now, forks
        self.raging = self._calm < _CALM_S
        return not self.raging

    def _box_forks(self) -> int:
        """Forks since boot: the line `processes` of /proc/stat (proc_stat(5))."""
        try:
            found = _FORKS.search(self._procfs.read("stat", 1 << 18))
        except OSError:
            found = None
        return int(found[1]) if found else self._forks
