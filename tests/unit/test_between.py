"""Which deaths between two samples are worth a look, and that none is lost for the next."""

from __future__ import annotations

import pytest

from beattop.model.lifecycle import Exit, Fork
from beattop.model.logevents import LogEvent
from beattop.model.process import ProcessKey
from beattop.sources.between import Between
from beattop.sources.lifecycle import Drained, Drops
from tests.unit.actions import scene

SERVER = scene.supervisord("unix:///s", key=ProcessKey(10, 1))


def gone(pid: int, ppid: int) -> Exit:
    return Exit(5.0, pid, ppid, 1, 4.0, 1, None, 0.1)


def line(kind, pid: int | None = 50, name: str = "web") -> LogEvent:
    return LogEvent(5.0, "unix:///s", kind, name, pid)


@pytest.mark.parametrize(
    ("events", "logged", "looping", "worth"),
    [
        ([gone(50, 10)], [], [], True),
        ([gone(51, 50)], [], [], False),  # no child of a supervisord
        ([Fork(5.0, 50, 10)], [], [], False),
        ([], [line("exited")], [], True),
        ([], [line("fatal", None)], [], True),
        ([], [line("spawned"), line("running")], [], False),
        ([], [line("stopped")], [], False),
        ([], [line("exited")], ["web"], False),
        ([], [line("exited")], ["other"], True),
        ([gone(50, 10)], [line("spawned")], ["web"], False),
        ([gone(60, 10)], [line("spawned")], ["web"], True),
    ],
)
def test_a_program_that_is_not_known_to_loop_is_news(events, logged, looping, worth):
    between = Between()
    between.looping = {("unix:///s", name) for name in looping}
    assert between.hear(Drained(tuple(events)), logged, [SERVER]) is worth


def test_a_pid_is_remembered_from_an_ordinary_sample():
    between = Between()
    between.looping = {("unix:///s", "web")}
    between.logged((line("spawned"),))
    assert not between.hear(Drained((gone(50, 10),)), [], [SERVER])


def test_what_was_heard_early_comes_with_the_next_sample_once():
    between = Between()
    between.hear(
        Drained((gone(50, 10),), frozenset({50, 61}), Drops(1, 2)), [line("exited")], [SERVER]
    )
    between.hear(Drained((gone(61, 10),), frozenset(), Drops(0, 1), True), [], [SERVER])
    drained = between.drained(Drained((gone(70, 10),), frozenset({71}), Drops(1, 0, 3, 4)))
    assert [e.pid for e in drained.events] == [50, 61, 70]
    assert drained.execs == {50, 71}  # 61 ended after it became another program
    assert drained.drops == Drops(2, 3, 3, 4)
    assert drained.rescan
    assert between.logged((line("spawned"),)) == (line("exited"), line("spawned"))
    last = Drained((gone(80, 10),))
    assert between.drained(last) is last
    assert between.logged(()) == ()
