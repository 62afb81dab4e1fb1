"""The CPU's accounts: what was used is booked once, and to whom it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.world import World


@pytest.fixture
def world() -> World:
    w = World()
    w.supervisord()
    w.program("loop", "/bin/burn")
    w.program("calm", "/bin/calm")
    return w


def total(w: World) -> float:
    """Core-seconds booked to programs since the observation began."""
    return sum(p.cpu_s for p in w.snapshot.programs)


def test_a_whole_life_between_two_looks_is_charged_to_its_program(world):
    world.look()
    for _ in range(3):
        world.pass_(0.2)
        proc = world.spawn("loop")
        world.pass_(0.3)
        proc.cpu_s = 0.25
        world.end(proc, "loop", status=1)
    world.pass_(0.5)
    world.look()
    assert world.the("loop").cpu_s == pytest.approx(0.75)
    assert not world.the("loop").cpu_estimated
    assert world.the("loop").churn_pct == pytest.approx(100 * 0.75 / 2.0)


def test_missed_clocks_share_what_supervisord_reaped_and_say_so(world):
    world.look()
    for cpu in (0.2, 0.4):
        proc = world.spawn("loop")
        world.pass_(0.4)
        proc.cpu_s = cpu
        world.end(proc, "loop", status=1, told=False)
    world.pass_(0.5)
    world.look()
    assert world.the("loop").cpu_s == pytest.approx(0.6)
    assert world.the("loop").cpu_estimated


def test_a_long_lifes_missed_clock_is_not_laid_to_the_short_lives_beside_it(world):
    long = world.spawn("calm")
    long.cpu_s = 0.0
    world.look()
    world.pass_(1)
    long.cpu_s = 0.9
    world.look()
    short = world.spawn("loop")
    world.pass_(0.5)
    long.cpu_s, short.cpu_s = 1.0, 0.02
    world.end(short, "loop", status=1, told=False)
    world.end(long, "calm", status=1, told=False)
    world.pass_(0.5)
    world.look()
    assert world.the("calm").cpu_s == pytest.approx(0.96)
    assert world.the("loop").cpu_s == pytest.approx(0.06)
    assert world.the("calm").cpu_estimated
    assert world.the("loop").cpu_estimated


def test_a_life_across_looks_is_not_counted_twice(world):
    world.look()
    proc = world.spawn("loop")
    proc.cpu_s = 0.0
    for used in (0.3, 0.6, 0.9):
        world.pass_(1)
        proc.cpu_s = used
        world.look()
    world.pass_(0.5)
    proc.cpu_s = 1.0
    world.end(proc, "loop", status=1)
    world.pass_(0.5)
    world.look()
    assert world.the("loop").cpu_s == pytest.approx(1.0)


def test_reaped_grandchildren_stay_with_their_program(world):
    calm = world.spawn("calm", age=100)
    world.look()
    child = world.process("/bin/child", ppid=calm.pid, pgrp=calm.pid)
    child.cpu_s = 0.0
    world.pass_(1)
    child.cpu_s = 0.5
    world.look()
    del world.procs[child.pid]
    calm.dead_s += 0.7
    world.pass_(1)
    world.look()
    assert world.the("calm").cpu_s == pytest.approx(0.7)


def test_what_was_reaped_before_the_look_began_is_nobodys(world):
    own = world.procs[world.servers[0].key.pid]
    own.dead_s = 5000.0
    world.look()
    world.pass_(1)
    world.look()
    assert total(world) == 0
    assert world.snapshot.cpu.supervised_pct == 0


def test_busy_is_the_sum_of_its_parts(world):
    world.spawn("calm", age=100).cpu_s = 1.0
    world.look()
    world.loop("loop", 3, cpu=1.0)
    world.busy_s += 4.0
    world.pass_(1)
    world.look()
    cpu = world.snapshot.cpu
    assert cpu.busy_pct == pytest.approx(cpu.supervised_pct + cpu.churn_pct + cpu.other_pct)
    assert cpu.churn_pct == pytest.approx(sum(p.churn_pct for p in world.snapshot.programs))
    assert cpu.other_pct > 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 3.0),  # life
            st.floats(0.0, 2.0),  # CPU
            st.booleans(),  # a look in the middle
            st.booleans(),  # its clock was read at the exit
            st.sampled_from(["loop", "other-loop"]),
        ),
        max_size=12,
    )
)
def test_whatever_happens_the_programs_shares_add_up_to_what_was_used(lives):
    w = World()
    w.supervisord()
    w.program("loop", "/bin/burn")
    w.program("other-loop", "/bin/burn")
    w.look()
    used = 0.0
    for life, cpu, look, told, name in lives:
        proc = w.spawn(name)
        proc.cpu_s = 0.0
        w.pass_(life / 2)
        if look:
            proc.cpu_s = cpu / 2
            w.look()
        w.pass_(life / 2)
        proc.cpu_s = cpu
        used += cpu
        w.end(proc, name, status=1, told=told)
        if not look:
            w.look()
    for _ in range(4):
        w.pass_(1)
        w.look()
    assert total(w) == pytest.approx(used, abs=0.05 + 0.022 * len(lives))


@pytest.mark.parametrize("told", [True, False])
def test_expected_exits_that_burn_a_twentieth_of_a_core_are_churn_however_deaths_are_heard(told):
    w = World()
    w.supervisord()
    w.program("job", "/bin/job")
    w.program("cheap", "/bin/cheap")
    w.look()
    for _ in range(14):
        for name, cpu in (("job", 1.0), ("cheap", 0.05)):
            proc = w.spawn(name)
            proc.cpu_s = 0.0
            w.pass_(2.5)
            proc.cpu_s = cpu
            w.end(proc, name, status=0, expected=True, told=told)
            w.look()
    assert w.the("job").respawning and not w.the("job").periodic
    assert w.the("cheap").periodic and not w.the("cheap").respawning


def _grown(world, ppid: int, pgrp: int, cpu: float):
    """A child of a program that has used `cpu` for two looks."""
    child = world.process("/bin/child", ppid=ppid, pgrp=pgrp)
    child.cpu_s = 0.0
    world.look()
    world.pass_(1)
    child.cpu_s = cpu
    world.look()
    return child


def test_a_child_that_nobody_waits_for_keeps_what_it_used(world):
    calm = world.spawn("calm", age=100)
    world.look()
    child = _grown(world, calm.pid, calm.pid, 0.9)
    del world.procs[child.pid]  # its parent ignores SIGCHLD: the kernel charges nobody
    for _ in range(3):
        world.pass_(1)
        world.look()
        assert world.snapshot.cpu.supervised_pct >= 0
    assert world.the("calm").cpu_s == pytest.approx(0.9)


def test_a_group_that_is_killed_at_once_keeps_what_it_used(world):
    calm = world.spawn("calm", age=100)
    world.look()
    child = _grown(world, calm.pid, calm.pid, 0.9)
    del world.procs[child.pid]  # init reaps it, for its parent is dead
    world.end(calm, "calm", signal="SIGKILL")
    for _ in range(3):
        world.pass_(1)
        world.look()
    assert world.the("calm").cpu_s == pytest.approx(0.9)


def test_a_reaping_that_shows_a_look_later_is_booked_once(world):
    calm = world.spawn("calm", age=100)
    world.look()
    child = _grown(world, calm.pid, calm.pid, 0.9)
    del world.procs[child.pid]
    world.pass_(1)
    world.look()
    calm.dead_s += 1.0
    for _ in range(2):
        world.pass_(1)
        world.look()
    assert world.the("calm").cpu_s == pytest.approx(1.0)


def test_a_leader_whose_end_shows_before_it_is_reaped_is_no_negative_time(world):
    calm = world.spawn("calm", age=100)
    calm.cpu_s = 0.0
    world.look()
    world.pass_(1)
    calm.cpu_s = 0.9
    world.look()
    world.end(calm, "calm")
    server = world.procs[world.servers[0].key.pid]
    server.dead_s -= 0.9
    world.pass_(1)
    world.look()
    assert world.the("calm").cpu_s == pytest.approx(0.9)
    server.dead_s += 0.9
    world.pass_(1)
    world.look()
    assert world.the("calm").cpu_s == pytest.approx(0.9)


def test_a_clock_set_back_does_not_stretch_the_last_minute(world):
    calm = world.spawn("calm", age=100)
    for step in range(200):
        calm.cpu_s += 0.02
        if step == 20:
            world.pass_(-3600)
        world.pass_(1)
        world.look()
    pct = world.timeline._accounts.minute_pct(world.the("calm").id)
    assert pct == pytest.approx(2.0, abs=0.1)
