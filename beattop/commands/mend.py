"""`stop-duplicates`: the plan, and with --yes its careful execution."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from beattop.actions.contract import Executor
from beattop.commands.executors import executor_for
from beattop.feeds.live import LiveFeed, wait_frame
from beattop.settings import Settings
from beattop.sources.collector import Collector

USAGE = 2
BLIND = 3


def run(settings: Settings, only: Sequence[str], *, yes: bool, observe: float) -> int:
    """Look for `observe` seconds, then plan, then perhaps act; exit statuses as in the README.

    The feed goes on while the plan is carried out: its samples are what verifies it.
    """
    from beattop.actions.duplicates import run as carry_out  # noqa: PLC0415

    feed = LiveFeed(Collector(settings, patient=True))
    feed.start(lambda frame: None)
    try:
        frame = wait_frame(feed, observe)
        if frame is None:
            print("beattop: the box could not be read; nothing was done", file=sys.stderr)
            return BLIND
        executor: Executor = executor_for(settings, feed)
        try:
            return carry_out(frame, executor, tuple(only), yes, sys.stdout, sys.stderr)
        except ValueError as error:  # a NAMESPEC that nobody bears
            print(f"beattop: {error}", file=sys.stderr)
            return USAGE
    finally:
        feed.stop()
