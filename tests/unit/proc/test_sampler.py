"""The sampler on a made-up box: who is watched, and what is told of them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from beattop.model.process import Process, ProcessKey, Usage
from beattop.sources.proc import ProcessReading, Sampler
from beattop.sources.proc.facts import ENV_NAMES
from beattop.sources.proc.procfs import TICK_HZ
from tests.unit.proc.fake import Fake, FakeProc

SUPERVISORD = ("/usr/bin/python3", "/usr/bin/supervisord", "-n", "-c", "/etc/s.conf")
Make = Callable[[], Sampler]


def pids(reading: ProcessReading) -> set[int]:
    return {process.pid for process in reading.processes}


def process(reading: ProcessReading, pid: int) -> Process:
    return next(p for p in reading.processes if p.pid == pid)


def usage(reading: ProcessReading, pid: int) -> Usage:
    return next(u for u in reading.usage if u.key.pid == pid)


# Who is watched


@pytest.mark.parametrize(
    "argv",
    [
        ("/usr/bin/python3", "/usr/bin/supervisord", "-n"),
        ("python", "-m", "supervisor.supervisord"),
        ("python3.11", "-u", "-W", "ignore", "/opt/app/supervisord"),
        ("supervisord",),
    ],
)
def test_a_supervisord_is_watched_with_its_whole_tree(box: FakeProc, sampler: Make, argv):
    box.add(Fake(10, 1, argv))
    box.add(Fake(11, 10, ("sh", "-c", "sleep 9; true"), "sh"))
    box.add(Fake(12, 11, ("sleep", "9"), "sleep", pgrp=11))
    box.add(Fake(20, 1, ("sleep", "9"), "sleep"))
    assert pids(sampler().sample(5.0)) == {10, 11, 12}


def test_a_foreign_celery_knows_the_runner_above_it(box: FakeProc, sampler: Make):
    beat = ("/usr/bin/python3", "/v/bin/celery", "-A", "p", "beat")
    box.add(Fake(9, 1, ("bash",), "bash"))
    box.add(Fake(10, 9, ("/usr/bin/python3", "/usr/bin/honcho", "start"), "honcho"))
    box.add(Fake(11, 10, ("/bin/sh", "-c", "true; sleep 9"), "sh"))
    box.add(Fake(12, 11, beat, "celery"))
    box.add(Fake(20, 9, beat, "celery"))
    found = sampler().sample(5.0)
    assert pids(found) == {12, 20}
    assert [process(found, pid).runner for pid in (12, 20)] == ["honcho", None]


@pytest.mark.parametrize(
    "argv", [("vim", "/etc/supervisord"), ("tail", "-f", "supervisord.log"), ("supervisorctl",)]
)
def test_what_only_mentions_supervisord_is_not(box: FakeProc, sampler: Make, argv):
    box.add(Fake(10, 1, argv))
    assert pids(sampler().sample(5.0)) == set()


def test_celery_outside_any_supervisord_is_watched_with_its_children(box: FakeProc, sampler: Make):
    box.add(Fake(30, 1, ("python", "-m", "celery", "worker")))
    box.add(Fake(31, 30, ("whatever",)))
    assert pids(sampler().sample(5.0)) == {30, 31}


def test_a_left_over_is_known_by_its_environment(box: FakeProc, sampler: Make):
    box.add(Fake(40, 1, ("sleep", "9"), env=("SUPERVISOR_ENABLED=1", "HOME=/")))
    box.add(Fake(41, 40, ("sleep", "8"), pgrp=40))
    # The shell that led the group is dead: the orphan is a member of a group without a leader.
    box.add(Fake(43, 1, ("sleep", "7"), pgrp=42, env=("SUPERVISOR_PROCESS_NAME=beat",)))
    box.add(Fake(44, 1, ("sleep", "6"), env=("SUPERVISORS=1",)))
    assert pids(sampler().sample(5.0)) == {40, 41, 43}


def test_a_left_over_is_known_by_its_group(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, SUPERVISORD))
    box.add(Fake(11, 10, ("sh", "run.sh"), "sh", pgrp=11))
    looker = sampler()
    assert pids(looker.sample(5.0)) == {10, 11}
    # A grandchild that nobody saw while its parent lived, its environment wiped by setproctitle.
    box.add(Fake(12, 1, ("a title",), pgrp=11, start=1500))
    assert pids(looker.sample(6.0)) == {10, 11, 12}
    box.remove(11)
    assert pids(looker.sample(7.0)) == {10, 12}
    # The last of the group gone, its number is anybody's again.
    box.remove(12)
    looker.sample(8.0)
    box.add(Fake(13, 1, ("sleep", "9"), pgrp=11, start=1600))
    assert pids(looker.sample(9.0)) == {10}


def test_an_orphan_stays_watched_when_its_supervisord_dies(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, SUPERVISORD))
    box.add(Fake(11, 10, ("sleep", "9")))
    looker = sampler()
    looker.sample(5.0)
    box.remove(10)
    box.change(11, ppid=1)
    reading = looker.sample(6.0)
    assert pids(reading) == {11}
    assert usage(reading, 11).ppid == process(reading, 11).ppid == 1


def test_births_and_execs_are_met_without_a_listing(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, SUPERVISORD))
    box.add(Fake(50, 1, ("bash",)))
    looker = sampler()
    looker.sample(5.0)
    # Told of by the kernel though its parent, a daemon's first half, is gone already.
    box.add(Fake(60, 1, ("sleep", "9")))
    box.add(Fake(50, 1, ("celery", "beat")))
    assert pids(looker.sample(6.0, births=[60, 99], execs=[50, 98])) == {10, 50, 60}


def test_a_stranger_that_becomes_celery_unheard_is_found_in_the_end(box: FakeProc, sampler: Make):
    box.add(Fake(50, 1, ("bash",)))
    looker = sampler()
    looker.sample(5.0)
    box.add(Fake(50, 1, ("celery", "beat")))
    assert any(pids(looker.sample(6.0 + n)) == {50} for n in range(10))


def test_a_rescan_looks_at_everyone_again(box: FakeProc, sampler: Make):
    for pid in range(100, 200):
        box.add(Fake(pid, 1, ("bash",)))
    looker = sampler()
    looker.sample(5.0)
    box.add(Fake(100, 1, ("celery", "beat")))
    box.add(Fake(199, 1, ("celery", "beat")))
    assert pids(looker.sample(20.0, rescan=True)) == {100, 199}


# What is told


def test_facts(box: FakeProc, sampler: Make):
    box.add(
        Fake(
            10,
            1,
            ("celery", "-b", "redis://me:geheim@h/0", "beat\x1b[2J"),
            "cel)ery",
            pgrp=9,
            start=2 * TICK_HZ,
            uid=os.getuid(),
            env=("CELERY_BROKER_URL=amqp://u:geheim@h//", "SECRET_KEY=geheim", "PYTHONPATH=/srv"),
            ns_pids=(7,),
            cgroup="2:cpu:/x\n0::/system.slice/celery.service\n",
        )
    )
    one = process(sampler().sample(5.0), 10)
    assert one.key == ProcessKey(10, 2 * TICK_HZ)
    assert one.started_at == 1700000000.0 + 2
    assert (one.ppid, one.pgrp, one.session, one.uid) == (1, 9, 9, os.getuid())
    assert one.user
    assert one.comm == "cel)ery"
    assert one.argv == ("celery", "-b", "redis://me:**@h/0", "beat")
    assert one.env == {"CELERY_BROKER_URL": "amqp://u:**@h//", "PYTHONPATH": "/srv"}
    assert (one.cwd, one.exe) == ("/srv", "/usr/bin/python3")
    assert one.cgroup == "/system.slice/celery.service"
    assert (one.ns_pid, one.pid_ns) == (7, 4026531836)


def test_only_listed_names_of_an_environment_are_kept(box: FakeProc, sampler: Make):
    pairs = [f"{name}=v" for name in ENV_NAMES] + [
        "AWS_SECRET_ACCESS_KEY=v",
        "PATH=v",
        "junk",
        "SHOP_TENANT=v",
    ]
    box.add(Fake(10, 1, ("celery", "beat"), env=tuple(pairs)))
    assert set(process(sampler().sample(5.0), 10).env or ()) == ENV_NAMES | {"SHOP_TENANT"}


def test_what_may_not_be_read_is_none(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, ("celery", "beat"), env=None, pid_ns=None))
    for name in ("cwd", "exe", "cgroup"):
        (box.root / "10" / name).unlink()
    looker = sampler()
    one = process(looker.sample(5.0), 10)
    assert one.env is None
    assert one.pid_ns is None
    assert one.cgroup is None
    assert not one.cwd
    assert looker.status().status == "ok"
    assert "environment of 1 of 1" in looker.status().detail


def test_a_title_has_one_word(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, ("[celery beat] -A p", "", "", "")))
    assert process(sampler().sample(5.0), 10).argv == ("[celery beat] -A p",)


def test_an_exec_is_read_anew_and_a_zombie_keeps_its_name(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, SUPERVISORD))
    box.add(Fake(11, 10, SUPERVISORD))  # forked, not yet execed
    looker = sampler()
    assert process(looker.sample(5.0), 11).argv == SUPERVISORD
    box.add(Fake(11, 10, ("celery", "beat"), "celery"))
    assert process(looker.sample(6.0, execs=[11]), 11).argv == ("celery", "beat")
    box.add(Fake(11, 10, (), "celery", state="Z"))
    reading = looker.sample(7.0)
    assert process(reading, 11).argv == ("celery", "beat")
    assert usage(reading, 11).state == "Z"


def test_counters(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, ("celery", "beat"), cpu=5 * TICK_HZ, dead=2 * TICK_HZ, rss=3))
    looker = sampler()
    first = usage(looker.sample(5.0), 10)
    assert (first.cpu_s, first.dead_cpu_s) == (5.0, 2.0)
    assert first.rss_bytes == 3 * os.sysconf("SC_PAGE_SIZE")
    box.change(10, cpu=6 * TICK_HZ, dead=4 * TICK_HZ, state="R", pgrp=9)
    reading = looker.sample(6.0)
    second = usage(reading, 10)
    assert (second.cpu_s, second.dead_cpu_s, second.state, second.pgrp) == (6.0, 4.0, "R", 9)
    assert [u.key for u in reading.usage] == [p.key for p in reading.processes]
    assert reading.at == 6.0


def test_a_pid_that_comes_round_again_is_another_process(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, SUPERVISORD))
    box.add(Fake(11, 10, ("celery", "beat"), start=1000))
    looker = sampler()
    looker.sample(5.0)
    box.add(Fake(11, 10, ("celery", "worker"), start=2000))
    keys = {p.key for n in range(4) for p in looker.sample(6.0 + n).processes if n == 3}
    assert keys == {ProcessKey(10, 1000), ProcessKey(11, 2000)}


def test_a_process_that_vanishes_while_it_is_read_is_left_out(box: FakeProc, sampler: Make):
    box.add(Fake(10, 1, ("celery", "beat")))
    box.add(Fake(11, 1, ("celery", "beat")))
    (box.root / "11" / "stat").unlink()
    assert pids(sampler().sample(5.0)) == {10}


def test_without_a_proc_there_is_no_sampler(tmp_path):
    with pytest.raises(OSError, match="stat"):
        Sampler(lambda _: False, tmp_path / "none")
