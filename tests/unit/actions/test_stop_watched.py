"""How often supervisord is asked for a stop and while it lasts, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates
from beattop.model.lives import Life
from beattop.model.plan import Plan
from tests.unit.actions.fake import HUNG, NOT_RUNNING, World, details, spans
from tests.unit.actions.scene import AT, beat, finding, keep, program, snapshot, target

pytestmark = pytest.mark.usefixtures("approved_outcomes")


def reads(world: World) -> int:
    return spans(world.server.calls, "getProcessInfo")


WORDS = ("1st", "2nd", "3rd", "4th", "5th", "6th")


@pytest.mark.parametrize("misses", range(6))
def test_the_try_that_was_taken_is_told(world: World, plan: Plan, misses: int) -> None:
    world.server.on_stop = [NOT_RUNNING] * misses
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert details(outcome)["asked"].startswith(f"{WORDS[misses]} try, ")


def test_a_process_that_came_between_two_tries_has_to_end_too(world: World, plan: Plan) -> None:
    def respawned(name: str) -> None:
        world.proc.remove(202)
        world.server.spawn(name)
        raise NOT_RUNNING

    def taken(name: str) -> None:
        world.server.put(name, "STOPPING", 901)
        world.clock.after(0.05, lambda: world.server.finish_stop(name))

    world.server.on_stop = [respawned, taken]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert details(outcome)["gone"].startswith("pid 202, 901 is gone")


def test_so_has_one_that_ended_while_another_program_was_asked(tmp_path: Path) -> None:
    kept, one, two = (program(n, 201 + i) for i, n in enumerate(("b", "one", "two")))
    shot = snapshot([kept, one, two], [beat(p) for p in (kept, one, two)])
    world = World(tmp_path, shot)

    def respawned(name: str) -> None:
        world.proc.remove(202)
        world.server.spawn(name)
        raise NOT_RUNNING

    def both(name: str) -> None:
        world.server.finish_stop("one")
        world.server.finish_stop(name)

    taken = lambda name: world.server.put(name, "STOPPING", 901)  # noqa: E731
    world.server.on_stop = [respawned, taken, both]
    outcome = world.do(
        plan_duplicates([finding([target(one), target(two)], [keep(beat(kept))])], shot)
    )
    assert details(outcome)["gone"].startswith("pid 202, 901 is gone")


def test_while_its_process_lives_it_is_asked_every_five_seconds(world: World, plan: Plan) -> None:
    world.server.stop_takes = 9.0
    assert world.do(plan).status == "done"
    asked = [c.at - world.clock.now() + world.clock.t for c in world.checks if c.name == "stopped" and c.at]  # fmt: skip
    assert asked == [pytest.approx(t, abs=0.15) for t in (0.0, 5.0, 9.0)]


def test_without_a_process_it_is_asked_twice_a_second(world: World, plan: Plan) -> None:
    def slow(name: str) -> None:
        world.proc.remove(202)
        world.server.put(name, "STOPPING")
        world.clock.after(1.9, lambda: world.server.put(name, "STOPPED"))

    world.server.on_stop = [slow]
    assert world.do(plan).status == "done"
    # For the plan, after the call, at 0, 0.5, 1, 1.5 and 2 s, a second time, at the end.
    assert reads(world) == 9


@pytest.mark.parametrize("state", ["STOPPED", "FATAL"])
def test_one_that_is_down_is_asked_a_second_time_and_at_the_end(
    world: World, plan: Plan, state: str
) -> None:
    world.server.put("beat2", state)
    world.proc.remove(202)
    world.do(plan)
    assert reads(world) == 3


def test_exited_is_no_end_of_a_stop_that_was_taken(world: World, plan: Plan) -> None:
    def taken(name: str) -> None:
        world.proc.remove(202)
        world.server.put(name, "EXITED")
        world.clock.after(0.7, lambda: world.server.put(name, "STOPPED"))

    world.server.on_stop = [taken]
    outcome = world.do(plan)
    assert details(outcome)["stopped"].startswith("STOPPED at ")


def test_a_process_that_is_met_while_it_stops_has_to_end_too(world: World, plan: Plan) -> None:
    def lost(name: str) -> None:
        world.proc.remove(202)
        world.server.put(name, "STOPPING", world.server.spawn(name))
        world.clock.after(1.0, lambda: world.server.put(name, "STOPPED"))
        raise HUNG

    world.server.on_stop = [lost]
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert details(outcome)["gone"] == "pid 901 still lives"


@pytest.mark.parametrize(("pid", "words"), [(202, " (pid 202)"), (0, "")])
def test_what_is_still_stopping_is_told_with_its_pid(
    world: World, plan: Plan, pid: int, words: str
) -> None:
    world.server.on_stop = [lambda name: world.server.put(name, "STOPPING", pid)]
    outcome = world.do(plan)
    assert f"it is still STOPPING{words} after 15 seconds" in outcome.summary


# No new spawn


def slow(world: World) -> None:
    """A loop of ten seconds: it is watched for 22."""
    looping = replace(world.shot.programs[1], lives=(Life(1, AT - 50, AT - 40),))
    world.shot = replace(world.shot, programs=(world.shot.programs[0], looping))


def test_only_a_new_child_of_its_name_makes_supervisord_be_asked(world: World, plan: Plan) -> None:
    slow(world)
    assert world.do(plan).status == "done"
    quiet = reads(world)
    busy = 0

    def born() -> None:
        nonlocal busy
        busy += 1
        world.proc.add(3000 + busy)
        world.proc.env[3000 + busy] = {"SUPERVISOR_PROCESS_NAME": "other"}
        world.clock.after(0.5, born)

    world.server.spawn("beat2")
    world.server.calls.clear()
    born()
    assert world.do(plan).status == "done"
    assert busy > 40 and reads(world) == quiet


def test_children_of_unknown_name_make_it_be_asked_every_two_seconds(
    world: World, plan: Plan
) -> None:
    slow(world)
    count = 0

    def born() -> None:
        nonlocal count
        count += 1
        world.proc.add(3000 + count)
        world.clock.after(0.1, born)

    world.clock.after(2.5, born)
    assert world.do(plan).status == "done"
    # Five for a stop as usual, and one in two seconds of the 22.
    assert reads(world) == 5 + 11


def test_a_child_of_unknown_name_makes_it_be_asked_once(world: World, plan: Plan) -> None:
    slow(world)
    assert world.do(plan).status == "done"
    quiet = reads(world)
    world.server.spawn("beat2")
    world.server.calls.clear()
    world.clock.after(4.5, lambda: world.proc.add(3000))
    assert world.do(plan).status == "done"
    assert reads(world) == quiet + 1


def test_a_spawn_is_told_before_the_whole_span_is_over(world: World, plan: Plan) -> None:
    slow(world)

    def again() -> None:
        world.proc.env[world.server.spawn("beat2")] = {"SUPERVISOR_PROCESS_NAME": "beat2"}

    world.clock.after(4.0, again)
    outcome = world.do(plan)
    assert outcome.status == "failed"
    failed = next(c for c in outcome.checks if c.name == "no-new-spawn")
    assert failed.tick == "failed" and failed.at is not None
    assert failed.at - AT == pytest.approx(4.2, abs=0.3)
    assert failed.detail.startswith("RUNNING, spawned at ")


def test_a_spawn_within_the_second_of_the_last_one_is_told(world: World, plan: Plan) -> None:
    world.clock.after(3.0, lambda: world.server.put("beat2", "RUNNING", 901))
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert details(outcome)["no-new-spawn"].startswith("RUNNING, spawned at ")


def test_one_that_never_ran_has_no_last_spawn(world: World, plan: Plan) -> None:
    world.server.put("beat2", "STOPPED")
    world.server.programs["beat2"]["start"] = 0
    world.proc.remove(202)
    assert details(world.do(plan))["no-new-spawn"].startswith("STOPPED, last spawn never, ")


def test_a_supervisord_that_left_the_look_has_no_children_here(world: World, plan: Plan) -> None:
    def leaves(name: str) -> None:
        world.server.finish_stop(name)
        world.shot = replace(world.shot, supervisords=())

    world.server.on_stop = [leaves]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert details(outcome)["survivors"] == "its processes are not on this box"
