"""What is looked at: a quiet box of some fifty processes, and a program that bears children."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.incident import Box

# A server that forked four children; every second one wakes twice a second.
_FAMILY = """
import os, time
for n in range(4):
    if not os.fork():
        break
else:
    n = 4
while True:
    time.sleep(0.5 if n % 2 else 3600)
"""

# Bears children that live MS milliseconds, one after the other, and writes wait4's truth.
_BEARER = """
import os, sys, time
ms, count, pause, truth = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
begin = truth + ".begin"
while not os.path.exists(begin):
    time.sleep(0.02)
with open(truth + ".new", "w") as out:
    for n in range(count):
        born = time.time()
        pid = os.fork()
        if not pid:
            time.sleep(ms / 1000)
            os._exit(n % 100)
        time.sleep(pause)
        _, status, used = os.wait4(pid, 0)
        out.write(f"{pid} {os.waitstatus_to_exitcode(status)} {born} {time.time()} "
                  f"{used.ru_utime + used.ru_stime}\\n")
os.rename(truth + ".new", truth)
while True:
    time.sleep(3600)
"""


@contextmanager
def box(life_s: float = 600.0) -> Iterator[Box]:
    """A private box, taken away at the end whatever happens."""
    with TemporaryDirectory(prefix="bt-bench-") as folder, Box(Path(folder), life=life_s) as made:
        yield made


@contextmanager
def quiet_box(families: int = 8) -> Iterator[Box]:
    """One supervisord with a Celery beat, a worker of five and `families` of five processes."""
    with box() as made:
        made.app(every=30.0)
        made.program("benchbeat", made.beat(pidfile="run/beat.pid"))
        made.program("benchworker", made.worker(concurrency=4))
        script = made.write("app/family.py", _FAMILY)
        for n in range(families):
            made.program(f"family{n}", [sys.executable, "-S", script], stopasgroup="true")
        made.up()
        made.wait_beat("benchbeat")
        made.wait_log("benchworker", "ready.")
        yield made


def bearer(made: Box, name: str, ms: float, count: int, pause_s: float) -> Path:
    """Declare a program that bears `count` children; returns the file of its truth, there once it
    is complete. It waits for `begin(file)`. Lines: pid, status, born, reaped, CPU seconds."""
    script = made.write("app/bearer.py", _BEARER)
    truth = made.folder / "run" / f"{name}.truth"
    words = [sys.executable, "-S", script, ms, count, pause_s, truth]
    made.program(name, words, stopasgroup="true")
    return truth


def begin(truth: Path) -> None:
    """Let the bearer begin."""
    truth.with_name(truth.name + ".begin").touch()
