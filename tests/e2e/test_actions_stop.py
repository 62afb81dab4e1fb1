"""Stops on a real supervisord, with programs that behave as beats do."""

from __future__ import annotations

import json
import os
import signal
import xmlrpc.client
from contextlib import suppress
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates, plan_program
from beattop.actions.process_table import ProcessTable
from tests.e2e.incident import Box
from tests.e2e.looking import Looking, loop_script

SLEEPER = ["/bin/sleep", "600"]
PROC = ProcessTable()


def test_a_loop_is_stopped_proven_and_undone(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", loop_script(box, 1.2))
        box.up()
        box.wait_exits("beat2", 2)
        look = Looking(box, looping={"beat2": [1.2, 1.3]})
        kept = look.program("beat").pid
        plan = plan_duplicates([look.duplicates("beat", "beat2")], look.shot)
        outcome = look.do(plan)
        assert outcome.status == "done", outcome
        assert box.state("beat2") == "STOPPED"
        assert box.rpc("getProcessInfo", "beat")["pid"] == kept
        spawned = len(box.servers["main"].spawns("beat2"))
        checks = look.by_name(outcome)
        assert checks["stays-stopped"].tick == "done"
        assert checks["no-new-spawn"].tick == "done"
        assert checks["keeper-alive"].detail.startswith(f"pid {kept} ")

        undo = look.executor.undo_plan()
        assert undo is not None
        assert undo.title == "Undo: start beat2 again"
        back = look.do(undo)
        assert box.state("beat2") != "STOPPED"
        assert len(box.servers["main"].spawns("beat2")) > spawned
        assert look.by_name(back)["asked"].tick == "done"

        lines = [json.loads(line) for line in look.journal.read_text().splitlines()]
        calls = [(line["call"], line["result"]) for line in lines if line["event"] == "call"]
        assert calls[-1] == ('supervisor.startProcess("beat2", wait=False)', "accepted")
        stops = [c for c in calls if "stopProcess" in c[0]]
        assert stops[-1] == ('supervisor.stopProcess("beat2", wait=False)', "accepted")
        assert next(line["status"] for line in lines if line["event"] == "result") == "done"
        assert {line["uid"] for line in lines} == {os.getuid()}
        assert len({line["action"] for line in lines}) == 2
        assert look.journal.stat().st_mode & 0o777 == 0o600


def test_an_instant_loop_is_caught_every_time(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", ["/bin/sh", "-c", "exit 73"], startsecs=0)
        box.up()
        for round_ in range(2):
            box.wait_exits("beat2", 2 * round_ + 2)
            look = Looking(box, looping={"beat2": [0.01]}, conf={"beat2": {"startsecs": 0.0}})
            outcome = look.do(plan_duplicates([look.duplicates("beat", "beat2")], look.shot))
            assert outcome.status == "done", outcome
            assert box.state("beat2") == "STOPPED"
            with suppress(xmlrpc.client.Fault):  # 50: it had ended when supervisord answered
                box.rpc("startProcess", "beat2", False)


def test_in_backoff(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", ["/bin/sh", "-c", "exit 73"], startsecs=2, startretries=1000)
        box.up()
        box.wait_exits("beat2", 2)
        look = Looking(box, looping={"beat2": [0.01]}, conf={"beat2": {"startsecs": 2.0}})
        outcome = look.do(plan_duplicates([look.duplicates("beat", "beat2")], look.shot))
        assert outcome.status == "done", outcome
        assert box.state("beat2") == "STOPPED"


def test_two_of_numprocs_in_a_group(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER, numprocs=3, process_name="%(program_name)s_%(process_num)d")
        box.section("group:jobs", programs="beat")
        box.up()
        box.wait(lambda: "beat_2" in box.servers["main"].log(), "beat_2")
        look = Looking(box)
        plan = plan_duplicates([look.duplicates("beat_0", "beat_1", "beat_2")], look.shot)
        assert plan.steps[0].call == 'supervisor.stopProcess("jobs:beat_1", wait=False)'
        outcome = look.do(plan)
        assert outcome.status == "done", outcome
        assert [box.state(f"jobs:beat_{n}") for n in range(3)] == ["RUNNING", "STOPPED", "STOPPED"]


@pytest.mark.long
def test_one_that_ignores_sigterm_is_killed_by_supervisord(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program(
            "beat2", ["/bin/bash", "-c", "trap '' TERM; while :; do sleep 1; done"], stopwaitsecs=2
        )
        box.up()
        box.wait_state("beat2", "RUNNING")
        look = Looking(box, conf={"beat2": {"stopwaitsecs": 2.0, "stopasgroup": True}})
        outcome = look.do(plan_program("stop", [look.program("beat2")], look.shot))
        assert look.by_name(outcome)["stopped"].tick == "done"
        assert box.state("beat2") == "STOPPED"


def test_a_shell_leaves_its_beat_and_a_second_plan_ends_it(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", ["/bin/sh", "-c", "sleep 601; true"])
        box.up()
        box.wait(lambda: box.pid("beat2") and PROC.children(box.pid("beat2")), "the shell's child")
        look = Looking(box)
        shell = look.program("beat2")
        child = shell.members[1].process.pid
        plan = plan_program("stop", [shell], look.shot)
        outcome = look.do(plan)
        assert outcome.status == "failed"
        assert f"pid {child}" in outcome.summary
        assert PROC.alive(shell.members[1].key)
        assert outcome.further is not None
        ended = look.do(outcome.further)
        assert ended.status == "done", ended
        assert not PROC.alive(shell.members[1].key)
        assert "pidfd_send_signal" in look.journal.read_text()


def test_a_duplicate_behind_a_shell_is_ended_by_one_plan(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", ["/bin/sh", "-c", "sleep 601; true"])
        box.up()
        box.wait(lambda: box.pid("beat2") and PROC.children(box.pid("beat2")), "the shell's child")
        look = Looking(box)
        behind = look.program("beat2").members[1].key
        plan = plan_duplicates([look.duplicates("beat", "beat2")], look.shot)
        assert [s.verb for s in plan.steps] == ["stop", "signal"]
        outcome = look.do(plan)
        assert outcome.status == "done", outcome
        assert not PROC.alive(behind)
        assert box.state("beat") == "RUNNING"


def test_a_supervisord_that_hangs(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", SLEEPER)
        box.up()
        look = Looking(box)
        plan = plan_duplicates([look.duplicates("beat", "beat2")], look.shot)
        box.kill(box.servers["main"].pid, signal.SIGSTOP)
        try:
            outcome = look.do(plan)
        finally:
            box.kill(box.servers["main"].pid, signal.SIGCONT)
        assert outcome.status == "blind"
        assert "does not answer in time" in outcome.summary
        assert box.state("beat2") == "RUNNING"
        assert '"call"' not in look.journal.read_text()


def test_a_program_that_was_restarted_since_the_look(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("beat", SLEEPER)
        box.program("beat2", SLEEPER)
        box.up()
        look = Looking(box)
        plan = plan_duplicates([look.duplicates("beat", "beat2")], look.shot)
        box.rpc("stopProcess", "beat2")
        box.rpc("startProcess", "beat2", False)
        outcome = look.do(plan)
        assert outcome.status == "changed"
        assert box.state("beat2") in ("STARTING", "RUNNING")


def test_restart_is_a_full_stop_and_a_start(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("web", SLEEPER)
        box.up()
        box.wait_state("web", "RUNNING")
        look = Looking(box, roles={"web": "other"})
        before = look.program("web").pid
        outcome = look.do(plan_program("restart", [look.program("web")], look.shot))
        assert outcome.status == "done", outcome
        assert outcome.summary == "web is restarted"
        info = box.rpc("getProcessInfo", "web")
        assert info["statename"] == "RUNNING"
        assert info["pid"] != before
