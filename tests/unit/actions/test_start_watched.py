"""A start while it is watched: how long, how often supervisord is asked, and what is proof."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions import executor
from beattop.actions.plan import plan_program
from beattop.model.plan import Plan
from beattop.model.snapshot import Program
from tests.unit.actions.fake import World, details, spans, ticks
from tests.unit.actions.scene import beat, keep, program, snapshot

pytestmark = pytest.mark.usefixtures("approved_outcomes")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, snapshot([program("web", state="STOPPED", role="other")]))


@pytest.fixture
def plan(world: World) -> Plan:
    return plan_program("start", world.shot.programs, world.shot)


def reads(world: World) -> int:
    return spans(world.server.calls, "getProcessInfo")


def test_supervisord_is_asked_thrice_for_a_start_that_works(world: World, plan: Plan) -> None:
    assert world.do(plan).status == "done"
    assert reads(world) == 3  # before it, after it, when its time has come
    assert any((c.tick, c.detail) == ("pending", "STARTING, pid 901") for c in world.checks)


def test_the_end_of_its_process_is_seen_at_once(world: World, plan: Plan) -> None:
    def dies(name: str) -> None:
        pid = world.server.spawn(name, "STARTING")
        world.clock.after(0.4, lambda: world.proc.remove(pid))
        world.clock.after(0.4, lambda: world.server.put(name, "FATAL"))

    world.server.on_start = [dies]
    assert world.do(plan).status == "failed"
    assert world.clock.t == pytest.approx(0.4)


def test_starting_is_not_running_however_long(world: World, plan: Plan) -> None:
    world.server.on_start = [lambda name: world.server.spawn(name, "STARTING") and None]
    outcome = world.do(plan)
    assert outcome.status == "unverified"
    assert "it is STARTING, but no process of it has lived 1 s yet" in outcome.summary
    # Twice startsecs and a turn of supervisord's loop; once its time has come it is asked often.
    assert world.clock.t == pytest.approx(5.4, abs=0.1)
    assert reads(world) == 2 + 33


def test_a_process_that_cannot_be_seen_is_asked_for_twice_a_second(
    world: World, plan: Plan
) -> None:
    world.server.on_start = [lambda name: world.server.put(name, "RUNNING", 77)]
    assert world.do(plan).status == "done"
    assert world.clock.t == pytest.approx(2.5)
    assert reads(world) == 2 + 5


def test_one_that_gives_up_between_two_tries_without_a_word(world: World, plan: Plan) -> None:
    world.server.on_start = [lambda name: world.server.put(name, "BACKOFF")]
    outcome = world.do(plan)
    assert outcome.summary.startswith("web: it did not stay up: BACKOFF (see its log)")


def test_the_end_of_stopping_is_looked_for_twice_a_second(world: World, plan: Plan) -> None:
    world.server.put("web", "STOPPING", 77)
    world.clock.after(2.9, lambda: world.server.put("web", "STOPPED"))
    world.server.on_start = [xmlrpc.client.Fault(20, "NO_FILE")]
    world.do(plan)
    assert reads(world) == 7 and world.clock.t == pytest.approx(3.0)


@pytest.mark.parametrize(("state", "left", "status"), [("STOPPING", 9, "failed"), ("BACKOFF", 3, "failed")])  # fmt: skip
def test_the_plans_whole_time_ends_it(
    world: World, plan: Plan, monkeypatch: pytest.MonkeyPatch, state: str, left: int, status: str
) -> None:
    monkeypatch.setattr(executor, "SLACK_S", left - 17.0)
    if state == "STOPPING":
        world.server.put("web", state, 77)
    world.server.on_start = [lambda name: world.server.put(name, state)]
    assert world.do(plan).status == status
    assert world.clock.t == pytest.approx(left, abs=0.5)


def test_called_off_before_the_call(world: World, plan: Plan) -> None:
    world.cancelled = lambda: True
    assert world.do(plan).status == "cancelled"
    assert world.server.writes == []


def test_nothing_is_started_where_a_kept_one_has_ended(world: World, plan: Plan) -> None:
    held = replace(plan, keep=(keep(beat(program("beat", 201))),))
    assert world.do(held).status == "changed"
    assert world.server.writes == []


# What looped before


def looping(tmp_path: Path, state: str = "STOPPED") -> tuple[World, Plan]:
    """A start that takes the stop of a loop back."""
    found = program("web", state=state, role="other", respawning=True)
    world = World(tmp_path, snapshot([found]))
    made = plan_program("restart", [found], world.shot).steps[0]
    return world, Plan("Undo", (), (replace(made, verb="start", respawning=True),), (), (), ())


def test_what_loops_again_is_back_with_its_next_process(tmp_path: Path) -> None:
    world, plan = looping(tmp_path)

    def later(name: str) -> None:
        world.clock.after(0.9, lambda: world.server.spawn(name, "STARTING") and None)

    world.server.on_start = [later]
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert details(outcome)["runs"].startswith("STARTING, pid 901; it looped before")


def test_a_life_within_the_same_second_counts(tmp_path: Path) -> None:
    world, plan = looping(tmp_path)
    world.server.on_start = [lambda name: world.server.put(name, "STARTING", 77)]
    assert world.do(plan).status == "done"
    assert world.clock.t == 0


def test_a_life_that_has_ended_already_counts(tmp_path: Path) -> None:
    world, plan = looping(tmp_path)

    def short(name: str) -> None:
        world.server.spawn(name)
        world.server.put(name, "BACKOFF")

    world.server.on_start = [short]
    outcome = world.do(plan)
    assert outcome.status == "done" and world.clock.t == 0


def test_a_restart_has_to_hold_though_it_looped_before(tmp_path: Path) -> None:
    world, plan = looping(tmp_path)

    def falls(name: str) -> None:
        pid = world.server.spawn(name, "STARTING")
        world.clock.after(0.5, lambda: world.proc.remove(pid))
        world.clock.after(0.5, lambda: world.server.put(name, "FATAL"))

    world.server.on_start = [falls]
    outcome = world.do(replace(plan, steps=(replace(plan.steps[0], verb="restart"),)))
    assert outcome.status == "failed"
    assert ticks(outcome)["runs"] == "failed"


JOBS = {
    "a job that runs once": ("other", 0, True),
    "one that failed": ("other", 1, False),
    "a beat, which should go on": ("beat", 0, False),
    "a worker too": ("worker", 0, False),
}


@pytest.mark.parametrize("about", JOBS)
def test_a_job_that_ran_and_ended_as_it_should(tmp_path: Path, about: str) -> None:
    role, status, good = JOBS[about]
    job = program("job", state="EXITED", role=role)  # type: ignore[arg-type]
    _runs_once(tmp_path, job, status, good=good)


def _runs_once(tmp_path: Path, job: Program, status: int = 0, *, good: bool) -> None:
    world = World(tmp_path, snapshot([job]))

    def runs_once(name: str) -> None:
        pid = world.server.spawn(name)
        world.proc.remove(pid)
        world.server.put(name, "EXITED")
        world.server.programs[name]["exitstatus"] = status

    world.server.on_start = [runs_once]
    world.clock.t = 5.0
    outcome = world.do(plan_program("start", world.shot.programs, world.shot))
    assert outcome.status == ("done" if good else "failed")
    assert ("ran and ended as it should (exit 0) at" in details(outcome)["runs"]) == good


@pytest.mark.parametrize("role", ["beat", "worker", "worker+beat", "flower", "events"])
def test_a_service_that_ended_has_not_stayed_up(tmp_path: Path, role: str) -> None:
    _runs_once(tmp_path, program("job", state="EXITED", role=role), good=False)  # type: ignore[arg-type]


def test_without_its_conf_nobody_knows_what_it_should(tmp_path: Path) -> None:
    _runs_once(tmp_path, program("job", state="EXITED", role="other", conf=None), good=False)


def test_an_old_exit_is_not_the_new_ones(tmp_path: Path) -> None:
    world = World(tmp_path, snapshot([program("job", state="EXITED", role="other")]))
    world.server.on_start = [lambda name: None]
    assert world.do(plan_program("start", world.shot.programs, world.shot)).status == "failed"


def test_a_program_that_left_the_look_is_watched_all_the_same(world: World, plan: Plan) -> None:
    """Its supervisord may not have answered the newest look."""
    world.shot = replace(world.shot, programs=())
    outcome = world.do(plan)
    assert outcome.status == "done" and "web is started" in outcome.summary
