"""Look at the box for a while and give the last frame."""

from __future__ import annotations

from beattop.feeds.live import LiveFeed, wait_frame
from beattop.model.frame import Frame
from beattop.settings import Settings
from beattop.sources.collector import Collector


def observe(settings: Settings, seconds: float) -> Frame | None:
    """The frame after `seconds`, its percentages over the whole time."""
    feed = LiveFeed(Collector(settings, patient=True), window_s=None)
    feed.start(lambda frame: None)
    try:
        return wait_frame(feed, seconds)
    finally:
        feed.stop()
