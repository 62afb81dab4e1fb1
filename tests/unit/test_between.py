"""Which deaths between two samples are worth a look, and that none is lost for the next."""

from __future__ import annotations

import pytest

from beattop.model.lifecycle import Exit, Fork
from beattop.model.logevents import LogEvent
from beattop.model.process import ProcessKey
from beattop.sources.between import Between, News, Ration
from beattop.sources.lifecycle import Drained, Drops
from tests.unit.actions import scene

SERVER = scene.supervisord("unix:///s", key=ProcessKey(10, 1))


def gone(pid: int, ppid: int) -> Exit:
    return Exit(5.0, pid, ppid, 1, 4.0, 1, None, 0.1)


def line(kind, pid: int | None = 50, name: str = "web", at: float = 5.0, **more) -> LogEvent:
    return LogEvent(at, "unix:///s", kind, name, pid, **more)


@pytest.mark.parametrize(
    ("events", "logged", "looping", "worth"),
    [
        ([gone(50, 10)], [], [], News.DEATH),
        ([gone(51, 50)], [], [], News.NONE),  # no child of a supervisord
        ([Fork(5.0, 50, 10)], [], [], News.NONE),
        ([], [line("exited")], [], News.DEATH),
        ([], [line("fatal", None)], [], News.DEATH),
        ([], [line("spawned"), line("running")], [], News.NONE),
        ([], [line("stopped")], [], News.NONE),
        ([], [line("exited")], ["web"], News.NONE),
        ([], [line("exited")], ["other"], News.DEATH),
        ([gone(50, 10)], [line("spawned")], ["web"], News.NONE),
        ([gone(60, 10)], [line("spawned")], ["web"], News.DEATH),
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
    assert between.hear(Drained((gone(50, 10),)), [], [SERVER]) is News.NONE


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


def lives(between: Between, number: int, seconds: float, expected: bool) -> list[News]:
    """What each of so many deaths of `web` is worth, heard as the log tells them."""
    told = []
    for n in range(number):
        at = 1000.0 * n
        between.logged((line("spawned", 50 + n, at=at),))
        exited = line("exited", None, at=at + seconds, expected=expected)
        told.append(between.hear(Drained((gone(50 + n, 10),)), [exited], [SERVER]))
    return told


def test_the_death_that_may_make_a_loop_is_worth_most_and_a_jobs_end_nothing():
    first, row, none = News.DEATH, News.ROW, News.NONE
    assert lives(Between(), 6, 2.0, True) == [first, row, row, none, none, none]
    assert lives(Between(), 5, 2.0, False) == [first, row, row, first, first]
    assert lives(Between(), 3, 90.0, False) == [first] * 3


def test_a_death_whose_line_is_still_to_come_is_the_next_of_its_row():
    between = Between()
    lives(between, 1, 2.0, False)
    between.logged((line("spawned", 99),))
    assert between.hear(Drained((gone(99, 10),)), [], [SERVER]) is News.ROW


def test_a_requested_stop_begins_a_new_row():
    between = Between()
    lives(between, 1, 2.0, False)
    between.logged((line("stopped"),))
    assert lives(between, 1, 2.0, False) == [News.DEATH]


def test_a_ration_comes_back_with_time():
    ration = Ration(2, 3.0, 100.0)
    taken = [ration.take(at) for at in (100.0, 100.1, 100.2, 103.3, 103.4)]
    assert taken == [True, True, False, True, False]
    assert [ration.take(999.0) for _ in range(3)] == [True, True, False]
