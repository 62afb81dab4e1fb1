"""Hand-overs and stale pidfiles: does the supervised beat take the schedule in time?"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions.plan import plan_pidfile, plan_program
from beattop.model.files import Pidfile
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from tests.unit.actions.fake import World, details, ticks
from tests.unit.actions.scene import beat, finding, program, snapshot

pytestmark = pytest.mark.usefixtures("approved_outcomes")


class Stale:
    """A looping beat that a stale pidfile refuses."""

    def __init__(self, folder: Path, **looping: Any) -> None:
        self.path = folder / "beat.pid"
        self.path.write_text("55\n")
        self.heir = program("beat", 202, **{"respawning": True, "lives": [1.2], **looping})
        self.fact = Pidfile(
            str(self.path),
            "ok",
            55,
            os.stat(self.path).st_mtime,
            ProcessKey(55, 550),
            ("sleep", "9"),
            "joe",
        )
        self.shot = snapshot(
            [self.heir], [beat(self.heir, health="respawning")], pidfiles=[self.fact]
        )
        self.world = World(folder, self.shot)
        self.world.proc.add(55, ppid=1)

    @property
    def plan(self) -> Plan:
        found = finding([], kind="stale-pidfile", pidfile=str(self.path), programs=(self.heir.id,))
        return plan_pidfile(found, self.shot)

    def taken_after(self, seconds: float, *, pid: int | None = None) -> None:
        def take() -> None:
            new = self.world.server.spawn("beat")
            self.path.write_text(f"{pid or new}\n")

        self.world.clock.after(seconds, take)


@pytest.fixture
def stale(tmp_path: Path) -> Stale:
    return Stale(tmp_path)


def test_it_is_removed_and_the_beat_takes_over(stale: Stale) -> None:
    stale.taken_after(3.0)
    outcome = stale.world.do(stale.plan)
    assert outcome.status == "done", outcome
    assert ticks(outcome) == {"asked": "done", "took-over": "done"}
    assert f"beat (pid 901) holds {stale.path}" in details(outcome)["took-over"]
    assert stale.world.server.writes == []


def test_nobody_takes_over_and_it_says_so_loudly(stale: Stale) -> None:
    outcome = stale.world.do(stale.plan)
    assert outcome.status == "failed"
    assert not stale.path.exists()
    words = details(outcome)["took-over"]
    assert words.startswith("NOBODY holds")
    assert "beat HAS NOT TAKEN OVER" in words
    assert "restart beat" in words
    assert outcome.further is not None
    assert outcome.further.steps[0].verb == "restart"


def test_a_stranger_takes_it(stale: Stale) -> None:
    stale.world.proc.add(66, ppid=1)
    stale.taken_after(2.0, pid=66)
    assert stale.world.do(stale.plan).status == "failed"


def test_supervisord_says_otherwise(stale: Stale) -> None:
    """The holder is a child of supervisord, but of another program."""
    stale.world.proc.add(303)

    def take() -> None:
        stale.world.server.spawn("beat")
        stale.path.write_text("303\n")

    stale.world.clock.after(2.0, take)
    assert stale.world.do(stale.plan).status == "failed"


def test_a_child_of_the_programs_shell_is_the_program(stale: Stale) -> None:
    def take() -> None:
        shell = stale.world.server.spawn("beat")
        stale.world.proc.add(777, ppid=shell, pgrp=shell)
        stale.path.write_text("777\n")

    stale.world.clock.after(2.0, take)
    assert stale.world.do(stale.plan).status == "done"


def test_a_fatal_heir_is_started(tmp_path: Path) -> None:
    stale = Stale(tmp_path, respawning=False, state="FATAL", members=())
    stale.world.server.put("beat", "FATAL")

    def start(name: str) -> None:
        stale.path.write_text(f"{stale.world.server.spawn(name)}\n")

    stale.world.server.on_start = [start]
    outcome = stale.world.do(stale.plan)
    assert outcome.status == "done", outcome
    assert [c[0] for c in stale.world.server.writes] == ["startProcess"]


class TestStillStale:
    """Anything changed about the file or its pid: it stays."""

    def _stays(self, stale: Stale, words: str, status: str = "changed") -> None:
        plan = stale.plan
        outcome = stale.world.do(plan)
        assert outcome.status == status
        assert words in outcome.summary

    def test_gone(self, stale: Stale) -> None:
        stale.path.unlink()
        self._stays(stale, "gone already")

    def test_gone_with_its_folder(self, stale: Stale) -> None:
        self._moved(stale, stale.path.parent / "run" / "beat.pid")
        self._stays(stale, "the file is gone already")

    def _moved(self, stale: Stale, path: Path) -> None:
        stale.path = path
        stale.fact = replace(stale.fact, path=str(path))
        stale.shot = stale.world.shot = replace(stale.shot, pidfiles=(stale.fact,))

    def test_written_anew(self, stale: Stale) -> None:
        os.utime(stale.path, (1, 1))
        self._stays(stale, "written anew")
        assert stale.path.exists()

    def test_another_pid(self, stale: Stale) -> None:
        stale.path.write_text("56\n")
        self._stays(stale, "names pid 56 now")
        assert stale.path.exists()

    def test_a_link(self, stale: Stale, tmp_path: Path) -> None:
        stale.path.rename(tmp_path / "real.pid")
        stale.path.symlink_to(tmp_path / "real.pid")
        self._stays(stale, "cannot be looked at", "failed")
        assert (tmp_path / "real.pid").exists()

    def test_a_folder(self, stale: Stale) -> None:
        stale.path.unlink()
        stale.path.mkdir()
        self._stays(stale, "no regular file")

    def test_the_stranger_ended(self, stale: Stale) -> None:
        stale.world.proc.remove(55)
        self._stays(stale, "pid 55 has ended meanwhile")
        assert stale.path.exists()

    def test_a_pid_that_was_nobodys_lives(self, stale: Stale) -> None:
        stale.fact = replace(stale.fact, holder=None)
        stale.shot = replace(stale.shot, pidfiles=(stale.fact,))
        self._stays(stale, "pid 55 lives now")
        assert stale.path.exists()

    def test_nobodys_pid(self, stale: Stale) -> None:
        stale.fact = replace(stale.fact, holder=None)
        stale.shot = replace(stale.shot, pidfiles=(stale.fact,))
        stale.world.proc.remove(55)
        stale.taken_after(2.0)
        assert stale.world.do(stale.plan).status == "done"

    def test_no_permission(self, stale: Stale, monkeypatch: Any) -> None:
        def denied(path: str, **_: int) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("beattop.actions.pidfile.os.unlink", denied)
        self._stays(stale, "could not be removed: Permission denied", "failed")

    def test_out_of_bounds(self, stale: Stale) -> None:
        stale.world.confined = frozenset({"unix:///demo.sock"})
        self._stays(stale, "outside of what this beattop may touch", "refused")
        assert stale.path.exists()


def test_without_a_pidfile_time_tells(tmp_path: Path) -> None:
    stale = Stale(tmp_path)
    plan = stale.plan
    step = replace(plan.steps[0], verb="signal", pidfile=None)
    stale.world.clock.after(1.0, lambda: stale.world.server.spawn("beat") and None)
    world = stale.world
    carrying_signal(world, plan, step)


def carrying_signal(world: World, plan: Plan, step: Any) -> None:
    """The foreign beat has ended already; only the heir is followed."""
    key = ProcessKey(4_000_077, 1)
    step = replace(step, target=replace(step.target, pid=key.pid, process=key))
    outcome = world.do(replace(plan, steps=(step,)))
    assert outcome.status == "done", outcome
    assert "lives for" in details(outcome)["took-over"]


def test_later_steps_of_a_hand_over_need_the_first(tmp_path: Path) -> None:
    stale = Stale(tmp_path, respawning=False, state="FATAL", members=())
    plan = stale.plan
    stale.path.write_text("56\n")
    outcome = stale.world.do(plan)
    assert outcome.status == "changed"
    assert stale.world.server.writes == []


class TestHeir:
    """The beat that works is ended only where somebody is about to follow."""

    def _world(self, tmp_path: Path) -> tuple[World, Plan]:
        stale = Stale(tmp_path)
        key = ProcessKey(4_000_077, 1)
        step = replace(stale.plan.steps[0], verb="signal")
        step = replace(step, target=replace(step.target, pid=key.pid, process=key))
        stale.taken_after(2.0)
        return stale.world, replace(stale.plan, steps=(step,))

    @pytest.mark.parametrize("state", ["STOPPED", "FATAL", "STOPPING", "UNKNOWN"])
    def test_that_will_not_start_by_itself(self, tmp_path: Path, state: str) -> None:
        world, plan = self._world(tmp_path)
        world.server.put("beat", state)
        outcome = world.do(plan)
        assert outcome.status == "changed"
        assert f"beat, which was to take over, is {state} now" in outcome.summary

    @pytest.mark.parametrize("state", ["RUNNING", "STARTING", "BACKOFF", "EXITED"])
    def test_that_loops(self, tmp_path: Path, state: str) -> None:
        world, plan = self._world(tmp_path)
        world.server.put("beat", state)
        assert world.do(plan).status == "done"

    def test_that_cannot_be_asked(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        world.server.hung = True
        assert world.do(plan).status == "blind"

    def test_that_the_plan_itself_starts(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path)
        world.server.put("beat", "FATAL")
        start = plan_program(
            "start", [replace(world.shot.programs[0], respawning=False, state="FATAL")], world.shot
        )
        world.clock.due.clear()

        def begin(name: str) -> None:
            (tmp_path / "beat.pid").write_text(f"{world.server.spawn(name)}\n")

        world.server.on_start = [begin]
        assert world.do(replace(plan, steps=(*plan.steps, *start.steps))).status == "done"


def test_called_off_before_it_is_removed(stale: Stale) -> None:
    stale.world.cancelled = lambda: True
    assert stale.world.do(stale.plan).status == "cancelled"
    assert stale.path.exists()


def test_the_removal_is_in_the_journal(stale: Stale) -> None:
    stale.taken_after(2.0)
    stale.world.do(stale.plan)
    assert '"result": "removed"' in stale.world.journal.read_text()
