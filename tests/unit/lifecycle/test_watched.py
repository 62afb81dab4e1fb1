"""What is told of lives: heard, seen, or only missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.model.box import CpuTimes, Host
from beattop.model.lifecycle import Exec, Exit, Fork
from beattop.model.process import Process, ProcessKey, Usage
from beattop.sources.lifecycle.lastlook import LastLook, meaning
from beattop.sources.lifecycle.watched import Watched
from beattop.sources.proc import ProcessReading
from beattop.sources.proc.procfs import TICK_HZ, Procfs
from tests.unit.proc.fake import Fake, FakeProc

BOOT = 1000.0


def reading(at: float, *lives: tuple[int, int, float, str], boot: float = BOOT) -> ProcessReading:
    """A reading of (pid, ppid, started_at, state)."""
    processes, usage = [], []
    for pid, ppid, started_at, state in lives:
        key = ProcessKey(pid, round((started_at - boot) * TICK_HZ))
        processes.append(
            Process(
                key, ppid, pid, pid, 0, "root", "x", ("x",), "/", None, started_at, {}, None, pid, 1
            )
        )
        usage.append(Usage(key, ppid, pid, state, 0.0, 0.0, 0))
    cpu = CpuTimes(0.0, 0.0, 0.0, (0.0, 0.0, 0.0))
    return ProcessReading(
        at, tuple(processes), tuple(usage), cpu, Host("h", 1, boot, TICK_HZ), at - boot
    )


@pytest.fixture
def procfs(tmp_path: Path) -> Procfs:
    """A box on which nobody lives, so that last looks find nothing."""
    return Procfs(FakeProc(tmp_path / "proc").root)


@pytest.fixture
def watched(procfs: Procfs) -> Watched:
    """Watches process 10 since 1100."""
    one = Watched(procfs, patience=1)
    new, events = one.observe(reading(1100.0, (10, 1, 1050.0, "S")))
    assert [life.pid for life in new] == [10]
    assert events == ()  # it was there before anybody looked
    return one


def test_a_childs_whole_life(watched: Watched):
    assert watched.fork(11, 10, 1101.0, ns=5)
    watched.exec(11, 1101.1)
    look = LastLook(0.5, 0.25, 10_100, 73 << 8, False)
    assert watched.exit(11, 1103.0, 73 << 8, look, 10)
    assert watched.take() == (
        Fork(1101.0, 11, 10),
        Exec(1101.1, 11),
        Exit(1103.0, 11, 10, 10_100, 1101.0, 73, None, 0.75),
    )
    assert watched.take() == ()


def test_descendants_are_watched_and_strangers_are_not(watched: Watched):
    assert watched.fork(11, 10, 1101.0, ns=5)
    assert watched.fork(12, 11, 1101.5, ns=6)
    assert not watched.fork(21, 20, 1101.6, ns=7)
    watched.exec(21, 1101.7)
    assert not watched.exit(21, 1102.0, 0, None)
    assert [event.pid for event in watched.take()] == [11, 12]


def test_cpu_is_unknown_where_a_part_of_it_is(watched: Watched):
    for pid, forks, look in (
        (11, False, LastLook(0.5, None, None, None, False)),  # reaped between clock and stat
        (12, True, LastLook(0.5, None, None, None, False)),  # and it may have had children
        (13, False, LastLook(None, None, None, None, False)),
    ):
        watched.fork(pid, 10, 1101.0, ns=pid)
        if forks:
            watched.fork(99, pid, 1101.5, ns=99)
        watched.exit(pid, 1102.0, 0, look)
    exits = [event for event in watched.take() if isinstance(event, Exit)]
    assert [event.cpu_s for event in exits] == [0.5, None, None]


def test_a_birth_heard_twice_is_one(watched: Watched):
    watched.fork(11, 10, 1101.0)  # from a children file
    watched.fork(11, 10, 1100.99, ns=5)
    watched.observe(reading(1102.0, (10, 1, 1050.0, "S"), (11, 10, 1100.99, "S")))
    watched.fork(11, 10, 1100.99, ns=5)
    assert watched.take() == (Fork(1101.0, 11, 10),)


def test_a_pid_that_comes_round_ends_the_life_before(watched: Watched):
    watched.fork(11, 10, 1101.0, ns=5)
    watched.fork(11, 10, 1109.0, ns=6)
    fork, ended, again = watched.take()
    assert isinstance(ended, Exit)
    assert (ended.pid, ended.status, ended.signal, ended.cpu_s) == (11, None, None, None)
    assert (fork.at, again.at) == (1101.0, 1109.0)


def test_a_clock_set_back_hides_neither_a_death_nor_a_birth(watched: Watched):
    watched.fork(11, 10, 1101.0, ns=101_000_000_000)
    watched.take()
    # The hour of summer time, as those do whose clock shows local time.
    boot, after = BOOT - 3600.0, 1102.0 - 3600.0
    born = (12, 10, 1101.5 - 3600.0, "S")
    old = (10, 1, 1050.0 - 3600.0, "S")
    (birth,) = watched.observe(reading(after, old, born, boot=boot))[1]
    assert isinstance(birth, Fork) and birth.pid == 12
    (ended,) = watched.observe(reading(after + 1, old, born, boot=boot))[1]
    assert isinstance(ended, Exit)
    assert (ended.pid, ended.started_at, ended.at) == (11, 1101.0 - 3600.0, after + 0.5)
    watched.exit(12, after + 1.1, 0, None)
    # Its pid comes round within seconds: by the clock of before it would end in the future.
    again = (12, 10, after + 1.9, "S")
    assert [e.pid for e in watched.observe(reading(after + 2, old, again, boot=boot))[1]] == [12]


def test_whose_children_are_most_wanted_comes_first(procfs: Procfs):
    one = Watched(procfs, patience=1)
    workers = [(n, 1, 1050.0, "S") for n in range(100, 110)]
    pool = [(n, 105, 1060.0, "S") for n in (200, 201)]
    found = reading(1100.0, *workers, *pool, (300, 1, 1070.0, "S"), (301, 1, 1070.0, "S"))
    one.observe(replace(found, supervisords=frozenset({301})))
    one.fork(400, 107, 1101.0, ns=5)
    one.exit(400, 1101.1, 0, None)
    assert one.by_promise(5)[:3] == [301, 105, 107]
    assert sorted(one.by_promise(5)) == sorted(one.by_promise(500))


def test_an_end_heard_after_the_reading_was_taken_is_not_undone(watched: Watched):
    watched.fork(11, 10, 1101.0)
    watched.exit(11, 1102.005, 0, None)
    new, events = watched.observe(reading(1102.0, (10, 1, 1050.0, "S"), (11, 10, 1101.0, "S")))
    assert (new, events) == ([], ())
    assert 11 not in watched.lives


def test_who_is_missed_twice_has_ended_unheard(watched: Watched):
    watched.fork(11, 10, 1101.0, ns=5)
    watched.take()
    assert watched.observe(reading(1102.0, (10, 1, 1050.0, "S")))[1] == ()
    (ended,) = watched.observe(reading(1103.0, (10, 1, 1050.0, "S")))[1]
    assert isinstance(ended, Exit)
    assert (ended.pid, ended.ppid, ended.at, ended.status) == (11, 10, 1102.5, None)


def test_a_birth_unheard_is_told_by_the_reading(watched: Watched):
    new, events = watched.observe(
        reading(1101.0, (10, 1, 1050.0, "S"), (11, 10, 1100.5, "S"), (12, 1, 1060.0, "S"))
    )
    assert [life.pid for life in new] == [11, 12]
    assert events == (Fork(1100.5, 11, 10),)  # 12 is old, and only now of interest


def test_with_no_patience_a_zombie_is_an_end_with_its_status(tmp_path: Path):
    box = FakeProc(tmp_path / "p")
    one = Watched(Procfs(box.root), patience=0)
    one.observe(reading(1100.0, (10, 1, 1050.0, "S"), (11, 10, 1060.0, "S")))
    box.add(Fake(11, 10, (), state="Z", start=60 * TICK_HZ, dead=3 * TICK_HZ))
    _, events = one.observe(reading(1102.0, (10, 1, 1050.0, "S"), (11, 10, 1060.0, "Z")))
    (ended,) = events
    assert isinstance(ended, Exit)
    assert (ended.pid, ended.at, ended.start_ticks) == (11, 1101.0, 60 * TICK_HZ)
    assert one.observe(reading(1103.0, (10, 1, 1050.0, "S"), (11, 10, 1060.0, "Z")))[1] == ()


def test_who_lives_though_the_reading_lacks_it_is_kept(tmp_path: Path):
    box = FakeProc(tmp_path / "p")
    one = Watched(Procfs(box.root), patience=0)
    one.observe(reading(1100.0, (10, 1, 1050.0, "S")))
    box.add(Fake(10, 1, ("x",), start=50 * TICK_HZ))
    assert one.observe(reading(1101.0))[1] == ()
    box.remove(10)
    assert [event.pid for event in one.observe(reading(1102.0))[1]] == [10]


@pytest.mark.parametrize(
    ("wait_status", "told"),
    [
        (None, (None, None)),
        (0, (0, None)),
        (73 << 8, (73, None)),
        (255 << 8, (255, None)),
        (9, (None, "SIGKILL")),
        (11 | 0x80, (None, "SIGSEGV")),
        (34, (None, "SIGRTMIN")),
        (36, (None, "SIGRTMIN+2")),
        (32, (None, "signal 32")),
    ],
)
def test_the_meaning_of_a_wait_status(wait_status, told):
    assert meaning(wait_status) == told
