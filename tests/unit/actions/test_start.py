"""Start, restart and undo against a scripted supervisord."""

from __future__ import annotations

import xmlrpc.client
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates, plan_program
from tests.unit.actions.fake import HUNG, World, details, ticks
from tests.unit.actions.scene import beat, looping_pair, program, snapshot

pytestmark = pytest.mark.usefixtures("approved_outcomes")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, snapshot([program("web", state="STOPPED", role="other")]))


@pytest.fixture
def plan(world: World):  # type: ignore[no-untyped-def]
    return plan_program("start", world.shot.programs, world.shot)


def test_running_and_outliving_startsecs(world, plan) -> None:  # type: ignore[no-untyped-def]
    outcome = world.do(plan)
    assert outcome.status == "done", outcome
    assert world.server.writes == [("startProcess", "web", False)]
    assert "RUNNING, pid 901, outlived startsecs (1 s)" in details(outcome)["runs"]
    assert world.clock.t > 2


def test_it_falls_over_at_once(world, plan) -> None:  # type: ignore[no-untyped-def]
    def dies(name: str) -> None:
        pid = world.server.spawn(name, "STARTING")

        def over() -> None:
            world.proc.remove(pid)
            world.server.put(name, "BACKOFF")
            world.server.programs[name]["spawnerr"] = "Exited too quickly"

        world.clock.after(0.4, over)

    world.server.on_start = [dies]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "did not stay up: BACKOFF (Exited too quickly)" in outcome.summary
    assert ticks(outcome) == {"asked": "done", "runs": "failed"}


def test_a_pid_that_changes_is_no_proof(world, plan) -> None:  # type: ignore[no-untyped-def]
    def loops(name: str) -> None:
        pid = world.server.spawn(name)

        def again() -> None:
            world.proc.remove(world.server.programs[name]["pid"])
            world.server.spawn(name)
            world.clock.after(0.8, again)

        assert pid
        world.clock.after(0.8, again)

    world.server.on_start = [loops]
    outcome = world.do(plan)
    assert outcome.status == "unverified"
    assert "no process of it has lived 1 s yet" in outcome.summary


@pytest.mark.parametrize("state", ["FATAL", "UNKNOWN"])
@pytest.mark.parametrize(("error", "words"), [("", "see its log"), ("can't chdir", "can't chdir")])
def test_it_is_given_up(world, plan, state, error, words) -> None:  # type: ignore[no-untyped-def]
    def over(name: str) -> None:
        world.server.put(name, state)
        world.server.programs[name]["spawnerr"] = error

    world.server.on_start = [over]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert outcome.summary.startswith(f"web: it did not stay up: {state} ({words}) – by hand: ")
    assert world.clock.t == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (10, "the program does not exist any more"),
        (20, "its command does not exist"),
        (21, "its command cannot be executed"),
        (92, "supervisord refused the start"),
    ],
)
def test_faults_in_words(world, plan, code, words) -> None:  # type: ignore[no-untyped-def]
    world.server.on_start = [xmlrpc.client.Fault(code, "X")]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert outcome.summary.startswith(f"web: {words} (fault {code}: X)")


def test_one_that_ends_at_once_is_watched_on(world, plan) -> None:  # type: ignore[no-untyped-def]
    def ends(name: str) -> None:
        world.server.put(name, "BACKOFF")
        world.server.programs[name]["spawnerr"] = "Exited too quickly"
        raise xmlrpc.client.Fault(50, "SPAWN_ERROR")

    world.server.on_start = [ends]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "it did not stay up: BACKOFF (Exited too quickly)" in outcome.summary
    undo = world.executor.undo_plan()
    assert undo is not None and undo.steps[0].verb == "stop"  # it is started over and over now


@pytest.mark.parametrize("state", ["RUNNING", "STARTING"])
def test_somebody_was_faster(world, plan, state) -> None:  # type: ignore[no-untyped-def]
    pid = world.server.spawn("web", state)
    world.clock.after(1.0, lambda: world.server.put("web", "RUNNING", pid))
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert world.server.writes == []
    assert world.executor.undo_plan() is None


def test_somebody_was_faster_by_a_moment(world, plan) -> None:  # type: ignore[no-untyped-def]
    def too_late(name: str) -> None:
        world.server.spawn(name)
        raise xmlrpc.client.Fault(60, "ALREADY_STARTED")

    world.server.on_start = [too_late]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert details(outcome)["asked"] == "somebody else has started it, was STOPPED"


