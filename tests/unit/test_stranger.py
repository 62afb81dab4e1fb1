"""A viewer who may not ask supervisord, read its files or its programs' environment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import Proc, World

pytestmark = pytest.mark.usefixtures("approved_words")


@pytest.fixture
def world() -> World:
    """A supervisord that denies all; nothing is logged."""
    w = World(uid=65534)
    server = w.supervisord(answers=None)
    w.sources[:] = [replace(w.sources[0], status="denied", detail="no permission")]
    w.logged = False
    assert server.key
    return w


def child(world: World, command: str, age: float, **more: object) -> Proc:
    return world.process(command, ppid=world.servers[0].key.pid, age=age, cwd=None, **more)


def test_a_beat_of_a_program_without_a_name_is_a_beat_of_its_supervisord(world):
    beat = child(world, BEAT, 500)
    world.look()
    assert [(b.pid, b.supervisor, b.namespec, b.health) for b in world.snapshot.beats] == [
        (beat.pid, world.servers[0].id, None, None)
    ]
    assert world.snapshot.unmanaged == ()
    assert world.kinds() == ["supervisor-denied"]


def test_two_of_them_on_one_schedule_are_named_and_left_to_who_may(world):
    first = child(world, f"{BEAT} -s /run/s", 500)
    second = child(world, f"{BEAT} -s /run/s", 400)
    world.look()
    found = world.findings[0]
    assert (found.kind, found.certainty) == ("duplicate-beat", "certain")
    assert [k.pid for k in found.keep] == [first.pid]
    (target,) = found.stop
    assert (target.pid, target.via, target.command) == (second.pid, "advice", None)
    assert target.supervisor == world.servers[0].id
    assert "owner" in found.lasting.text


def test_two_projects_of_one_app_name_are_not_accused(world):
    child(world, BEAT, 500)
    child(world, BEAT, 400)
    world.look()
    assert world.kinds("critical", "warning") == []


def test_a_worker_of_a_program_without_a_name_schedules_nothing(world):
    child(world, WORKER, 500)
    world.look()
    assert world.snapshot.beats == ()


def test_root_does_not_signal_what_a_supervisord_would_start_again(world):
    world.uid = 0
    child(world, f"{BEAT} -s /run/s", 500)
    child(world, f"{BEAT} -s /run/s", 400)
    world.look()
    assert {t.via for f in world.findings for t in f.stop} == {"advice"}


def test_the_user_that_the_programs_run_as_sees_their_names(world):
    """Their environment is his own to read, though supervisord is root's."""
    env = {"SUPERVISOR_PROCESS_NAME": "beat", "SUPERVISOR_GROUP_NAME": "web"}
    beat = child(world, BEAT, 500, env=env)
    world.look()
    (program,) = world.snapshot.programs
    assert (program.namespec, program.state, program.pid) == ("web:beat", None, beat.pid)
    assert [b.namespec for b in world.snapshot.beats] == ["web:beat"]
    assert world.kinds() == ["supervisor-denied"]


def test_a_pidfile_that_cannot_be_read_is_the_elders(world):
    """The younger is about to be refused: it sends nothing, whatever its command line says."""
    child(world, f"{BEAT} --pidfile=/run/p -s /run/s", 500)
    child(world, f"{BEAT} --pidfile=/run/p -s /run/s", 3)
    world.look()
    assert world.kinds("critical", "warning") == []
    world.pass_(200)
    world.look()
    assert world.kinds("critical") == ["duplicate-beat"]


def test_a_program_that_may_be_one_of_the_unnamed_is_not_called_down(world):
    world.program("beat", BEAT)
    world.states.clear()
    child(world, BEAT, 500)
    world.look()
    assert [(b.namespec, b.health) for b in world.snapshot.beats] == [("beat", None), (None, None)]
    assert (world.the("beat").cpu_pct, world.the("beat").churn_pct) == (None, None)
    assert world.kinds("critical", "warning") == []


def test_where_proc_hides_a_working_directory_the_conf_tells_it(world):
    """Its log names the pids: two programs of one folder are one project."""
    world.logged = True
    for name in ("beat", "other"):
        world.program(name, f"{BEAT} -s {name}")
        world.spawn(name, age=500, cwd=None)
    world.states.clear()
    world.look()
    found = next(f for f in world.findings if f.kind == "duplicate-beat")
    assert (found.certainty, [t.via for t in found.stop]) == ("likely", ["advice"])
