"""The fold of one name's events: runs, lives, and parts put together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.model.lives import Lives, merge
from beattop.model.logevents import LogEvent
from beattop.model.streak import Streak
from tests.unit.mainlog.written import (
    BASE,
    NAME,
    exited,
    fatal,
    gap,
    histories,
    running,
    spawned,
    started,
    stopped,
)


def fold(events, complete=True) -> Lives:
    lives = Lives("s", NAME, complete)
    for event in events:
        lives.add(event)
    return lives


def loop(count, life=2.0, wait=1.0, at=float(BASE)):
    out: list[LogEvent] = []
    for i in range(count):
        out += [spawned(at, 100 + i), exited(at + life)]
        at += life + wait
    return out


def test_a_loop_is_one_run_since_its_first_spawn():
    lives = fold(loop(100))
    assert lives.spawns == lives.exits == 100
    assert lives.streak == Streak(100, BASE)
    assert lives.exit_counts == (("73", 100),)
    assert sum(row[1] for row in lives.by_hour) == 100
    assert len(lives.lives) == 60
    assert {round(life.lifetime_s, 3) for life in lives.lives} == {2.0}
    assert lives.past().complete


def test_a_requested_stop_ends_the_run_and_counts_as_no_exit():
    lives = fold([*loop(3), spawned(BASE + 9), stopped(BASE + 10)])
    assert lives.streak == Streak(0, None)
    assert (lives.spawns, lives.exits) == (4, 3)
    assert lives.lives[-1].requested
    assert lives.lives[-1].signal == "SIGTERM"


def test_a_stop_that_leaves_no_line_shows_as_a_long_wait():
    # Stopping a program in BACKOFF writes nothing at loglevel info.
    events = loop(3)
    resumed = BASE + 9 + 3600
    lives = fold([*events, *loop(2, at=resumed)])
    assert lives.streak == Streak(2, resumed)


def test_growing_waits_of_backoff_are_one_run():
    at, events = float(BASE), []
    for i in range(1000):
        events += [spawned(at), exited(at + 0.1)]
        at += 0.1 + i
    assert fold(events).streak == Streak(1000, BASE)


def test_a_long_life_ends_one_run_and_a_short_one_after_it_begins_another():
    first = loop(5)
    long_at = first[-1].at + 1
    died = long_at + 3 * 3600
    lives = fold([*first, spawned(long_at), exited(died)])
    assert lives.streak == Streak(1, long_at)
    for event in loop(3, at=died + 1):
        lives.add(event)
    assert lives.streak == Streak(3, died + 1)


@pytest.mark.parametrize(
    ("usual", "life", "count"), [(2, 3600, 6), (2, 3601, 1), (600, 12_000, 6), (600, 12_001, 1)]
)
def test_how_long_is_long(usual, life, count):
    first = loop(5, life=usual)
    at = first[-1].at + 1
    assert fold([*first, spawned(at), exited(at + life)]).streak.count == count


def test_slow_crashes_are_a_run_too():
    assert fold(loop(4, life=7200)).streak == Streak(4, BASE)


def test_a_new_supervisord_closes_open_lives_as_asked_for():
    lives = fold([*loop(2), spawned(BASE + 6, 9), started(BASE + 8)])
    assert lives.lives[-1].requested
    assert lives.lives[-1].ended_at == BASE + 8
    assert lives.exits == 2
    assert lives.streak.count == 0


def test_an_exit_without_a_spawn_counts():
    lives = fold([exited(BASE + 1.5), *loop(1, at=BASE + 2)])
    assert (lives.spawns, lives.exits) == (1, 2)
    assert lives.lives[0].spawned_at is None
    assert lives.lives[0].lifetime_s is None
    assert lives.streak == Streak(2, BASE + 1.5)


def test_lost_lines_are_told_and_end_no_run():
    lives = fold([*loop(3), gap(BASE + 9), exited(BASE + 10)])
    assert lives.streak.count == 4
    assert lives.past().gap
    assert not lives.past().complete


def test_fatal_and_running_change_no_counts():
    lives = fold([spawned(BASE), running(BASE + 1), exited(BASE + 2), fatal(BASE + 2)])
    assert (lives.spawns, lives.exits, lives.streak.count) == (1, 1, 1)
    assert [event.kind for event in lives.recent] == ["spawned", "exited", "fatal"]


def test_the_kernel_tells_more_of_a_life_before_and_after_the_log():
    lives = fold([spawned(BASE, 41)])
    assert lives.enrich(41, BASE + 2.01, 1.9, 73, None)
    assert lives.exits == 0, "only the log says whether anybody asked for it"
    lives.add(exited(BASE + 2.5))
    life = lives.lives[-1]
    assert (life.ended_at, life.cpu_s, life.status, life.expected) == (BASE + 2.01, 1.9, 73, False)
    lives.add(spawned(BASE + 3, 42))
    lives.add(exited(BASE + 5.4))
    # The status of a first thread that ended alone is not the process's: the log has wait(2)'s.
    assert lives.enrich(42, BASE + 5.0, 2.0, 0, None)
    life = lives.lives[-1]
    assert (life.ended_at, life.cpu_s, life.status, life.signal) == (BASE + 5, 2.0, 73, None)
    assert lives.spawns == 2
    assert len(lives.lives) == 2


def test_a_life_begins_with_its_fork_not_with_the_line_about_it():
    lives = fold([spawned(BASE + 0.03, 41)])
    assert lives.enrich(41, BASE + 0.041, 0.001, 7, None, BASE + 0.001)
    assert lives.lives[-1].lifetime_s == pytest.approx(0.04)
    # Of another life, or of a clock that stood elsewhere.
    lives.add(spawned(BASE + 10, 42))
    assert lives.enrich(42, BASE + 10.5, 0.001, 7, None, BASE + 3)
    assert lives.lives[-1].lifetime_s == pytest.approx(0.5)


def test_the_kernel_may_be_faster_than_the_spawned_line():
    lives = Lives("s", NAME)
    assert not lives.enrich(43, BASE + 0.004, 0.003, 1, None)
    lives.add(spawned(BASE + 0.002, 43))
    assert lives.lives[-1].cpu_s == 0.003
    lives.add(spawned(BASE + 900, 43))
    assert lives.lives[-1].ended_at is None, "a pid that came round again is another life"


def test_an_old_pid_is_not_taken_for_the_new_life():
    lives = fold([spawned(BASE, 41), exited(BASE + 2), spawned(BASE + 500, 41)])
    assert lives.enrich(41, BASE + 2.1, 0.5)
    assert [life.cpu_s for life in lives.lives] == [0.5, None]


def test_two_groups_with_one_name_keep_all_counts():
    events = [spawned(BASE, 1), spawned(BASE, 2), exited(BASE + 1), exited(BASE + 1)]
    lives = fold(events * 2)
    assert (lives.spawns, lives.exits, lives.streak.count) == (4, 4, 4)
    assert all(life.ended_at is not None for life in lives.lives)


def test_from_past_shows_the_same_lives():
    lives = fold(loop(10))
    again = Lives.from_past(lives.past())
    assert again.lives == lives.lives
    assert again.past() == lives.past()


def test_from_past_knows_that_a_life_ended_with_its_supervisord():
    lives = fold([*loop(1), spawned(BASE + 4), started(BASE + 5)])
    assert Lives.from_past(lives.past()).lives == lives.lives


def test_past_is_made_once_between_events():
    lives = fold(loop(2))
    assert lives.past() is lives.past()
    before = lives.past()
    lives.complete = False
    assert lives.past() == replace(before, complete=False)


@given(histories(make=(spawned, exited, stopped, fatal, running, started, gap)), st.data())
@settings(max_examples=300, deadline=None)
def test_parts_put_together_are_the_whole(events, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=5)))
    parts = [
        fold(events[i:j]).past() for i, j in zip([0, *cuts], [*cuts, len(events)], strict=True)
    ]
    whole = fold(events).past()
    forwards = parts[0]
    for part in parts[1:]:
        forwards = merge(forwards, part)
    backwards = parts[-1]
    for part in parts[-2::-1]:
        backwards = merge(part, backwards)
    assert forwards == whole
    assert backwards == whole


@given(histories(make=(spawned, exited, stopped, fatal, running, started, gap)), st.data())
@settings(max_examples=150, deadline=None)
def test_going_on_from_a_past_is_as_if_never_interrupted(events, data):
    cut = data.draw(st.integers(0, len(events)))
    lives = Lives.from_past(fold(events[:cut]).past())
    for event in events[cut:]:
        lives.add(event)
    assert lives.past() == fold(events).past()
