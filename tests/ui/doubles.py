"""A scripted feed and executors: what stands in for the box."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from beattop.model.frame import Frame, HistoryProgress
from beattop.model.plan import Check, Outcome, Plan


class ScriptedFeed:
    """Frames are handed over by `push`, from the caller's thread."""

    live = True

    def __init__(self, *frames: Frame) -> None:
        self.frames = list(frames)
        self.on_frame: Callable[[Frame], None] | None = None
        self.asked = 0
        self.slowed = 1.0
        self.stopped = False
        self.down: str | None = None
        self.beat_at: float | None = None
        self.saved: Path | None = None
        self.progress: list[HistoryProgress] = []
        self.cancelled = False
        self.told: list[str] | None = None
        """What supervisord says a log holds."""
        self.followed: list[object] = []

    def start(self, on_frame: Callable[[Frame], None]) -> None:
        self.on_frame = on_frame
        for frame in self.frames:
            on_frame(frame)

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)
        if self.on_frame is not None:
            self.on_frame(frame)

    def stop(self) -> None:
        self.stopped = True

    def latest(self) -> Frame | None:
        return self.frames[-1] if self.frames else None

    def heartbeat(self) -> float | None:
        return (
            self.beat_at
            if self.beat_at is not None
            else self.frames[-1].snapshot.at
            if self.frames
            else None
        )

    def trouble(self) -> str | None:
        return self.down

    def refresh(self) -> None:
        self.asked += 1

    def slow(self, factor: float) -> None:
        self.slowed = factor

    def save(self, path: Path) -> str:
        self.saved = path
        return f"12 samples are in {path}"

    def log(self, program, channel, tell) -> Callable[[], None] | None:
        if self.told is None:
            return None
        self.followed.append((program, channel))
        tell(self.told, True, "")
        return lambda: self.followed.append(None)

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        for step in self.progress:
            on_progress(step)

        def cancel() -> None:
            self.cancelled = True

        return cancel


class ScriptedReplay(ScriptedFeed):
    """A recording of the given frames, positioned by hand."""

    live = False

    def __init__(self, *frames: Frame) -> None:
        super().__init__(*frames)
        self.index = 0
        self.speed = 0.0

    def start(self, on_frame: Callable[[Frame], None]) -> None:
        self.on_frame = on_frame
        self._show()

    def _show(self) -> None:
        from dataclasses import replace

        frame = replace(
            self.frames[self.index], position=(self.index, len(self.frames)), playing=self.speed
        )
        if self.on_frame is not None:
            self.on_frame(frame)

    def seek(self, steps: int) -> None:
        self.index = max(0, min(len(self.frames) - 1, self.index + steps))
        self._show()

    def play(self, speed: float) -> None:
        self.speed = speed
        self._show()

    def next_finding(self) -> bool:
        now = self.frames[self.index].findings
        for n in range(self.index + 1, len(self.frames)):
            if self.frames[n].findings != now:
                self.index = n
                self._show()
                return True
        return False


class FakeExecutor:
    """Ticks every step off; waits before the outcome until released, where asked to."""

    writable = True
    reason = ""
    before = ""

    def __init__(self, *, hold: bool = False) -> None:
        self.plans: list[Plan] = []
        self.release = threading.Event()
        self.was_cancelled = False
        self.undo: Plan | None = None
        if not hold:
            self.release.set()

    def execute(
        self,
        plan: Plan,
        on_check: Callable[[Check], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        self.plans.append(plan)
        checks = []
        for number, step in enumerate(plan.steps):
            check = Check(
                "asked", f"asked to {step.verb}", "done", "2nd try", 1_795_402_550.0, number
            )
            checks.append(check)
            on_check(check)
        self.release.wait(10)
        self.was_cancelled = cancelled()
        last = Check(
            "stays-stopped", "stays stopped", "done", "read twice, 1.3 s apart", 1_795_402_552.0, 0
        )
        on_check(last)
        return Outcome(
            "cancelled" if self.was_cancelled else "done",
            (*checks, last),
            "beat2 is stopped and stays so.",
        )

    def undo_plan(self) -> Plan | None:
        return self.undo

    def close(self, tell: Callable[[str], None] = lambda words: None) -> None:
        self.closed = True


class Refusing:
    """What read-only mode gets."""

    writable = False
    reason = "read-only: BEATTOP_READ_ONLY is set"
    before = ""

    def __init__(self) -> None:
        self.plans: list[Plan] = []

    def execute(
        self,
        plan: Plan,
        on_check: Callable[[Check], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        self.plans.append(plan)
        return Outcome("refused", (), self.reason)

    def undo_plan(self) -> Plan | None:
        return None

    def close(self, tell: Callable[[str], None] = lambda words: None) -> None:
        pass
