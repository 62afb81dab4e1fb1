"""Corners of an action: the real clock and wire, who acts, what is out of bounds, odd answers."""

from __future__ import annotations

import inspect
import os
import time
import xmlrpc.client
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions import journal, writer
from beattop.actions.clock import Clock
from beattop.actions.contract import Executor
from beattop.actions.executor import LiveExecutor
from beattop.actions.plan import plan_duplicates, plan_program
from beattop.actions.refuse import RefusingExecutor
from beattop.actions.steps import signal_step
from beattop.model.plan import Plan, Step
from beattop.model.process import ProcessKey
from beattop.sources.supervisor.server import Server
from tests.unit.actions.fake import HUNG, World, details, spans, ticks
from tests.unit.actions.scene import (
    AT,
    URL,
    beat,
    config,
    looping_pair,
    member,
    outsider,
    program,
    snapshot,
    supervisord,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


def of(*steps: Step) -> Plan:
    return Plan("Some plan", (), steps, (), (), ())


def test_the_real_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "time", lambda: 1000.5)
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    clock = Clock()
    assert (clock.now(), clock.monotonic()) == (1000.5, 7.0)
    clock.sleep(0.3)
    assert slept == [0.3]
    assert (clock.words(), clock.words(60.0)) == ("00:16:40", "00:01:00")


def test_nobody_calls_an_action_off_by_default() -> None:
    for kind in (Executor, RefusingExecutor):
        asked = inspect.signature(kind.execute).parameters["cancelled"].default
        assert asked() is False


def test_a_refusal_says_why() -> None:
    refusing = RefusingExecutor("read-only (BEATTOP_READ_ONLY is set)")
    assert refusing.reason == "read-only (BEATTOP_READ_ONLY is set)"
    outcome = refusing.execute(of(), lambda _: None)
    assert outcome.summary == "nothing was done: read-only (BEATTOP_READ_ONLY is set)"
    assert refusing.undo_plan() is None and not refusing.writable


# The real wire


class Proxy:
    def __init__(self, uri: str, transport: object) -> None:
        made.append((uri, transport))

    def __getattr__(self, name: str) -> Any:
        return lambda *params: ("written", name, params)


class Reader:
    def __init__(self, server: Server, timeout: float) -> None:
        made.append((server, timeout))

    def call(self, method: str, *params: object) -> object:
        return "read", method, params


made: list[Any] = []


@pytest.mark.parametrize("url", ["unix:///s", None])
def test_what_is_read_and_what_is_written(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    made.clear()
    monkeypatch.setattr(writer, "ReadClient", Reader)
    monkeypatch.setattr(writer, "transport", lambda *args: args)
    monkeypatch.setattr(xmlrpc.client, "ServerProxy", Proxy)
    server = Server(url, "ops", "pw")
    send = writer.wire(server)
    assert made == [(server, 5.0), ("http://localhost", (url or "", "ops", "pw", 5.0))]
    stop = ("supervisor.stopProcess", ("b", False))
    assert send(*stop) == ("written", *stop)
    read = ("supervisor.getProcessInfo", ("b",))
    assert send(*read) == ("read", *read)


def test_an_address_that_cannot_be_used_is_blind(world: World, plan: Plan) -> None:
    def unusable(_: Server) -> Any:
        raise ValueError("no such kind of address")

    world.server.wire = unusable  # type: ignore[method-assign]
    outcome = world.do(plan)
    assert (outcome.status, outcome.summary) == ("blind", "beat2: no such kind of address.")


# Who acts


@pytest.mark.parametrize(
    ("terminals", "tty"),
    [
        ({0: "/dev/pts/1", 1: "/dev/pts/2"}, "/dev/pts/1"),
        ({1: "/dev/pts/2", 2: "/dev/pts/3"}, "/dev/pts/2"),
        ({2: "/dev/pts/3"}, "/dev/pts/3"),
        ({}, None),
    ],
)
def test_the_journal_names_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminals: dict[int, str], tty: str | None
) -> None:
    def ttyname(handle: int) -> str:
        if handle not in terminals:
            raise OSError(25, "Inappropriate ioctl")
        return terminals[handle]

    monkeypatch.setattr(os, "ttyname", ttyname)
    kept = journal.Journal(tmp_path / "j")
    kept.write(kept.begin(), "plan", 1.0, {})
    assert (f'"tty": "{tty}"' if tty else '"tty": null') in (tmp_path / "j").read_text()


def test_a_program_of_no_supervisord_cannot_be_stopped(world: World, plan: Plan) -> None:
    lost = replace(plan.steps[0], target=replace(plan.steps[0].target, program=None))
    outcome = world.do(of(lost))
    assert outcome.status == "failed"
    assert outcome.summary == (
        "beat2: no supervisord is known for it – by hand: "
        "supervisorctl -c /etc/supervisord.conf stop beat2."
    )


# Odd answers

FAULTS = (
    (xmlrpc.client.Fault(10, "BAD_NAME"), "changed", "the program does not exist any more"),
    (xmlrpc.client.Fault(6, "SHUTDOWN_STATE"), "changed", "its supervisord is shutting down"),
    (xmlrpc.client.Fault(1, "X"), "blind", "its supervisord does not tell its state (fault 1: X)"),
    (HUNG, "blind", "its supervisord cannot be asked: "),
)


