"""SIGTERM and SIGKILL for exactly one process, with a pidfd that a test holds; nobody is signalled."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.steps import Parts, signal_step
from beattop.model.files import Pidfile
from beattop.model.finding import Target
from beattop.model.plan import Outcome, Plan, Step
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program
from tests.unit.actions.fake import World, details, ticks
from tests.unit.actions.scene import beat, keep, outsider, program, snapshot, target

pytestmark = pytest.mark.usefixtures("approved_outcomes")

PID = 77
KEY = ProcessKey(PID, PID * 10)


class Handles:
    """Each pidfd is the end of a pipe: it is readable, as a real one, once its process ended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opened: list[int] = []
        self.sent: list[int] = []
        self.trouble: OSError | None = None
        self.refusal: OSError | None = None
        self.ends: list[int] = []

    def open(self, pid: int) -> int:
        if self.trouble:
            raise self.trouble
        reader, writer = os.pipe()
        self.opened.append(pid)
        self.ends.append(writer)
        return reader

    def send(self, handle: int, number: int) -> None:
        if self.refusal:
            raise self.refusal
        self.sent.append(number)

    def end(self, pid: int = PID) -> None:
        self.world.proc.remove(pid)
        os.write(self.ends[-1], b"x")


@pytest.fixture
def world(tmp_path: Path) -> World:
    first = program("beat", 201)
    foreign = beat(None, PID)
    return World(tmp_path, snapshot([first], [beat(first), foreign]))


@pytest.fixture
def handles(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handles]:
    made = Handles(world)
    monkeypatch.setattr(os, "pidfd_open", made.open)
    monkeypatch.setattr(signal, "pidfd_send_signal", made.send)
    # The suite may run as anybody; whose process it is comes from the fake.
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    yield made
    for end in made.ends:
        os.close(end)


def plan(world: World, *, kill: bool = False, at: Target | None = None, kept: bool = True) -> Plan:
    parts = Parts.empty()
    parts.steps.append(signal_step(at or outsider(PID), KEY, kill=kill))
    return parts.plan("End it", world.shot, [keep(world.shot.beats[0])] if kept else [])


def test_sigterm_and_it_ends(world: World, handles: Handles) -> None:
    world.clock.after(0.5, handles.end)
    outcome = world.do(plan(world))
    assert (outcome.status, outcome.summary) == ("done", "pid 77 has ended")
    assert handles.opened == [PID] and handles.sent == [signal.SIGTERM]
    told = ticks(outcome)
    assert told["asked"] == told["gone"] == told["keeper-alive"] == "done"
    assert details(outcome)["asked"].startswith("pidfd_send_signal(pid 77, SIGTERM) at ")
    assert world.server.writes == []
    (call,) = [line for line in world.journal.read_text().splitlines() if '"event": "call"' in line]
    assert '"call": "pidfd_send_signal(pid 77, SIGTERM)", "result": "sent"' in call


def test_a_bad_keeper_where_nothing_was_to_be_done(
    world: World, handles: Handles, tmp_path: Path
) -> None:
    path = tmp_path / "b.pid"
    path.write_text("999")
    kept = replace(world.shot.beats[0], pidfile=str(path))
    world.shot = replace(world.shot, beats=(kept, *world.shot.beats[1:]))
    world.proc.remove(PID)
    outcome = world.do(plan(world))
    assert outcome.status == "failed"
    assert outcome.summary.startswith("the pidfile names beat: no – ")


def test_sigkill(world: World, handles: Handles) -> None:
    world.clock.after(0.5, handles.end)
    assert world.do(plan(world, kill=True)).status == "done"
    assert handles.sent == [signal.SIGKILL]


def test_the_descriptor_is_closed_again(world: World, handles: Handles) -> None:
    before = len(os.listdir("/proc/self/fd"))
    world.clock.after(0.5, handles.end)
    world.do(plan(world))
    assert len(os.listdir("/proc/self/fd")) == before + 1  # the test's own end of the pipe


def test_one_that_does_not_heed_sigterm_is_offered_sigkill(world: World, handles: Handles) -> None:
    outcome = world.do(plan(world))
    assert outcome.status == "failed"
    assert "pid 77 still lives 12 s after the signal" in outcome.summary
    assert world.clock.t == pytest.approx(12, abs=0.3)
    (kill,) = outcome.further.steps if outcome.further else ()
    assert (kill.verb, kill.target.process) == ("kill", KEY)
    assert outcome.further and outcome.further.keep == plan(world).keep


