"""The CPU split against the kernel's account of the same tree, over a real incident."""

from __future__ import annotations

import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

from beattop.model.sample import Sample
from beattop.model.snapshot import Snapshot
from beattop.model.timeline import Timeline
from tests.bench.boxes import box
from tests.bench.cgroup import Cgroup, tree_s
from tests.bench.table import Row
from tests.bench.watch import Watch
from tests.e2e.incident import Box

# A program that burns in short children, some at once, some one after the other.
_BURST = """
import os, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
while True:
    for n in range(8):
        if not os.fork():
            burn(0.002 * (n + 1))
            os._exit(0)
    for _ in range(8):
        os.wait()
    time.sleep(0.25)
"""


_GAUGE_S = 0.005


class Gauge:
    """The kernel's accounts read all the time, so that they are known at any moment."""

    def __init__(self, *accounts: Callable[[], float]) -> None:
        self._accounts = accounts
        self._read: list[tuple[float, ...]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(_GAUGE_S):
            self._read.append((time.time(), *(account() for account in self._accounts)))

    def __enter__(self) -> Gauge:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def at(self, moment: float) -> tuple[float, ...]:
        """What the accounts stood at, in seconds, on the line between the two nearest readings."""
        place = min(max(1, bisect_left(self._read, (moment,))), len(self._read) - 1)
        (t0, *before), (t1, *after) = self._read[place - 1], self._read[place]
        part = (moment - t0) / (t1 - t0)
        return tuple(a + (b - a) * part for a, b in zip(before, after, strict=True))


class Ledger:
    """What the split says of each interval, in core-seconds."""

    def __init__(self) -> None:
        self._second = Timeline(0.001)  # percentages cover the last interval alone
        self.at: list[float] = []
        self.said: list[float] = []
        self.churn: list[float] = []

    def take(self, sample: Sample, snapshot: Snapshot) -> None:
        cpu = self._second.add(sample).cpu
        seconds = sample.at - self.at[-1] if self.at else 0.0
        self.at.append(sample.at)
        self.said.append(((cpu.supervised_pct or 0.0) + (cpu.churn_pct or 0.0)) / 100 * seconds)
        self.churn.append((cpu.churn_pct or 0.0) / 100 * seconds)


def rows(quick: bool) -> Iterator[Row]:
    with ExitStack() as stack:
        groups: list[Cgroup] = []
        stack.callback(_remove, groups)
        made = stack.enter_context(box())
        account, looping, what = _accounts(made, groups)
        made.program("burst", [sys.executable, "-S", made.write("app/burst.py", _BURST)])
        made.up()
        if groups:
            groups[0].take(made.servers["main"].pid)
            for who in made.processes():
                with suppress(OSError):
                    groups[0].take(who.pid)
        made.wait_exits("beat2", 3)
        ledger = Ledger()
        gauge = Gauge(account or (lambda: tree_s(made.servers["main"].pid)), looping)
        with gauge, Watch(made, ledger.take) as watch:
            watch.wait(lambda shot: any(p.respawning for p in shot.programs), 20)
            first = len(ledger.at) - 1
            time.sleep(12 if quick else 30)
            watch.next()
        yield from _judge(ledger, gauge, first, what, bool(groups))


def _accounts(
    made: Box, groups: list[Cgroup]
) -> tuple[Callable[[], float] | None, Callable[[], float], str]:
    """Two beats with one pidfile; the second in a group of its own within supervisord's."""
    made.app(import_cpu=0.6, second=("beat2",))
    made.program("beat", made.beat(pidfile="run/beat.pid"))
    try:
        groups.append(Cgroup(f"beattop-bench-{made.servers['main'].folder.name}"))
        groups.append(Cgroup("beat2", groups[0]))
    except OSError as error:
        made.program("beat2", made.beat(pidfile="run/beat.pid"))
        return None, lambda: 0.0, f"/proc's account ({error})"
    words = " ".join(made.beat(pidfile="run/beat.pid"))
    script = f"echo $$ > {groups[1].folder}/cgroup.procs; exec {words}"
    made.program("beat2", ["/bin/sh", "-c", script])
    return groups[0].cpu_s, groups[1].cpu_s, "a cgroup's account"


def _judge(ledger: Ledger, gauge: Gauge, first: int, what: str, exact: bool) -> Iterator[Row]:
    span = range(first + 1, len(ledger.at))
    accounts = [gauge.at(at) for at in ledger.at]
    truth, looped = (b - a for a, b in zip(accounts[first], accounts[-1], strict=True))
    off = 100 * (sum(ledger.said[i] for i in span) - truth) / truth
    yield Row(
        f"CPU split over {len(span)} looks, {truth:.1f} core-seconds, against {what}",
        f"{off:+.2f} %",
        "± 0.2 %",
        abs(off) <= 0.2,
    )
    each = [1000 * (ledger.said[i] - accounts[i][0] + accounts[i - 1][0]) for i in span]
    worst = max(map(abs, each))
    yield Row("the same: worst single look", f"{worst:.0f} ms", "≤ 20 ms", worst <= 20)
    if exact:
        off = 100 * (sum(ledger.churn[i] for i in span) - looped) / looped
        yield Row(
            f"the same: churn of the respawning beat, {looped:.1f} core-seconds",
            f"{off:+.1f} %",
            "± 5 %",
            abs(off) <= 5,
        )


def _remove(groups: list[Cgroup]) -> None:
    for group in reversed(groups):
        with suppress(OSError):
            group.remove()
