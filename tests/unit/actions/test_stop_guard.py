"""Stopping below supervisor 4.2.2, where a signal at the wrong moment could end all of a group."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions import executor
from beattop.actions.plan import plan_duplicates, plan_program
from tests.unit.actions.fake import HUNG, NOT_RUNNING, World, details, spans
from tests.unit.actions.scene import (
    config,
    looping_pair,
    program,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


class TestGuard:
    """Before supervisor 4.2.2 with stopasgroup a call between two lives can kill supervisord."""

    def _world(  # type: ignore[no-untyped-def]
        self, tmp_path: Path, version: str, lives=(1.5, 1.8), known: bool = True, **conf
    ):
        shot, found = looping_pair(lives)
        entry = config("beat2", **conf) if known else None
        second = replace(shot.programs[1], config=entry)
        shot = replace(shot, programs=(shot.programs[0], second))
        world = World(tmp_path, shot, version)
        world.asked_at = []  # type: ignore[attr-defined]

        def stop(name: str) -> None:
            world.asked_at.append(world.clock.t)  # type: ignore[attr-defined]
            world.server.finish_stop(name)

        world.server.on_stop = [stop]
        world.proc.born[202] = world.clock.monotonic() - 0.2
        return world, plan_duplicates([found], shot)

    def _respawn_in(self, world: World, seconds: float) -> None:
        world.clock.after(seconds, lambda: world.server.spawn("beat2", "STARTING") and None)

    @pytest.mark.parametrize("version", ["3.3.5", "4.0.4", "4.2.1", "unknown"])
    def test_a_short_life_is_not_signalled(self, tmp_path: Path, version: str) -> None:
        world, plan = self._world(tmp_path, version, (0.3, 0.4), stopasgroup=True)
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert world.server.writes == []
        assert "it dies again within 0.3 s" in outcome.summary
        assert f"supervisor {version} can die of a stop" in outcome.summary
        assert "with stopasgroup=true" in outcome.summary
        remove = "supervisorctl -c /etc/supervisord.conf remove beat2"
        assert outcome.summary.endswith(f"{remove}.")
        assert world.clock.t < 15

    @pytest.mark.parametrize("why", [NOT_RUNNING, HUNG])
    def test_a_version_that_is_not_told_may_be_any(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Exception
    ) -> None:
        def version() -> str:
            raise why

        world, plan = self._world(tmp_path, "4.3.0", (0.3, 0.4), stopasgroup=True)
        monkeypatch.setattr(world.server, "_getSupervisorVersion", version)
        outcome = world.do(plan)
        assert "supervisor ? can die of a stop" in outcome.summary
        assert world.server.writes == []

    def test_nothing_by_hand_where_a_whole_group_would_go(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), stopasgroup=True)
        other = program("x", group="beat2")
        world.shot = replace(world.shot, programs=(*world.shot.programs, other))
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert "by hand" not in outcome.summary

    @pytest.mark.parametrize("version", ["4.2.2", "4.2.5", "4.3.0", "5.0"])
    def test_falls_from_4_2_2_on(self, tmp_path: Path, version: str) -> None:
        world, plan = self._world(tmp_path, version, (0.1, 0.1), stopasgroup=True)
        world.server.on_stop = [NOT_RUNNING]
        assert world.do(plan).status == "done"
        assert len(world.server.writes) == 2
        assert spans(world.server.calls, "getAllConfigInfo") == 0

    def test_falls_where_killasgroup_is_off(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "4.1.0", (0.1, 0.1), known=False)
        world.server.configs = [
            {"group": "beat", "name": "beat", "killasgroup": True},
            {"group": "beat2", "name": "beat2", "killasgroup": False},
        ]
        assert world.do(plan).status == "done"

    def test_falls_where_the_conf_says_no(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), stopasgroup=False)
        assert world.do(plan).status == "done"

    def test_stands_where_nothing_tells(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), known=False)
        world.server.configs = [{"group": "beat2", "name": "beat2"}]
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert "may have stopasgroup=true" in outcome.summary

    def test_at_once_in_the_middle_of_a_life(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        assert world.do(plan).status == "done"
        assert world.asked_at == [0]

    def test_not_before_the_child_has_its_group(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.proc.add(202, pgrp=100)
        world.clock.after(0.25, lambda: world.proc.add(202))
        assert world.do(plan).status == "done"
        assert world.asked_at == [pytest.approx(0.3)]

    def test_its_stopwaitsecs_count_from_the_call_not_from_the_wait_for_it(
        self, tmp_path: Path
    ) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.proc.add(202, pgrp=100)

        def grouped() -> None:
            world.proc.add(202)
            world.proc.born[202] = world.clock.monotonic()

        world.clock.after(8, grouped)
        world.server.on_stop, world.server.stop_takes = [], 14.0
        assert world.do(plan).status == "done"

    def test_not_at_the_end_of_a_life(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.proc.born[202] = world.clock.monotonic() - 1.2
        world.clock.after(0.3, lambda: world.proc.remove(202))
        self._respawn_in(world, 0.45)
        assert world.do(plan).status == "done"
        assert world.asked_at == [pytest.approx(0.5)]

    def test_not_between_two_lives(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.server.put("beat2", "EXITED")
        world.proc.remove(202)
        self._respawn_in(world, 0.95)
        assert world.do(plan).status == "done"
        assert world.asked_at == [pytest.approx(1.0)]

    def test_one_that_stays_exited_is_not_waited_for(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.server.put("beat2", "EXITED")
        world.proc.remove(202)
        outcome = world.do(plan)
        assert outcome.status == "done"
        assert world.server.writes == []
        assert "not running" in details(outcome)["asked"]

    def test_backoff_sends_no_signal_so_it_is_asked_at_once(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), stopasgroup=True)
        world.proc.remove(202)
        world.server.put("beat2", "BACKOFF")
        world.server.on_stop = []
        assert world.do(plan).status == "done"
        assert world.server.writes == [("stopProcess", "beat2", False)]

    def test_a_missed_call_waits_for_the_next_moment(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)

        def missed(name: str) -> None:
            world.proc.remove(202)
            world.server.put(name, "EXITED")
            self._respawn_in(world, 0.35)
            raise NOT_RUNNING

        world.server.on_stop.insert(0, missed)
        assert world.do(plan).status == "done"
        assert world.asked_at == [pytest.approx(0.4)]

    def test_three_misses_are_enough(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.server.on_stop = [NOT_RUNNING] * 3
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert "3 calls missed it" in outcome.summary

    @pytest.mark.parametrize("state", ["FATAL", "STOPPED"])
    def test_one_that_is_down_meanwhile_is_not_asked(self, tmp_path: Path, state: str) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.server.put("beat2", "EXITED")
        world.proc.remove(202)
        world.clock.after(0.5, lambda: world.server.put("beat2", state))
        assert world.do(plan).status == "done"
        assert world.server.writes == []

    def test_a_steady_one_is_asked_though_it_cannot_be_seen(self, tmp_path: Path) -> None:
        shot = looping_pair()[0]
        beats = program("beat", 201, conf=config("beat", stopasgroup=True))
        shot = replace(
            shot, programs=(beats,), supervisords=(replace(shot.supervisords[0], key=None),)
        )
        world = World(tmp_path, shot, "3.3.5")
        plan = plan_program("stop", [replace(beats, members=())], shot)
        world.do(plan)
        assert len(world.server.writes) == 1

    def test_as_long_as_four_tenths_of_a_second_are_left(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.proc.born[202] = world.clock.monotonic() - 1.0
        assert world.do(plan).status == "done"
        assert world.asked_at == [0]

    def test_what_a_steady_one_once_lived_sets_no_moment(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), stopasgroup=True)
        steady = replace(plan, steps=(replace(plan.steps[0], respawning=False),))
        world.server.put("beat2", "STARTING", 202)
        assert world.do(steady).status == "done"
        assert world.asked_at == [0]

    def test_a_steady_one_that_starts_needs_its_group_too(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        steady = replace(plan, steps=(replace(plan.steps[0], respawning=False),))
        world.server.put("beat2", "STARTING", 202)
        world.proc.add(202, pgrp=100)
        world.clock.after(0.25, lambda: world.proc.add(202))
        assert world.do(steady).status == "done"
        assert world.asked_at == [pytest.approx(0.3)]

    def test_one_that_stops_already_is_not_asked(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.server.put("beat2", "STOPPING", 202)
        world.proc.born[202] = world.clock.monotonic() - 1.4
        world.clock.after(11.0, lambda: world.server.finish_stop("beat2"))
        assert world.do(plan).status == "done"
        assert world.server.writes == []

    def test_the_time_for_its_end_counts_from_the_call(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.server.put("beat2", "EXITED")
        world.proc.remove(202)
        self._respawn_in(world, 0.95)

        def slow(name: str) -> None:
            world.server.put(name, "STOPPING", 901)
            world.clock.after(11.5, lambda: world.server.finish_stop(name))

        world.server.on_stop = [slow]
        assert world.do(plan).status == "done"

    def test_the_plans_whole_time_ends_the_wait(self, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setattr(executor, "SLACK_S", -5.0)  # of stopwaitsecs, 10 s
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), stopasgroup=True)
        assert world.do(plan).status == "failed"
        assert world.clock.t == pytest.approx(5.0, abs=0.2)

    def test_one_that_is_not_in_the_look_may_have_the_option(self, tmp_path: Path) -> None:
        world, plan = self._world(tmp_path, "3.3.5", stopasgroup=True)
        world.shot = replace(world.shot, programs=world.shot.programs[:1])
        assert world.do(plan).status == "done"

    @pytest.mark.parametrize("known", [True, False])
    def test_nothing_by_hand_where_no_command_is_known(self, tmp_path: Path, known: bool) -> None:
        world, plan = self._world(tmp_path, "3.3.5", (0.1, 0.1), stopasgroup=True)
        mute = replace(world.shot.supervisords[0], ctl=())
        world.shot = replace(world.shot, supervisords=(mute,) if known else ())
        outcome = world.do(plan)
        assert outcome.status == "failed"
        assert "by hand" not in outcome.summary