def test_one_that_does_not_heed_sigkill_is_offered_nothing(world: World, handles: Handles) -> None:
    outcome = world.do(plan(world, kill=True))
    assert outcome.status == "failed" and outcome.further is None


@pytest.mark.parametrize("seconds", [1.0, 11.5])
def test_it_has_twelve_seconds(world: World, handles: Handles, seconds: float) -> None:
    world.clock.after(seconds, handles.end)
    assert world.do(plan(world)).status == "done"


def _gone(world: World, handles: Handles) -> None:
    handles.trouble = ProcessLookupError()


def _unseen(world: World, handles: Handles) -> None:
    world.proc.remove(PID)


def _zombie(world: World, handles: Handles) -> None:
    world.proc.add(PID, ppid=1, state="Z")


@pytest.mark.parametrize("how", [_gone, _unseen, _zombie])
def test_one_that_has_ended_already_gets_no_signal(world: World, handles: Handles, how) -> None:
    how(world, handles)
    outcome = world.do(plan(world))
    assert outcome.status == "done" and handles.sent == []
    assert (ticks(outcome)["asked"], ticks(outcome)["gone"]) == ("skipped", "done")
    assert "has ended" not in outcome.summary


def test_one_that_ends_between_look_and_signal(world: World, handles: Handles) -> None:
    handles.refusal = ProcessLookupError()
    world.clock.after(0.0, handles.end)
    assert world.do(plan(world)).status == "done"
    assert "it had ended already" in world.journal.read_text()


def test_another_process_of_that_pid_gets_no_signal(world: World, handles: Handles) -> None:
    world.proc.add(PID, ppid=1, start=5)
    outcome = world.do(plan(world))
    assert (outcome.status, handles.sent) == ("changed", [])
    assert "pid 77 belongs to another process now" in outcome.summary


def test_a_kernel_that_gives_no_pidfd(world: World, handles: Handles) -> None:
    handles.trouble = OSError(38, "Function not implemented")
    outcome = world.do(plan(world))
    assert outcome.status == "failed"
    assert outcome.summary.startswith(
        "pid 77: this kernel gives no pidfd (Function not implemented) – by hand: kill -TERM 77"
    )


def test_a_signal_that_is_refused(world: World, handles: Handles) -> None:
    handles.refusal = PermissionError(1, "Operation not permitted")
    outcome = world.do(plan(world))
    assert outcome.status == "failed"
    assert "pid 77: Operation not permitted – by hand: kill -TERM 77" in outcome.summary
    assert '"result": "Operation not permitted"' in world.journal.read_text()


def test_without_a_process_there_is_nothing_to_signal(world: World, handles: Handles) -> None:
    step = plan(world).steps[0]
    nameless = replace(step, target=replace(step.target, process=None))
    outcome = world.do(replace(plan(world), steps=(nameless,)))
    assert outcome.status == "failed" and "no process is known for it" in outcome.summary


def test_a_keeper_that_died_meanwhile(world: World, handles: Handles) -> None:
    world.proc.remove(201)
    assert (world.do(plan(world)).status, handles.opened) == ("changed", [])


def test_called_off_in_time(world: World, handles: Handles) -> None:
    world.cancelled = lambda: True
    outcome = world.do(plan(world))
    assert (outcome.status, handles.sent) == ("cancelled", [])


# Whom it never touches


def never(world: World, handles: Handles, pid: int) -> Outcome:
    key = ProcessKey(pid, pid * 10)
    world.proc.add(pid, ppid=0)
    step = signal_step(Target(None, None, pid, "signal", f"kill -TERM {pid}", process=key), key)
    outcome = world.do(replace(plan(world, kept=False), steps=(step,)))
    assert outcome.status == "failed" and handles.opened == []
    return outcome


@pytest.mark.parametrize("pid", [0, 1])
def test_not_pid_1(world: World, handles: Handles, pid: int) -> None:
    assert "pid 1 is never touched" in never(world, handles, pid).summary


def test_the_second_process_of_a_container_is_like_any_other(
    world: World, handles: Handles
) -> None:
    world.proc.add(2, ppid=1)
    world.clock.after(0.5, lambda: handles.end(2))
    step = signal_step(outsider(2), ProcessKey(2, 20))
    assert world.do(replace(plan(world), steps=(step,))).status == "done"
    assert handles.opened == [2]


