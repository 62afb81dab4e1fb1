"""Who sees short lives: beattop, forkstat and a look once a second against wait4's truth."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tests.bench.boxes import bearer, begin, box
from tests.bench.table import Row
from tests.bench.watch import Heard, Truth, Watch

# Lifetime in ms -> how many of them, one after the other.
_LIVES = {2: 300, 20: 100, 100: 40, 300: 15, 1000: 6}
_QUICK = {2: 100, 100: 20}


class Polling:
    """The pids that a look once a second shows: what every top sees."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            self.seen |= {int(name) for name in os.listdir("/proc") if name.isdigit()}

    def __enter__(self) -> Polling:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()


class Forkstat:
    """The pids that forkstat heard to exit; none where it is not installed."""

    def __init__(self) -> None:
        self.seen: set[int] | None = None

    def __enter__(self) -> Forkstat:
        path = shutil.which("forkstat")
        argv = [path, "-l", "-c", "-e", "exit"] if path and not os.geteuid() else None
        self._child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) if argv else None
        if self._child:
            self.seen = set()
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()
        return self

    def _read(self) -> None:
        assert self._child
        assert self._child.stdout
        assert self.seen is not None
        for line in self._child.stdout:
            words = line.split()
            if len(words) > 2 and words[1] == "exit" and words[2].isdigit():
                self.seen.add(int(words[2]))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child:
            time.sleep(0.2)  # what is in the pipe still
            self._child.terminate()
            self._child.wait(5)
            self._thread.join()


def truth_of(path: Path) -> Truth:
    lines = [line.split() for line in path.read_text().splitlines()]
    return [(int(p), int(s), float(b), float(r), float(c)) for p, s, b, r, c in lines]


def rows(quick: bool) -> Iterator[Row]:
    lives = _QUICK if quick else _LIVES
    with box() as made:
        files = {ms: bearer(made, f"b{ms}", ms, n, ms / 1000 + 0.004) for ms, n in lives.items()}
        made.up()
        with Watch(made) as watch, Forkstat() as forkstat, Polling() as polling:
            for ms, path in files.items():
                begin(path)
                made.wait(path.exists, f"the lives of {ms} ms", 60)
            watch.next()
            watch.next()
        truths = {ms: truth_of(path) for ms, path in files.items()}
    for ms, truth in truths.items():
        heard = Heard(truth, watch, f"b{ms}")
        beside = []
        for name, seen in (("forkstat", forkstat.seen), ("a look a second", polling.seen)):
            if seen is not None:
                beside.append(f"{name} {sum(one[0] in seen for one in truth) / len(truth):.3f}")
        yield Row(
            f"recall of {heard.total} lives of {ms} ms, with status and program",
            f"{heard.worst:.3f}, born to {heard.off_ms:.2f} ms",
            "1.0",
            heard.worst == 1.0,
            ", ".join(beside),
        )
