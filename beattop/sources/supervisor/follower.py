"""A thread that looks at one supervisord again and again, so that a hung one holds no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from beattop.model.source import SourceStatus
from beattop.sources.supervisor.subject import Look, Publish
from beattop.sources.supervisor.word import Word
from beattop.text import safe

CALM_S = 10.0
LOOPING_S = 30.0
"""Each call wakes supervisord's main loop, and a woken loop respawns what waits at once."""
CALL_SHARE = 100.0
"""At least so many times a call's own length between two calls: at most 1 % of its time."""
_UNEASY_S = 15.0
"""How long one that has just begun, or just failed, is asked every second: it may be starting."""
_STUCK_S = 15.0
_LEAST_GAP_S = 0.25


class Subject(Protocol):
    """What is looked at."""

    @property
    def target(self) -> str:
        """What to call it before it has a name."""

    def look(self, publish: Publish) -> Look:
        """One look; `publish` hears of what is known before its end."""

    def close(self) -> None:
        """No more looks."""


class Pace:
    """How often supervisords are asked; shared by all followers."""

    def __init__(self) -> None:
        self.looping = False

    def interval_s(self, took_s: float | None) -> float:
        """Seconds until the next call, after one that took so long."""
        return max(LOOPING_S if self.looping else CALM_S, CALL_SHARE * (took_s or 0.0))


class Follower:
    """Runs one subject's looks in a daemon thread; its attributes are read from others."""

    def __init__(
        self,
        subject: Subject,
        pace: Pace,
        told: Callable[[], None],
        gate: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called after each change; `gate` once, in the thread, before the first look."""
        self.subject = subject
        self.word: Word | None = None
        self.looked = False
        """True after the first whole look."""
        self._pace = pace
        self._told = told
        self._gate = gate
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._uneasy_until = time.monotonic() + _UNEASY_S
        self._busy_since: float | None = None
        self._trouble = ""
        name = f"supervisor {subject.target}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def wake(self) -> None:
        """Look now, or once more after the look that goes on."""
        self._wake.set()

    def end(self) -> None:
        """No more looks; does not wait for one that goes on."""
        self._ended.set()
        self._wake.set()
        self.subject.close()

    def trouble(self) -> SourceStatus | None:
        """What is wrong with the looking itself."""
        target = self.word.supervisord.id if self.word else self.subject.target
        if self._trouble:
            return SourceStatus("supervisor", target, "degraded", self._trouble)
        since = self._busy_since
        if since is not None and time.monotonic() - since > _STUCK_S:
            age = time.monotonic() - since
            words = f"looking at it hangs for {age:.0f} s: a slow disk or name server?"
            return SourceStatus("supervisor", target, "timeout", words)
        return None

    def _run(self) -> None:
        self._gate()
        while not self._ended.is_set():
            began = self._busy_since = time.monotonic()
            took_s = None
            try:
                look = self._subject_look()
                took_s = look.took_s
                self._trouble = ""
            # The thread's boundary: without this it would end unseen.
            except Exception as error:  # noqa: BLE001
                self._trouble = f"beattop failed to look at it: {_words(error)}"
            self._busy_since = None
            self.looked = True
            self._told()
            self._wake.wait(self._delay_s(took_s))
            self._wake.clear()
            gap = _LEAST_GAP_S - (time.monotonic() - began)
            if gap > 0:
                self._ended.wait(gap)

    def _subject_look(self) -> Look:
        look = self.subject.look(self._publish)
        self._publish(look.word)
        return look

    def _publish(self, word: Word | None) -> None:
        if self._ended.is_set():
            return
        if _failing(word) and not _failing(self.word):
            self._uneasy_until = time.monotonic() + _UNEASY_S
        self.word = word
        self._told()

    def _delay_s(self, took_s: float | None) -> float:
        if _failing(self.word) and time.monotonic() < self._uneasy_until:
            return 1.0
        return self._pace.interval_s(took_s)


def _failing(word: Word | None) -> bool:
    """Whether it is down or on its way: one that hangs or refuses is not asked more often."""
    return word is not None and word.sources[0].status in ("down", "degraded")


def _words(error: BaseException) -> str:
    return safe(f"{type(error).__name__}: {error}")[:300]
