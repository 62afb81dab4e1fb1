"""What does not run, or runs and does not send, on made-up boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")

REFUSES = "[2026-11-23 06:54:12,345: ERROR/MainProcess] beat: Connection error: [Errno 111] ..."
FAILS = "celery.beat.SchedulingError: Couldn't apply scheduled task tick: no route"


def spawnerr(world: World, name: str, words: str) -> None:
    key = (world.servers[0].id, name, name)
    world.states[key] = replace(world.states[key], spawnerr=words)


def test_a_command_that_cannot_be_started_is_told_with_supervisords_words(world):
    world.program("report", "/srv/bin/report", state="BACKOFF")
    spawnerr(world, "report", "command at '/srv/bin/report' is not executable")
    world.look()
    (found,) = world.findings
    assert (found.kind, found.severity) == ("program-down", "warning")
    assert "not executable" in found.summary and "cannot be started" in found.summary
    assert "correct its command" in found.lasting.text


def test_one_that_ended_too_early_once_is_not_called_unstartable(world):
    world.program("report", "/srv/bin/report", state="BACKOFF")
    spawnerr(world, "report", "Exited too quickly (process log may have details)")
    world.look()
    assert world.findings == ()


def test_one_that_died_often_before_its_command_was_lost_is_told_once(world):
    world.program("report", "/srv/bin/report")
    world.loop("report", 3, status=1)
    world.state("report", "BACKOFF")
    spawnerr(world, "report", "can't find command '/srv/bin/report'")
    world.look()
    assert world.kinds() == ["respawn-loop"]


def test_old_last_words_do_not_hide_why_it_cannot_be_started(world):
    world.program("report", "/srv/bin/report", state="FATAL")
    world.say("report", "ValueError: of last week")
    spawnerr(world, "report", "can't find command '/srv/bin/report'")
    world.look()
    (found,) = world.findings
    assert "can't find command" in found.summary and "last week" not in found.summary


def test_a_beat_that_cannot_be_started_is_down(world):
    world.program("beat", BEAT, state="BACKOFF")
    world.say("beat", "ValueError: of last week")
    spawnerr(world, "beat", "can't find command 'celery'")
    world.look()
    (found,) = world.findings
    assert (found.kind, found.severity) == ("beat-down", "critical")
    assert "can't find command" in found.summary and "last week" not in found.summary


def test_a_namesake_of_another_project_does_not_stand_in_for_a_beat_that_is_down(world):
    world.program("red", BEAT, cwd="/srv/red", state="FATAL")
    world.program("blue", BEAT, cwd="/srv/blue")
    world.spawn("blue", age=500)
    world.look()
    found = [f for f in world.findings if f.kind == "beat-down"]
    assert [p.name for f in found for p in f.programs] == ["red"]


def test_a_beat_that_is_down_is_not_told_while_another_sends_its_schedule(world):
    world.program("old", BEAT, state="FATAL")
    world.program("new", BEAT)
    world.spawn("new", age=500)
    world.look()
    assert world.findings == ()


def test_an_orphan_of_another_supervisord_does_not_stand_in_either(world):
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    world.program("beat", f"{BEAT} -s /run/a", cwd="/srv/red", state="FATAL")
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "beat",
        "SUPERVISOR_GROUP_NAME": "beat",
        "SUPERVISOR_SERVER_URL": other.id,
    }
    world.process("/srv/v/bin/celery -A blue beat", cwd="/srv/blue", age=500, env=env)
    world.look()
    assert "beat-down" in world.kinds("critical")


@pytest.mark.parametrize(
    ("age", "lines", "silent"),
    [
        (20, [REFUSES], True),
        (5, [REFUSES], False),
        (5, [REFUSES] * 3, True),
        (20, [FAILS], True),
        (20, [REFUSES, "Scheduler: Sending due task tick"], False),
    ],
    ids=["long", "just up", "tried thrice", "unsent", "back again"],
)
def test_a_beat_without_its_broker_is_silent(world, age, lines, silent):
    world.program("beat", BEAT)
    world.spawn("beat", age=age)
    world.say("beat", "beat: Starting...", *lines, sent_ago=1)
    world.look()
    assert world.kinds() == (["beat-silent"] if silent else [])
    if silent:
        (found,) = world.findings
        assert found.effect == "no broker" and "cannot send" in found.summary


@pytest.mark.parametrize(
    ("age", "opened", "silent"),
    [(90, True, True), (30, True, False), (90, False, False), (700, False, True)],
)
def test_a_schedule_file_that_is_older_than_any_schedule_allows(world, age, opened, silent):
    world.program("beat", f"{BEAT} -s /run/schedule")
    beat = world.spawn("beat", age=age)
    world.schedule("/run/schedule", age=900)
    if opened:
        world.holds(beat, "/run/schedule")
    world.look()
    assert world.kinds() == (["beat-silent"] if silent else [])


def test_a_silent_stranger_is_no_matter_of_the_supervisord_that_was_asked_for(world):
    stranger = world.process("/srv/v/bin/celery -A blue beat", cwd="/srv/blue", age=500)
    stranger.state = "T"
    world.look()
    assert world.kinds() == ["beat-silent"]
    world.limited_to = (world.servers[0].id,)
    world.look()
    assert world.kinds() == []


@pytest.mark.parametrize(
    "words",
    [
        "Error: No such option: -A",
        "Error: No such option '--broker'.",
        "Error: No such option '-A'.",
    ],
)
def test_an_option_before_the_subcommand_only_is_the_old_order_without_a_conf(world, words):
    world.program("worker", WORKER)
    del world.configs[world.servers[0].id, "worker", "worker"]
    world.say("worker", words)
    for _ in range(3):
        proc = world.spawn("worker", WORKER, cwd="/srv/proj")
        world.pass_(1)
        world.look()
        world.end(proc, "worker", status=2)
        world.look()
    (found,) = world.findings
    assert found.effect == "old option order"
    assert "before the subcommand" in found.lasting.text


def test_another_unknown_option_is_just_that(world):
    world.program("worker", f"{WORKER} --autoreload")
    world.say("worker", "Error: No such option '--autoreload'.")
    world.loop("worker", 3, status=2)
    (found,) = world.findings
    assert found.effect == "bad option"


def test_a_supervisord_whose_address_was_taken_is_one_finding(world):
    """The second on the same conf answers at the socket; the first is the surplus."""
    world.supervisord("conf:/etc/supervisor/supervisord.conf", answers=False)
    world.servers[1] = replace(world.servers[1], url=None)
    world.look()
    assert world.kinds() == ["double-supervisor"]


def test_a_beat_between_two_lives_is_not_called_down(world):
    world.program("beat", BEAT)
    proc = world.spawn("beat", age=50)
    world.look()
    world.pass_(1)
    world.end(proc, "beat", status=1)
    world.state("beat", "RUNNING")
    world.look()
    assert world.findings == ()


def test_a_command_that_waits_before_its_beat_is_told_as_that(world):
    """`flock LOCK celery beat`, the lock held by nobody who schedules."""
    world.program("beat", f"/usr/bin/flock /run/l {BEAT}")
    world.spawn("beat", age=50)
    world.look()
    (found,) = world.findings
    assert (found.kind, found.severity) == ("beat-down", "info")
    assert "its command has started no beat" in found.summary
    assert "waits for" in found.lasting.text


def test_a_stopped_one_whose_section_is_gone_accuses_no_successor(world):
    """Taken out of the conf and reread, not yet updated: whose schedule it sent is not known."""
    world.program("beat", BEAT)
    world.program("beat2", f"{BEAT} --pidfile /run/b")
    world.spawn("beat")
    second = world.spawn("beat2")
    world.look()
    del world.configs[world.servers[0].id, "beat2", "beat2"]
    world.end(second, "beat2", status=0)
    world.state("beat2", "STOPPED")
    world.pass_(30)
    world.look()
    assert world.findings == ()
