"""Plans for programs that a person selected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.actions.plan import plan_program as of_programs
from beattop.actions.program_plan import surprises
from beattop.actions.steps import program_target, rpc_step
from beattop.model.snapshot import BeatKey
from tests.unit.actions.scene import (
    beat,
    config,
    program,
    snapshot,
    supervisord,
)

pytestmark = pytest.mark.usefixtures("approved_plans")


ONE, TWO = program("one", 201), program("two", 202)

IDLE = {
    ("start", "RUNNING", False, 5): "runs already",
    ("start", "STARTING", False, 5): "runs already",
    ("start", "BACKOFF", False, None): "is in BACKOFF: supervisord starts it again by itself",
    ("start", "STOPPING", False, 5): "is still stopping (start it once it is STOPPED)",
    ("start", "EXITED", True, None): "is started over and over already",
    ("start", "EXITED", False, None): None,
    ("stop", "STOPPED", False, None): "is STOPPED",
    ("stop", "FATAL", False, None): "is FATAL",
    ("stop", "EXITED", False, None): "is EXITED",
    ("stop", "EXITED", True, None): None,
    ("stop", "BACKOFF", False, None): None,
    ("stop", "EXITED", False, 5): None,
    ("restart", "STOPPED", False, None): None,
    ("restart", "RUNNING", False, 5): None,
    ("stop", "STOPPING", False, 5): None,
    ("restart", "STOPPING", False, 5): None,
}


@pytest.mark.parametrize("about", IDLE)
def test_what_there_is_to_do(about: tuple[Any, str, bool, int | None]) -> None:
    verb, state, respawning, pid = about
    found = program("web", pid, state=state, role="other", respawning=respawning)
    made = of_programs(verb, [found, found], snapshot([found]))
    assert len(made.steps) == (IDLE[about] is None)
    if IDLE[about]:
        assert made.warnings == (f"web {IDLE[about]}: left out",)
    for step in made.steps:
        assert (step.target.process is None) == (verb == "start" or pid is None)


def test_several_at_once() -> None:
    shot = snapshot([ONE, TWO], [beat(ONE), beat(TWO, app="x")])
    assert of_programs("stop", [ONE, TWO], shot).title == "Stop 2 programs"
    assert of_programs("restart", [ONE, ONE], shot).title == "Restart one"


def test_the_one_that_is_not_left_out_is_named() -> None:
    down = program("down", state="STOPPED")
    made = of_programs("stop", [down, ONE], snapshot([ONE, down]))
    assert (made.title, len(made.steps)) == ("Stop one", 1)


@pytest.mark.parametrize("verb", ["stop", "start", "restart"])
def test_what_may_surprise(verb: Any) -> None:
    down = {"state": "STOPPED"} if verb == "start" else {}
    worker = replace(program("w", 300, role="worker+beat"), **down)
    for found in (worker, replace(worker, config=None), replace(worker, role="other"),
                  replace(worker, config=config("w", autostart=False, stopwaitsecs=600.0))):  # fmt: skip
        beats = [beat(found, 301, embedded=True), replace(beat(None, 77), namespec=None)]
        for shot in (snapshot([found], beats[:1]), snapshot([found], beats),
                     snapshot([found], [replace(beats[0], key=BeatKey(None, None, None))])):  # fmt: skip
            of_programs(verb, [found], shot)
    two = replace(TWO, **down)
    shot = snapshot([ONE, two], [beat(ONE), beat(two)], viewer_pid=202)
    assert of_programs(verb, [two], shot).warnings


@pytest.mark.parametrize(("health", "warned"), [("working", 1), (None, 1), ("silent", 0)])
def test_only_the_last_beat_that_works_is_warned_of(health: str | None, warned: int) -> None:
    made = of_programs("stop", [ONE], snapshot([ONE], [beat(ONE, health=health)]))
    assert sum("is the last working beat" in words for words in made.warnings) == warned


def test_what_a_start_meets_later() -> None:
    hostile = program("a\x1b[31m", 203)
    shot = snapshot([ONE, TWO, hostile], [beat(ONE), beat(TWO)])
    done = [
        rpc_step(shot, verb, program_target(shot, of, verb))  # type: ignore[arg-type]
        for verb, of in (("stop", ONE), ("start", TWO), ("start", hostile))
    ]
    runs, cleaned = surprises(done, shot)
    assert runs == "two runs already"
    assert "\x1b" not in cleaned


def test_a_mute_one_is_left_to_a_person() -> None:
    mute = snapshot([ONE], supervisords=[supervisord(answers=False)])
    for verb, done in (("stop", "stopped"), ("start", "started"), ("restart", "restarted")):
        made = of_programs(verb, [ONE], mute)  # type: ignore[arg-type]
        assert made.advice[0].startswith(f"one: not {done}, its supervisord does not answer")
