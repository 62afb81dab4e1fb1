"""Frames of a recording, which can be moved through in time."""

from __future__ import annotations

import pickle
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from beattop.feeds.frames import Frames
from beattop.feeds.live import WINDOW_S
from beattop.model.frame import Frame, HistoryProgress
from beattop.model.sample import Sample
from beattop.model.snapshot import ProgramId
from beattop.sources.recording import RecordingError

SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_PUT_BY_EVERY = 100
_KEPT = 128
"""Frames: more than are folded again at a time, so that stepping back is quick."""


class ReplayFeed:
    """Implements Feed and Seekable over a recording, however long.

    A snapshot depends on all samples before it. What was folded is put by every so many samples,
    so that going back folds few of them again; only the last frames are kept.
    """

    live = False

    def __init__(self, samples: Sequence[Sample]) -> None:
        if not samples:
            raise ValueError("no samples")
        self._samples = samples
        self._folded = Frames(WINDOW_S)
        self._next = 0
        """The sample to be folded next."""
        self._made: dict[int, Frame] = {}
        self._put_by: dict[int, bytes] = {}
        """What was folded before a sample, packed."""
        self._trouble: str | None = None
        self._at = 0
        self._speed = 0.0
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._on_frame: Callable[[Frame], None] | None = None

    def _frame(self, index: int) -> Frame:
        """Raises RecordingError for a damaged line on the way there."""
        if index not in self._made:
            if index < self._next:
                self._next = max(at for at in self._put_by if at <= index)
                self._folded = pickle.loads(zlib.decompress(self._put_by[self._next]))
            while self._next <= index:
                self._fold()
        frame = self._made[index]
        return replace(frame, position=(index, len(self._samples)), playing=self._speed)

    def _fold(self) -> None:
        at = self._next
        sample = self._samples[at]
        if at % _PUT_BY_EVERY == 0 and at not in self._put_by:
            # Our own objects, never what stands in a file: unpacking them is safe.
            self._put_by[at] = zlib.compress(pickle.dumps(self._folded, 5), 1)
        self._made.pop(at, None)
        self._made[at] = self._folded.add(sample)
        self._next = at + 1
        if len(self._made) > _KEPT:
            del self._made[next(iter(self._made))]

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
            return self._made.get(self._at)

    def heartbeat(self) -> float | None:
        """The present frame's time."""
        frame = self.latest()
        return frame.snapshot.at if frame else None

    def trouble(self) -> str | None:
        """Where the recording is damaged."""
        return self._trouble

    def refresh(self) -> None:
        """Nothing: the past does not change."""

    def slow(self, factor: float) -> None:
        """Nothing."""

    def save(self, path: Path) -> str:
        """A recording is a file already."""
        raise OSError("this is a recording already: copy its file")

    def log(
        self, program: ProgramId, channel: str, tell: Callable[[list[str], bool, str], None]
    ) -> Callable[[], None] | None:
        """A recording holds no logs, and its supervisord is not to be asked."""
        return None

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        """What the recording knows of the past, at once."""
        with self._lock:
            sample = self._samples[self._at]
        on_progress(
            HistoryProgress(0, 0, None, True, sample.pasts + sample.older, "from the recording")
        )
        return lambda: None

    def seek(self, steps: int) -> None:
        """Move by so many samples."""
        self._go(max(0, min(len(self._samples) - 1, self._at + steps)))
        self._show()

    def play(self, speed: float) -> None:
        """Play at `speed`; 0 pauses."""
        self._speed = speed
        self._changed.set()
        self._show()

    def next_finding(self) -> bool:
        """Jump to where the findings change next; for a thread that may wait."""
        begin = self._at
        now = self._findings(begin)
        for index in range(begin + 1, len(self._samples)):
            found = self._findings(index)
            if self._at != begin or self._ended.is_set():
                return True  # somebody moved meanwhile, and is not to be moved away again
            if found is None:
                break
            if found != now:
                self._go(index)
                self._show()
                return True
        return False

    def _findings(self, index: int) -> set[str] | None:
        """What was wrong at a sample; None where the file is damaged before it."""
        with self._lock:
            try:
                return {f.identity for f in self._frame(index).findings}
            except RecordingError as error:
                self._trouble = str(error)
                return None

    def _go(self, index: int) -> None:
        """To a sample, or as near before it as the file can be read."""
        if self._findings(index) is not None:
            self._at = index
        elif self._next > self._at:
            self._at = self._next - 1

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
            now, found = self._time(at), self._time(at + 1)
            if found is None or now is None:
                self._speed = 0.0
                self._show()
                continue
            if self._changed.wait(max(0.0, (found - now) / speed)):
                self._changed.clear()
                continue
            with self._lock:
                if self._at == at:
                    self._at = at + 1
            self._show()

    def _time(self, index: int) -> float | None:
        """Seconds since the first sample; the wall clock may have been set meanwhile."""
        return None if self._findings(index) is None else self._made[index].snapshot.observed_s
