"""A fork storm on the box: what is still known of the supervised, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.boxes import bearer, begin, box
from tests.bench.clocks import forks
from tests.bench.recall import truth_of
from tests.bench.table import Row
from tests.bench.watch import Heard, Watch

RATE = 5000
# Bursts of children that end at once, so many a second; their parent's end ends it.
_STORM = """
import os, sys, time, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
rate = float(sys.argv[1])
begun, n = time.monotonic(), 0
while os.getppid() == int(sys.argv[2]):
    ahead = n / rate - (time.monotonic() - begun)
    if ahead > 0:
        time.sleep(min(ahead, 0.01))
        continue
    for _ in range(10):
        if not os.fork():
            os._exit(0)
    n += 10
"""


@contextmanager
def storm(rate: float, parents: int = 2) -> Iterator[None]:
    """Some `rate` forks a second by strangers, as far as the box can."""
    argv = [sys.executable, "-I", "-S", "-c", _STORM, str(rate / parents), str(os.getpid())]
    children = [subprocess.Popen(argv) for _ in range(parents)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def rows(quick: bool) -> Iterator[Row]:
    seconds = 5.0 if quick else 10.0
    with box() as made:
        truth = bearer(made, "bearer", 2, int(seconds * 40), 0.02)
        made.program("instant", "/bin/sleep 0.02", startsecs=0)
        made.up()
        with Watch(made) as watch:
            begun, before, used = time.monotonic(), forks(), time.process_time()
            with storm(RATE):
                begin(truth)
                made.wait(truth.exists, "the children in the storm", 60)
                watch.next()
            span = time.monotonic() - begun
            rate = (forks() - before) / span
            cost = 1000 * (time.process_time() - used) / span
            watch.next()
            watch.next()
            counted = {p.namespec: p.spawns or 0 for p in watch.snapshot.programs}["instant"]
            logged = len(made.servers["main"].spawns("instant"))
        heard = Heard(truth_of(truth), watch, "bearer")
    what = f"storm of {rate:.0f} forks/s: recall of {heard.total} supervised lives of 2 ms"
    yield Row(what, f"{heard.worst:.3f}", "1.0", heard.worst == 1.0)
    # The log goes on while the last sample is looked at.
    share = min(1.0, counted / max(1, logged - 3))
    yield Row(
        "the same: spawns of supervisord counted, of those in its log",
        f"{counted} of {logged}",
        "all but the newest",
        share == 1.0,
    )
    told = max((w for w in watch.words if "kept out" in w or "lost" in w), key=len, default="")
    yield Row("the same: what was kept out or lost is told", told or "nothing", "told", bool(told))
    yield Row("the same: collector and model, CPU ms/s", f"{cost:.0f}")
