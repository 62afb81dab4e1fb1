"""What has changed between the look and the stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates, plan_program
from tests.unit.actions.fake import World
from tests.unit.actions.scene import (
    beat,
    finding,
    keep,
    outsider,
    program,
    snapshot,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


class TestChanged:
    """Since the look the box has changed: nothing is touched."""

    def test_the_kept_beat_is_gone(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        world.proc.remove(201)
        outcome = world.do(plan)
        assert outcome.status == "changed"
        assert "beat (pid 201), which was to be kept" in outcome.summary
        assert world.server.calls == []

    def test_the_kept_pid_is_another_process(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        world.proc.add(201, start=999)
        assert world.do(plan).status == "changed"

    def test_the_kept_beat_is_a_zombie(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        world.proc.add(201, state="Z")
        assert world.do(plan).status == "changed"

    def test_the_program_is_gone(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        del world.server.programs["beat2"]
        outcome = world.do(plan)
        assert outcome.status == "changed"
        assert "does not exist any more" in outcome.summary

    def test_a_steady_one_was_restarted(self, tmp_path: Path) -> None:
        first, second = program("beat", 201), program("beat2", 202)
        shot = snapshot([first, second], [beat(first), beat(second)])
        world = World(tmp_path, shot)
        plan = plan_duplicates([finding([target(second)], [keep(beat(first))])], shot)
        world.server.spawn("beat2")
        outcome = world.do(plan)
        assert outcome.status == "changed"
        assert "pid 901" in outcome.summary
        assert "not pid 202" in outcome.summary
        assert world.server.writes == []

    def test_a_pid_came_round_again(self, tmp_path: Path) -> None:
        first, second = program("beat", 201), program("beat2", 202)
        shot = snapshot([first, second], [beat(first), beat(second)])
        world = World(tmp_path, shot)
        plan = plan_duplicates([finding([target(second)], [keep(beat(first))])], shot)
        world.proc.add(202, start=7777)
        assert world.do(plan).status == "changed"

    def test_its_name_was_given_to_another_command(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        """A program that supervisord has read anew has not died once."""
        world.server.spawn("beat2", "STARTING")
        world.server.programs["beat2"]["stop"] = 0
        outcome = world.do(plan)
        assert outcome.status == "changed" and world.server.writes == []
        assert "it is new since the look: pid 901 is its first life" in outcome.summary

    @pytest.mark.parametrize("how", ["halted", "silent", "both go on"])
    def test_the_kept_beat_sends_nothing_any_more(self, tmp_path: Path, how: str) -> None:
        """It would end the one that works for one that does not."""
        first, second = program("beat", 201), program("beat2", 202)
        shot = snapshot([first, second], [beat(first), beat(second)])
        world = World(tmp_path, shot)
        plan = plan_duplicates([finding([target(second)], [keep(beat(first))])], shot)
        if how == "halted":
            world.proc.add(201, state="T")
        elif how == "silent":
            world.shot = snapshot([first, second], [beat(first, health="silent"), beat(second)])
        outcome = world.do(plan)
        if how == "both go on":
            assert outcome.status == "done"
            return
        assert outcome.status == "changed" and world.server.writes == []
        assert "beat (pid 201), which was to be kept, sends nothing now" in outcome.summary

    def test_a_loop_is_ended_whatever_the_kept_beat_does(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        """It never sent anything either; that the kept one is halted is told at the end."""
        world.proc.add(201, state="T")
        outcome = world.do(plan)
        assert outcome.status == "failed" and len(world.server.writes) == 1
        assert "beat still lives: no" in outcome.summary

    def test_a_respawner_may_have_any_pid(self, world, plan) -> None:  # type: ignore[no-untyped-def]
        world.server.spawn("beat2")
        assert world.do(plan).status == "done"

    def test_nothing_else_is_touched_after_it(self, tmp_path: Path) -> None:
        first, second, third = program("b", 201), program("b2", 202), program("b3", 203)
        shot = snapshot([first, second, third], [beat(p) for p in (first, second, third)])
        world = World(tmp_path, shot)
        plan = plan_duplicates(
            [finding([target(second), target(third)], [keep(beat(first))])], shot
        )
        world.server.spawn("b2")
        outcome = world.do(plan)
        assert outcome.status == "changed"
        assert world.server.writes == []
        assert {c.tick for c in outcome.checks if c.step == 1} == {"skipped"}

    def test_the_kept_beat_dies_between_two_stops(self, tmp_path: Path) -> None:
        first, second, third = program("b", 201), program("b2", 202), program("b3", 203)
        shot = snapshot([first, second, third], [beat(p) for p in (first, second, third)])
        world = World(tmp_path, shot)
        plan = plan_duplicates(
            [finding([target(second), target(third)], [keep(beat(first))])], shot
        )

        def keeper_dies(name: str) -> None:
            world.proc.remove(201)
            world.server.finish_stop(name)

        world.server.on_stop = [keeper_dies]
        outcome = world.do(plan)
        assert outcome.status == "changed"
        assert world.server.writes == [("stopProcess", "b2", False)]


@pytest.mark.parametrize("state", ["STARTING", "BACKOFF", "UNKNOWN"])
def test_a_steady_one_without_its_process_has_changed(tmp_path: Path, state: str) -> None:
    only = program("web", 201, role="other")
    world = World(tmp_path, snapshot([only]))
    plan = plan_program("stop", [only], world.shot)
    world.proc.remove(201)
    world.server.put("web", state)
    outcome = world.do(plan)
    assert outcome.status == "changed"
    assert f"it is {state} now; pid 201 has ended" in outcome.summary
    assert world.server.writes == []


def test_a_steady_one_that_exited_meanwhile_is_done(tmp_path: Path) -> None:
    only = program("web", 201, role="other")
    world = World(tmp_path, snapshot([only]))
    plan = plan_program("stop", [only], world.shot)
    world.proc.remove(201)
    world.server.put("web", "EXITED")
    assert world.do(plan).status == "done"


def test_one_that_had_no_process_may_have_one_by_now(tmp_path: Path) -> None:
    only = program("web", None, role="other", state="BACKOFF")
    world = World(tmp_path, snapshot([only]))
    plan = plan_program("stop", [only], world.shot)
    world.server.spawn("web")
    assert world.do(plan).status == "done"


def test_no_foreign_beat_is_ended_for_one_that_fell_silent(tmp_path: Path) -> None:
    first, pid = program("beat", 201), 4_000_077
    kept, foreign = beat(first), beat(None, pid)
    world = World(tmp_path, snapshot([first], [kept, foreign]))
    plan = plan_duplicates([finding([outsider(pid)], [keep(kept)])], world.shot)
    world.shot = snapshot([first], [replace(kept, health="silent"), foreign])
    outcome = world.do(plan)
    assert outcome.status == "changed"
    assert "sends nothing now" in outcome.summary
