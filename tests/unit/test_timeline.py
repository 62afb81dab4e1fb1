"""What is remembered from sample to sample: clocks set back, names of two groups, no log."""

from __future__ import annotations

from beattop.feeds.frames import Frames
from tests.unit.world import URL, World


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
