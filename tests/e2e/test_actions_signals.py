"""Signals: to exactly one process, and to none that is not ours to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions import signals
from beattop.actions.clock import Clock
from beattop.actions.executor import LiveExecutor
from beattop.actions.journal import Journal
from beattop.actions.plan import plan_duplicates
from beattop.actions.process_table import ProcessTable, key
from beattop.actions.steps import Parts, process_target, signal_step
from beattop.model.plan import Outcome, Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Snapshot
from tests.unit.actions.fake import World, ticks
from tests.unit.actions.scene import (
    URL,
    beat,
    finding,
    keep,
    outsider,
    program,
    snapshot,
    supervisord,
)

PROC = ProcessTable()
DEAF = "import signal, sys; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
HEEDS = "import signal, sys; print(flush=True); signal.pause()"


class Child:
    """A process of the test's own."""

    def __init__(self, code: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, **env}
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        found = PROC.stat(self.process.pid)
        assert found is not None
        self.key = key(found)

    @property
    def alive(self) -> bool:
        return PROC.alive(self.key)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child(HEEDS)
    yield made
    made.end()


def plan_for(key: ProcessKey, *, kill: bool = False) -> Plan:
    parts = Parts.empty()
    parts.steps.append(signal_step(process_target(key, "left over"), key, kill=kill))
    return parts.plan("End it", snapshot())


def do(tmp_path: Path, plan: Plan, shot: Snapshot | None = None, **more: Any) -> Outcome:
    confined = more.pop("confined", None)
    executor = LiveExecutor(
        lambda _: None,
        lambda: shot or snapshot(),
        Journal(tmp_path / "journal.jsonl"),
        confined,
        **more,
    )
    return executor.execute(plan, lambda _: None)


def test_sigterm_and_gone(tmp_path: Path, child: Child) -> None:
    outcome = do(tmp_path, plan_for(child.key))
    assert outcome.status == "done", outcome
    assert not child.alive
    assert child.process.wait() == -signal.SIGTERM
    assert ticks(outcome) == {"asked": "done", "gone": "done"}
    assert (
        f'pidfd_send_signal(pid {child.key.pid}, SIGTERM)", "result": "sent"'
        in (tmp_path / "journal.jsonl").read_text()
    )


def test_another_process_with_that_pid_is_left_alone(tmp_path: Path, child: Child) -> None:
    stranger = ProcessKey(child.key.pid, child.key.start_ticks - 1)
    outcome = do(tmp_path, plan_for(stranger))
    assert outcome.status == "changed"
    assert child.alive


def test_one_that_ended_already_is_done(tmp_path: Path, child: Child) -> None:
    child.process.terminate()
    child.process.wait()
    outcome = do(tmp_path, plan_for(child.key))
    assert outcome.status == "done"
    assert ticks(outcome) == {"asked": "skipped", "gone": "done"}


def test_a_zombie_has_ended(tmp_path: Path, child: Child) -> None:
    child.process.terminate()
    os.waitid(os.P_PID, child.key.pid, os.WEXITED | os.WNOWAIT)
    assert ticks(do(tmp_path, plan_for(child.key)))["asked"] == "skipped"


class QuickClock(Clock):
    """Ten times as fast."""

    def monotonic(self) -> float:
        return super().monotonic() * 10

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 10)


def test_sigkill_only_as_a_second_plan(tmp_path: Path) -> None:
    deaf = Child(DEAF)
    try:
        outcome = do(tmp_path, plan_for(deaf.key), clock=QuickClock())
        assert outcome.status == "failed"
        assert deaf.alive
        assert outcome.further is not None
        (step,) = outcome.further.steps
        assert (step.verb, step.command) == ("kill", f"kill -KILL {deaf.key.pid}")
        assert "leaves its pidfile behind" in outcome.further.warnings[0]
        killed = do(tmp_path, outcome.further)
        assert killed.status == "done"
        assert deaf.process.wait() == -signal.SIGKILL
    finally:
        deaf.end()


