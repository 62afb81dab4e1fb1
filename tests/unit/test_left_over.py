"""Left-overs of supervised programs, on made-up boxes."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import Proc, World

pytestmark = pytest.mark.usefixtures("approved_words")


def left(world: World, name: str, command: str, **more: object) -> Proc:
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": name,
        "SUPERVISOR_GROUP_NAME": name,
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    more.setdefault("age", 500)
    return world.process(command, env=env, **more)


def test_all_that_outlived_one_supervisord_is_one_finding(world):
    for name in ("w1", "w2", "w3"):
        world.program(name, f"{WORKER} -n {name}", state="STOPPED")
        left(world, name, f"{WORKER} -n {name}")
    world.look()
    (found,) = world.findings
    assert found.kind == "orphan" and len(found.pids) == 3
    assert "3 processes outlived" in found.summary and "w1, w2 and w3" in found.summary
    assert "KillMode" in found.lasting.text
    assert found.evidence[-1] == "to end them: kill -TERM " + " ".join(map(str, found.pids))


def test_what_shells_left_over_is_a_finding_each(world):
    for number, name in enumerate(("w1", "w2")):
        world.program(name, f"sh -c '{WORKER} -n {name}; true'", state="STOPPED")
        left(world, name, f"{WORKER} -n {name}", pgrp=7000 + number)
    world.look()
    assert world.kinds() == ["orphan", "orphan"]
    assert all("stopasgroup=true" in f.lasting.text for f in world.findings)


def test_behind_a_living_shell_it_outlived_its_supervisord_too(world):
    world.program("w1", f"sh -c '{WORKER}; true'", state="STOPPED")
    shell = left(world, "w1", f"sh -c '{WORKER}; true'")
    left(world, "w1", WORKER, ppid=shell.pid, pgrp=shell.pid)
    world.look()
    (found,) = world.findings
    assert "KillMode" in found.lasting.text


def test_the_duplicate_of_them_is_told_apart(world):
    world.program("beat", BEAT)
    world.program("w1", WORKER)
    kept = world.spawn("beat", age=60)
    world.spawn("w1", age=60)
    old_beat, old_worker = left(world, "beat", BEAT), left(world, "w1", WORKER)
    world.look()
    duplicate, orphan = world.findings
    assert [k.pid for k in duplicate.keep] == [kept.pid]
    assert [(t.pid, t.via) for t in duplicate.stop] == [(old_beat.pid, "signal")]
    assert orphan.pids == (old_worker.pid,)


def detaching(world: World, status: int = 0) -> list[Proc]:
    """--detach under autorestart=true: supervisord starts one more each time."""
    command = f"{BEAT} -s run/s --detach"
    world.program("beat", command)
    world.schedule("/srv/proj/run/s", age=1)
    found = []
    for _ in range(3):
        found.append(left(world, "beat", command, age=0.0, pgrp=7000 + len(found)))
        world.loop("beat", times=1, status=status, life=4.0)
        world.schedule("/srv/proj/run/s", age=1)
    found.append(left(world, "beat", command, age=0.0))
    world.look()
    return found


def test_a_program_that_detaches_beats_again_and_again_is_stopped_first(world):
    first, *more, young = detaching(world)
    (found,) = [f for f in world.findings if f.severity != "info"]
    assert (found.kind, found.effect) == ("duplicate-beat", "double-scheduling")
    assert [k.pid for k in found.keep] == [first.pid]
    assert (found.stop[0].namespec, found.stop[0].via) == ("beat", "xmlrpc")
    assert {t.pid for t in found.stop if t.via == "signal"} >= {p.pid for p in more}
    assert young.pid not in [k.pid for k in found.keep]
    assert "detach" in found.lasting.text


def test_only_who_leaves_beats_behind_is_stopped_for_them(world):
    world.program("noise", "/bin/true")
    world.loop("noise", times=3, status=0, life=0.2)
    detaching(world)
    (found,) = [f for f in world.findings if f.kind == "duplicate-beat" and f.stop]
    assert "noise" not in [t.namespec for t in found.stop]


def test_who_has_left_beats_behind_and_does_so_no_more_is_not_stopped(world):
    command = f"{BEAT} --detach"
    world.program("beat", command, autorestart="false")
    world.end(world.spawn("beat"), "beat", status=0)
    world.state("beat", "EXITED")
    for pgrp in (7000, 7001):
        left(world, "beat", command, pgrp=pgrp)
    world.pass_(30.0)
    world.look()
    (found,) = [f for f in world.findings if f.kind == "duplicate-beat"]
    assert {t.via for t in found.stop} == {"signal"}


@pytest.mark.parametrize(("age", "told"), [(3.0, False), (7.9, False), (8.0, True), (60.0, True)])
def test_the_newest_left_over_of_several_is_not_told_yet(world, age, told):
    world.program("beat", BEAT, state="STOPPED")
    old = left(world, "beat", "celery -A one beat", pgrp=7000)
    young = left(world, "beat", "celery -A two beat", age=age, pgrp=7001)
    world.look()
    pids = {pid for f in world.findings if f.kind == "orphan" for pid in f.pids}
    assert pids == ({old.pid, young.pid} if told else {old.pid})


def test_the_only_left_over_of_its_program_is_told_at_once(world):
    for name in ("one", "two"):
        world.program(name, f"celery -A {name} beat", state="STOPPED")
    old = left(world, "one", "celery -A one beat", pgrp=7000)
    young = left(world, "two", "celery -A two beat", age=3.0, pgrp=7001)
    world.look()
    pids = {pid for f in world.findings if f.kind == "orphan" for pid in f.pids}
    assert pids == {old.pid, young.pid}


def test_a_program_that_its_left_over_turns_away_is_no_source(world):
    detaching(world, status=73)
    double = [f for f in world.findings if f.effect == "double-scheduling"]
    assert all(t.via == "signal" for f in double for t in f.stop)
