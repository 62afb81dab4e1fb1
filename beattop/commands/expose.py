"""`metrics`: OpenMetrics once, into a file, or on a port."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from beattop.commands.observing import observe as look
from beattop.feeds.live import LiveFeed
from beattop.reports import metrics
from beattop.settings import Settings
from beattop.sources.collector import Collector

USAGE = 2
BLIND = 3


def run(settings: Settings, textfile: Path | None, listen: str | None, observe: float) -> int:
    """Print, write or serve; serving ends with a signal."""
    if listen is not None:
        return _serve(settings, listen)
    frame = look(settings, observe)
    if frame is None:
        print("beattop: the box could not be read", file=sys.stderr)
        return BLIND
    if textfile is None:
        sys.stdout.write(metrics.exposition(frame))
        return 0
    try:
        metrics.write_textfile(frame, textfile)
    except OSError as error:
        print(f"beattop: {textfile} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _serve(settings: Settings, listen: str) -> int:
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 65536):
        print("beattop: --listen takes ADDR:PORT, such as 127.0.0.1:9555", file=sys.stderr)
        return USAGE
    feed = LiveFeed(Collector(settings))
    try:
        server = metrics.server((host.strip("[]") or "127.0.0.1", int(port)), feed.latest)
    except OSError as error:
        print(f"beattop: cannot listen on {listen}: {error.strerror or error}", file=sys.stderr)
        return USAGE
    feed.start(lambda frame: None)
    address = server.server_address
    print(f"serving http://{address[0]!s}:{address[1]}/metrics", file=sys.stderr)
    threading.current_thread().name = "beattop-metrics"
    try:
        server.serve_forever(poll_interval=0.5)
    finally:
        feed.stop()
        server.server_close()
    return 0
