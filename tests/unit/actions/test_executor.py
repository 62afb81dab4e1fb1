"""The executor as a whole: bounds, order, journal, and what it never does."""

from __future__ import annotations

import json
import threading
import xmlrpc.client
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions import executor
from beattop.actions.plan import plan_duplicates, plan_program
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from beattop.sources.supervisor.server import Server
from tests.unit.actions.fake import HUNG, World, details, ticks
from tests.unit.actions.scene import (
    URL,
    beat,
    finding,
    keep,
    looping_pair,
    member,
    outsider,
    program,
    snapshot,
    supervisord,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


def lines(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in world.journal.read_text().splitlines()]


def test_the_journal_holds_who_what_and_the_result(world: World, plan: Plan) -> None:
    world.do(plan)
    events = [line["event"] for line in lines(world)]
    assert events[0] == "plan"
    assert events[-1] == "result"
    first = lines(world)[0]
    assert first["steps"] == [['supervisor.stopProcess("beat2", wait=False)', URL, "beat2"]]
    assert first["keep"] == [["beat", 201]]
    assert first["title"] == "Stop the duplicate beat beat2"
    assert {"host", "uid", "user", "sudo_user", "tty", "pid", "at"} <= first.keys()
    calls = [line for line in lines(world) if line["event"] == "call"]
    assert [(c["call"], c["result"]) for c in calls] == [
        ('supervisor.stopProcess("beat2", wait=False)', "accepted")
    ]
    checks = {line["check"]: line["tick"] for line in lines(world) if line["event"] == "check"}
    assert checks["stays-stopped"] == "done"
    told = [line for line in lines(world) if line["event"] == "check"]
    assert {line["tick"] for line in told} <= {"done", "skipped"}, "results only"
    assert (told[0]["check"], told[0]["step"], told[0]["label"]) == ("asked", 0, "asked to stop")
    assert told[0]["detail"].startswith("1st try, ")
    assert lines(world)[-1]["status"] == "done"


def test_a_refused_call_is_in_the_journal_too(world: World, plan: Plan) -> None:
    world.server.on_stop = [xmlrpc.client.Fault(30, "FAILED: no")]
    world.do(plan)
    (call,) = [line for line in lines(world) if line["event"] == "call"]
    assert call["result"] == "fault 30: FAILED: no"


def test_a_lost_journal_is_told_and_stops_nothing(world: World, plan: Plan) -> None:
    world.journal.mkdir()
    outcome = world.do(plan)
    assert outcome.status == "done"
    assert "journal could not be written" in outcome.summary
    assert outcome.checks[-1].name == "journal"
    assert outcome.checks[-1].tick == "failed"
    assert world.checks[-1] == outcome.checks[-1]
    world.journal.rmdir()
    assert "journal" not in world.do(plan).summary


def test_an_interruption_is_in_the_journal(world: World, plan: Plan) -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    world.server.on_stop = [interrupt]
    with pytest.raises(KeyboardInterrupt):
        world.do(plan)
    last = lines(world)[-1]
    assert (last["event"], last["status"]) == ("result", "interrupted")
    assert last["summary"] == "beattop was ended"
    assert world.do(plan).status == "done", "the next action is not locked out"


def test_an_error_of_its_own_is_in_the_journal_by_name(world: World, plan: Plan) -> None:
    world.server.on_stop = [lambda name: ().index(0)]
    with pytest.raises(ValueError, match="not in tuple"):
        world.do(plan)
    assert lines(world)[-1]["summary"] == "ValueError"


def test_who_called_it_off_is_in_the_journal(world: World, plan: Plan) -> None:
    world.cancelled = lambda: True
    assert world.do(plan).status == "cancelled"
    assert lines(world)[-1]["summary"] == "called off"
    world.cancelled = lambda: False
    # One that is done before it hears of the end was not called off.
    end = world.executor._closing.set
    outcome = world.executor.execute(
        plan, lambda c: end() if (c.name, c.tick) == ("keeper-alive", "done") else None
    )
    assert outcome.status == "done"
    assert lines(world)[-1]["summary"] == outcome.summary


def test_after_its_end_nothing_is_begun_and_nothing_was_interrupted(
    world: World, plan: Plan
) -> None:
    assert executor.CLOSE_S == 30
    world.do(plan)
    world.executor.close()
    assert lines(world)[-1]["status"] == "done"
    assert world.do(plan).status == "cancelled"


def test_one_client_a_supervisord(tmp_path: Path) -> None:
    two = [program(f"web{n}", 201 + n, role="other") for n in range(2)]
    world = World(tmp_path, snapshot(two))
    wires: list[Server] = []
    real = world.server.wire
    world.server.wire = lambda server: wires.append(server) or real(server)  # type: ignore[method-assign,func-returns-value]
    assert world.do(plan_program("stop", two, world.shot)).status == "done"
    assert len(wires) == 1


def test_a_broken_face_leaves_no_action_half_done(world: World, plan: Plan) -> None:
    def broken(check: object) -> None:
        raise RuntimeError("the screen is gone")

    assert world.executor.execute(plan, broken).status == "done"


def test_one_at_a_time(world: World, plan: Plan) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(name: str) -> None:
        inside.set()
        assert go_on.wait(10)
        world.server.finish_stop(name)

    world.server.on_stop = [slow]
    thread = threading.Thread(target=lambda: world.do(plan))
    thread.start()
    assert inside.wait(10)
    second = world.executor.execute(plan, lambda _: None)
    go_on.set()
    thread.join(10)
    assert second.status == "refused"
    assert "still under way" in second.summary


class TestConfined:
    def test_a_program_outside_refuses_the_whole_plan(self, tmp_path: Path) -> None:
        mine = program("mine", 201, role="other")
        other = program("other", 202, role="other", url="unix:///other.sock")
        shot = snapshot([mine, other], supervisords=[supervisord(), supervisord(other.id[0])])
        world = World(tmp_path, shot)
        world.confined = frozenset({URL})
        outcome = world.do(plan_program("stop", [mine, other], shot))
        assert outcome.status == "refused"
        assert "outside" in outcome.summary
        assert world.server.calls == []

    def test_a_foreign_process_refuses_it(self, world: World, plan: Plan) -> None:
        world.confined = frozenset({URL})
        foreign = outsider(77)
        step = replace(plan.steps[0], verb="signal", target=foreign)
        world.proc.add(77, ppid=1)
        assert world.do(replace(plan, steps=(*plan.steps, step))).status == "refused"
        assert world.server.calls == []

    def test_inside_it_acts(self, world: World, plan: Plan) -> None:
        world.confined = frozenset({URL})
        assert world.do(plan).status == "done"


def test_no_address_is_blind(world: World, plan: Plan) -> None:
    world.address = None
    outcome = world.do(plan)
    assert outcome.status == "blind"
    assert "no address" in outcome.summary
    world.address = Server(None, conf="/etc/supervisord.conf")
    assert world.do(plan).status == "blind"


def test_a_hung_supervisord_is_waited_for_once(tmp_path: Path) -> None:
    found = [program(f"web{n}", 201 + n, role="other") for n in range(5)]
    shot = snapshot(found)
    world = World(tmp_path, shot)
    world.server.hung = True
    outcome = world.do(plan_program("stop", found, shot))
    assert outcome.status == "blind"
    assert len(world.server.calls) == 1


def test_one_failure_does_not_keep_the_others(tmp_path: Path) -> None:
    found = [program(f"web{n}", 201 + n, role="other") for n in range(3)]
    shot = snapshot(found)
    world = World(tmp_path, shot)
    world.server.on_stop = [xmlrpc.client.Fault(30, "FAILED")]
    outcome = world.do(plan_program("stop", found, shot))
    assert outcome.status == "failed"
    assert outcome.summary.startswith("web0:")
    assert "Done before: web1 is stopped; web2 is stopped." in outcome.summary


def test_what_changed_is_not_proven(world: World, plan: Plan) -> None:
    del world.server.programs["beat2"]
    outcome = world.do(plan)
    assert ticks(outcome)["keeper-alive"] == "skipped"
    assert details(outcome)["keeper-beats"] == "nothing was done"
    assert world.clock.t == 0


def test_secrets_stay_out_of_the_journal(world: World, plan: Plan) -> None:
    step = replace(
        plan.steps[0], server="http://ops:hunter2@127.0.0.1:9001", call="x --password=hunter2"
    )
    world.do(replace(plan, steps=(step,)))
    assert "hunter2" not in world.journal.read_text()
    assert "**" in world.journal.read_text()


def test_each_ending_of_a_lost_answer_is_written_once(world: World, plan: Plan) -> None:
    world.server.on_stop = [HUNG]
    world.do(plan)
    assert len([line for line in lines(world) if line["event"] == "call"]) == 1


def test_left_overs_of_two_programs_are_one_offer(tmp_path: Path) -> None:
    first = program("beat", 201)
    others = [program(f"b{n}", 210 + n) for n in (1, 2)]
    shot = snapshot([first, *others], [beat(p) for p in (first, *others)])
    world = World(tmp_path, shot)
    for n in (1, 2):
        world.proc.add(300 + n, ppid=1, pgrp=210 + n)
    plan = plan_duplicates([finding([target(p) for p in others], [keep(beat(first))])], shot)
    outcome = world.do(plan)
    assert outcome.status == "failed"
    assert outcome.further is not None
    assert [s.target.pid for s in outcome.further.steps] == [301, 302]
    assert outcome.further.keep == plan.keep, "their end needs the kept beat too"


def test_many_restarts_have_the_time_they_need(tmp_path: Path) -> None:
    found = [program(f"web{n}", 201 + n, role="other") for n in range(9)]
    shot = snapshot(found)
    world = World(tmp_path, shot)
    plan = plan_program("restart", found, shot)
    world.server.stop_takes = 9.0
    assert world.do(plan).status == "done"
    assert len(world.server.writes) == 18


def test_the_time_is_over_before_all_is_begun(world: World, plan: Plan) -> None:
    world.server.on_stop = [lambda name: world.clock.sleep(75) or world.server.finish_stop(name)]
    second = replace(plan.steps[0], target=replace(plan.steps[0].target, namespec="beat3"))
    outcome = world.do(replace(plan, steps=(*plan.steps, second)))
    assert outcome.status == "unverified"
    assert "not begun" in outcome.summary
    assert {c.tick for c in outcome.checks if c.step == 1} == {"skipped"}


def test_nothing_to_stop_in_a_container_without_sight(tmp_path: Path) -> None:
    """supervisord tells a pid that is nobody's child here: that is another process."""
    shot, _ = looping_pair()
    steady = program("beat2", 202)
    shot = replace(shot, programs=(shot.programs[0], steady))
    world = World(tmp_path, shot)
    world.server.put("beat2", "RUNNING", 5555)
    step = replace(plan_program("stop", [steady], shot), keep=())
    assert world.do(step).status == "changed"
    assert ProcessKey(202, 2020) == step.steps[0].target.process


class TestBehindAShell:
    def _plan(self, world: World) -> Plan:
        shell = world.shot.programs[1]
        return plan_duplicates([finding([target(shell)], [keep(world.shot.beats[0])])], world.shot)

    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        first = program("beat", 201)
        both = [member(202, "wrapper"), member(4_000_203, "beat", ppid=202)]
        shell = program("beat2", 202, members=both)
        behind = beat(shell, 4_000_203)
        return World(tmp_path, snapshot([first, shell], [beat(first), behind]))

    def test_what_ended_with_it_needs_no_signal(self, world: World) -> None:
        plan = self._plan(world)
        world.clock.after(0.1, lambda: world.proc.remove(4_000_203))
        outcome = world.do(plan)
        assert outcome.status == "done", outcome
        assert [c.tick for c in outcome.checks if c.step == 1] == ["skipped", "done"]

    def test_no_signal_where_the_stop_was_left_out(self, world: World) -> None:
        plan = self._plan(world)
        outcome = world.do(replace(plan, steps=plan.steps[1:]))
        assert outcome.status == "failed"
        assert "it would be started again" in outcome.summary

    def test_no_signal_where_the_stop_failed(self, world: World) -> None:
        plan = self._plan(world)
        world.server.on_stop = [xmlrpc.client.Fault(30, "FAILED")]
        outcome = world.do(plan)
        assert outcome.status == "failed"
        asked = next(c for c in outcome.checks if c.step == 1)
        assert "the step before it failed" in asked.detail
