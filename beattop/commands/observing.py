"""Look at the box for a while and give the last frame."""

from __future__ import annotations

from beattop.feeds.live import LiveFeed, wait_frames
from beattop.model.frame import Frame
from beattop.settings import Settings
from beattop.sources.collector import Collector


def observe(settings: Settings, seconds: float) -> Frame | None:
    """The frame after `seconds`, its percentages over the whole time."""
    return wait_frames(LiveFeed(Collector(settings, patient=True), window_s=None), seconds)
