"""With --supervisor, strangers count where they belong to its programs, beats or not."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")


@pytest.fixture
def world() -> World:
    w = World()
    w.supervisord()
    w.limited_to = (w.servers[0].id,)
    w.program("worker", WORKER)
    w.spawn("worker", age=900)
    return w


def by_hand(world: World, command: str = BEAT, cwd: str = "/srv/proj", **more: object) -> list[str]:
    for age in (500, 400):
        world.process(command, cwd=cwd, age=age, **more)
    world.look()
    return [str(t.via) for f in world.findings if f.severity == "critical" for t in f.stop]


def test_two_beats_by_hand_beside_their_worker(world):
    assert by_hand(world) == ["signal"]


@pytest.mark.parametrize(
    ("command", "cwd"),
    [(BEAT, "/srv/other"), (BEAT.replace("-A proj", "-A blog"), "/srv/proj"), ("celery beat", "/srv/proj")],
    ids=["another folder", "another app", "no app named"],
)  # fmt: skip
def test_what_shares_no_project_with_them_does_not_count(world, command, cwd):
    assert by_hand(world, command, cwd) == []


def test_one_that_would_count_beside_others_that_do_not(world):
    world.process(BEAT, age=300)
    assert by_hand(world, cwd="/srv/other") == []


def test_two_commands_that_name_no_app_are_not_of_one_for_that(world):
    world.program("site", "/srv/v/bin/python manage.py runserver")
    world.spawn("site", age=900)
    assert by_hand(world, "celery beat") == []


def test_two_folders_that_cannot_be_read_are_not_one_for_that(world):
    world.program("hidden", WORKER, cwd=None)
    world.spawn("hidden", age=900, cwd=None)
    assert by_hand(world, f"{BEAT} -s /var/s", cwd=None) == []


def test_a_worker_of_a_supervisord_that_is_not_named_makes_nobody_theirs(world):
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    blog = BEAT.replace("-A proj", "-A blog")
    world.program("blog", WORKER.replace("-A proj", "-A blog"), server=other)
    world.spawn("blog", age=900, server=other)
    assert by_hand(world, blog) == []


def test_a_stranger_elsewhere_that_keeps_its_schedule_in_their_file(world):
    """It is kept, for it holds its pidfile: their own beat is the one too many."""
    world.program("beat", f"{BEAT} -s /var/s")
    world.spawn("beat", age=300)
    held = world.process(f"{BEAT} -s /var/s --pidfile=/run/b.pid", cwd="/srv/other", age=900)
    world.pidfile("/run/b.pid", held, age=900)
    world.look()
    (found,) = world.findings
    assert ([k.pid for k in found.keep], [t.namespec for t in found.stop]) == ([held.pid], ["beat"])


def test_what_they_left_behind_beside_a_stranger_elsewhere(world):
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "once",
        "SUPERVISOR_GROUP_NAME": "once",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    blog = BEAT.replace("-A proj", "-A blog") + " -s /var/s"
    world.process(blog, cwd="/srv/other", age=900, env=env)
    world.process(blog, cwd="/srv/elsewhere", age=500)
    world.look()
    assert world.kinds("critical") == ["duplicate-beat"]


@pytest.mark.parametrize(("named", "vias"), [(0, ["signal"]), (1, [])])
def test_what_they_left_behind(world, named, vias):
    """`setsid celery beat`: the program ends, each try leaves a beat; another app than any other's."""
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    world.limited_to = (world.servers[0].id,)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "once",
        "SUPERVISOR_GROUP_NAME": "once",
        "SUPERVISOR_SERVER_URL": (world.servers[0].id, other.id)[named],
    }
    assert by_hand(world, BEAT.replace("-A proj", "-A blog"), env=env) == vias


def test_beats_of_a_supervisord_that_is_not_named_are_its_own(world):
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    for name in ("one", "two"):
        world.program(name, BEAT, server=other)
        world.spawn(name, age=500, server=other)
    world.look()
    assert world.kinds("critical", "warning") == []
