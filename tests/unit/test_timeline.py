"""What is remembered from sample to sample: clocks set back, names of two groups, no log."""

from __future__ import annotations

import pytest

from beattop.feeds.frames import Frames
from beattop.model.respawn import judge
from tests.unit.world import BOOT, URL, World


def test_a_clock_that_is_set_back_does_not_blind() -> None:
    world = World(window_s=3.0)
    world.supervisord()
    world.program("beat", "celery -A p beat")
    world.loop("beat", 6)
    assert world.the("beat").respawning
    world.now -= 3600
    world.loop("beat", 4)
    beat, snapshot = world.the("beat"), world.snapshot
    assert snapshot is not None and snapshot.observed_s >= 0
    assert beat.respawning and beat.spawns_per_min is not None
    worker = world.process("celery -A p worker", age=10.0)
    for _ in range(5):
        world.pass_(1.0)
        worker.cpu_s += 0.5
        world.look()
    assert world.snapshot is not None
    (found,) = world.snapshot.unmanaged
    assert round(found.cpu_pct or 0.0) == 50
    assert len(world.timeline._accounts._rings) <= 5


def clocked(**more) -> World:
    world = World(window_s=3.0, boot=BOOT, **more)
    world.supervisord()
    world.program("beat", "celery -A p beat")
    world.program("calm", "celery -A p worker")
    return world


@pytest.mark.parametrize("by", [-7200.0, -30.0, 30.0, 7200.0])
def test_a_clock_that_is_set_stretches_no_interval(by: float) -> None:
    world = clocked()
    calm = world.spawn("calm", age=100.0)
    for second in range(12):
        calm.cpu_s += 0.5
        world.pass_(1.0)
        if second == 6:
            world.set_clock(by)
        world.look()
        if second:
            assert world.the("calm").cpu_pct == pytest.approx(50.0)
            assert world.the("calm").members[0].cpu_pct == pytest.approx(50.0)
    assert world.snapshot is not None and world.snapshot.observed_s == pytest.approx(11.0)


@pytest.mark.parametrize("by", [-7200.0, -30.0, 30.0, 7200.0])
def test_a_clock_that_is_set_ends_no_loop_and_makes_none(by: float) -> None:
    world = clocked()
    world.spawn("calm", age=100.0)
    world.loop("beat", 4)
    since = world.the("beat").loop_since_at
    last = world.spawn("beat")
    world.pass_(1.0)
    world.look()
    world.pass_(0.5)
    world.end(last, "beat", status=73)  # written before the clock was set, read after it
    world.pass_(0.2)
    world.set_clock(by)
    world.look()
    beat = world.the("beat")
    assert beat.respawning and not world.the("calm").respawning
    assert [round(life.lifetime_s or 0, 1) for life in beat.lives] == [2.2, 2.2, 2.2, 2.2, 1.5]
    assert beat.spawns_per_min == pytest.approx(60 / 2.7)
    assert beat.last_exit is not None and world.now - beat.last_exit.at == pytest.approx(0.2)
    assert beat.loop_since_at == since, "as the log has it"
    world.spawn("beat")
    for _ in range(20):
        world.pass_(1.0)
        world.look()
    assert world.the("beat").recovered and not world.the("beat").respawning


def test_a_log_of_a_clock_that_was_in_the_future_keeps_no_loop_alive() -> None:
    world = clocked()
    world.pass_(86400.0)
    world.loop("beat", 4)
    world.spawn("beat")
    world.look()
    # Set back before anybody looked: the log's last life began tomorrow.
    lives = world.the("beat").lives
    assert lives[-1].ended_at is None
    loop = judge(lives, 1.0, world.now - 86400.0 + 60.0, uptime_s=60.0)
    assert not loop.respawning
    assert not judge(lives, 1.0, world.now - 86400.0 + 60.0).respawning
    assert judge(lives, 1.0, world.now + 1.0, uptime_s=1.0).respawning


def test_a_loop_of_a_group_without_a_log_is_seen_before_supervisord_is_asked_again() -> None:
    world = World(window_s=3.0, logged=False)
    world.supervisord()
    world.program("n", "celery -A p beat", group="g", state="STOPPED")
    asked = dict(world.states)
    world.look()
    for _ in range(4):
        proc = world.spawn("n", group="g")
        world.states = dict(asked)
        world.pass_(1.1)
        world.look()
        world.end(proc, "n", status=73)
        world.look()
        world.pass_(0.2)
    assert world.the("g:n").respawning


def test_events_of_one_name_in_two_groups_are_told_once_and_of_nobody_else() -> None:
    world = World()
    world.supervisord()
    frames = Frames(3.0)
    for group in ("g1", "g2"):
        world.program("celery", f"celery -A {group} worker", group=group)
    first = world.spawn("celery", group="g1")
    world.spawn("celery", group="g2")
    world.look()
    frames.add(world.sample)
    world.pass_(1.0)
    world.end(first, "celery", status=1)
    world.look()
    told = [e for e in frames.add(world.sample).events if e.kind in ("spawned", "exited")]
    assert [e.kind for e in told] == ["spawned", "spawned", "exited"]
    assert {e.program for e in told} == {None}


def test_the_log_tells_whose_left_over_a_group_without_a_leader_is() -> None:
    world = World()
    world.supervisord()
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    for server, name in ((world.servers[0], "worker"), (other, "beat")):
        world.program(name, f"celery -A p {name}", server=server)
    world.pass_(-100.0)
    world.log("spawned", "worker", pid=400)
    world.log("spawned", "beat", server=other, pid=500)
    world.pass_(1.0)
    world.log("exited", "beat", server=other, status=0, expected=True)
    world.pass_(99.0)
    # setproctitle has wiped its environment, and its shell is long dead.
    world.process("celery -A p beat", age=99.5, pgrp=500)
    world.process("celery -A q beat", age=99.5, pgrp=501)
    world.look()
    assert world.snapshot is not None
    assert {(u.member.process.pgrp, u.origin, u.was) for u in world.snapshot.unmanaged} == {
        (500, "orphan", "beat"),
        (501, "foreign", None),
    }


def test_a_supervisord_that_is_known_by_a_better_name_leaves_no_programs_under_the_old() -> None:
    world = World()
    world.supervisord("conf:/etc/supervisord.conf")
    world.program("beat", "celery -A proj beat")
    world.look()
    world.loop("beat", 2)
    world.look()
    assert world.snapshot is not None
    assert len(world.snapshot.programs) == 1
    world.servers.clear()
    world.states.clear()
    world.configs.clear()
    world.supervisord()
    world.program("beat", "celery -A proj beat")
    world.look()
    assert [p.id.supervisor for p in world.snapshot.programs] == [URL]
