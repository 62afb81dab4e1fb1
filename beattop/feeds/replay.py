"""Frames of a recording, which can be moved through in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from beattop.feeds.frames import Frames
from beattop.feeds.live import WINDOW_S
from beattop.model.frame import Frame, HistoryProgress
from beattop.model.sample import Sample

SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class ReplayFeed:
    """Implements Feed and Seekable over samples held in memory.

    A snapshot depends on all samples before it, so going back folds them again from the start;
    frames once made are kept.
    """

    live = False

    def __init__(self, samples: Sequence[Sample]) -> None:
        if not samples:
            raise ValueError("no samples")
        self._samples = samples
        self._folded = Frames(WINDOW_S)
        self._made: list[Frame] = []
        self._at = 0
        self._speed = 0.0
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._on_frame: Callable[[Frame], None] | None = None

    def _frame(self, index: int) -> Frame:
        from dataclasses import replace  # noqa: PLC0415

        while len(self._made) <= index:
            self._made.append(self._folded.add(self._samples[len(self._made)]))
        return replace(self._made[index], position=(index, len(self._samples)), playing=self._speed)

    def start(self, on_frame: Callable[[Frame], None]) -> None:
        """Show the first frame and wait for play or seek."""
        self._on_frame = on_frame
        threading.Thread(target=self._run, name="beattop-replay", daemon=True).start()
        self._show()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._changed.set()

    def latest(self) -> Frame | None:
        """The frame at the present position."""
        with self._lock:
            return self._frame(self._at)

    def heartbeat(self) -> float | None:
        """The present frame's time."""
        return self._samples[self._at].at

    def trouble(self) -> str | None:
        """None: a recording that was read whole has no trouble."""
        return None

    def refresh(self) -> None:
        """Nothing: the past does not change."""

    def slow(self, factor: float) -> None:
        """Nothing."""

    def save(self, path: Path) -> str:
        """A recording is a file already."""
        raise OSError("this is a recording already: copy its file")

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        """What the recording knows of the past, at once."""
        sample = self._samples[self._at]
        on_progress(
            HistoryProgress(0, 0, None, True, sample.pasts + sample.older, "from the recording")
        )
        return lambda: None

    def seek(self, steps: int) -> None:
        """Move by so many samples."""
        with self._lock:
            self._at = max(0, min(len(self._samples) - 1, self._at + steps))
        self._show()

    def play(self, speed: float) -> None:
        """Play at `speed`; 0 pauses."""
        self._speed = speed
        self._changed.set()
        self._show()

    def next_finding(self) -> bool:
        """Jump to where the findings change next."""
        with self._lock:
            now = {f.identity for f in self._frame(self._at).findings}
            for index in range(self._at + 1, len(self._samples)):
                if {f.identity for f in self._frame(index).findings} != now:
                    self._at = index
                    break
            else:
                return False
        self._show()
        return True

    def _show(self) -> None:
        if self._on_frame is not None and not self._ended.is_set():
            with self._lock:
                frame = self._frame(self._at)
            self._on_frame(frame)

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._speed <= 0:
                self._changed.wait()
                self._changed.clear()
                continue
            with self._lock:
                at = self._at
            if at + 1 >= len(self._samples):
                self._speed = 0.0
                self._show()
                continue
            # A key may stop the play at any time: the speed is read once.
            speed = self._speed
            if speed <= 0:
                continue
            gap = self._samples[at + 1].at - self._samples[at].at
            if self._changed.wait(max(0.0, gap / speed)):
                self._changed.clear()
                continue
            with self._lock:
                if self._at == at:
                    self._at = at + 1
            self._show()
