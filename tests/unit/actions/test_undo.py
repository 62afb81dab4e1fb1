"""What the last action leaves to be taken back, and how long a plan may take."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from beattop.actions.executor import _span
from beattop.actions.plan import plan_program
from beattop.actions.steps import rpc_step, signal_step
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from tests.unit.actions.fake import World
from tests.unit.actions.scene import beat, outsider, program, snapshot, target

pytestmark = pytest.mark.usefixtures("approved_outcomes")

THREE = [program(f"w{n}", 201 + n, role="other") for n in range(3)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, snapshot(THREE))
    assert made.do(plan_program("stop", THREE, made.shot)).status == "done"
    return made


def left(world: World) -> list[str | None]:
    undo = world.executor.undo_plan()
    return [step.target.namespec for step in undo.steps] if undo else []


def undo(world: World) -> str:
    plan = world.executor.undo_plan()
    assert plan is not None
    return world.do(plan).status


def test_what_somebody_else_took_back_counts_where_all_went_well(world: World) -> None:
    assert left(world) == ["w2", "w1", "w0"]
    world.server.spawn("w1")
    assert undo(world) == "done"
    assert left(world) == []


def test_what_failed_stays_to_be_taken_back_with_what_was_left_out(world: World) -> None:
    world.server.spawn("w1")
    world.server.on_start = [xmlrpc.client.Fault(20, "NO_FILE")]
    assert undo(world) == "failed"
    assert left(world) == ["w2", "w1"]
    plan = world.executor.undo_plan()
    assert plan is not None and plan.title == "Undo: start w2 and w1 again"
    assert plan.warnings[0] == "what the last action ended, w2 and w1, comes back as it was"
    assert undo(world) == "done"
    assert left(world) == []


def test_what_its_start_would_meet_by_now_is_told(world: World) -> None:
    rival, mine = program("rival", 301), replace(THREE[0], state="STOPPED", members=())
    beats = [beat(rival), beat(mine, None, health="down")]
    world.shot = snapshot([replace(THREE[1], state="RUNNING"), mine, rival], beats)
    undo = world.executor.undo_plan()
    assert undo is not None
    assert undo.warnings[1:] == (
        "w1 runs already",
        "rival schedules the same already: w0 becomes a second beat",
    )
    assert undo.steps == world.executor._undo[-1].steps


def test_an_action_after_it_lies_on_top(world: World) -> None:
    other = program("web", None, state="STOPPED", role="other")
    world.shot = snapshot([*THREE, other])
    world.server.put("web", "STOPPED")
    assert world.do(plan_program("start", [other], world.shot)).status == "done"
    plan = world.executor.undo_plan()
    assert plan is not None and plan.title == "Undo: stop web again"
    assert plan.warnings == ("what the last action ended, web, comes back as it was",)
    assert undo(world) == "done"
    assert left(world) == ["w2", "w1", "w0"]


def test_what_did_nothing_leaves_nothing_to_take_back(tmp_path: Path) -> None:
    made = World(tmp_path, snapshot(THREE))
    made.server.put("w0", "STOPPED")
    assert made.do(plan_program("stop", THREE[:2], made.shot)).status == "done"
    assert left(made) == ["w1"]
    assert made.do(Plan("Nothing", (), (), (), (), ())).status == "done"
    assert left(made) == ["w1"]


def one(world: World, verb: str, number: int) -> str:
    found = replace(THREE[number], state="STOPPED" if verb == "start" else "RUNNING")
    return world.do(plan_program(verb, [found], world.shot)).status  # type: ignore[arg-type]


@pytest.fixture
def fresh(tmp_path: Path) -> World:
    return World(tmp_path, snapshot(THREE))


def test_what_was_restarted_is_no_more_to_be_taken_back(fresh: World) -> None:
    assert one(fresh, "stop", 0) == "done"
    assert one(fresh, "restart", 0) == "done"
    assert left(fresh) == []


def test_what_could_not_be_restarted_still_is(fresh: World) -> None:
    assert one(fresh, "stop", 0) == "done"
    fresh.server.on_start = [xmlrpc.client.Fault(20, "NO_FILE")]
    assert one(fresh, "restart", 0) == "failed"
    assert left(fresh) == ["w0"]


def test_what_did_not_run_before_its_restart_is_not_started_by_undo(fresh: World) -> None:
    fresh.server.put("w0", "STOPPED")
    fresh.server.on_start = [xmlrpc.client.Fault(20, "NO_FILE")]
    assert one(fresh, "restart", 0) == "failed"
    assert left(fresh) == []


def test_a_start_forgets_no_older_stop(fresh: World) -> None:
    for verb, number in (("stop", 0), ("stop", 1), ("start", 0)):
        assert one(fresh, verb, number) == "done"
    titles = []
    while (plan := fresh.executor.undo_plan()) is not None:
        titles.append(plan.title)
        assert fresh.do(plan).status == "done"
    assert titles == ["Undo: stop w0 again", "Undo: start w1 again", "Undo: start w0 again"]


def test_a_start_by_hand_of_what_was_stopped_is_the_last_action(fresh: World) -> None:
    assert one(fresh, "stop", 0) == "done"
    assert one(fresh, "start", 0) == "done"
    assert left(fresh) == ["w0"]
    plan = fresh.executor.undo_plan()
    assert plan is not None and plan.title == "Undo: stop w0 again"
    assert undo(fresh) == "done"
    assert left(fresh) == []


def test_what_was_started_by_hand_among_others_is_not_started_again(world: World) -> None:
    other = program("web", None, state="STOPPED", role="other")
    world.shot = snapshot([*THREE, other])
    world.server.put("web", "STOPPED")
    both = [replace(THREE[1], state="STOPPED"), other]
    assert world.do(plan_program("start", both, world.shot)).status == "done"
    assert left(world) == ["web", "w1"]
    assert undo(world) == "done"
    assert left(world) == ["w2", "w0"]


@pytest.mark.parametrize(
    ("verbs", "seconds"),
    [
        ((), 60),
        (("signal",), 60),
        (("stop",), 100),
        (("stop", "stop"), 100),
        (("start",), 60 + 40 + 2 * 3 + 5),
        (("restart", "start"), 60 + 2 * (40 + 2 * 3 + 5)),
        (("stop", "start", "signal"), 100 + 40 + 2 * 3 + 5),
    ],
)
def test_how_long_a_plan_may_take(verbs: tuple[str, ...], seconds: float) -> None:
    shot = snapshot(THREE)
    steps = [
        signal_step(outsider(5), ProcessKey(5, 50))
        if verb == "signal"
        else rpc_step(shot, verb, target(THREE[0]))  # type: ignore[arg-type]
        for verb in verbs
    ]
    run = SimpleNamespace(
        plan=SimpleNamespace(steps=steps), stopwaitsecs=lambda _: 40.0, startsecs=lambda _: 3.0
    )
    assert _span(run) == seconds  # type: ignore[arg-type]