def test_stopping_is_waited_out_before_the_call(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("web", "STOPPING", 77)
    world.clock.after(3.0, lambda: world.server.put("web", "STOPPED"))
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert len(world.server.writes) == 1
    assert world.clock.t > 5


def test_stopping_for_ever(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("web", "STOPPING", 77)
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert world.server.writes == []
    assert "still STOPPING" in outcome.summary


def test_a_lost_answer_is_not_repeated(world, plan) -> None:  # type: ignore[no-untyped-def]
    def late(name: str) -> None:
        world.clock.after(1.0, lambda: world.server.spawn(name) and None)
        raise HUNG

    world.server.on_start = [late]
    outcome = world.do(plan)
    assert len(world.server.writes) == 1
    assert outcome.status == "done"


def test_hung_after_the_call(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.on_start = [lambda _: setattr(world.server, "hung", True)]
    outcome = world.do(plan)
    assert outcome.status == "unverified"
    assert len(world.server.writes) == 1


class TestRestart:
    def _world(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        shot = snapshot([program("web", 201, role="other")])
        world = World(tmp_path, shot)
        return world, plan_program("restart", shot.programs, shot)

    def test_stops_fully_then_starts(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        outcome = world.do(plan)
        assert outcome.status == "done", outcome
        assert outcome.summary == "web is restarted"
        assert [c[0] for c in world.server.writes] == ["stopProcess", "startProcess"]
        assert set(ticks(outcome).values()) == {"done"}
        assert world.executor.undo_plan() is None

    def test_not_while_it_stops(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        world.server.stop_takes = None
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert [c[0] for c in world.server.writes] == ["stopProcess"]

    def test_not_beside_what_is_left_over(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        world.proc.add(203, ppid=1, pgrp=201)
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert [c[0] for c in world.server.writes] == ["stopProcess"]
        assert "second one would run beside" in outcome.summary
        assert outcome.further is not None

    def test_a_start_that_fails_is_told_where_it_failed(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        world.server.put("web", "FATAL")
        world.server.on_start = [lambda name: world.server.put(name, "FATAL")]
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert ticks(outcome) == {
            "asked": "skipped",
            "stopped": "done",
            "survivors": "done",
            "started": "done",
            "runs": "failed",
        }

    def test_a_stopped_one_is_just_started(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        world.proc.remove(201)
        world.server.put("web", "STOPPED")
        assert world.do(plan).status == "done"
        assert [c[0] for c in world.server.writes] == ["startProcess"]


class TestUndo:
    def test_nothing_done_nothing_to_undo(self, world: World) -> None:
        assert world.executor.undo_plan() is None

    def test_takes_back_the_last_and_then_the_one_before(self, tmp_path: Path) -> None:
        one, two = program("one", 201, role="other"), program("two", 202, role="other")
        world = World(tmp_path, snapshot([one, two]))
        for found in (one, two):
            assert world.do(plan_program("stop", [found], world.shot)).status == "done"
        for name in ("two", "one"):
            undo = world.executor.undo_plan()
            assert undo is not None
            assert undo.title == f"Undo: start {name} again"
            assert world.do(undo).status == "done"
            assert world.server.programs[name]["statename"] == "RUNNING"
        assert world.executor.undo_plan() is None

    def test_only_what_was_really_stopped(self, tmp_path: Path) -> None:
        one, two = program("one", 201, role="other"), program("two", 202, role="other")
        world = World(tmp_path, snapshot([one, two]))
        world.server.on_stop = [xmlrpc.client.Fault(30, "FAILED")]
        world.do(plan_program("stop", [one, two], world.shot))
        undo = world.executor.undo_plan()
        assert undo is not None
        assert [s.target.namespec for s in undo.steps] == ["two"]

    def test_a_start_is_undone_by_a_stop(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        world.do(plan)
        undo = world.executor.undo_plan()
        assert undo is not None
        assert undo.steps[0].call == 'supervisor.stopProcess("web", wait=False)'
        assert world.do(undo).status == "done"

    def test_what_was_restarted_is_not_started_again(self, tmp_path: Path) -> None:
        one, two = program("one", 201, role="other"), program("two", 202, role="other")
        world = World(tmp_path, snapshot([one, two]))
        world.do(plan_program("stop", [one, two], world.shot))
        assert world.do(plan_program("restart", [one], world.shot)).status == "done"
        undo = world.executor.undo_plan()
        assert undo is not None
        assert undo.title == "Undo: start two again"
        assert world.do(undo).status == "done"
        assert world.executor.undo_plan() is None

    def test_one_that_failed_stays_on_offer(self, tmp_path: Path) -> None:
        shot, found = looping_pair()
        world = World(tmp_path, shot)
        world.do(plan_duplicates([found], shot))
        undo = world.executor.undo_plan()
        assert undo is not None
        world.server.on_start = [xmlrpc.client.Fault(20, "NO_FILE")]
        assert world.do(undo).status == "failed"
        assert world.executor.undo_plan() == undo


def test_a_second_start_of_a_beat_is_carried_out_if_wanted(tmp_path: Path) -> None:
    one, two = program("one", 201), program("two", state="STOPPED")
    world = World(tmp_path, snapshot([one, two], [beat(one), beat(two, health="down")]))
    plan = plan_program("start", [two], world.shot)
    assert plan.warnings
    assert world.do(plan).status == "done"


def test_what_ended_at_once_before_ends_at_once_again(tmp_path: Path) -> None:
    shot, found = looping_pair((0.01, 0.01))
    world = World(tmp_path, shot)
    world.do(plan_duplicates([found], shot))
    undo = world.executor.undo_plan()
    assert undo is not None

    def ends(name: str) -> None:
        world.server.put(name, "EXITED")
        world.server.programs[name]["start"] = int(world.clock.now())
        raise xmlrpc.client.Fault(50, "SPAWN_ERROR")

    world.server.on_start = [ends]
    outcome = world.do(undo)
    assert outcome.status == "done"
    assert "EXITED, pid 0; it looped before" in details(outcome)["runs"]


def test_what_looped_before_may_loop_again(tmp_path: Path) -> None:
    shot, found = looping_pair()
    world = World(tmp_path, shot)
    world.do(plan_duplicates([found], shot))
    undo = world.executor.undo_plan()
    assert undo is not None

    def loops(name: str) -> None:
        pid = world.server.spawn(name, "STARTING")
        world.clock.after(0.4, lambda: world.proc.remove(pid))

    world.server.on_start = [loops]
    outcome = world.do(undo)
    assert outcome.status == "done"
    assert "it looped before" in details(outcome)["runs"]
    assert world.executor.undo_plan() is None
