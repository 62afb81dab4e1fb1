"""What outlives the stop of its program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions.plan import plan_duplicates
from beattop.actions.process_table import key
from beattop.actions.survivors import besides, described, further_plan, survivors
from beattop.model.finding import Keep
from beattop.model.process import ProcessKey
from tests.unit.actions.fake import World, ticks
from tests.unit.actions.scene import (
    beat,
    finding,
    keep,
    member,
    pid_of,
    program,
    snapshot,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


class TestSurvivors:
    def _world(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        first = program("beat", 201)
        shell = program(
            "beat2", 202, members=[member(202, "wrapper"), member(203, "beat", ppid=202)]
        )
        shot = snapshot([first, shell], [beat(first), beat(shell, 203)])
        world = World(tmp_path, shot)
        world.proc.add(203, ppid=202, pgrp=202)
        return world, shot, first, shell

    def _plan(self, shot, first, shell):  # type: ignore[no-untyped-def]
        plan = plan_duplicates([finding([target(shell)], [keep(beat(first))])], shot)
        return replace(plan, steps=plan.steps[:1])

    def test_by_the_group_of_the_dead_leader(self, tmp_path: Path) -> None:
        world, shot, first, shell = self._world(tmp_path)
        outcome = world.do(self._plan(shot, first, shell))
        assert outcome.status == "failed"
        assert ticks(outcome)["survivors"] == "failed"
        assert "pid 203 (celery beat 203) lives on" in outcome.summary
        assert outcome.further is not None
        assert [s.call for s in outcome.further.steps] == ["pidfd_send_signal(pid 203, SIGTERM)"]

    def test_one_in_a_session_of_its_own_was_seen_below_its_shell(self, tmp_path: Path) -> None:
        """By setsid: neither its group nor, with a title, its environment tells whose it is."""
        world, shot, first, shell = self._world(tmp_path)
        world.proc.add(203, ppid=202, pgrp=203)
        outcome = world.do(self._plan(shot, first, shell))
        assert ticks(outcome)["survivors"] == "failed"
        assert outcome.further is not None
        assert [s.target.pid for s in outcome.further.steps] == [203]

    def test_a_pid_that_came_round_is_none_of_them(self, tmp_path: Path) -> None:
        world, shot, first, shell = self._world(tmp_path)
        world.proc.add(203, ppid=1, pgrp=203, start=9_999)
        assert world.do(self._plan(shot, first, shell)).status == "done"

    def test_one_on_its_way_out_is_waited_for(self, tmp_path: Path) -> None:
        world, shot, first, shell = self._world(tmp_path)
        world.clock.after(3.0, lambda: world.proc.remove(203))
        assert world.do(self._plan(shot, first, shell)).status == "done"

    def test_by_the_environment_of_an_older_life(self, tmp_path: Path) -> None:
        world, shot, first, shell = self._world(tmp_path)
        world.proc.remove(203)
        world.proc.add(77, ppid=1, pgrp=70)
        mine = {"SUPERVISOR_PROCESS_NAME": "beat2", "SUPERVISOR_GROUP_NAME": "beat2"}
        world.proc.env[77] = mine
        outcome = world.do(self._plan(shot, first, shell))
        assert "pid 77" in outcome.summary

    def test_a_left_over_that_is_kept_is_none(self, tmp_path: Path) -> None:
        """An orphan of the very program holds the pidfile: it is the beat that goes on."""
        world, _, _, _ = self._world(tmp_path)
        world.proc.remove(203)
        for pid in (77, 78):
            world.proc.add(pid, ppid=1, pgrp=70)
        world.proc.add(79, ppid=1, pgrp=71)
        left = [world.proc.found[pid] for pid in (77, 78, 79)]
        kept = Keep(None, None, 77, process=key(left[0]))
        assert [s.pid for s in besides(world.proc, left, [kept])] == [79]
        world.proc.remove(77)
        assert besides(world.proc, left[1:], [kept]) == left[1:]

    @pytest.mark.parametrize(
        "env",
        [
            {"SUPERVISOR_PROCESS_NAME": "beat"},
            {"SUPERVISOR_PROCESS_NAME": "beat2", "SUPERVISOR_GROUP_NAME": "jobs"},
            {"SUPERVISOR_PROCESS_NAME": "beat2", "SUPERVISOR_SERVER_URL": "unix:///other.sock"},
            {},
        ],
    )
    def test_others_are_no_survivors(self, tmp_path: Path, env: dict[str, str]) -> None:
        world, shot, first, shell = self._world(tmp_path)
        world.proc.remove(203)
        world.proc.add(77, ppid=1, pgrp=70)
        world.proc.env[77] = env
        assert world.do(self._plan(shot, first, shell)).status == "done"

    def test_with_a_living_leader_it_is_somebody_elses_child(self, tmp_path: Path) -> None:
        world, shot, first, shell = self._world(tmp_path)
        world.proc.remove(203)
        world.proc.add(70, ppid=1)
        world.proc.add(77, ppid=70, pgrp=70)
        world.proc.env[77] = {"SUPERVISOR_PROCESS_NAME": "beat2"}
        assert world.do(self._plan(shot, first, shell)).status == "done"

    def test_the_further_plan_warns(self, tmp_path: Path) -> None:
        world, shot, _, shell = self._world(tmp_path)
        plan = further_plan(world.proc, [world.proc.found[203]], shell.id, shot)
        assert plan.title == "End what beat2 left over"
        assert "no undo" in plan.warnings[0]


# Rule by rule, of a program whose shell was 202

SHELL = ProcessKey(202, 2020)
MINE = {"SUPERVISOR_PROCESS_NAME": "beat2"}
LEFT: dict[str, tuple[dict[str, Any], dict[str, str], bool]] = {
    "of its group": ({"pgrp": 202}, {}, True),
    "of its group, ended": ({"pgrp": 202, "state": "Z"}, {}, False),
    "of its group, taken in by supervisord": ({"pgrp": 202, "ppid": 100}, {}, True),
    "what supervisord runs now": ({"ppid": 100}, MINE, False),
    "of no group of its own": ({"pgrp": 70}, MINE, True),
    "of a group of its own": ({}, MINE, False),
    "of another program": ({"pgrp": 70}, {"SUPERVISOR_PROCESS_NAME": "x"}, False),
}


@pytest.mark.parametrize("about", LEFT)
def test_what_is_left_over(world: World, about: str) -> None:
    facts, env, left = LEFT[about]
    world.proc.remove(202)
    world.proc.add(77, **{"ppid": 1, **facts})
    world.proc.env[77] = env
    found = survivors(world.proc, pid_of("beat2"), [SHELL], 100)
    assert [s.pid for s in found] == [77] * left


@pytest.mark.parametrize(("start", "left"), [(2020, [202]), (5, [])])
def test_its_leader_is_left_over_and_no_later_process_of_that_pid(
    world: World, start: int, left: list[int]
) -> None:
    world.proc.add(202, ppid=1, start=start)
    assert [s.pid for s in survivors(world.proc, pid_of("beat2"), [SHELL], 100)] == left


def test_a_group_whose_leader_is_a_zombie_is_left_over(world: World) -> None:
    world.proc.add(70, ppid=1, state="Z")
    world.proc.add(77, ppid=70, pgrp=70)
    world.proc.env[77] = MINE
    assert [s.pid for s in survivors(world.proc, pid_of("beat2"), [], 100)] == [77]


def test_the_oldest_comes_first(world: World) -> None:
    for pid, start in ((250, 9000), (300, 3000), (299, 9000)):
        world.proc.add(pid, ppid=1, pgrp=202, start=start)
    world.proc.remove(202)
    found = survivors(world.proc, pid_of("beat2"), [SHELL], 100)
    assert [s.pid for s in found] == [300, 250, 299]


def test_a_kept_one_that_has_ended_covers_nobody(world: World) -> None:
    world.proc.add(77, ppid=1, pgrp=70, state="Z")
    world.proc.add(78, ppid=1, pgrp=70)
    kept = Keep(None, None, 77, process=ProcessKey(77, 770))
    left = [world.proc.found[78]]
    assert besides(world.proc, left, [kept]) == left


def test_one_without_a_command_line_is_told_by_its_pid(world: World) -> None:
    world.proc.words = lambda pid: ""  # type: ignore[method-assign]
    assert described(world.proc, [world.proc.found[202]]) == "pid 202 (no command line)"
