"""One bare name in two groups: the log's lines find their program all the same."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")


@pytest.fixture
def world() -> World:
    w = World()
    w.supervisord()
    w.program("00", BEAT, group="beat")
    w.program("00", WORKER, group="worker")
    return w


def lives(w: World, group: str, times: int, looks: bool) -> None:
    for _ in range(times):
        proc = w.spawn("00", group=group)
        w.pass_(0.2)
        if looks:
            w.look()
        w.end(proc, "00", status=1)
        w.pass_(0.3)
        if looks:
            w.look()
    w.look()


@pytest.mark.parametrize("looks", [True, False])
def test_a_loop_beside_a_steady_namesake(world, looks):
    worker = world.spawn("00", group="worker", age=500)
    world.look()
    world.pass_(1)
    lives(world, "beat", 10, looks)
    beat = world.the("beat:00")
    assert beat.respawning and beat.spawns == beat.exits == 10
    assert beat.last_exit.status == 1
    steady = world.the("worker:00")
    assert not steady.respawning and steady.pid == worker.pid
    assert (steady.spawns, steady.exits) == (1, 0)
    assert beat.cpu_s > 0.5 and steady.cpu_s == 0


def test_a_stop_and_a_start_are_the_stopped_ones(world):
    first = world.spawn("00", group="beat", age=500)
    world.spawn("00", group="worker", age=400)
    world.look()
    world.pass_(1)
    world.end(first, "00", requested=True, signal="SIGTERM")
    world.state("00", "STOPPED", group="beat")
    world.look()
    world.pass_(1)
    world.spawn("00", group="beat")
    world.look()
    assert world.the("beat:00").spawns == 2 and world.the("beat:00").exits == 0
    assert world.the("worker:00").spawns == 1
