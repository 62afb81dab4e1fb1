"""Frames of the live box, made in the collector's thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from beattop.feeds.frames import Frames
from beattop.feeds.tape import Tape
from beattop.model.frame import Event, Frame, HistoryProgress
from beattop.model.sample import Sample
from beattop.model.snapshot import ProgramId, Snapshot
from beattop.sources import recording
from beattop.sources.collector import Collector
from beattop.sources.supervisor.programlog import ProgramLog
from beattop.sources.supervisor.server import Server

WINDOW_S = 3.0
"""What the live screen's percentages cover: long enough to be read, short enough to be now."""


class LiveFeed:
    """Implements beattop.model.frame.Feed over a Collector."""

    live = True

    def __init__(self, collector: Collector, window_s: float | None = WINDOW_S) -> None:
        self._collector = collector
        self._frames = Frames(window_s)
        self._latest: Frame | None = None
        self._tape = Tape()
        self._heartbeat: float | None = None

    def start(self, on_frame: Callable[[Frame], None]) -> None:
        """Begin to look; `on_frame` is called from the collector's thread."""

        def take(sample: Sample) -> None:
            frame = self._frames.add(sample)
            self._tape.add(sample)
            self._heartbeat = sample.at
            self._latest = frame
            snapshot = frame.snapshot
            self._collector.hint(
                frozenset((p.id.supervisor, p.id.name) for p in snapshot.programs if p.respawning)
            )
            on_frame(frame)

        self._collector.start(take)

    def stop(self) -> None:
        """End."""
        self._collector.stop()

    def latest(self) -> Frame | None:
        """The newest frame."""
        return self._latest

    def server(self, supervisor: str) -> Server | None:
        """Address and credentials behind a supervisor's id, for whoever may act on it."""
        return self._collector.server(supervisor)

    def snapshot(self) -> Snapshot:
        """The newest snapshot; RuntimeError before the first, when nothing can be planned yet."""
        if self._latest is None:
            raise RuntimeError("nothing was seen yet")
        return self._latest.snapshot

    def heartbeat(self) -> float | None:
        """When the newest sample was taken."""
        return self._heartbeat

    def trouble(self) -> str | None:
        """What keeps the collector from collecting."""
        return self._collector.trouble()

    def refresh(self) -> None:
        """Ask supervisord now."""
        self._collector.refresh()

    def slow(self, factor: float) -> None:
        """Stretch the interval."""
        self._collector.slow(factor)

    def tell(self, event: Event) -> None:
        """Add an action to what happened."""
        self._frames.tell(event)

    def save(self, path: Path) -> str:
        """Write the last minutes to `path`."""
        samples = self._tape.samples()
        try:
            number = recording.write(samples, path)
        except recording.RecordingError as error:
            raise OSError(str(error)) from None
        span = samples[-1].steady_s - samples[0].steady_s if samples else 0.0
        return f"{number} samples of the last {span:.0f} s are in {path}"

    def reading(self) -> bool:
        """Whether old logs are being read."""
        return self._collector.reading()

    def log(
        self, program: ProgramId, channel: str, tell: Callable[[list[str], bool, str], None]
    ) -> Callable[[], None] | None:
        """Follow a program's log through supervisord."""
        server = self._collector.server(program.supervisor)
        if server is None or server.url is None:
            return None
        log = ProgramLog(server, program.namespec, channel, tell, self._collector.pace_s)
        log.start()
        return log.stop

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        """Read old logs in the background."""
        return self._collector.history(on_progress)


def wait_frame(feed: LiveFeed, seconds: float) -> Frame | None:
    """The frame of a started `feed` once it covers so many seconds; its newest where it cannot."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds + 10:
        frame = feed.latest()
        over = time.monotonic() - begun >= seconds
        if over and frame is not None and frame.snapshot.observed_s >= seconds * 0.9:
            return frame
        if feed.trouble() is not None and time.monotonic() - begun > seconds + 3:
            break
        time.sleep(0.02)
    return feed.latest()
