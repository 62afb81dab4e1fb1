"""The CPU split against the kernel's account of the same tree, over a real incident."""

from __future__ import annotations

import sys
import time
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


class Ledger:
    """What the split says of each interval, and the kernel's account at its end."""

    def __init__(self, account: Callable[[], float], looping: Callable[[], float]) -> None:
        self._account, self._looping = account, looping
        self._second = Timeline(0.001)  # percentages cover the last interval alone
        self._at: float | None = None
        self.said: list[float] = []
        self.churn: list[float] = []
        self.truth: list[float] = []
        self.truth_churn: list[float] = []

    def take(self, sample: Sample, snapshot: Snapshot) -> None:
        cpu = self._second.add(sample).cpu
        seconds = sample.at - self._at if self._at is not None else 0.0
        self._at = sample.at
        self.said.append(((cpu.supervised_pct or 0.0) + (cpu.churn_pct or 0.0)) / 100 * seconds)
        self.churn.append((cpu.churn_pct or 0.0) / 100 * seconds)
        self.truth.append(self._account())
        self.truth_churn.append(self._looping())


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
        ledger = Ledger(account or (lambda: tree_s(made.servers["main"].pid)), looping)
        with Watch(made, ledger.take) as watch:
            watch.wait(lambda shot: any(p.respawning for p in shot.programs), 20)
            first = len(ledger.truth) - 1
            time.sleep(12 if quick else 30)
            watch.next()
        yield from _judge(ledger, first, len(ledger.truth) - 1, what, bool(groups))


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


def _judge(ledger: Ledger, first: int, last: int, what: str, exact: bool) -> Iterator[Row]:
    span = range(first + 1, last + 1)
    truth = ledger.truth[last] - ledger.truth[first]
    said = sum(ledger.said[i] for i in span)
    off = 100 * (said - truth) / truth
    yield Row(
        f"CPU split over {len(span)} looks, {truth:.1f} core-seconds, against {what}",
        f"{off:+.2f} %",
        "± 0.2 %",
        abs(off) <= 0.2,
    )
    each = [1000 * (ledger.said[i] - ledger.truth[i] + ledger.truth[i - 1]) for i in span]
    worst = max(map(abs, each))
    yield Row("the same: worst single look", f"{worst:.0f} ms", "≤ 20 ms", worst <= 20)
    if exact:
        real = ledger.truth_churn[last] - ledger.truth_churn[first]
        churn = sum(ledger.churn[i] for i in span)
        off = 100 * (churn - real) / real
        yield Row(
            f"the same: churn of the respawning beat, {real:.1f} core-seconds",
            f"{off:+.1f} %",
            "± 5 %",
            abs(off) <= 5,
        )


def _remove(groups: list[Cgroup]) -> None:
    for group in reversed(groups):
        with suppress(OSError):
            group.remove()
