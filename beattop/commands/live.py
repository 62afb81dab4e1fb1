"""The live screen, on the box or on a recording."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from beattop.commands.executors import executor_for
from beattop.model.sample import Sample
from beattop.settings import ConfigError, Settings

USAGE = 2


def terminal() -> bool:
    """Whether there is one to draw on; says what to do where there is none."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return True
    print(
        "beattop: no terminal for the live screen: use --once (or --once --json)", file=sys.stderr
    )
    return False


def run(settings: Settings, confined_to: frozenset[str] | None = None) -> int:
    """The live screen on this box."""
    if not terminal():
        return USAGE
    from beattop.feeds.live import LiveFeed  # noqa: PLC0415
    from beattop.sources.collector import Collector  # noqa: PLC0415
    from beattop.ui.app import run_screen  # noqa: PLC0415

    feed = LiveFeed(Collector(settings))
    executor = executor_for(settings, feed, confined_to)
    try:
        return run_screen(feed, executor, settings)
    except ValueError as error:  # a keymap or theme that cannot be
        raise ConfigError(str(error)) from None
    finally:
        # A closing shell sends it twice; the second would end what is brought to its end here.
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        executor.close(_tell)


def _tell(words: str) -> None:
    """On the terminal that the screen has left, if it is still there."""
    with contextlib.suppress(OSError, ValueError):
        print(f"beattop: {words}", file=sys.stderr, flush=True)


def replay(settings: Settings, samples: Sequence[Sample], name: str) -> int:
    """The same screen on a recording; nothing can be done to the past."""
    if not terminal():
        return USAGE
    from beattop.actions.refuse import RefusingExecutor  # noqa: PLC0415
    from beattop.feeds.replay import ReplayFeed  # noqa: PLC0415
    from beattop.ui.app import run_screen  # noqa: PLC0415

    settings = replace(settings, title=name, read_only=True, read_only_why="this is a recording")
    refuse = RefusingExecutor("this is a recording: the past cannot be changed")
    try:
        return run_screen(ReplayFeed(samples), refuse, settings)
    except ValueError as error:
        raise ConfigError(str(error)) from None
