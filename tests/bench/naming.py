"""How long after the exit that makes it a crash loop a program is named as one."""

from __future__ import annotations

import threading
import time
import xmlrpc.client
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from beattop.feeds.live import LiveFeed
from beattop.model.frame import Frame
from beattop.settings import ServerSetting, Settings
from beattop.sources.collector import Collector
from tests.bench.boxes import box
from tests.bench.clocks import mid
from tests.bench.table import Row
from tests.e2e.incident import Box

# Lives half a second, tells when it ends, fails.
_CRASH = "sleep 0.5; date +%s.%N >> {0}; exit 3"


class Named:
    """When a frame first had a finding about each program."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.frames = 0
        self.news = threading.Condition()

    def take(self, frame: Frame) -> None:
        now = time.time()
        with self.news:
            self.frames += 1
            for finding in frame.findings:
                for program in finding.programs:
                    self.at.setdefault(program.name, now)
            self.news.notify_all()


def rows(quick: bool) -> Iterator[Row]:
    late = []
    with box() as made:
        ends = {
            f"crash{n}": made.folder / "run" / f"crash{n}.ends" for n in range(3 if quick else 6)
        }
        for name, path in ends.items():
            made.program(
                name, ["/bin/sh", "-c", _CRASH.format(path)], autostart="false", startsecs=0
            )
        made.up()
        named = Named()
        feed = LiveFeed(
            Collector(Settings(read_only=True, supervisors=(ServerSetting(str(made.conf())),)))
        )
        feed.start(named.take)
        try:
            with named.news:
                named.news.wait_for(lambda: named.frames > 5, 20)
            for n, (name, path) in enumerate(ends.items()):
                time.sleep(3 + 0.37 * n)  # nowhere in particular between two looks
                made.rpc("startProcess", name)
                with named.news:
                    named.news.wait_for(lambda name=name: name in named.at, 15)
                _stop(made, name)
                late.append(named.at[name] - _second(path) if name in named.at else float("inf"))
        finally:
            feed.stop()
    told = ", ".join(f"{s:.2f}" for s in late)
    yield Row(
        "crash loop named after its second exit, median s",
        f"{mid(late):.2f}",
        "≤ 0.3 s",
        max(late) <= 0.3,
        f"each: {told}",
    )


def _stop(made: Box, name: str) -> None:
    """Caught between two lives it is not running, says supervisord, and starts it again."""
    for _ in range(5):
        with suppress(xmlrpc.client.Fault):
            made.rpc("stopProcess", name)
            return


def _second(path: Path) -> float:
    return float(path.read_text().split()[1])
