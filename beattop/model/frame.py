"""What a face gets once a tick: the snapshot, what is wrong in it, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from beattop.model.finding import Finding
from beattop.model.logevents import Past
from beattop.model.snapshot import ProgramId, Snapshot


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened on the box since beattop looks."""

    at: float
    kind: str
    """spawned, running, exited, stopped, fatal, finding, finding-over, action, source ..."""
    program: ProgramId | None
    pid: int | None
    text: str
    """Clean words: "beat2 exited 73 (cannot create) after 2.2 s"."""
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything one picture needs; immutable, so it may cross threads."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    events: tuple[Event, ...]
    """The last ones, at most 2000, oldest first."""
    number: int = 0
    """Counts up by one a frame."""
    position: tuple[int, int] | None = None
    """(index, total) of a replayed sample; None live."""
    playing: float = 0.0
    """Speed of a replay (1 to 60); 0 paused or live."""


@dataclass(frozen=True, slots=True)
class HistoryProgress:
    """How far the background reading of old logs is."""

    read_bytes: int
    total_bytes: int
    oldest_at: float | None
    done: bool
    pasts: tuple[Past, ...]
    detail: str = ""


class Feed(Protocol):
    """Where frames come from: the live box or a recording. All methods are cheap and safe to call
    from the screen's thread; `on_frame` is called from the feed's own thread."""

    live: bool

    def start(self, on_frame: Callable[[Frame], None]) -> None:
        """Begin; `on_frame` gets each new frame."""

    def stop(self) -> None:
        """End; never waits longer than half a second."""

    def latest(self) -> Frame | None:
        """The newest frame; None before the first."""

    def heartbeat(self) -> float | None:
        """Unix time of the newest sample, for the age on the screen."""

    def trouble(self) -> str | None:
        """What ended or stalled the feed itself, in words; None while it is well."""

    def refresh(self) -> None:
        """Ask supervisord now (the user's wish, or just after an action)."""

    def slow(self, factor: float) -> None:
        """Stretch the interval by `factor`: paused, behind a modal, focus lost; 1 is normal."""

    def save(self, path: Path) -> str:
        """Write the last minutes to a recording; returns words for the user; raises OSError."""

    def log(
        self, program: ProgramId, channel: str, tell: Callable[[list[str], bool, str], None]
    ) -> Callable[[], None] | None:
        """Follow a program's `stdout` or `stderr` log through supervisord, now and then: each
        question wakes it. `tell` gets (new lines, from the start again, trouble in words) in a
        thread of its own. Returns what ends it; None where there is nobody to ask.
        """

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        """Read old logs in the background; returns a function that cancels it."""


class Seekable(Protocol):
    """What a replay can do besides."""

    def seek(self, steps: int) -> None:
        """Move by so many samples, negative is back."""

    def play(self, speed: float) -> None:
        """Play at `speed` times real time; 0 pauses."""

    def next_finding(self) -> bool:
        """Jump to the next sample at which the findings change; False where there is none."""
