"""How often supervisord is asked for a stop and while it lasts, and what is said of it."""

from __future__ import annotations

import pytest

from beattop.model.plan import Plan
from tests.unit.actions.fake import NOT_RUNNING, World, details, spans

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
