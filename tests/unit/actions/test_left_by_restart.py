"""A restart that leaves something over ends stopped: that is ended first, then comes the start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions import signals
from beattop.actions.plan import plan_program
from beattop.actions.run import Run
from beattop.model.plan import Plan, Step
from tests.unit.actions.fake import World, spans
from tests.unit.actions.scene import program, snapshot

LEFT = 4_000_300


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, snapshot([program("web", 201, role="other")]))
    made.proc.add(LEFT, ppid=1, pgrp=201)
    return made


@pytest.fixture
def offer(world: World) -> Plan:
    outcome = world.do(plan_program("restart", world.shot.programs, world.shot))
    assert outcome.status == "failed" and outcome.further is not None
    return outcome.further


def end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(run: Run, index: int, step: Step) -> bool:
        world.proc.remove(LEFT)
        return True

    monkeypatch.setattr(signals, "send", sent)


def test_the_start_is_offered_after_its_end(
    world: World, offer: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offer.title == "End what web left over, then start web"
    assert [step.verb for step in offer.steps] == ["signal", "start"]
    assert offer.steps[1].command == "supervisorctl -c /etc/supervisord.conf start web"
    end(world, monkeypatch)
    outcome = world.do(offer)
    assert outcome.status == "done" and "web is started" in outcome.summary
    assert world.executor.undo_plan() is None


def test_without_its_end_there_is_no_start(world: World, offer: Plan) -> None:
    outcome = world.do(replace(offer, steps=offer.steps[1:]))
    assert outcome.status == "failed"
    assert "not started: a second one would run beside what is left over" in outcome.summary
    assert spans(world.server.writes, "startProcess") == 0
    assert outcome.further is not None
    assert [step.verb for step in outcome.further.steps] == ["signal", "start"]


def test_undo_starts_it_once_that_has_ended(world: World, offer: Plan) -> None:
    undo = world.executor.undo_plan()
    assert undo is not None and [s.verb for s in undo.steps] == ["start"]
    assert world.do(undo).status == "failed"
    assert spans(world.server.writes, "startProcess") == 0
    world.proc.remove(LEFT)
    assert world.do(undo).status == "done"
    assert world.executor.undo_plan() is None


def test_once_it_is_started_no_older_undo_starts_it(
    world: World, offer: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = program("w1", 301, role="other")
    world.proc.add(301)
    world.server.put("w1", "RUNNING", 301)
    world.shot = snapshot([*world.shot.programs, other])
    assert world.do(plan_program("stop", [other], world.shot)).status == "done"
    end(world, monkeypatch)
    assert world.do(offer).status == "done"
    undo = world.executor.undo_plan()
    assert undo is not None and [s.target.namespec for s in undo.steps] == ["w1"]
    assert world.do(undo).status == "done"
    assert world.executor.undo_plan() is None


def test_undo_of_a_stop_does_not_join_it_either(world: World) -> None:
    assert world.do(plan_program("stop", world.shot.programs, world.shot)).status == "failed"
    undo = world.executor.undo_plan()
    assert undo is not None
    outcome = world.do(undo)
    assert outcome.status == "failed" and spans(world.server.writes, "startProcess") == 0


def test_a_pid_that_came_round_is_not_what_was_left_over(world: World, offer: Plan) -> None:
    world.proc.add(LEFT, ppid=1, start=9_999_999)
    assert world.do(replace(offer, steps=offer.steps[1:])).status == "done"
