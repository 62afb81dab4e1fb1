"""The sampler on this box's own /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from beattop.model.process import Usage
from beattop.sources.lifecycle import choose
from tests.e2e.family import Family, Looker, family
from tests.e2e.waiting import wait_until


@pytest.fixture
def parent() -> Iterator[Family]:
    with family() as one:
        yield one


@pytest.fixture
def looker(parent: Family) -> Iterator[Looker]:
    with closing(Looker(choose("poll"), parent.mark)) as one:  # nobody tells it of births
        wait_until(lambda: one.watches(parent.pid), "the parent to be watched")
        yield one


def usage(looker: Looker, pid: int) -> Usage | None:
    return next((u for u in looker.look().usage if u.key.pid == pid), None)


def test_the_facts_are_those_that_psutil_tells(looker: Looker, parent: Family):
    one = next(p for p in looker.look().processes if p.pid == parent.pid)
    truth = psutil.Process(parent.pid)
    assert (one.ppid, one.uid, one.user) == (truth.ppid(), truth.uids().real, truth.username())
    assert (one.cwd, one.exe, one.comm) == (truth.cwd(), truth.exe(), truth.name())
    assert one.argv[-1] == truth.cmdline()[-1]
    assert (one.pgrp, one.session) == (os.getpgid(parent.pid), os.getsid(parent.pid))
    # psutil's boot time has whole seconds only.
    assert one.started_at == pytest.approx(truth.create_time(), abs=1.1)
    assert one.started_at == pytest.approx(time.time(), abs=120)
    assert one.pid_ns == os.stat("/proc/self/ns/pid").st_ino


def test_a_newborn_is_found_between_two_readings_of_the_newest_pid(looker: Looker, parent: Family):
    pid = parent.do("live", 60_000, 0)
    assert looker.watches(pid)
    os.kill(pid, signal.SIGKILL)
    parent.do("reap", pid)
    assert not looker.watches(pid)


def test_cpu_is_that_of_the_kernel_and_goes_over_to_who_reaps(looker: Looker, parent: Family):
    pid = parent.do("work", 0.05, 0.03)
    wait_until(lambda: (u := usage(looker, pid)) and u.state == "Z", "the zombie")
    zombie, before = usage(looker, pid), usage(looker, parent.pid)
    truth = parent.do("reap", pid)
    after = usage(looker, parent.pid)
    assert zombie is not None
    assert before is not None
    assert after is not None
    assert zombie.cpu_s + zombie.dead_cpu_s == pytest.approx(truth["cpu"], abs=0.021)
    assert after.dead_cpu_s - before.dead_cpu_s == pytest.approx(truth["cpu"], abs=0.021)


def test_a_child_that_lost_its_parent_is_kept_with_the_new_one(looker: Looker, parent: Family):
    pid = parent.do("live", 60_000, 0)
    try:
        assert looker.watches(pid)
        parent.end()
        found = usage(looker, pid)
        assert found is not None
        assert found.ppid == psutil.Process(pid).ppid() != parent.pid
        assert not looker.watches(parent.pid)
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not looker.watches(pid), "its end")


def stat_files(pid: int) -> int:
    """How many descriptors of this process are that process's stat."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            found += os.readlink(link) == f"/proc/{pid}/stat"
        except OSError:  # the listing's own
            continue
    return found


def test_a_stat_file_is_kept_open_while_its_process_lives(looker: Looker, parent: Family):
    pid = parent.do("live", 60_000, 0)
    assert looker.watches(pid)
    assert stat_files(pid) == 1
    os.kill(pid, signal.SIGKILL)
    parent.do("reap", pid)
    looker.look()
    assert stat_files(pid) == 0


def test_the_box_is_counted_without_listing_it(looker: Looker, parent: Family):
    before = looker.look().cpu.processes
    pids = [parent.do("live", 60_000, 0) for _ in range(20)]
    after = looker.look().cpu.processes
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        parent.do("reap", pid)
    assert before is not None
    assert after is not None
    assert 10 <= after - before <= 60  # others come and go as well
