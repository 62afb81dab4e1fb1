"""What one look costs in itself: the sampler and the lifecycle source, without a screen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from beattop.sources.collector import interesting
from beattop.sources.lifecycle import choose
from beattop.sources.proc import Sampler
from tests.bench.boxes import quiet_box
from tests.bench.clocks import processes
from tests.bench.farm import Farm
from tests.bench.table import Row


def rows(quick: bool) -> Iterator[Row]:
    with quiet_box():
        for total in (250, 5000) if quick else (250, 1000, 5000):
            with Farm(total):
                yield _at(5.0 if quick else 8.0)


def _at(seconds: float) -> Row:
    with closing(choose()) as source, closing(Sampler(interesting)) as sampler:
        for _ in range(3):
            watched = _look(source, sampler)
            time.sleep(0.3)
        begun, used = time.monotonic(), time.process_time()
        while time.monotonic() - begun < seconds:
            time.sleep(1.0)
            watched = _look(source, sampler)
        span = time.monotonic() - begun
        cost = 1000 * (time.process_time() - used) / span
        what = f"sampler and events, {watched} watched of {processes()}, ms/s"
    return Row(what, f"{cost:.2f}", "≤ 2.5 ms/s", cost <= 2.5)


def _look(source, sampler) -> int:
    heard = source.drain()
    reading = sampler.sample(time.time(), heard.births, heard.execs, heard.rescan)
    source.observe(reading)
    return len(reading.processes)
