"""Reading old logs: MB a CPU second and memory, for one name and for many in turns.

In a process of its own for each, and its counts beside those of a plain search.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.table import Row
from tests.unit.mainlog.written import exited, log, running, spawned

_FILES = 4
_READ = """
import re, sys, time
from beattop.sources.mainlog.follow import MainLog

def most():
    # Not ru_maxrss: that begins with the memory of the parent.
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

before, used = most(), time.process_time()
main = MainLog("s", sys.argv[1])
told = main.history()
told.start(lambda progress: None)
told.join()
used = time.process_time() - used
pasts = (*told.progress().pasts, *main.pasts())
print(used, most() - before, sum(p.spawns for p in pasts), sum(p.exits for p in pasts))
"""


def rows(quick: bool) -> Iterator[Row]:
    for names in (1, 300, 1000):
        with TemporaryDirectory(prefix="bt-bench-") as folder:
            path = Path(folder, "supervisord.log")
            _write(path, names, 60e6 if quick else 240e6)
            yield from _row(path, names)


def _write(path: Path, names: int, size: float) -> None:
    """Rotated logs of lives in turns."""
    at = 1_780_000_000.0
    for number in reversed(range(_FILES)):
        part = path.with_name(f"{path.name}.{number}") if number else path
        with part.open("wb") as file:
            while file.tell() < size / _FILES:
                for make, after in ((spawned, 0.0), (running, 1.0), (exited, 2.0)):
                    file.write(
                        log([make(at + after + i / 1000, name=f"w{i}") for i in range(names)])
                    )
                at += 3.0


def _grep(path: Path, words: str) -> int:
    run = subprocess.run(
        ["grep", "-hc", "--", words, *path.parent.iterdir()], capture_output=True, check=True
    )
    return sum(map(int, run.stdout.split()))


def _row(path: Path, names: int) -> Iterator[Row]:
    mb = sum(part.stat().st_size for part in path.parent.iterdir()) / 1e6
    run = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
    )
    used, memory, spawns, exits = map(float, run.stdout.split())
    born, gone = _grep(path, "spawned: "), _grep(path, "exited: ")
    what = f"old logs of {mb:.0f} MB, {names:,} names in turns"
    yield Row(f"{what}: MB a CPU second", f"{mb / used:.0f}", "≥ 50 MB/s", mb / used >= 50)
    yield Row("the same: memory, MB", f"{memory:.1f}", "≤ 20 MB", memory <= 20)
    yield Row(
        "the same: spawns and exits",
        f"{spawns:,.0f} and {exits:,.0f}",
        "those of grep",
        (spawns, exits) == (born, gone),
        f"grep {born:,} and {gone:,}",
    )
