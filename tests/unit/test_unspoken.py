"""Beats that no command line tells: a log and a file together do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_diagnosis import REFUSED
from tests.unit.world import Proc, World

PIDFILE = "/run/beat.pid"
SCRIPT = "/srv/v/bin/python runbeat.py"
STARTING = "[2026-11-23 06:54:12,345: INFO/MainProcess] beat: Starting..."
SENT = "[2026-11-23 06:54:12,345: INFO/MainProcess] Scheduler: Sending due task a (p.a)"
BANNER = "celery beat v5.7.0 (immunity) is starting."


def script(world: World, name: str, *lines: str, age: float = 500, command: str = SCRIPT) -> Proc:
    world.program(name, command)
    found = world.spawn(name, age=age)
    world.say(name, *lines, sent_ago=2)
    return found


def refused(world: World) -> Proc:
    """`app.Beat(pidfile=…).run()` twice: the second is refused and respawns."""
    first = script(world, "one", STARTING, SENT)
    world.pidfile(PIDFILE, first, age=499)
    world.program("two", SCRIPT)
    world.loop("two", times=4, status=73)
    world.say("two", BANNER, *(line.format(pid=first.pid) for line in REFUSED))
    world.look()
    return first


def test_a_script_that_a_pidfile_turns_away_is_a_second_beat(world):
    first = refused(world)
    (found,) = world.findings
    assert (found.kind, found.effect, found.certainty) == (
        "duplicate-beat",
        "respawning",
        "certain",
    )
    assert [k.pid for k in found.keep] == [first.pid]
    assert [t.namespec for t in found.stop] == ["two"]
    assert [p.role for p in world.snapshot.programs] == ["beat", "beat"]
    assert world.snapshot.beats[0].pidfile == PIDFILE


def test_two_scripts_with_one_schedule_file_open_are_two_beats(world):
    for name in ("one", "two"):
        world.holds(script(world, name, STARTING, SENT), "/srv/proj/celerybeat-schedule")
    world.look()
    (found,) = world.findings
    assert (found.effect, found.certainty) == ("double-scheduling", "certain")


def test_two_scripts_that_start_a_beat_and_log_as_one_need_no_file(world):
    """dbm.dumb holds no file open, and without a pidfile nothing else is on the disk."""
    for name in ("one", "two"):
        proc = script(world, name, STARTING, SENT)
        world.holds(proc)
        key = proc.process.key
        world.handles[key] = replace(world.handles[key], starts_beat=True)
    world.look()
    (found,) = world.findings
    assert (found.effect, found.certainty) == ("double-scheduling", "likely")
    assert [t.namespec for t in found.stop] == ["two"]


@pytest.mark.parametrize("command", ["/usr/bin/tail -F /var/log/beat.log", SCRIPT])
def test_a_copy_of_a_beats_log_makes_no_beat(world, command):
    script(world, "tail", STARTING, SENT, command=command)
    world.look()
    assert world.snapshot.beats == ()
    assert world.the("tail").role == "other"


def test_what_only_follows_a_log_is_none_even_with_a_file(world):
    tail = script(world, "tail", SENT, command="/usr/bin/tail -F /var/log/beat.log")
    world.holds(tail, "/srv/proj/celerybeat-schedule")
    world.look()
    assert world.snapshot.beats == ()


def test_a_workers_log_makes_no_beat(world):
    lines = ("[2026-11-23 06:54:12,345: INFO/MainProcess] w@h ready.", SENT)
    world.holds(script(world, "worker", *lines), "/srv/proj/celerybeat-schedule")
    world.look()
    assert world.snapshot.beats == ()


def test_a_pidfile_that_its_process_is_too_young_to_have_written_is_not_its(world):
    world.program("shop", "/srv/v/bin/python /srv/v/bin/celery -A shop beat")
    shop = world.spawn("shop", age=500)
    world.pidfile(PIDFILE, shop, age=9000)
    world.look()
    assert [b.pidfile for b in world.snapshot.beats] == [None]
