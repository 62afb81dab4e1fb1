"""What became of a program between the plan and its stop, how long a stop may take, what is next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from beattop.actions.carrying import Carrying
from beattop.actions.plan import plan_duplicates, plan_program
from beattop.actions.steps import Parts, process_target, signal_step
from beattop.model.plan import Plan, Step
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Snapshot
from tests.unit.actions.fake import World, ticks
from tests.unit.actions.scene import beat, looping_pair, program, snapshot


def at_rest(shot: Snapshot, pid: int = 202) -> Snapshot:
    """The same box, where beat2 does not loop any more."""
    first, second = shot.programs
    now = program("beat2", pid)
    assert second.id == now.id
    return replace(shot, programs=(first, now), beats=(beat(first), beat(now)))


@pytest.mark.parametrize("pid", [202, 303])
def test_a_loop_that_came_to_rest_is_left_alone(tmp_path: Path, pid: int) -> None:
    """Its conflict was mended meanwhile, or its name was given to another command."""
    shot, found = looping_pair()
    plan = plan_duplicates([found], shot)
    world = World(tmp_path, at_rest(shot, pid))
    outcome = world.do(plan)
    assert outcome.status == "changed"
    assert f"it does not loop any more: pid {pid} stays up" in outcome.summary
    assert world.server.writes == []


def test_so_is_one_that_had_no_process_when_the_plan_was_made(tmp_path: Path) -> None:
    shot, found = looping_pair()
    between = replace(found.stop[0], pid=None, process=None)
    plan = plan_duplicates([replace(found, stop=(between,))], shot)
    assert World(tmp_path, at_rest(shot)).do(plan).status == "changed"


@pytest.mark.parametrize("state", ["STARTING", "BACKOFF"])
def test_what_supervisord_still_tries_to_start_loops_on(tmp_path: Path, state: str) -> None:
    shot, found = looping_pair()
    plan = plan_duplicates([found], shot)
    world = World(tmp_path, at_rest(shot))
    world.server.put("beat2", state, 202 if state == "STARTING" else 0)
    if state == "BACKOFF":
        world.proc.remove(202)
    assert world.do(plan).status == "done"


def test_one_whose_process_is_not_seen_may_loop_on(tmp_path: Path) -> None:
    shot, found = looping_pair()
    plan = plan_duplicates([found], shot)
    world = World(tmp_path, at_rest(shot))
    first, second = world.shot.programs
    world.shot = replace(world.shot, programs=(first, replace(second, members=())))
    assert world.do(plan).status == "done"


def test_so_is_one_that_was_chosen_by_hand(tmp_path: Path) -> None:
    shot, _ = looping_pair()
    plan = plan_program("stop", [shot.programs[1]], shot)
    assert World(tmp_path, at_rest(shot)).do(plan).status == "changed"


def test_an_undo_means_what_its_start_has_brought_forth(tmp_path: Path) -> None:
    first, second = program("beat", 201), program("beat2", state="STOPPED")
    before = snapshot([first, second], [beat(first)])
    world = World(tmp_path, before)
    assert world.do(plan_program("start", [second], before)).status == "done"
    world.shot = at_rest(before, world.server.programs["beat2"]["pid"])
    undo = world.executor.undo_plan()
    assert undo is not None
    assert undo.steps[0].respawning
    assert world.do(undo).status == "done"


class TestUnknownStopwaitsecs:
    """A conf that may not be read, on a supervisord that does not tell: it may stop for minutes."""

    def _world(self, tmp_path: Path) -> World:
        shot, self.found = looping_pair()
        first, second = shot.programs
        return World(tmp_path, replace(shot, programs=(first, replace(second, config=None))))

    def test_it_has_all_the_time_there_is(self, tmp_path: Path) -> None:
        world = self._world(tmp_path)
        world.server.stop_takes = 45.0
        outcome = world.do(plan_duplicates([self.found], world.shot))
        assert ticks(outcome)["stopped"] == "done"

    def test_so_has_one_that_left_the_look(self, tmp_path: Path) -> None:
        world = self._world(tmp_path)
        plan = plan_duplicates([self.found], world.shot)
        world.shot = replace(world.shot, programs=world.shot.programs[:1])
        world.server.stop_takes = 45.0
        assert ticks(world.do(plan))["stopped"] == "done"

    def test_what_does_not_stop_at_all_has_not(self, tmp_path: Path) -> None:
        world = self._world(tmp_path)
        world.server.on_stop = [lambda name: None]
        outcome = world.do(plan_duplicates([self.found], world.shot))
        assert outcome.status == "failed"
        assert "it is still RUNNING (pid 202) after 15 seconds" in outcome.summary

    def test_that_it_is_not_over_is_no_failure(self, tmp_path: Path) -> None:
        world = self._world(tmp_path)
        world.server.stop_takes = None
        outcome = world.do(plan_duplicates([self.found], world.shot))
        assert outcome.status == "unverified"
        assert "asked to stop and STOPPING, but the time was over" in outcome.summary
        assert ticks(outcome)["stopped"] == "failed"


def test_what_heeds_no_signal_is_offered_once() -> None:
    """Left over from its shell and deaf to SIGTERM: SIGKILL is next, not SIGTERM again."""
    shot, _ = looping_pair()

    def offer(*steps: Step) -> Plan:
        parts = Parts.empty()
        parts.steps += steps
        return parts.plan("Next", shot)

    deaf, other = ProcessKey(77, 770), ProcessKey(78, 780)
    kill = signal_step(process_target(deaf, "deaf"), deaf, kill=True)
    term = [signal_step(process_target(key, "left over"), key) for key in (deaf, other)]
    restart = process_target(deaf, "hesitates")
    restarts = [
        Step("restart", replace(restart, process=None, namespec=name), name, None, None)
        for name in ("one", "two")
    ]
    run: Any = SimpleNamespace(further=[offer(kill), offer(term[0])], plan=offer())
    assert Carrying(run)._further() == offer(kill)
    run.further = [offer(kill), offer(*term)]
    both = Carrying(run)._further()
    assert both is not None
    assert both.steps == (kill, term[1])
    run.further = [offer(step) for step in restarts]
    again = Carrying(run)._further()
    assert again is not None and again.steps == tuple(restarts), "programs, no processes"
