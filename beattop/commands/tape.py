"""`record` and `replay`: samples kept while they happen, and looked at later."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Iterator
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
_PATIENCE_S = 5.0


def record(settings: Settings, path: Path, seconds: float | None) -> int:
    """Write samples to `path`, `-` for stdout, until `seconds` are over or a signal ends it."""
    try:
        stream = sys.stdout if str(path) == "-" else recording.create(path)
    except RecordingError as error:
        print(f"beattop: {error}", file=sys.stderr)
        return USAGE
    collector = Collector(settings)
    until = "" if seconds is not None else " (Ctrl-C ends it)"
    print(f"recording to {path}{until}", file=sys.stderr)
    number = 0
    try:
        writer = recording.Writer(stream)
        for sample in _samples(collector, math.inf if seconds is None else seconds):
            writer.add(sample)
            number += 1
        return 0
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"beattop: {path} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    finally:
        collector.stop()
        if stream is not sys.stdout:
            with contextlib.suppress(OSError):  # a full disk, and told already
                stream.close()
        print(f"{number} samples in {path}", file=sys.stderr)


def _samples(collector: Collector, seconds: float) -> Iterator[Sample]:
    """Those of so many seconds; the first is waited for somewhat longer."""
    waiting: Queue[Sample] = Queue(100)
    trouble: str | None = None
    begun = time.monotonic()
    patience = _PATIENCE_S
    collector.start(waiting.put)
    while time.monotonic() - begun < seconds + patience:
        try:
            yield waiting.get(timeout=0.1)
            patience = 0.0
        except Empty:
            trouble = _told(collector.trouble(), trouble)
            patience = patience if trouble is None else 0.0


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

            cut = " (cut short)" if samples.cut_short else ""
            return screen(settings, samples, path.name + cut)
        from beattop.commands.look import show  # noqa: PLC0415

        if samples.cut_short:
            print(f"beattop: {path} was cut short: this is what came before", file=sys.stderr)
        frames = Frames(WINDOW_S)
        frame = None
        for sample in samples:
            frame = frames.add(sample)
        return show(frame, settings, as_json=as_json)
    except RecordingError as error:
        print(f"beattop: {error}", file=sys.stderr)
        return USAGE
