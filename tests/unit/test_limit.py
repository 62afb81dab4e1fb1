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