@pytest.mark.parametrize(("fault", "status", "words"), FAULTS)
def test_a_state_that_is_not_told(
    world: World, plan: Plan, fault: Exception, status: str, words: str
) -> None:
    world.server.on_read = [fault]
    outcome = world.do(plan)
    assert outcome.status == status
    assert words in outcome.summary
    assert world.server.writes == []


@pytest.mark.parametrize("fault", [xmlrpc.client.Fault(1, "X"), HUNG])
def test_a_state_that_is_not_told_right_after_the_stop(
    world: World, plan: Plan, fault: Exception
) -> None:
    world.server.on_read = [None, fault]
    assert world.do(plan).status == "done"
    assert spans(world.server.writes, "stopProcess") == 1


REFUSED = ConnectionRefusedError(111, "refused")


def test_a_start_that_was_never_sent(world: World) -> None:
    found = program("web", None, state="STOPPED", role="other")
    world.shot = snapshot([found])
    world.server.put("web", "STOPPED")
    world.server.on_start = [REFUSED]
    outcome = world.do(plan_program("start", [found], world.shot))
    assert outcome.status == "failed"
    assert "supervisord could not be asked: " in outcome.summary
    assert outcome.summary.endswith("by hand: supervisorctl -c /etc/supervisord.conf start web.")


def test_a_program_that_goes_while_it_is_started(world: World) -> None:
    found = program("web", None, state="STOPPED", role="other")
    world.shot = snapshot([found])
    world.server.put("web", "STOPPED")
    world.server.on_start = [world.server.programs.pop]
    outcome = world.do(plan_program("start", [found], world.shot))
    assert (outcome.status, outcome.summary) == (
        "failed", "web: the program does not exist any more.",
    )  # fmt: skip


def test_a_program_that_goes_while_it_is_stopped(world: World, plan: Plan) -> None:
    world.server.on_stop = [xmlrpc.client.Fault(10, "BAD_NAME")]
    outcome = world.do(plan)
    assert (outcome.status, outcome.summary) == (
        "failed", "beat2: the program does not exist any more.",
    )  # fmt: skip


def test_a_supervisord_that_does_not_tell_its_version_is_taken_for_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> str:
        raise xmlrpc.client.Fault(1, "UNKNOWN_METHOD")

    shot, found = looping_pair((0.3, 0.3))
    second = replace(shot.programs[1], config=config("beat2", stopasgroup=True))
    shot = replace(shot, programs=(shot.programs[0], second))
    world = World(tmp_path, shot)
    monkeypatch.setattr(world.server, "_getSupervisorVersion", silent)
    world.server.put("beat2", "STARTING", 202)
    outcome = world.do(plan_duplicates([found], shot))
    assert (outcome.status, world.server.writes) == ("failed", [])
    assert "it dies again within 0.3 s, and supervisor ? can die of a stop" in outcome.summary


def test_an_old_supervisord_whose_child_cannot_be_seen_is_not_asked(tmp_path: Path) -> None:
    shot, found = looping_pair((9.0, 9.0))
    second = replace(shot.programs[1], config=config("beat2", stopasgroup=True))
    world = World(tmp_path, replace(shot, programs=(shot.programs[0], second)), "4.1.0")
    world.server.put("beat2", "RUNNING", 5555)
    outcome = world.do(plan_duplicates([found], world.shot))
    assert (outcome.status, world.server.writes) == ("failed", [])
    assert (
        "not asked, since it is RUNNING and its process cannot be seen from here" in outcome.summary
    )


def test_one_that_cannot_be_started_keeps_no_other_from_it(world: World) -> None:
    two = [program(f"web{n}", None, state="STOPPED", role="other") for n in range(2)]
    world.shot = snapshot(two)
    for found in two:
        world.server.put(found.namespec, "STOPPED")
    world.server.on_start = [xmlrpc.client.Fault(20, "NO_FILE")]
    outcome = world.do(plan_program("start", two, world.shot))
    assert outcome.summary.startswith("web0: its command does not exist (fault 20: NO_FILE)")
    assert outcome.summary.endswith("Done before: web1 is started.")


def test_another_supervisord_is_asked_though_one_is_silent(tmp_path: Path) -> None:
    urls = (URL, "unix:///other.sock")
    two = [program(f"web{n}", 201 + n, role="other", url=url) for n, url in enumerate(urls)]
    world = World(tmp_path, snapshot(two, supervisords=[supervisord(url) for url in urls]))
    world.server.on_read = [HUNG]
    outcome = world.do(plan_program("stop", two, world.shot))
    assert outcome.status == "blind"
    assert [call[1] for call in world.server.writes] == ["web1"]


