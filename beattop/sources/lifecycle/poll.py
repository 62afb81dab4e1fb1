"""Step C: births and deaths as the difference of two looks at /proc."""

from __future__ import annotations

from beattop.model.lifecycle import LifecycleEvent
from beattop.model.source import SourceStatus
from beattop.sources.lifecycle.source import Drained
from beattop.sources.lifecycle.watched import Watched
from beattop.sources.proc.procfs import Procfs
from beattop.sources.proc.reading import ProcessReading


class Poll:
    """Sees who lives at a sample; a life between two samples shows in its parent's CPU only."""

    def __init__(self, why: str, procfs: Procfs | None = None) -> None:
        """`why` nothing better is in force, and what would mend it."""
        self._why = why
        self._watched = Watched(procfs or Procfs(), patience=0)
        self._at: float | None = None

    def because(self, why: str) -> None:
        """Say another reason from now on."""
        self._why = why

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def drain(self) -> Drained:
        """Nothing happens between two samples."""
        return Drained()

    def observe(self, reading: ProcessReading) -> tuple[LifecycleEvent, ...]:
        """Births since the last reading, and deaths, dated to the middle of the two."""
        self._at = reading.at
        _, events = self._watched.observe(reading)
        return tuple(sorted(events, key=lambda event: event.at))

    def status(self) -> SourceStatus:
        """Always degraded."""
        detail = f"C: /proc only, lives between two samples are not seen ({self._why})"
        return SourceStatus("lifecycle", "", "degraded", detail, self._at)
