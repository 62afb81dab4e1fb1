"""Look at the box for a while and give the last frame."""

from __future__ import annotations

import time

from beattop.feeds.live import LiveFeed, wait_frame
from beattop.model.frame import Frame
from beattop.settings import Settings
from beattop.sources.collector import Collector

_OLD_LOGS_S = 10.0


def observe(settings: Settings, seconds: float, old_logs: bool = False) -> Frame | None:
    """The frame after `seconds`, its percentages over the whole time.

    `old_logs`: where a program loops it waits some seconds more for what they tell of its begin.
    """
    feed = LiveFeed(Collector(settings, patient=True, old_logs=old_logs), window_s=None)
    feed.start(lambda frame: None)
    try:
        frame = wait_frame(feed, seconds)
        deadline = time.monotonic() + (_OLD_LOGS_S if old_logs else 0.0)
        while frame and _since_unknown(frame) and time.monotonic() < deadline:
            reading, before = feed.reading(), frame
            while frame is before and time.monotonic() < deadline:
                time.sleep(0.02)
                frame = feed.latest()
            if not reading:
                break
        return frame
    finally:
        feed.stop()


def _since_unknown(frame: Frame) -> bool:
    """Whether older logs may tell of an earlier begin of a loop."""
    return any(
        p.respawning and not p.history_complete and p.past is not None and not p.past.settled
        for p in frame.snapshot.programs
    )