def test_what_is_left_over_needs_the_stop_of_its_own_program(tmp_path: Path) -> None:
    shell = program("b2", 202, members=[member(202, "wrapper"), member(4_000_203, ppid=202)])
    world = World(tmp_path, snapshot([shell], [beat(shell, 4_000_203)]))
    key = ProcessKey(4_000_203, 40_002_030)
    behind = signal_step(replace(outsider(4_000_203), program=shell.id), key)
    outcome = world.do(of(behind, replace(behind, if_left=True)))
    assert outcome.status == "failed"
    assert "its program is not stopped: it would be started again" in outcome.summary


def test_the_stop_of_another_program_does_not_do_for_it(tmp_path: Path) -> None:
    web = program("web", 201, role="other")
    world = World(tmp_path, snapshot([web, program("b2", 202)]))
    stop = plan_program("stop", [web], world.shot).steps[0]
    key = ProcessKey(4_000_203, 40_002_030)
    behind = signal_step(replace(outsider(4_000_203), program=world.shot.programs[1].id), key)
    outcome = world.do(of(stop, replace(behind, if_left=True)))
    assert outcome.status == "failed"
    assert "its program is not stopped: it would be started again" in outcome.summary
    assert outcome.summary.endswith("Done before: web is stopped.")


def test_what_one_leaves_over_does_not_keep_another_from_its_restart(tmp_path: Path) -> None:
    two = [program(f"web{n}", 201 + n, role="other") for n in range(2)]
    world = World(tmp_path, snapshot(two))
    world.proc.add(300, ppid=1, pgrp=201)
    outcome = world.do(plan_program("restart", two, world.shot))
    assert outcome.status == "failed"
    assert "web0: not started: a second one would run beside what is left over" in outcome.summary
    assert outcome.summary.endswith("Done before: web1 is restarted.")


def test_called_off_between_the_call_and_its_effect(world: World, plan: Plan) -> None:
    world.server.stop_takes = None
    world.clock.after(1.0, lambda: setattr(world, "cancelled", lambda: True))
    outcome = world.executor.execute(plan, lambda _: None, lambda: bool(world.cancelled()))
    assert outcome.status == "cancelled"
    assert outcome.summary == "called off; asked already, not proven: beat2"


def test_an_executor_needs_no_more_than_addresses_and_a_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "now", lambda self: AT)
    executor = LiveExecutor(lambda _: None, lambda: world.shot)
    assert executor.writable and executor.reason == ""
    # Nobody has that pid: no kernel counts so far.
    key = ProcessKey(4_194_305, 1)
    outcome = executor.execute(of(signal_step(outsider(4_194_305), key)), lambda _: None)
    assert outcome.status == "done"
    assert journal.default_path().read_text().count("4194305") > 2


def test_a_bad_check_is_worse_than_the_end_of_the_time(tmp_path: Path) -> None:
    shot, found = looping_pair((20.0, 20.0))
    path = tmp_path / "beat.pid"
    path.write_text("999")
    kept = replace(shot.beats[0], pidfile=str(path))
    shot = replace(shot, beats=(kept, shot.beats[1]))
    world = World(tmp_path, shot)

    def slow(name: str) -> None:
        world.clock.sleep(60)
        world.server.finish_stop(name)

    world.server.on_stop = [slow]
    outcome = world.do(plan_duplicates([found], shot))
    assert ticks(outcome)["keeper-pidfile"] == "failed"
    assert ticks(outcome)["no-new-spawn"] == "pending"
    assert outcome.status == "failed"


def test_the_time_of_the_whole_plan_ends_a_watch_before_its_own(tmp_path: Path) -> None:
    two = [program(f"web{n}", 201 + n, role="other") for n in range(2)]
    world = World(tmp_path, snapshot(two))
    world.server.stop_takes = None
    ask = world.server._stopProcess

    def slow(name: str) -> None:
        world.clock.sleep(65)
        ask(name, False)

    world.server.on_stop = [slow]
    outcome = world.do(plan_program("stop", two, world.shot))
    assert outcome.status == "failed"
    late = next(c for c in outcome.checks if c.step == 1 and c.tick == "failed")
    assert late.detail == "asked to stop and STOPPING, but the time was over"


def test_a_child_of_unknown_name_is_no_new_spawn_while_supervisord_says_so(tmp_path: Path) -> None:
    shot, found = looping_pair((6.0, 6.0))
    world = World(tmp_path, shot)
    world.clock.after(5.0, lambda: world.proc.add(950))
    outcome = world.do(plan_duplicates([found], shot))
    assert outcome.status == "done"
    assert ticks(outcome)["no-new-spawn"] == "done"


def test_what_is_left_over_of_a_supervisord_elsewhere_cannot_be_known(
    world: World, plan: Plan
) -> None:
    nowhere = replace(supervisord(), key=None)
    world.shot = replace(world.shot, supervisords=(nowhere,))
    outcome = world.do(plan)
    assert ticks(outcome)["survivors"] == "skipped"
    assert details(outcome)["survivors"] == "its processes are not on this box"


def test_a_keeper_without_a_process_is_not_looked_for(world: World, plan: Plan) -> None:
    nobody = replace(plan.keep[0], process=None)
    outcome = world.do(replace(plan, keep=(nobody, *plan.keep)))
    assert outcome.status == "done"
    assert [c.step for c in outcome.checks if c.name == "keeper-alive"] == [1]
