"""The plan that ends the holder of a pidfile, so that another beat takes over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.actions.plan import plan_finding_alternative
from beattop.model.files import Pidfile
from beattop.model.finding import Target
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program
from tests.unit.actions.scene import (
    AT,
    beat,
    finding,
    keep,
    outsider,
    program,
    snapshot,
    supervisord,
    target,
)
from tests.unit.actions.test_steps import PATH

pytestmark = pytest.mark.usefixtures("approved_plans")


def hand_over(second: Program, *alternatives: Target, **facts: Any) -> Plan:
    file = Pidfile(PATH, "ok", 77, AT - 500, ProcessKey(77, 770))
    foreign = beat(None, 77, pidfile=PATH, **facts.pop("foreign", {"pidfile_fact": file}))
    made = finding(
        facts.pop("stop", [target(second)]), [keep(foreign)],
        alternatives=alternatives or (outsider(77),), **{"pidfile": PATH, **facts},
    )  # fmt: skip
    mine = beat(second, health="respawning")
    shot = snapshot([second], [mine, foreign], pidfiles=[replace(file, path="/x"), file])
    return plan_finding_alternative(made, shot)


WAKES = {"RUNNING": 0, "STARTING": 0, "BACKOFF": 0, "FATAL": 1, "STOPPED": 1, "EXITED": 1, None: 1}


@pytest.mark.parametrize("state", WAKES)
def test_an_heir_that_supervisord_would_not_start_is_started(state: str | None) -> None:
    calm = program("b", 202, state=state)
    made = hand_over(calm)
    assert [s.verb for s in made.steps] == ["signal", "start"][: 1 + WAKES[state]]
    assert made.undo == () and made.keep[0].program == calm.id
    assert all(s.target.process is None for s in made.steps[1:])
    assert [s.verb for s in hand_over(replace(calm, respawning=True)).steps] == ["signal"]


def test_the_file_that_changes_hands() -> None:
    loop = program("b", 202, respawning=True)
    assert hand_over(loop).steps[0].pidfile is not None
    by_path = hand_over(loop, foreign={}).steps[0].pidfile
    assert by_path is not None and by_path.path == PATH
    assert hand_over(loop, foreign={}, pidfile=None).steps[0].pidfile is None


def test_the_file_is_the_heirs_or_the_holders_and_no_third_ones() -> None:
    loop = program("b", 202, respawning=True)
    foreign, third = beat(None, 77), beat(None, 78)
    mine = replace(beat(loop), pidfile_fact=Pidfile("/mine", "ok", 77, AT, None))
    other = replace(third, pidfile_fact=Pidfile("/third", "ok", 78, AT, None))
    made = finding([target(loop)], [keep(foreign)], alternatives=(outsider(77),))
    for beats, path in (((other, foreign, mine), "/mine"), ((other, foreign), None)):
        step = plan_finding_alternative(made, snapshot([loop], beats)).steps[0]
        assert (step.pidfile.path if step.pidfile else None) == path


def test_a_mute_heir_has_to_be_started_by_hand() -> None:
    second = program("b", None, state="FATAL")
    foreign = beat(None, 77)
    made = finding([target(second)], [keep(foreign)], alternatives=(outsider(77),))
    shot = snapshot([second], [foreign], supervisords=[supervisord(answers=False)])
    told = plan_finding_alternative(made, shot)
    assert [s.verb for s in told.steps] == ["signal"]
    assert told.advice[0].startswith(
        "b: has to be started by hand, its supervisord does not answer"
    )


def test_who_takes_over() -> None:
    loop, other = program("b", 202, respawning=True), program("c", 203)
    unknown = target(program("unknown", 9))
    assert hand_over(loop, stop=[unknown, target(loop)]).steps[0].heir == loop.id
    assert (
        hand_over(loop, stop=[outsider(5)], programs=(other.id, loop.id)).steps[0].heir == loop.id
    )
    assert hand_over(loop, stop=[unknown], programs=()).empty


def test_what_else_a_finding_offers() -> None:
    loop = program("b", 202, respawning=True)
    nobody = replace(outsider(77), process=None, why="who knows")
    assert hand_over(loop, nobody).advice == ("pid 77: who knows – by hand: kill -TERM 77",)
    assert hand_over(loop, nobody).title == "Nothing to hand over"
    assert hand_over(loop, certainty="possible").empty
    # To stop a program instead of another is offered where the other one lives and works.
    one, two = program("one", 201), program("two", 202)
    shot = snapshot([one, two], [beat(one), beat(two)])
    swap = finding([target(one)], [keep(beat(two))], alternatives=(target(two),))
    made = plan_finding_alternative(swap, shot)
    assert (made.title, [s.verb for s in made.steps]) == ("Stop two", ["stop"])
    assert plan_finding_alternative(replace(swap, certainty="possible"), shot).empty
    # ... or of a beat that nobody supervises.
    foreign = finding([outsider(77)], [keep(beat(two))], alternatives=(target(two),))
    among = snapshot([two], [beat(None, 77), beat(two)])
    assert plan_finding_alternative(foreign, among).title == "Stop two"
    lost = replace(swap, alternatives=(replace(target(two), program=None),))
    assert plan_finding_alternative(lost, shot).empty
    silent = replace(shot, beats=(beat(one, health="silent"), beat(two)))
    assert plan_finding_alternative(swap, silent).empty
    assert plan_finding_alternative(swap, replace(shot, beats=(beat(two),))).empty
