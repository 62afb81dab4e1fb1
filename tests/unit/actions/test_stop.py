"""The stop recipe, branch by branch, against a scripted supervisord."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates, plan_program
from tests.unit.actions.fake import HUNG, NOT_RUNNING, World, details, spans, ticks
from tests.unit.actions.scene import (
    beat,
    finding,
    keep,
    program,
    snapshot,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


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
    assert world.executor.undo_plan() is None, "it gave up by itself"


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
    assert 15 <= world.clock.t < 17  # stopwaitsecs 10 + 5


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
    assert "still STOPPING (pid 202) after 15 seconds" in outcome.summary
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