def test_never_pid_1_nor_ourselves_nor_our_parents(tmp_path: Path) -> None:
    for pid in (1, os.getpid(), os.getppid()):
        found = PROC.stat(pid)
        assert found is not None
        outcome = do(tmp_path, plan_for(key(found)))
        assert outcome.status == "failed", pid
        assert ticks(outcome)["asked"] == "failed"


def test_never_another_users(tmp_path: Path, child: Child, monkeypatch: Any) -> None:
    monkeypatch.setattr(signals.os, "geteuid", lambda: 12345)
    outcome = do(tmp_path, plan_for(child.key))
    assert outcome.status == "failed"
    assert "belongs to another user" in outcome.summary
    assert f"sudo kill -TERM {child.key.pid}" in outcome.summary
    assert child.alive


def test_root_may(tmp_path: Path, child: Child, monkeypatch: Any) -> None:
    monkeypatch.setattr(signals.os, "geteuid", lambda: 0)
    proc = ProcessTable()
    monkeypatch.setattr(proc, "uid", lambda _: 12345)
    assert do(tmp_path, plan_for(child.key), proc=proc).status == "done"


def test_a_kernel_without_pidfds(tmp_path: Path, child: Child, monkeypatch: Any) -> None:
    def none(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(signals.os, "pidfd_open", none)
    outcome = do(tmp_path, plan_for(child.key))
    assert outcome.status == "failed"
    assert f"kill -TERM {child.key.pid}" in outcome.summary
    assert child.alive


class TestConfined:
    def test_a_stranger_is_out_of_reach(self, tmp_path: Path, child: Child) -> None:
        outcome = do(tmp_path, plan_for(child.key), confined=frozenset({URL}))
        assert outcome.status == "refused"
        assert "outside of what this beattop may touch" in outcome.summary
        assert child.alive

    def test_a_child_of_its_supervisord_is_in_reach(self, tmp_path: Path) -> None:
        parent = Child(
            "import subprocess as s; p = s.Popen(['sleep', '60']); print(flush=True); p.wait()"
        )
        (below,) = PROC.children(parent.key.pid)
        found = PROC.stat(below)
        assert found is not None
        shot = snapshot(supervisords=[supervisord(key=parent.key)])
        try:
            outcome = do(tmp_path, plan_for(key(found)), shot, confined=frozenset({URL}))
            assert outcome.status == "done", outcome
        finally:
            parent.end()

    def test_what_fell_out_of_it_is_in_reach(self, tmp_path: Path) -> None:
        orphan = Child(HEEDS, SUPERVISOR_SERVER_URL=URL)
        try:
            outcome = do(tmp_path, plan_for(orphan.key), confined=frozenset({URL}))
            assert outcome.status == "done", outcome
        finally:
            orphan.end()


def test_the_kept_beat_is_looked_at_first(tmp_path: Path, child: Child) -> None:
    first = program("beat", 4_000_001)
    shot = snapshot([first], [beat(first), replace(beat(None, 5), process=child.key)])
    foreign = replace(outsider(child.key.pid), process=child.key)
    plan = plan_duplicates([finding([foreign], [keep(beat(first))])], shot)
    assert [s.verb for s in plan.steps] == ["signal"]
    outcome = do(tmp_path, plan, shot)
    assert outcome.status == "changed"
    assert child.alive


def test_what_is_left_of_a_stop_only_if_the_stop_went_well(tmp_path: Path) -> None:
    first, second = program("beat", 201), program("beat2", 202)
    shot = snapshot([first, second], [beat(first), beat(second)])
    world = World(tmp_path, shot)
    found = finding([outsider(202)], [keep(beat(first))])
    step = replace(plan_duplicates([found], shot).steps[0], if_left=True)
    stop = plan_duplicates([replace(found, stop=())], shot)
    step = replace(step, target=replace(step.target, program=second.id))
    failing = replace(
        step, verb="stop", target=replace(step.target, namespec="gone", program=second.id)
    )
    outcome = world.do(replace(stop, steps=(replace(failing, verb="stop", if_left=False), step)))
    assert outcome.status == "changed"
    assert {c.tick for c in outcome.checks if c.step == 1} == {"skipped"}
