"""Beats within workers, and what is left of them, on made-up boxes."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import Proc, World

pytestmark = pytest.mark.usefixtures("approved_words")


def embedded(world: World, name: str = "worker", *, state: str = "S", **more: object) -> Proc:
    """A `worker -B` with its embedded beat."""
    world.program(name, f"{WORKER} -B")
    main = world.spawn(name, age=500, **more)
    child = world.process(
        f"{WORKER} -B", ppid=main.pid, age=499, pgrp=main.pid, env=dict(main.process.env)
    )
    child.state = state
    world.holds(child, pipes=0)
    return child


def test_an_embedded_beat_is_kept_before_a_program(world):
    child = embedded(world)
    world.program("beat", BEAT)
    world.spawn("beat", age=900)
    world.look()
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [child.pid]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat", "xmlrpc")]


def test_a_stopped_embedded_beat_is_not_kept_before_one_that_works(world):
    """Else the stop would end the last working beat."""
    child = embedded(world, state="T")
    world.program("beat", BEAT)
    beat = world.spawn("beat", age=900)
    world.look()
    found = next(f for f in world.findings if f.kind == "duplicate-beat")
    assert [k.pid for k in found.keep] == [beat.pid]
    assert [(t.pid, t.via) for t in found.stop] == [(child.pid, "advice")]


def test_an_orphaned_worker_with_a_beat_is_ended_as_a_whole_by_a_person(world):
    kept = embedded(world)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "worker",
        "SUPERVISOR_GROUP_NAME": "worker",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    main = world.process(f"{WORKER} -B", age=400, env=env)
    child = world.process(f"{WORKER} -B", ppid=main.pid, age=399, pgrp=main.pid, env=env)
    world.holds(child, pipes=0)
    world.look()
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [kept.pid]
    (target,) = found.stop
    assert (target.pid, target.via) == (child.pid, "advice")
    assert target.command == f"kill -TERM {main.pid}"
    assert "idle" in target.why


def killed(world: World, **more: object) -> Proc:
    """The embedded beat of a worker that was killed, alone in its dead process group."""
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "worker",
        "SUPERVISOR_GROUP_NAME": "worker",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    left = world.process(f"{WORKER} -B --pidfile=/run/w.pid", age=400, env=env, pgrp=7777)
    world.holds(left, **more)
    return left


def test_the_beat_of_a_killed_worker_is_a_beat_and_is_ended(world):
    kept = embedded(world)
    left = killed(world)
    world.look()
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [kept.pid]
    assert [(t.pid, t.via) for t in found.stop] == [(left.pid, "signal")]
    assert [u.role for u in world.snapshot.unmanaged] == ["beat"]
    assert {b.pidfile for b in world.snapshot.beats} == {None}
    assert "-B" in found.lasting.text and "[program:worker]" in found.lasting.text


def test_it_alone_is_an_orphan_with_the_cure_for_it(world):
    world.program("worker", f"{WORKER} -B", state="STOPPED")
    killed(world)
    world.look()
    (found,) = world.findings
    assert found.kind == "orphan"
    assert "take -B (--beat) out" in found.lasting.text


def test_a_left_over_worker_with_pipes_is_still_a_worker(world):
    embedded(world)
    left = killed(world, pipes=8)
    world.look()
    (found,) = world.findings
    assert [(t.pid, t.via) for t in found.stop] == [(left.pid, "advice")]


def test_a_title_that_tells_nothing_is_read_as_its_programs_command(world):
    """setproctitle: the beat of a killed worker is `[celery beat]`, its environment wiped."""
    world.program("worker", f"{WORKER} -B -s /run/s")
    main = world.spawn("worker", age=100)
    child = world.process("'[celery beat]'", ppid=main.pid, age=99, pgrp=main.pid)
    old = world.spawn("worker", age=400)
    left = world.process("'[celery beat]'", age=399, pgrp=old.pid)
    del world.procs[old.pid]
    world.spawn("worker", age=100, pid=main.pid)
    world.look()
    (found,) = world.findings
    assert found.kind == "duplicate-beat"
    assert [k.pid for k in found.keep] == [child.pid]
    assert [(t.pid, t.via) for t in found.stop] == [(left.pid, "signal")]
    assert "-B" in found.lasting.text
