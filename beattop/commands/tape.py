"""`record` and `replay`: samples kept while they happen, and looked at later."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from queue import Empty, Queue

from beattop.feeds.frames import Frames
from beattop.feeds.live import WINDOW_S
from beattop.model.sample import Sample
from beattop.settings import Settings
from beattop.sources import recording
from beattop.sources.collector import Collector
from beattop.sources.recording import RecordingError

USAGE = 2


def record(settings: Settings, path: Path, seconds: float | None) -> int:
    """Write samples to `path` until `seconds` are over or a signal ends it."""
    try:
        stream = recording.create(path)
    except RecordingError as error:
        print(f"beattop: {error}", file=sys.stderr)
        return USAGE
    waiting: Queue[Sample] = Queue(100)
    collector = Collector(settings)
    writer = recording.Writer(stream)
    number = 0
    begun = time.monotonic()
    until = "" if seconds is not None else " (Ctrl-C ends it)"
    print(f"recording to {path}{until}", file=sys.stderr)
    trouble: str | None = None
    collector.start(waiting.put)
    try:
        while seconds is None or time.monotonic() - begun < seconds:
            try:
                writer.add(waiting.get(timeout=0.1))
                number += 1
            except Empty:
                trouble = _told(collector.trouble(), trouble)
            except OSError as error:
                print(f"beattop: {path} cannot be written: {error.strerror}", file=sys.stderr)
                return 1
    finally:
        collector.stop()
        stream.close()
        print(f"{number} samples in {path}", file=sys.stderr)
    return 0


def _told(trouble: str | None, before: str | None) -> str | None:
    """Say what keeps samples from coming, once: a gap in a recording must not go unseen."""
    if trouble is not None and trouble != before:
        print(f"beattop: nothing is recorded now: {trouble}", file=sys.stderr)
    return trouble


def replay(settings: Settings, path: Path, *, once: bool, as_json: bool) -> int:
    """Show a recording on the live screen, or print its end."""
    try:
        samples = recording.Recording(path)
        if not once:
            from beattop.commands.live import replay as screen  # noqa: PLC0415

            return screen(settings, samples, path.name)
        from beattop.commands.look import show  # noqa: PLC0415

        frames = Frames(WINDOW_S)
        frame = None
        for sample in samples:
            frame = frames.add(sample)
        return show(frame, settings, as_json=as_json)
    except RecordingError as error:
        print(f"beattop: {error}", file=sys.stderr)
        return USAGE
