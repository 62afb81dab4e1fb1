"""The guard: however its holder ends, nothing stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beattop.demo import lifeline as module
from beattop.demo.family import Family, Identity, alive, identity, send, stat
from beattop.demo.lifeline import Lifeline, LifelineError
from tests.e2e.waiting import wait_until

# A shell with an orphan of its own: what a stopped program without stopasgroup leaves.
TREE = ["/bin/sh", "-c", "(trap '' TERM; sleep 600 & exec sleep 601) & exec sleep 602"]
# A shell's background job has SIGINT ignored, and all that it starts.
HOLDER = """
import json, os, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from beattop.demo.lifeline import Lifeline
line = Lifeline(Path(sys.argv[1]), life_s=60, grace_s=0.2)
who = line.start(json.loads(sys.argv[2]), env=os.environ, cwd=line.folder, output="/dev/null")
try:
    print(json.dumps([str(line.folder), who]), flush=True)
    sys.stdin.read()
finally:
    line.close()
"""


@contextmanager
def holder(base: Path) -> Iterator[tuple[subprocess.Popen[str], Path, set[Identity]]]:
    """A process that holds a TREE, its folder, and every process that has to go with it."""
    source = Path(module.__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(base), json.dumps(TREE)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        folder, first = json.loads(process.stdout.readline())
        family = Family(folder)
        wait_until(lambda: len(family.living()) == 3, "the tree")
        found = stat(first[0])
        assert found
        guard = identity(found.ppid)
        assert guard
        yield process, Path(folder), family.living() | {guard}
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_nothing_stays_after(name: str, tmp_path: Path) -> None:
    with holder(tmp_path) as (process, folder, everything):
        process.send_signal(signal.Signals[name])
        process.wait(10)
        wait_until(lambda: not any(map(alive, everything)), "the processes to end")
        assert not folder.exists()


def test_nothing_stays_after_the_guard_itself_was_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, folder, everything):
        guard = next(who for who in everything if b"demo.guard" in cmdline(who.pid))
        assert send(guard, signal.SIGKILL)
        process.communicate(timeout=10)
        wait_until(lambda: not any(map(alive, everything)), "the processes to end")
        assert not folder.exists()


def test_its_time_is_bounded_even_while_it_is_held(tmp_path: Path) -> None:
    line = Lifeline(tmp_path, life_s=0.5, grace_s=0)
    who = line.start(["/bin/sleep", "600"], env={}, cwd=tmp_path, output=tmp_path / "out")
    wait_until(lambda: not alive(who) and not line.folder.exists(), "the bound")
    assert line.close() == []


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    line = Lifeline(tmp_path, life_s=30, grace_s=0)
    with pytest.raises(LifelineError, match="No such file or directory: /no/such"):
        line.start(["/no/such"], env={}, cwd=tmp_path, output=tmp_path / "out")
    assert line.close() == []
    with pytest.raises(LifelineError, match="No such file"):
        Lifeline(tmp_path / "absent", life_s=30, grace_s=0)


def test_a_recycled_pid_is_never_signalled() -> None:
    process = subprocess.Popen(["/bin/sleep", "600"])
    try:
        who = identity(process.pid)
        assert who
        assert not send(Identity(who.pid, who.ticks - 1), signal.SIGKILL)
        assert alive(who)
        assert send(who, signal.SIGKILL)
        wait_until(lambda: not alive(who), "its end")
    finally:
        process.kill()
        process.wait()


def test_closing_takes_no_longer_than_the_grace(tmp_path: Path) -> None:
    line = Lifeline(tmp_path, life_s=30, grace_s=0.5)
    deaf = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
    who = line.start(deaf, env=os.environ, cwd=tmp_path, output=tmp_path / "out")
    begun = time.monotonic()
    assert line.close() == []
    assert not alive(who)
    assert time.monotonic() - begun < 5


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
