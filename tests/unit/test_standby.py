"""Beats that may wait for a lock by design: celery-redbeat named in the settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.model.files import ScheduleFile
from tests.unit.test_diagnosis import BEAT
from tests.unit.test_double_scheduling import STARTING, redbeat
from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")


@pytest.fixture
def world() -> World:
    w = World()
    w.supervisord()
    return w


@pytest.mark.parametrize(
    "lines",
    [[], ["celery beat v5.7.0 (collider) is starting."], [STARTING.replace("INFO", "WARNING")]],
    ids=["nothing", "a banner", "no news"],
)
def test_a_log_that_tells_of_no_sending_accuses_none(world, lines):
    """`-l warning`, or no log at all: two redbeats look like two other beats."""
    redbeat(world)
    for name in ("beat", "standby"):
        world.say(name, *lines)
    world.look()
    (found,) = world.findings
    assert (found.severity, found.certainty, found.stop) == ("info", "possible", ())


def test_a_schedule_file_in_use_tells_of_sending_where_the_log_does_not(world):
    for name in ("beat", "other"):
        world.program(name, f"{BEAT} -s run/{name}")
        world.spawn(name, age=500)
        path = f"/srv/proj/run/{name}"
        world.schedules[path] = ScheduleFile(path, "ok", world.now - 30, None, None)
    world.look()
    assert world.findings[0].certainty == "likely"


@pytest.mark.parametrize(
    ("installed", "certainty"), [(True, "possible"), (None, "possible"), (False, "likely")]
)
def test_where_no_scheduler_with_a_lock_is_installed_none_stands_by(world, installed, certainty):
    """The settings name a scheduler: celery-redbeat's, or django-celery-beat's with a quiet log."""
    redbeat(world)
    for name in ("beat", "standby"):
        world.say(name, "celery beat v5.7.0 (collider) is starting.")
    for proc in [p for p in world.procs.values() if "beat" in p.process.argv]:
        world.holds(proc)
        key = proc.process.key
        world.handles[key] = replace(world.handles[key], may_stand_by=installed)
    world.look()
    (found,) = world.findings
    assert (found.certainty, bool(found.stop)) == (certainty, certainty == "likely")
