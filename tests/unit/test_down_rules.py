"""No beat at all, and programs that are down, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.beat_down import beats_down
from beattop.diagnosis.program_down import programs_down
from beattop.model.finding import Finding
from beattop.model.snapshot import Beat, BeatKey, Program
from tests.unit.actions.scene import AT, URL, beat, config, program, snapshot, supervisord
from tests.unit.test_situations import HOLDER, NOTHING, ended, tell

pytestmark = pytest.mark.usefixtures("approved_words")


# No beat at all

GONE = replace(
    program("beat", None, state="FATAL"),
    last_exit=ended(1),
    last_error="ImportError: x",
    spawnerr="Exited too quickly (process log may have details)",
)

DOWN = replace(beat(GONE, health="down"), pid=None)


def down(
    gone: Program = GONE, *others: Program | Beat, servers: list | None = None, mine: Beat = DOWN
) -> list[Finding]:
    shot = snapshot(
        [gone, *(o for o in others if isinstance(o, Program))],
        [mine, *(o for o in others if isinstance(o, Beat))],
        supervisords=servers,
    )
    return tell(list(beats_down(shot, ())), shot)


DOWNS = {
    "FATAL": (NOTHING, "critical"),
    "BACKOFF": ({"state": "BACKOFF"}, "critical"),
    "EXITED": ({"state": "EXITED"}, "critical"),
    "UNKNOWN": ({"state": "UNKNOWN"}, "critical"),
    "state not known, it ended": ({"state": None}, "critical"),
    "state not known, never ran": ({"state": None, "last_exit": None, "spawnerr": ""}, "info"),
    "state not known, no server": ({"state": None}, "critical"),
    "STOPPED": ({"state": "STOPPED"}, "info"),
    "STOPPED, no server": ({"state": "STOPPED"}, "info"),
    "STOPPED, not to start by itself": (
        {"state": "STOPPED", "last_exit": None, "config": config("beat", autostart=False)}, "info",
    ),
    "STOPPED, no conf": ({"state": "STOPPED", "config": None}, "info"),
    "FATAL, no conf": ({"config": None}, "critical"),
    "FATAL, no server": (NOTHING, "critical"),
    "killed": ({"last_exit": ended(None, "SIGKILL")}, "critical"),
    "never started": ({"spawnerr": "can't find command 'x'", "last_exit": None}, "critical"),
    "no words": ({"last_error": None, "spawnerr": ""}, "critical"),
}  # fmt: skip


@pytest.mark.parametrize("about", DOWNS)
def test_nobody_runs_the_beat(about: str) -> None:
    facts, severity = DOWNS[about]
    (found,) = down(replace(GONE, **facts), servers=[] if "no server" in about else None)
    assert (found.kind, found.severity) == ("beat-down", severity)
    assert found.since_at == (AT - 2 if {**{"last_exit": 1}, **facts}["last_exit"] else None)


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
def test_a_command_that_waits_is_told_as_that_a_beat_between_two_lives_not(state: str) -> None:
    up = replace(GONE, state=state)
    assert down(up) == []
    (found,) = down(replace(up, members=HOLDER.members))
    assert "its command has started no beat" in found.summary


OTHER = replace(program("beat-b", None, state="STOPPED"), last_exit=None)

IDLE = replace(beat(OTHER, health="down"), pid=None)


def test_programs_of_one_identity_are_one_finding_the_worst_named() -> None:
    for programs in ((OTHER, GONE), (GONE, OTHER)):
        shot = snapshot(programs, [IDLE, DOWN])
        (found,) = tell(list(beats_down(shot, ())), shot)
        assert found.severity == "critical" and "beat is FATAL" in found.summary
        assert {p.name for p in found.programs} == {"beat", "beat-b"}
    ended_by_itself = replace(GONE, state="EXITED")
    shot = snapshot([OTHER, ended_by_itself], [IDLE, DOWN])
    assert "beat is EXITED" in next(iter(beats_down(shot, ()))).summary


def test_namesakes_in_two_places_are_two_findings() -> None:
    elsewhere = replace(IDLE, key=BeatKey("proj", "/elsewhere", None))
    assert len(down(GONE, OTHER, elsewhere)) == 2


def test_a_redbeat_that_is_down() -> None:
    """Several redbeats are no duplicates, but that none runs is told."""
    (found,) = down(mine=replace(DOWN, scheduler="redbeat.RedBeatScheduler"))
    assert found.programs == (GONE.id,)


def test_what_has_another_finding_is_not_told_again() -> None:
    shot = snapshot([GONE], [DOWN])
    assert list(beats_down(shot, {GONE.id})) == []
    assert list(beats_down(snapshot([GONE], [replace(DOWN, program=None)]), ())) == []


BESIDE = {
    "another lives": (beat(HOLDER), False),
    "another tries to": (replace(beat(HOLDER, health="respawning"), pid=None), False),
    "another is down too": (replace(IDLE, program=None), True),
    "another is nowhere": (replace(beat(HOLDER), pid=None), True),
    "one of another app": (replace(beat(HOLDER), key=BeatKey("x", "/x", None)), True),
    "its own left-over": (
        replace(beat(None, 9), key=BeatKey("x", "/x", None), was="beat", was_supervisor=URL), False,
    ),
    "the left-over of a namesake": (
        replace(beat(None, 9), key=BeatKey("x", "/x", None), was="beat", was_supervisor="unix:///x"),
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("about", BESIDE)
def test_a_beat_that_lives_for_the_same_schedule(about: str) -> None:
    other, told = BESIDE[about]
    assert len(down(GONE, other)) == told
    shot = snapshot([GONE], [other, DOWN])
    assert len(list(beats_down(shot, ()))) == told


UNKNOWN = replace(DOWN, key=BeatKey(None, None, None))
NAMELESS = {
    "as usual": ({}, {}, False),
    "whose pidfile is known": ({"pidfile": "/run/x.pid"}, {}, True),
    "whose schedule is known": ({"schedule": "/run/x"}, {}, True),
    "beside one of another supervisord": ({}, {"supervisor": "unix:///x"}, True),
    "beside one that does not run": ({}, {"pid": None}, True),
}


@pytest.mark.parametrize("about", NAMELESS)
def test_one_of_which_nothing_is_known_may_have_a_successor(about: str) -> None:
    mine, other, told = NAMELESS[about]
    successor = replace(beat(HOLDER, app="x", cwd="/x"), **other)
    assert len(down(GONE, successor, mine=replace(UNKNOWN, **mine))) == told


def test_a_beat_without_supervisor_is_nobodys_left_over() -> None:
    lost = replace(DOWN, supervisor=None, namespec=None)
    living = replace(beat(None, 9), key=BeatKey("x", "/x", None))
    assert len(down(GONE, living, mine=lost)) == 1


SERVERS = {
    "hangs": (supervisord(answers=False), False),
    "was not asked": (supervisord(answers=None), True),
    "does not run": (supervisord(answers=False, key=None), True),
}


@pytest.mark.parametrize("about", SERVERS)
def test_a_supervisord_that_hangs_is_told_instead(about: str) -> None:
    server, told = SERVERS[about]
    assert len(down(servers=[server])) == told
    shot = snapshot([replace(GONE, role="worker")], supervisords=[server])
    assert len(list(programs_down(shot, ()))) == told


# A program, no beat, that is down

PROGRAMS = {
    "FATAL": NOTHING,
    "FATAL by a signal": {"last_exit": ended(None, "SIGSEGV")},
    "FATAL, nothing known": {"last_exit": None, "last_error": None, "spawnerr": ""},
    "FATAL, no conf": {"config": None},
    "cannot be started": {"state": "BACKOFF", "spawnerr": "can't find command 'x'"},
    "cannot be started, no conf": {
        "state": "BACKOFF", "spawnerr": "can't find command 'x'", "config": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("about", PROGRAMS)
def test_a_program_is_down(about: str) -> None:
    for servers in ([supervisord()], []):
        shot = snapshot([replace(GONE, role="worker", **PROGRAMS[about])], supervisords=servers)
        (found,) = tell(list(programs_down(shot, ())), shot)
        assert (found.kind, found.severity) == ("program-down", "warning")
    assert list(programs_down(shot, {GONE.id})) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "BACKOFF"},
        {"state": "STOPPED"},
        {"role": "beat"},
        {"role": "worker+beat"},
        {"members": HOLDER.members},
        {"state": "STOPPED", "spawnerr": "can't find command 'x'"},
    ],
)
def test_no_program_is_down(facts: dict[str, Any]) -> None:
    assert list(programs_down(snapshot([replace(GONE, **{"role": "worker", **facts})]), ())) == []


def test_where_its_supervisord_does_not_run_that_is_started() -> None:
    never = replace(GONE, state=None, last_exit=None, spawnerr="")
    told = "Start its supervisord, which does not run"
    for conf, more in (("/etc/x.conf", ": supervisord -c /etc/x.conf"), (None, "")):
        (found,) = down(never, servers=[supervisord(key=None, conf=conf)])
        assert found.lasting and found.lasting.text == f"{told}{more}."
    (found,) = down(never, servers=[supervisord()])
    assert found.lasting and "start its supervisord" not in found.lasting.text.lower()
