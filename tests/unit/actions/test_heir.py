"""Who counts as having taken the schedule over, how soon it is seen, and what is said meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.model.plan import Outcome, Plan
from beattop.model.process import ProcessKey
from tests.unit.actions.fake import World, details, spans, ticks
from tests.unit.actions.scene import program, supervisord
from tests.unit.actions.test_takeover import Stale

pytestmark = pytest.mark.usefixtures("approved_outcomes")


@pytest.fixture
def stale(tmp_path: Path) -> Stale:
    return Stale(tmp_path)


def pending(world: World) -> list[str]:
    return [c.detail for c in world.checks if c.name == "took-over" and c.tick == "pending"]


def taken_at(world: World, outcome: Outcome) -> float:
    (at,) = (c.at for c in outcome.checks if c.name == "took-over" and c.at)
    return at - world.clock.now() + world.clock.t


def holding(stale: Stale, state: str = "RUNNING") -> int:
    pid = stale.world.server.spawn("beat", state)
    stale.path.write_text(f"{pid}\n")
    return pid


def test_it_is_told_that_nobody_holds_it_yet(stale: Stale) -> None:
    stale.taken_after(3.0)
    stale.world.do(stale.plan)
    assert f"nobody holds {stale.path} yet, 2 s" in pending(stale.world)
    asked = spans(stale.world.server.calls, "getProcessInfo")
    assert asked == 1, "supervisord is asked once somebody holds it"


def test_a_holder_is_asked_for_twice_a_second(stale: Stale) -> None:
    stale.world.clock.after(1.0, lambda: holding(stale, "STOPPING") and None)
    stale.world.clock.after(3.1, lambda: stale.world.server.put("beat", "RUNNING", 901))
    outcome = stale.world.do(stale.plan)
    assert outcome.status == "done"
    assert taken_at(stale.world, outcome) == pytest.approx(3.5, abs=0.1)
    assert spans(stale.world.server.calls, "getProcessInfo") == 6
    assert "2 s" in pending(stale.world)


@pytest.mark.parametrize(("state", "taken"), [("RUNNING", True), ("STARTING", True), ("STOPPING", False), ("BACKOFF", False)])  # fmt: skip
def test_in_which_states_it_has_taken_over(stale: Stale, state: str, taken: bool) -> None:
    stale.world.clock.after(1.0, lambda: holding(stale, state) and None)
    assert (stale.world.do(stale.plan).status == "done") is taken
    assert "19 s" in pending(stale.world) or taken


def test_a_supervisord_that_is_silent_for_a_while_is_asked_again(stale: Stale) -> None:
    def silent() -> None:
        holding(stale)
        stale.world.server.hung = True

    stale.world.clock.after(1.0, silent)
    stale.world.clock.after(5.0, lambda: setattr(stale.world.server, "hung", False))
    assert stale.world.do(stale.plan).status == "done"


def test_a_zombie_holds_nothing(stale: Stale) -> None:
    def ended() -> None:
        stale.world.proc.add(holding(stale), state="Z")

    stale.world.clock.after(1.0, ended)
    assert stale.world.do(stale.plan).status == "failed"


@pytest.mark.parametrize("left", [(), (supervisord(key=None),)])
def test_without_a_supervisord_on_this_box_nobody_is_seen_to_hold_it(
    stale: Stale, left: tuple[object, ...]
) -> None:
    def elsewhere() -> None:
        holding(stale)
        stale.world.shot = replace(stale.world.shot, supervisords=left)

    stale.world.clock.after(1.0, elsewhere)
    outcome = stale.world.do(stale.plan)
    assert outcome.status == "failed"
    assert details(outcome)["took-over"].startswith(f"NOBODY holds {stale.path} after 19 s")


def test_the_call_is_told_where_no_command_is_known(stale: Stale) -> None:
    server = replace(stale.world.shot.supervisords[0], ctl=())
    stale.world.shot = replace(stale.world.shot, supervisords=(server,))
    told = details(stale.world.do(stale.plan))["took-over"]
    assert told.endswith(
        'Start it: supervisor.stopProcess("beat", wait=False), '
        'then supervisor.startProcess("beat", wait=False)'
    )


def test_an_heir_that_left_the_look_is_offered_no_restart(stale: Stale) -> None:
    stale.world.clock.after(
        1.0, lambda: setattr(stale.world, "shot", replace(stale.world.shot, programs=()))
    )
    outcome = stale.world.do(stale.plan)
    assert outcome.status == "failed" and outcome.further is None


# Without a pidfile only time tells


def without(folder: Path, life: float) -> tuple[World, Plan]:
    made = Stale(folder, lives=[life])
    made.world.proc.remove(55)
    gone = ProcessKey(4_000_077, 1)
    step = made.plan.steps[0]
    ended = replace(step.target, pid=gone.pid, process=gone)
    step = replace(step, verb="signal", pidfile=None, target=ended)
    return made.world, replace(made.plan, steps=(step,))


def test_it_has_to_outlive_the_lives_that_were_refused(tmp_path: Path) -> None:
    world, plan = without(tmp_path, 7.5)
    world.clock.after(1.0, lambda: world.server.spawn("beat") and None)
    outcome = world.do(plan)
    assert outcome.status == "done"
    # Asked every five seconds: met at 5, not long enough at 10, long enough at 15.
    assert taken_at(world, outcome) == pytest.approx(15, abs=0.5)
    assert details(outcome)["took-over"] == "beat (pid 901) lives for 10 s"


def test_starting_for_ever_is_no_taking_over(tmp_path: Path) -> None:
    world, plan = without(tmp_path, 1.2)
    world.clock.after(1.0, lambda: world.server.spawn("beat", "STARTING") and None)
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert details(outcome)["took-over"].startswith("NOBODY schedules after 19 s")


# Before the working beat is ended


@pytest.mark.parametrize(("verb", "name", "may"), [("start", "beat", True), ("stop", "beat", False), ("start", "other", False)])  # fmt: skip
def test_only_its_own_start_lets_an_heir_be_down(
    tmp_path: Path, verb: str, name: str, may: bool
) -> None:
    world, plan = without(tmp_path, 1.2)
    world.server.put("beat", "FATAL")
    other = replace(plan.steps[0], heir=None, verb=verb)
    other = replace(other, target=replace(other.target, program=program(name).id, namespec=name))
    outcome = world.do(replace(plan, steps=(*plan.steps, other)))
    words = "beat, which was to take over, is FATAL now"
    assert any(words in c.detail for c in outcome.checks) is not may
    assert (ticks(outcome)["asked"] == "skipped") is may
