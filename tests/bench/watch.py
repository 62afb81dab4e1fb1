"""beattop looking at a box in this process, without a screen; what it heard is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from beattop.model.lifecycle import Exit
from beattop.model.sample import Sample
from beattop.model.snapshot import Snapshot
from beattop.model.timeline import Timeline
from beattop.settings import ServerSetting, Settings
from beattop.sources.collector import Collector
from tests.bench.clocks import mid
from tests.e2e.incident import Box


class Watch:
    """Collector and Timeline on one box; `on_sample` gets each sample in the collector's thread."""

    def __init__(
        self,
        made: Box,
        on_sample: Callable[[Sample, Snapshot], None] = lambda sample, snapshot: None,
        window_s: float | None = 3.0,
    ) -> None:
        named = (ServerSetting(str(made.conf())),)
        self._collector = Collector(Settings(read_only=True, supervisors=named))
        self._timeline = Timeline(window_s)
        self._on_sample = on_sample
        self._new = threading.Condition()
        self.exits: list[Exit] = []
        self.owners: dict[int, str] = {}
        """Namespec by pid, of every process that a snapshot showed in a program."""
        self.words: set[str] = set()
        """What the lifecycle source said of itself."""
        self.snapshot: Snapshot | None = None

    def _take(self, sample: Sample) -> None:
        snapshot = self._timeline.add(sample)
        self.exits += [e for e in sample.lifecycle if isinstance(e, Exit)]
        for program in snapshot.programs:
            for member in program.members:
                self.owners[member.process.pid] = program.namespec
        self.words |= {s.detail for s in sample.sources if s.name == "lifecycle"}
        self._on_sample(sample, snapshot)
        with self._new:
            self.snapshot = snapshot
            self._new.notify_all()

    def __enter__(self) -> Watch:
        self._collector.start(self._take)
        self.wait(lambda shot: bool(shot.programs) and shot.observed_s > 1.5, 20.0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._collector.stop()

    def wait(self, done: Callable[[Snapshot], bool], within_s: float) -> bool:
        """Whether a snapshot came in time of which `done` is true."""
        end = time.monotonic() + within_s
        with self._new:
            while self.snapshot is None or not done(self.snapshot):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._new.wait(left)
        return True

    def next(self) -> None:
        """Wait for a sample taken from now on."""
        now = time.time()
        self.wait(lambda shot: shot.at > now, 5.0)


Truth = list[tuple[int, int, float, float, float]]
"""wait4's: pid, status, born and reaped (Unix seconds), CPU seconds."""


class Heard:
    """How much of a truth was heard of the children of one program."""

    def __init__(self, truth: Truth, watch: Watch, program: str) -> None:
        exits: dict[int, list[Exit]] = {}
        for one in watch.exits:
            exits.setdefault(one.pid, []).append(one)
        self.total = len(truth)
        self.lives = self.statuses = self.programs = 0
        off: list[float] = []
        for pid, status, born, _, _ in truth:
            found = [e for e in exits.get(pid, ()) if abs((e.started_at or e.at) - born) < 2.0]
            if len(found) != 1:
                continue
            self.lives += 1
            self.statuses += found[0].status == status
            self.programs += watch.owners.get(found[0].ppid) == program
            if found[0].started_at is not None:
                off.append(1000 * abs(found[0].started_at - born))
        self.off_ms = mid(off)

    @property
    def worst(self) -> float:
        """The lowest of the three recalls."""
        return min(self.lives, self.statuses, self.programs) / max(1, self.total)
