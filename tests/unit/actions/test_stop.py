"""The stop recipe, branch by branch, against a scripted supervisord."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates, plan_program
from beattop.actions.process_table import key
from beattop.actions.survivors import besides, further_plan
from beattop.model.finding import Keep
from tests.unit.actions.fake import HUNG, NOT_RUNNING, World, details, spans, ticks
from tests.unit.actions.scene import (
    beat,
    config,
    finding,
    keep,
    looping_pair,
    member,
    program,
    snapshot,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, looping_pair()[0])


@pytest.fixture
def plan(world: World):  # type: ignore[no-untyped-def]
    return plan_duplicates([looping_pair()[1]], world.shot)


def test_a_running_life_is_stopped_and_proven(world, plan) -> None:  # type: ignore[no-untyped-def]
    outcome = world.do(plan)
    assert outcome.status == "done", outcome
    assert outcome.summary == "beat2 is stopped"
    assert world.server.writes == [("stopProcess", "beat2", False)]
    assert ticks(outcome) == {
        "asked": "done",
        "stopped": "done",
        "stays-stopped": "done",
        "gone": "done",
        "survivors": "done",
        "no-new-spawn": "done",
        "keeper-alive": "done",
        "keeper-pidfile": "skipped",
        "keeper-beats": "skipped",
    }
    assert "1st try, RUNNING → STOPPING" in details(outcome)["asked"]
    assert "pid 202 is gone" in details(outcome)["gone"]
    assert "pid 201 (start 2010) lives" in details(outcome)["keeper-alive"]


def test_the_checklist_is_announced_before_anything_is_done(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.do(plan)
    announced = [c.name for c in world.checks[:9]]
    assert all(c.tick == "pending" for c in world.checks[:9])
    assert announced[0] == "asked"
    assert "keeper-alive" in announced


def test_two_reads_lie_apart(world, plan) -> None:  # type: ignore[no-untyped-def]
    outcome = world.do(plan)
    assert "read twice, 1.2 s apart" in details(outcome)["stays-stopped"]


def test_no_spawn_is_watched_for_two_periods(world, plan) -> None:  # type: ignore[no-untyped-def]
    outcome = world.do(plan)
    # 2 x (startsecs 1.0 + the longest life 1.4)
    assert "watched for 5 s" in details(outcome)["no-new-spawn"]
    assert 4.8 < world.clock.t < 8


def test_that_span_is_known_from_before(world, plan) -> None:  # type: ignore[no-untyped-def]
    """Once it is stopped, a newer look sees no loop any more."""

    def calm(name: str) -> None:
        steady = replace(world.shot.programs[1], respawning=False, lives=(), members=())
        world.shot = replace(world.shot, programs=(world.shot.programs[0], steady))
        world.server.finish_stop(name)

    world.server.on_stop = [calm]
    assert "watched for 5 s" in details(world.do(plan))["no-new-spawn"]


def test_supervisord_is_asked_rarely(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.do(plan)
    assert spans(world.server.calls, "getProcessInfo") <= 7


def test_missed_once_in_exited_then_caught_at_once(world, plan) -> None:  # type: ignore[no-untyped-def]
    def respawned(name: str) -> None:
        world.server.put(name, "STOPPING", world.server.spawn(name))
        world.clock.after(0.3, lambda: world.server.finish_stop(name))

    world.server.put("beat2", "EXITED")
    world.server.on_stop = [NOT_RUNNING, respawned]
    before = world.clock.t
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert spans(world.server.calls, "stopProcess") == 2
    first, second = (i for i, c in enumerate(world.server.calls) if c[0] == "stopProcess")
    assert second - first == 2, "one read, no pause between them"
    assert before == 0
    assert "2nd try" in details(outcome)["asked"]
    assert "pid 901 is gone" in details(outcome)["gone"]


def test_in_backoff_it_is_stopped_without_a_signal(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("beat2", "BACKOFF")
    world.proc.remove(202)
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert "BACKOFF → STOPPED" in details(outcome)["asked"]
    assert ticks(outcome)["gone"] == "skipped"


@pytest.mark.parametrize("state", ["STOPPED", "FATAL"])
def test_down_already(world, plan, state) -> None:  # type: ignore[no-untyped-def]
    world.server.put("beat2", state)
    world.proc.remove(202)
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert world.server.writes == []
    assert world.executor.undo_plan() is None, "it was not this that stopped it"
    assert ticks(outcome)["asked"] == "skipped"


def test_fatal_on_the_way_is_done(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("beat2", "BACKOFF")
    world.proc.remove(202)

    def gave_up(name: str) -> None:
        world.server.put(name, "FATAL")
        raise NOT_RUNNING

    world.server.on_stop = [gave_up]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert len(world.server.writes) == 1
    assert world.executor.undo_plan() is not None


def test_somebody_elses_stop_is_watched(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("beat2", "STOPPING", 202)
    world.clock.after(2.0, lambda: world.server.finish_stop("beat2"))
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert len(world.server.writes) == 1
    assert details(outcome)["asked"] == "not running, STOPPING → STOPPING"
    assert world.executor.undo_plan() is None
    waited = [c.detail for c in world.checks if c.name == "stopped" and c.tick == "pending"]
    assert waited[1] == "STOPPING, 0 seconds"


def test_six_misses_are_enough(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.on_stop = [NOT_RUNNING] * 9
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert len(world.server.writes) == 6
    assert "6 calls missed it" in outcome.summary
    assert "supervisorctl -c /etc/supervisord.conf stop beat2" in outcome.summary


def test_exited_for_good_counts_as_stopped(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("beat2", "EXITED")
    world.proc.remove(202)
    outcome = world.do(plan)
    assert outcome.status == "done"


def test_exited_and_spawned_again_does_not(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.put("beat2", "EXITED")
    world.proc.remove(202)
    world.clock.after(0.9, lambda: world.server.spawn("beat2"))
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "did not stay stopped" in outcome.summary


def test_another_fault_is_told(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.on_stop = [xmlrpc.client.Fault(30, "FAILED: attempted to kill")]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "fault 30" in outcome.summary
    assert len(world.server.writes) == 1


def test_a_lost_answer_is_never_asked_for_again(world, plan) -> None:  # type: ignore[no-untyped-def]
    def late(name: str) -> None:
        world.clock.after(3.0, lambda: world.server.finish_stop(name))
        raise HUNG

    world.server.on_stop = [late]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert len(world.server.writes) == 1
    assert "may still be carried out" in details(outcome)["asked"]
    assert world.executor.undo_plan() is not None


def test_a_lost_answer_that_was_not_carried_out(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.on_stop = [HUNG]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "still RUNNING" in outcome.summary
    assert len(world.server.writes) == 1
    assert 12 <= world.clock.t < 14  # stopwaitsecs 10 + 2


def test_hung_before_anything_is_blind(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.hung = True
    outcome = world.do(plan)
    assert outcome.status == "blind"
    assert world.server.writes == []
    assert "does not answer in time" in outcome.summary


def test_hung_after_the_call_is_unverified_and_not_repeated(world, plan) -> None:  # type: ignore[no-untyped-def]
    def hang(name: str) -> None:
        world.server.hung = True

    world.server.on_stop = [hang]
    outcome = world.do(plan)
    assert outcome.status == "unverified"
    assert len(world.server.writes) == 1
    assert "has not answered" in outcome.summary


def test_refused_connection_was_never_sent(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.on_stop = [ConnectionRefusedError(111, "refused")]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "could not be asked" in outcome.summary
    assert world.clock.t < 1


def test_still_stopping_at_its_deadline(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.server.stop_takes = None
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "still STOPPING (pid 202) after 12 seconds" in outcome.summary
    assert ticks(outcome)["stopped"] == "failed"
    assert ticks(outcome)["no-new-spawn"] == "skipped"


def test_respawned_between_the_two_reads(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.clock.after(1.0, lambda: world.server.spawn("beat2"))
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "did not stay stopped: it is RUNNING with pid 901" in outcome.summary
    assert ticks(outcome)["stays-stopped"] == "failed"


def test_respawned_while_watched(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.clock.after(3.0, lambda: world.server.spawn("beat2"))
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert ticks(outcome)["no-new-spawn"] == "failed"
    assert world.clock.t < 7, "seen as a new child, before the span is over"


def test_a_spawn_that_ended_again_is_told_by_its_time(world, plan) -> None:  # type: ignore[no-untyped-def]
    def spawned_and_stopped() -> None:
        world.server.finish_stop("beat2") if world.server.spawn("beat2") else None

    world.clock.after(3.0, spawned_and_stopped)
    outcome = world.do(plan)
    assert ticks(outcome)["no-new-spawn"] == "failed"


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


def test_a_group_and_numprocs(tmp_path: Path) -> None:
    first = program("b_00", 201, group="b")
    rest = [program(f"b_0{n}", 201 + n, group="b") for n in (1, 2)]
    shot = snapshot([first, *rest], [beat(p) for p in (first, *rest)])
    world = World(tmp_path, shot)
    plan = plan_duplicates([finding([target(p) for p in rest], [keep(beat(first))])], shot)
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert world.server.writes == [
        ("stopProcess", "b:b_01", False),
        ("stopProcess", "b:b_02", False),
    ]
    assert world.server.programs["b:b_00"]["statename"] == "RUNNING"
    assert any(c.label == "b:b_02: stays stopped" for c in outcome.checks)


def test_stops_are_asked_together_and_then_watched(tmp_path: Path) -> None:
    first = program("b", 201)
    rest = [program(f"b{n}", 201 + n) for n in range(1, 9)]
    shot = snapshot([first, *rest], [beat(p) for p in (first, *rest)])
    world = World(tmp_path, shot)
    world.server.stop_takes = 9.0
    plan = plan_duplicates([finding([target(p) for p in rest], [keep(beat(first))])], shot)
    assert world.do(plan).status == "done"
    assert world.clock.t < 30


def test_a_container_numbers_its_pids_otherwise(tmp_path: Path) -> None:
    first, second = program("beat", 201), program("beat2", 202)
    shot = snapshot([first, second], [beat(first), beat(second)])
    world = World(tmp_path, shot)
    world.proc.inside = {201: 7, 202: 8}
    world.server.put("beat2", "RUNNING", 8)
    plan = plan_duplicates([finding([target(second)], [keep(beat(first))])], shot)
    world.clock.after(0.3, lambda: world.proc.remove(202))
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert "pid 202 is gone" in details(outcome)["gone"]


def test_called_off_before_the_call(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.cancelled = lambda: True
    outcome = world.do(plan)
    assert outcome.status == "cancelled"
    assert world.server.writes == []


def test_called_off_while_watching(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.cancelled = lambda: world.clock.t > 2.5
    outcome = world.do(plan)
    assert outcome.status == "cancelled"
    assert "beat2 is stopped" in outcome.summary
    assert world.executor.undo_plan() is not None


def test_the_last_beat_may_be_stopped_on_purpose(tmp_path: Path) -> None:
    only = program("beat", 201)
    shot = snapshot([only], [beat(only)])
    world = World(tmp_path, shot)
    assert world.do(plan_program("stop", [only], shot)).status == "done"


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


def test_silence_that_ends_in_time(world, plan) -> None:  # type: ignore[no-untyped-def]
    def hang(name: str) -> None:
        world.server.hung = True

        def back() -> None:
            world.server.hung = False
            world.server.finish_stop(name)

        world.clock.after(4.0, back)

    world.server.on_stop = [hang]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert any(c.detail.startswith("no answer for") for c in world.checks)


def test_unknown_at_the_second_look(world, plan) -> None:  # type: ignore[no-untyped-def]
    world.clock.after(1.0, lambda: world.server.put("beat2", "UNKNOWN"))
    assert "it is UNKNOWN again" in world.do(plan).summary


def test_started_and_stopped_between_the_two_looks(world, plan) -> None:  # type: ignore[no-untyped-def]
    def somebody() -> None:
        world.server.spawn("beat2")
        world.server.finish_stop("beat2")

    world.clock.after(1.0, somebody)
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert "did not stay stopped" in outcome.summary
