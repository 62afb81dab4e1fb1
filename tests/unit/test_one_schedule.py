"""What makes two beats one schedule and what sets them apart, on made-up boxes."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT

pytestmark = pytest.mark.usefixtures("approved_words")


@pytest.mark.parametrize(
    ("one", "two"),
    [("proj", "proj.celery:app"), ("proj.celery", "proj"), ("proj:app", "proj.celery_app")],
)
def test_spellings_of_one_app_are_one(world, one, two):
    world.program("a", BEAT.replace("proj", one))
    world.program("b", BEAT.replace("proj", two))
    world.spawn("a", age=500)
    world.spawn("b", age=400)
    world.look()
    assert world.kinds() == ["duplicate-beat"]


def test_releases_of_one_project_are_one(world):
    world.program("beat", BEAT, cwd="/srv/x/releases/8")
    world.spawn("beat", age=500)
    old = world.process(BEAT, cwd="/srv/x/releases/7", age=9000)
    world.look()
    (found,) = world.findings
    assert found.severity == "critical"
    assert [(t.pid, t.via) for t in found.stop] == [(old.pid, "signal")]
    assert found.keep[0].namespec == "beat"


def test_two_projects_of_one_name_are_told_as_possible_at_most(world):
    world.program("a", BEAT, cwd="/srv/a")
    world.program("b", BEAT, cwd="/srv/b")
    world.spawn("a", age=500, cwd="/srv/a")
    world.spawn("b", age=400, cwd="/srv/b")
    world.look()
    assert world.kinds("critical", "warning") == []
    assert all(f.certainty == "possible" and f.stop == () for f in world.findings)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (" -b redis://h/0", " -b redis://h/1"),
        (" -b amqp://h/staging", " -b amqp://h/prod"),
    ],
)
def test_another_broker_is_another_schedule(world, one, two):
    first = BEAT.replace("-A", one.strip() + " -A")
    second = BEAT.replace("-A", two.strip() + " -A")
    world.program("a", first, cwd="/srv/a")
    world.program("b", second, cwd="/srv/b")
    world.spawn("a", age=500, cwd="/srv/a")
    world.spawn("b", age=400, cwd="/srv/b")
    world.look()
    assert world.findings == ()


def test_other_settings_are_another_schedule(world):
    world.program("a", BEAT, env=(("DJANGO_SETTINGS_MODULE", "p.staging"),))
    world.program("b", f"{BEAT} -s /run/b", env=(("DJANGO_SETTINGS_MODULE", "p.prod"),))
    world.spawn("a", age=500)
    world.spawn("b", age=400)
    world.look()
    assert world.findings == ()


def test_redbeat_standbys_are_by_design(world):
    for name in ("a", "b"):
        world.program(name, f"{BEAT} -S redbeat.RedBeatScheduler")
        world.spawn(name, age=500)
    world.say("b", "beat: Starting...")
    world.look()
    assert world.findings == ()
    assert {b.namespec: b.health for b in world.snapshot.beats}["b"] == "standby"