def test_whose_it_was_is_no_matter_once_it_has_ended(
    world: World, handles: Handles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    world.proc.remove(PID)
    assert world.do(plan(world)).status == "done"


def test_not_itself_nor_what_runs_it(
    world: World, handles: Handles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 4343)
    world.proc.add(4343, ppid=4242)
    assert "pid 4242 runs this beattop" in never(world, handles, 4242).summary
    assert "runs this beattop" in never(world, handles, 4343).summary


@pytest.mark.parametrize(
    ("me", "owner", "may"), [(0, 0, True), (0, 1000, True), (1000, 1000, True), (1000, 0, False), (1000, 1001, False)]
)  # fmt: skip
def test_not_another_users_unless_root(
    world: World, handles: Handles, monkeypatch: pytest.MonkeyPatch, me: int, owner: int, may: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: me)
    world.proc.users[PID] = owner
    world.clock.after(0.5, handles.end)
    outcome = world.do(plan(world))
    assert (outcome.status == "done") is may
    if not may:
        assert outcome.summary.startswith(
            "pid 77 belongs to another user – by hand: sudo kill -TERM 77"
        )


def test_another_users_without_a_command(
    world: World, handles: Handles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    world.proc.users[PID] = 1001
    bare = replace(plan(world).steps[0], command=None)
    outcome = world.do(replace(plan(world), steps=(bare,)))
    assert outcome.summary.startswith("pid 77 belongs to another user.")


# A hand-over


def heir(world: World, state: str, *, starts: bool = False) -> tuple[Plan, Program]:
    """The foreign beat is to end, and `next` to take over."""
    found = program("next", None, state=state)
    world.shot = replace(world.shot, programs=(*world.shot.programs, found))
    world.server.put("next", state)
    step = signal_step(outsider(PID), KEY, heir=found.id)
    steps: tuple[Step, ...] = (step,)
    if starts:
        start = target(found)
        steps += (Step("start", start, "start", None, None),)
    return Plan("Hand over", (), steps, (), (), ()), found


@pytest.mark.parametrize(
    ("state", "may"),
    [("RUNNING", True), ("STARTING", True), ("BACKOFF", True), ("EXITED", True),
     ("STOPPED", False), ("FATAL", False), ("STOPPING", False), ("UNKNOWN", False)],
)  # fmt: skip
def test_the_working_beat_ends_only_where_somebody_will_follow(
    world: World, handles: Handles, state: str, may: bool
) -> None:
    made, _ = heir(world, state)
    world.clock.after(0.5, handles.end)
    outcome = world.do(made)
    assert bool(handles.sent) is may
    if not may:
        assert outcome.status == "changed"
        assert f"next, which was to take over, is {state} now" in outcome.summary


def test_an_heir_that_the_plan_starts_may_be_down(world: World, handles: Handles) -> None:
    made, _ = heir(world, "FATAL", starts=True)
    world.clock.after(0.5, handles.end)
    world.do(made)
    assert handles.sent == [signal.SIGTERM]
    assert ("startProcess", "next", False) in world.server.calls


def test_nothing_is_started_where_the_working_one_would_not_end(
    world: World, handles: Handles
) -> None:
    made, _ = heir(world, "FATAL", starts=True)
    handles.refusal = PermissionError(1, "Operation not permitted")
    outcome = world.do(made)
    assert outcome.status == "failed" and world.server.writes == []
    second = [c.detail for c in outcome.checks if c.step == 1]
    assert second[0] == "not done, because the step before it failed"


def test_a_second_signal_of_a_hand_over_waits_for_the_first(world: World, handles: Handles) -> None:
    made, _ = heir(world, "RUNNING")
    key = ProcessKey(78, 780)
    other = signal_step(outsider(78), key)
    world.server.hung = True
    outcome = world.do(replace(made, steps=(*made.steps, other)))
    assert outcome.status == "failed" and handles.opened == []
    second = [c.detail for c in outcome.checks if c.step == 1]
    assert second[0] == "not done, because the step before it failed"


def test_sigkill_keeps_the_heir_and_the_file(world: World, handles: Handles) -> None:
    made, found = heir(world, "BACKOFF")
    file = Pidfile("/run/b.pid", "ok", PID, None, KEY)
    outcome = world.do(replace(made, steps=(replace(made.steps[0], pidfile=file),)))
    assert outcome.further is not None
    (kill,) = outcome.further.steps
    assert (kill.heir, kill.pidfile) == (found.id, file)
