"""Whether a kept beat still beats, by what it alone can have written."""

from __future__ import annotations

import os
from contextlib import suppress

from beattop.actions.protect import beats_of, works
from beattop.actions.run import Run
from beattop.actions.steps import program
from beattop.model.beathealth import silent_s
from beattop.model.finding import Keep
from beattop.model.plan import Tick
from beattop.model.snapshot import Beat
from beattop.text import duration

BEATS_S = 20.0
"""How long a sign of life is waited for."""
_SUFFIXES = ("", ".db", ".dat", ".dir", ".bak", "-wal", "-journal")
"""What dbm.gnu, dbm.dumb, ndbm and sqlite make of a schedule's name."""


def beat_of(run: Run, keep: Keep) -> Beat | None:
    """What was last seen of a kept beat."""
    return next((b for b in run.look().beats if b.process == keep.process), None)


_UNKNOWN: tuple[Tick, str] = (
    "skipped",
    "not knowable: no schedule file and no log line tells",
)


class Pulse:
    """Its schedule file is younger than 480 s, or a log line that it sent a task is.

    A beat that ends writes its schedule once more. Where the one that was stopped shared the file,
    only a log line of the kept one counts, or what is written after that end.
    """

    def __init__(self, run: Run, keep: Keep) -> None:
        self._run, self._keep = run, keep
        self._since = run.clock.now()
        self._until = run.clock.monotonic() + BEATS_S
        beat = beat_of(run, keep)
        ended = [b for s in run.plan.steps for b in beats_of(run.begun, s.target) if works(b)]
        self._shared = beat is not None and any(
            b.schedule is not None and b.schedule == beat.schedule for b in ended
        )

    def read(self) -> tuple[Tick, str]:
        """The newest sign, with its time."""
        beat = beat_of(self._run, self._keep)
        if beat is None:
            return _UNKNOWN
        written = _written(beat.schedule)
        if self._shared:
            return self._of_its_own(beat, written)
        if written is None and beat.last_sent_at is None:
            return _UNKNOWN
        return self._judge(beat, written, beat.last_sent_at)

    def _of_its_own(self, beat: Beat, written: float | None) -> tuple[Tick, str]:
        found = program(self._run.look(), self._keep.program)
        sent = found.last_words.sent_at if found and found.last_words else None
        later = written if written is not None and written > self._since else None
        if sent is not None or later is not None:
            return self._judge(beat, later, sent)
        if self._run.clock.monotonic() >= self._until:
            return "skipped", "not knowable yet: both wrote one schedule file; look in 3 min"
        return "pending", "both wrote one schedule file: waiting for a line or a write of its own"

    def _judge(self, beat: Beat, written: float | None, sent: float | None) -> tuple[Tick, str]:
        newest = max(t for t in (written, sent) if t is not None)
        words = self._run.clock.words
        now = self._run.clock.now()
        what = "schedule written" if newest == written else "last sent or wrote"
        told = f"{what} {words(newest)}, {duration(now - newest)} ago"
        return ("done" if now - newest < silent_s(beat) else "pending"), told


def _written(schedule: str | None) -> float | None:
    """The newest mtime of a schedule's files."""
    times = []
    for suffix in _SUFFIXES if schedule and schedule.startswith("/") else ():
        with suppress(OSError):
            times.append(os.stat(f"{schedule}{suffix}").st_mtime)
    return max(times, default=None)
