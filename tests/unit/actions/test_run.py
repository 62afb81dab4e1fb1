"""What a carrying-out takes from the look at its begin, and what from /proc and supervisord."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from beattop.actions.ended import Blind, Cancelled, Changed, Failed
from beattop.actions.process_table import ProcessTable
from beattop.actions.run import Run
from beattop.actions.writer import NoAnswer, Refused, WriteClient
from beattop.model.lives import Life
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program, Snapshot
from tests.unit.actions.fake import FakeClock, FakeProc
from tests.unit.actions.scene import AT, URL, config, pid_of, program, snapshot, supervisord, target

B = program("b", 202)


def a_run(*programs: Program, shot: Snapshot | None = None, looping: bool = False) -> Run:
    shot = shot or snapshot(programs or [B])
    clock = FakeClock()
    steps = [SimpleNamespace(respawning=True, target=target(B))] if looping else []
    return Run(
        plan=cast(Any, SimpleNamespace(steps=steps)), begun=shot, look=lambda: shot,
        checks=cast(Any, None), clock=clock, proc=FakeProc(clock), connect=cast(Any, lambda s: s),
        note=lambda call, result: None, cancelled=lambda: False, confined_to=None,
    )  # fmt: skip


def test_waiting_is_called_off_within_a_tenth_of_a_second() -> None:
    run = a_run()
    slept: list[float] = []
    clock = cast(FakeClock, run.clock)
    clock.sleep = lambda s: (slept.append(s), setattr(clock, "t", clock.t + s))  # type: ignore[method-assign,assignment,func-returns-value]
    run.pause(0.25)
    assert slept == pytest.approx([0.1, 0.1, 0.05])
    run.pause(0)
    assert len(slept) == 3
    run.cancelled = lambda: clock.t >= 1
    with pytest.raises(Cancelled):
        run.pause(5)
    assert clock.t == pytest.approx(1.05)


def test_a_plan_is_late_at_its_deadline() -> None:
    run = a_run()
    run.deadline = run.clock.monotonic()
    assert run.late()
    run.deadline += 1
    assert not run.late()
    assert not a_run().late() or a_run().deadline == 0.0


@pytest.mark.parametrize(
    ("programs", "waits", "starts"),
    [
        ((replace(B, config=config("b", stopwaitsecs=600.0, startsecs=30.0)),), 600.0, 30.0),
        ((replace(B, config=None),), 10.0, 1.0),
        ((program("other", 9),), 10.0, 1.0),
    ],
)
def test_what_its_conf_says_or_supervisords_defaults(
    programs: Any, waits: float, starts: float
) -> None:
    run = a_run(*programs)
    assert (run.stopwaitsecs(target(B)), run.startsecs(B.id)) == (waits, starts)


def life(seconds: float | None, *, requested: bool = False) -> Life:
    return Life(9, AT - 50, AT - 50 + seconds if seconds is not None else None, requested=requested)


LIVES = (
    # (lives, the median, the longest, the shortest)
    ((), None, 0.0, math.inf),
    ((), 7.0, 7.0, math.inf),
    ((life(2.0), life(5.0), life(3.0)), 7.0, 5.0, 2.0),
    ((life(2.0), life(900.0)), None, 20.0, 2.0),
    ((life(2.0), life(9.0, requested=True), life(1.0, requested=True)), None, 2.0, 2.0),
    ((life(2.0), life(None)), None, 2.0, 2.0),
    ((life(None),), 7.0, 7.0, math.inf),
)


@pytest.mark.parametrize(("lives", "median", "longest", "shortest"), LIVES)
def test_how_long_a_loop_lives(
    lives: tuple[Life, ...], median: float | None, longest: float, shortest: float
) -> None:
    loop = replace(B, respawning=True, lives=lives, lifetime_median_s=median)
    assert a_run(loop).longest_life(B.id) == longest
    assert a_run(loop).shortest_life(B.id) == shortest
    # One that is stopped for its loop is one, even where the look has it as calm by now.
    calm = replace(loop, respawning=False)
    assert a_run(calm).longest_life(B.id) == 0.0
    assert a_run(calm, looping=True).longest_life(B.id) == longest
    other = replace(calm, id=pid_of("other"))
    assert a_run(calm, other, looping=True).longest_life(other.id) == 0.0


def test_of_a_program_that_is_not_known_no_life_is() -> None:
    run = a_run(program("other", 9), looping=True)
    assert (run.longest_life(B.id), run.shortest_life(B.id)) == (0.0, math.inf)


def test_whom_to_ask() -> None:
    assert cast(Any, a_run().client(target(B))) == URL
    free = replace(target(B), program=None)
    for lost in (free, replace(free, supervisor=None)):
        with pytest.raises(Failed, match="no supervisord is known for it – by hand: supervisorctl"):
            a_run().client(lost)


class Asked:
    def __init__(self, answer: object) -> None:
        self.answer, self.names = answer, []  # type: ignore[var-annotated]

    def state(self, namespec: str) -> object:
        self.names.append(namespec)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("why", "kind", "words"),
    [
        (Refused(10, "BAD_NAME"), Changed, "the program does not exist any more"),
        (Refused(6, "SHUTDOWN_STATE"), Changed, "its supervisord is shutting down"),
        (Refused(1, "X"), Blind, "does not tell its state .fault 1: X."),
        (NoAnswer("timed out", True), Blind, "cannot be asked: timed out – by hand: "),
    ],
)
def test_what_keeps_a_state_from_being_told(
    why: Exception, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        a_run().read(cast(WriteClient, Asked(why)), target(B))


def test_a_state_is_asked_for_by_name() -> None:
    asked = Asked("told")
    for one in (target(B), replace(target(B), namespec=None)):
        assert cast(Any, a_run().read(cast(WriteClient, asked), one)) == "told"
    assert asked.names == ["b", ""]


def state(pid: int) -> Any:
    return SimpleNamespace(supervisor=URL, pid=pid)


def test_the_process_that_supervisord_tells_of() -> None:
    run = a_run()
    proc = cast(FakeProc, run.proc)
    proc.add(202)
    proc.add(203, ppid=1)
    proc.add(204)
    proc.inside[204] = 7
    assert run.process(state(202)) == ProcessKey(202, 2020)
    assert run.process(state(203)) is None, "nobody's child of that supervisord"
    assert run.process(state(7)) == ProcessKey(204, 2040), "by its own numbers"
    assert run.process(state(204)) is None
    assert run.process(state(0)) is None
    assert run.process(state(999)) is None
    proc.children = lambda pid: [999, 202]  # type: ignore[method-assign]
    assert run.process(state(202)) == ProcessKey(202, 2020), "one that is gone is passed over"
    assert isinstance(proc, ProcessTable)


@pytest.mark.parametrize("servers", [[], [supervisord(key=None)]])
def test_of_a_supervisord_elsewhere_no_process_is_seen(servers: list) -> None:
    run = a_run(shot=snapshot([B], supervisords=servers))
    cast(FakeProc, run.proc).add(202)
    assert run.process(state(202)) is None
