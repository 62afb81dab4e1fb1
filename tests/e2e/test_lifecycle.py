"""Real children of a real parent: what each source hears of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TextIO

import pytest

from beattop.model.lifecycle import Exec, Exit, Fork
from beattop.sources.lifecycle import Lifecycle, Mode, choose
from beattop.sources.lifecycle.pidfd import open_pidfd, wait_status
from tests.e2e.family import Family, Looker, family
from tests.e2e.waiting import wait_until

NOBODY = 65534


def chosen(mode: Mode) -> Lifecycle:
    source = choose(mode)
    if mode == "connector" and not source.status().detail.startswith("A"):
        source.close()
        pytest.skip(f"SKIPPED ALOUD: {source.status().detail}")
    return source


@pytest.fixture
def parent() -> Iterator[Family]:
    with family() as one:
        yield one


@pytest.fixture
def looker(parent: Family, request: pytest.FixtureRequest) -> Iterator[Looker]:
    with closing(Looker(chosen(getattr(request, "param", "connector")), parent.mark)) as one:
        wait_until(lambda: one.watches(parent.pid), "the parent to be watched")
        yield one


def in_mode(mode: Mode) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("looker", [mode], indirect=True, ids=[mode])


def hears_all(looker: Looker, truth: list[tuple[int, int]]) -> None:
    """Every one of (pid, wait status) was born and ended once, and with its status."""

    def ended() -> bool:
        looker.look()
        return all(looker.exits(pid) for pid, _ in truth)

    wait_until(ended, "every exit to be heard")
    for pid, status in truth:
        assert len(looker.of(Fork, pid)) == 1, looker.events
        (exit_,) = looker.exits(pid)
        assert (exit_.status, exit_.signal) == (os.waitstatus_to_exitcode(status), None)
        assert exit_.started_at is not None
        assert exit_.started_at <= exit_.at


# Step A


@pytest.mark.parametrize(("count", "ms"), [(30, 2), (10, 20)])
def test_no_life_is_too_short(looker: Looker, parent: Family, count, ms):
    truth = parent.do("lives", count, ms, "live")
    hears_all(looker, truth)
    for pid, _ in truth:
        (exit_,) = looker.exits(pid)
        assert exit_.ppid == parent.pid
        assert exit_.at - exit_.started_at >= ms / 1000


def test_nor_that_of_a_grandchild_born_at_once(looker: Looker, parent: Family):
    truth = parent.do("lives", 20, 2, "nest")
    hears_all(looker, truth)
    wait_until(
        lambda: looker.look() and all(life_of_grandchildren(looker, pid) for pid, _ in truth),
        "the grandchildren",
    )
    for n, (pid, _) in enumerate(truth):
        (grandchild,) = life_of_grandchildren(looker, pid)
        (exit_,) = looker.exits(grandchild)
        assert exit_.status == n % 100


def life_of_grandchildren(looker: Looker, pid: int) -> list[int]:
    forks = [e.pid for e in looker.events if isinstance(e, Fork) and e.ppid == pid]
    return [one for one in forks if looker.exits(one)]


def test_an_ordinary_user_hears_as_much(parent: Family):
    if os.geteuid():
        pytest.skip("SKIPPED ALOUD: all these tests run as an ordinary user already")
    choose("connector").close()  # all that it imports is there before the privileges go
    said, say = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            with os.fdopen(say, "w") as out:
                as_nobody(parent, out)
        finally:
            os._exit(0)
    os.close(say)
    with os.fdopen(said) as answers:
        status = answers.readline()
        truth = parent.do("lives", 20, 2, "live") if status.startswith("A") else []
        os.kill(pid, signal.SIGUSR1)
        heard = answers.read()
    os.waitpid(pid, 0)
    if not truth:
        pytest.skip(f"SKIPPED ALOUD: {status}")
    # Whatever else is supervised on this box is heard too.
    own = [[pid, code] for pid, code in json.loads(heard) if pid in dict(truth)]
    assert own == [[p, os.waitstatus_to_exitcode(s)] for p, s in truth]


def as_nobody(parent: Family, out: TextIO) -> None:
    """Says how it listens, listens until told to stop, and says what it heard."""
    told = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: told.set())
    with closing(Looker(choose("connector"), parent.mark)) as looker:
        wait_until(lambda: looker.watches(parent.pid), "the parent to be watched")
        print(looker.source.status().detail, file=out, flush=True)
        wait_until(told.is_set, "the children to be over")
        looker.look()
    exits = [e for e in looker.events if isinstance(e, Exit)]
    print(json.dumps([[e.pid, e.status] for e in exits]), file=out, flush=True)


def test_a_killed_child_and_an_early_wake(parent: Family):
    woken = threading.Event()
    source = choose("connector", woken.set)
    with closing(Looker(source, parent.mark)) as looker:
        if not source.status().detail.startswith("A"):
            pytest.skip(f"SKIPPED ALOUD: {source.status().detail}")
        wait_until(lambda: looker.watches(parent.pid), "the parent")
        pid = parent.do("live", 60_000, 0)
        wait_until(lambda: looker.watches(pid), "the child")
        os.kill(pid, signal.SIGKILL)
        assert woken.wait(10)
        wait_until(lambda: looker.look() and looker.exits(pid), "its end")
        (exit_,) = looker.exits(pid)
        assert (exit_.status, exit_.signal) == (None, "SIGKILL")
        parent.do("reap", pid)


def test_the_cpu_of_the_dead(looker: Looker, parent: Family):
    pid = parent.do("work", 0.06, 0.04)
    wait_until(lambda: looker.look() and looker.exits(pid), "its end")
    (exit_,) = looker.exits(pid)
    truth = parent.do("reap", pid)
    # Its child's part is known to a clock tick or two.
    assert exit_.cpu_s == pytest.approx(truth["cpu"], abs=0.021)


def test_a_process_of_many_threads_ends_once(looker: Looker, parent: Family):
    pid = parent.do("threads", 42)
    wait_until(lambda: looker.look() and looker.exits(pid), "its end")
    parent.do("reap", pid)
    looker.look()
    (exit_,) = looker.exits(pid)
    assert exit_.status == 42


def test_the_cpu_of_many_threads_is_known_though_they_are_reaped_at_once(
    looker: Looker, parent: Family
):
    # Its first thread ends before the others: until they have, it is no zombie to be read.
    truth = parent.do("lives", 20, 20, "crowd")
    hears_all(looker, truth)
    # A box that stalls may miss a few; without the last living look nearly all were missed.
    known = sum(looker.exits(pid)[0].cpu_s is not None for pid, _ in truth)
    assert known >= 0.8 * len(truth)


@pytest.mark.parametrize("ms", [200, 1500])
def test_a_first_thread_that_ends_alone_does_not_give_its_status_to_the_process(
    looker: Looker, parent: Family, ms: int
):
    if no_status_is_told():
        pytest.skip("SKIPPED ALOUD: this kernel tells no status of a reaped process (< 6.15)")
    hears_all(looker, [parent.do("at once", "alone", ms, 73)])


def no_status_is_told() -> bool:
    with subprocess.Popen(["/bin/true"]) as one:
        fd = open_pidfd(one.pid)
        one.wait()
    assert fd is not None
    try:
        return wait_status(fd) is None
    finally:
        os.close(fd)


def test_an_exec_from_a_thread_is_no_end(looker: Looker, parent: Family):
    # The kernel tells of the leader's exit: the thread takes its place.
    pid = parent.do("exec", ["/bin/sleep", "61"])
    try:
        wait_until(lambda: looker.look() and looker.of(Exec, pid), "the exec")
        wait_until(
            lambda: any(p.argv == ("/bin/sleep", "61") for p in looker.look().processes),
            "its new command line",
        )
        assert looker.exits(pid) == []
    finally:
        os.kill(pid, signal.SIGKILL)
    parent.do("reap", pid)
    wait_until(lambda: looker.look() and looker.exits(pid), "its end")
    assert len(looker.exits(pid)) == 1


def test_execs_of_the_whole_box_are_passed_on(looker: Looker):
    stranger = subprocess.Popen(["/bin/sleep", "60"])
    try:
        wait_until(lambda: looker.look() and stranger.pid in looker.execs, "the exec")
        assert not looker.watches(stranger.pid)
        assert looker.of(Exec, stranger.pid) == []
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.long
def test_a_fork_storm_hides_no_child(looker: Looker, parent: Family):
    storm = subprocess.Popen(
        [
            sys.executable,
            "-S",
            "-c",
            "import os\nwhile True: os.waitpid(os.fork() or os._exit(0), 0)",
        ]
    )
    try:
        wait_until(
            lambda: looker.look() and "storm" in looker.source.status().detail, "a fork storm"
        )
        hears_all(looker, parent.do("lives", 30, 2, "live"))
        wait_until(
            lambda: looker.look() and any(drops.unheard_forks for drops in looker.drops),
            "the strangers' forks to be counted",
        )
        assert looker.source.status().status == "degraded"
    finally:
        storm.kill()
        storm.wait()
    wait_until(lambda: looker.look() and "storm:" not in looker.source.status().detail, "calm")


# Steps B and C


@in_mode("log")
def test_with_pidfds_a_death_is_seen_at_once_with_its_status(looker: Looker, parent: Family):
    assert looker.source.status().detail.startswith("B")
    pid = parent.do("live", 600, 73)
    wait_until(lambda: looker.look() and looker.of(Fork, pid), "its birth")
    wait_until(lambda: looker.look() and looker.exits(pid), "its end")
    parent.do("reap", pid)
    (exit_,) = looker.exits(pid)
    assert exit_.status == 73
    assert exit_.cpu_s is not None
    assert exit_.at - exit_.started_at >= 0.6


@in_mode("poll")
def test_polling_sees_who_lives_at_a_sample(looker: Looker, parent: Family):
    assert looker.source.status().detail.startswith("C")
    assert looker.source.status().status == "degraded"
    pid = parent.do("live", 60_000, 0)
    wait_until(lambda: looker.look() and looker.of(Fork, pid), "its birth")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: looker.look() and looker.exits(pid), "its end")
    parent.do("reap", pid)
    looker.look()
    (exit_,) = looker.exits(pid)
    assert exit_.signal == "SIGKILL"  # it lay there as a zombie


@in_mode("poll")
def test_polling_without_a_zombie_knows_no_status(looker: Looker, parent: Family):
    pid = parent.do("live", 60_000, 0)
    wait_until(lambda: looker.watches(pid), "the child")
    os.kill(pid, signal.SIGKILL)
    parent.do("reap", pid)
    wait_until(lambda: looker.look() and looker.exits(pid), "its end")
    (exit_,) = looker.exits(pid)
    assert (exit_.status, exit_.signal, exit_.cpu_s) == (None, None, None)
    assert exit_.started_at <= exit_.at <= time.time()


def test_a_source_ends_its_thread():
    for mode in ("connector", "log", "poll"):
        before = threading.active_count()
        source = choose(mode)
        source.close()
        source.close()
        assert threading.active_count() == before
