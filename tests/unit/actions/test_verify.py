"""The proof after a stop: each check of a kept beat, made to hold and made to fail."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions import executor, verify
from beattop.actions.plan import plan_duplicates
from beattop.model.files import LastWords
from beattop.model.plan import Outcome, Plan
from beattop.model.snapshot import Snapshot
from tests.unit.actions.fake import World, details, ticks
from tests.unit.actions.scene import (
    AT,
    URL,
    beat,
    finding,
    keep,
    looping_pair,
    program,
    snapshot,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


def world_with(tmp_path: Path, **kept: Any) -> World:
    shot, _ = looping_pair()
    beat = replace(shot.beats[0], **kept)
    return World(tmp_path, replace(shot, beats=(beat, shot.beats[1])))


def act(world: World) -> Outcome:
    return world.do(plan_duplicates([looping_pair()[1]], world.shot))


class TestPidfile:
    def test_names_the_kept_beat(self, tmp_path: Path) -> None:
        path = tmp_path / "beat.pid"
        path.write_text("201\n")
        world = world_with(tmp_path, pidfile=str(path))
        outcome = act(world)
        assert outcome.status == "done"
        assert f"{path} names pid 201, read at" in details(outcome)["keeper-pidfile"]

    def test_names_another(self, tmp_path: Path) -> None:
        path = tmp_path / "beat.pid"
        path.write_text("202\n")
        world = world_with(tmp_path, pidfile=str(path))
        outcome = act(world)
        assert outcome.status == "failed"
        assert ticks(outcome)["keeper-pidfile"] == "failed"
        assert "names pid 202" in outcome.summary
        assert outcome.summary.startswith("beat2 is stopped, but:")

    def test_is_gone(self, tmp_path: Path) -> None:
        world = world_with(tmp_path, pidfile=str(tmp_path / "none.pid"))
        outcome = act(world)
        assert ticks(outcome)["keeper-pidfile"] == "failed"
        assert "No such file" in details(outcome)["keeper-pidfile"]

    def test_may_not_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever may stop a program need not be the user of its files: that is no failure."""
        path = tmp_path / "beat.pid"
        world = world_with(tmp_path, pidfile=str(path))

        def denied(_: str) -> int | None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(verify, "named", denied)
        outcome = act(world)
        assert outcome.status == "done"
        assert ticks(outcome)["keeper-pidfile"] == "skipped"
        assert details(outcome)["keeper-pidfile"] == f"{path} may not be read by this user"

    def test_a_fifo_in_its_place_is_not_waited_for(self, tmp_path: Path) -> None:
        path = tmp_path / "beat.pid"
        os.mkfifo(path)
        outcome = act(world_with(tmp_path, pidfile=str(path)))
        assert ticks(outcome)["keeper-pidfile"] == "failed"
        assert "not a regular file" in details(outcome)["keeper-pidfile"]

    def test_comes_in_time(self, tmp_path: Path) -> None:
        path = tmp_path / "beat.pid"
        world = world_with(tmp_path, pidfile=str(path))
        world.clock.after(4.0, lambda: path.write_text("201\n") and None)
        assert act(world).status == "done"

    def test_is_read_in_the_beats_own_numbers(self, tmp_path: Path) -> None:
        path = tmp_path / "beat.pid"
        path.write_text("7\n")
        world = world_with(tmp_path, pidfile=str(path))
        world.proc.inside = {201: 7}
        assert act(world).status == "done"

    def test_of_a_kept_beat_that_left_the_look(self, tmp_path: Path) -> None:
        world = world_with(tmp_path, pidfile="/run/b.pid")
        plan = plan_duplicates([looping_pair()[1]], world.shot)
        world.shot = replace(world.shot, beats=world.shot.beats[1:])
        outcome = world.do(plan)
        assert outcome.status == "done"
        assert details(outcome)["keeper-pidfile"] == "it has no pidfile"


def test_a_kept_beat_without_a_name_is_called_the_kept_beat(tmp_path: Path) -> None:
    shot, found = looping_pair()
    foreign = beat(None, 77)
    world = World(tmp_path, replace(shot, beats=(foreign, shot.beats[1])))
    outcome = world.do(plan_duplicates([replace(found, keep=(keep(foreign),))], world.shot))
    labels = {c.name: c.label for c in outcome.checks}
    assert labels["keeper-alive"] == "the kept beat still lives"


@pytest.mark.parametrize(("left", "status"), [(9.0, "unverified"), (11.0, "done")])
def test_less_than_ten_seconds_of_watching_prove_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: float, status: str
) -> None:
    world = slow_world(tmp_path)
    world.server.stop_takes = 0.1
    # stopwaitsecs 10 and this are the whole time; 12 s are left for the last question.
    monkeypatch.setattr(executor, "SLACK_S", left + 2.6)
    assert act(world).status == status


class TestPulse:
    def test_a_young_schedule(self, tmp_path: Path) -> None:
        schedule = tmp_path / "schedule"
        schedule.touch()
        os.utime(schedule, (AT - 479 + 6, AT - 479 + 6))
        world = world_with(tmp_path, schedule=str(schedule))
        outcome = act(world)
        assert ticks(outcome)["keeper-beats"] == "done"
        assert "schedule written" in details(outcome)["keeper-beats"]

    @pytest.mark.parametrize("suffix", [".db", ".dir", "-wal"])
    def test_under_the_names_other_dbms_give(self, tmp_path: Path, suffix: str) -> None:
        schedule = tmp_path / f"schedule{suffix}"
        schedule.touch()
        os.utime(schedule, (AT - 20, AT - 20))
        world = world_with(tmp_path, schedule=str(tmp_path / "schedule"))
        assert ticks(act(world))["keeper-beats"] == "done"

    def test_an_old_schedule(self, tmp_path: Path) -> None:
        schedule = tmp_path / "schedule"
        schedule.touch()
        os.utime(schedule, (AT - 481, AT - 481))
        world = world_with(tmp_path, schedule=str(schedule))
        outcome = act(world)
        assert outcome.status == "failed"
        assert ticks(outcome)["keeper-beats"] == "failed"
        assert world.clock.t > 20

    def test_it_is_written_meanwhile(self, tmp_path: Path) -> None:
        schedule = tmp_path / "schedule"
        schedule.touch()
        os.utime(schedule, (AT - 900, AT - 900))
        world = world_with(tmp_path, schedule=str(schedule))
        world.clock.after(12, lambda: os.utime(schedule, (AT + 12, AT + 12)))
        assert act(world).status == "done"

    def test_a_log_line_is_enough(self, tmp_path: Path) -> None:
        schedule = tmp_path / "schedule"
        schedule.touch()
        os.utime(schedule, (AT - 900, AT - 900))
        world = world_with(tmp_path, schedule=str(schedule), last_sent_at=AT - 5)
        assert ticks(act(world))["keeper-beats"] == "done"

    def test_not_knowable(self, tmp_path: Path) -> None:
        world = world_with(tmp_path, schedule="relative-schedule")
        outcome = act(world)
        assert outcome.status == "done"
        assert ticks(outcome)["keeper-beats"] == "skipped"


def test_the_kept_beat_dies_while_the_rest_is_proven(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.clock.after(4.0, lambda: world.proc.remove(201))
    outcome = act(world)
    assert outcome.status == "failed"
    assert ticks(outcome)["keeper-alive"] == "failed"
    assert "pid 201 (start 2010) is gone" in details(outcome)["keeper-alive"]


def test_the_kept_beat_is_stopped_by_a_signal_while_the_rest_is_proven(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.clock.after(4.0, lambda: world.proc.add(201, state="T"))
    outcome = act(world)
    assert outcome.status == "failed"
    assert ticks(outcome)["keeper-alive"] == "failed"
    assert "pid 201 (start 2010) is stopped by a signal" in details(outcome)["keeper-alive"]


def test_its_process_does_not_go(tmp_path: Path) -> None:
    world = world_with(tmp_path)

    def stopped_but_there(name: str) -> None:
        world.server.put(name, "STOPPED")

    world.server.on_stop = [stopped_but_there]
    outcome = act(world)
    assert outcome.status == "failed"
    assert ticks(outcome)["gone"] == "failed"
    assert "pid 202 still lives" in details(outcome)["gone"]


def test_supervisord_falls_silent_before_the_second_look(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.clock.after(1.0, lambda: setattr(world.server, "hung", True))
    outcome = act(world)
    assert outcome.status == "unverified"
    assert "does not answer a second time" in outcome.summary
    assert ticks(outcome)["keeper-alive"] == "done", "it was asked, so the kept beat is looked at"


def test_supervisord_falls_silent_while_watched(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.clock.after(3.0, lambda: setattr(world.server, "hung", True))
    outcome = act(world)
    assert outcome.status == "failed"
    assert ticks(outcome)["no-new-spawn"] == "failed"
    assert "supervisord does not tell" in details(outcome)["no-new-spawn"]


def slow_world(tmp_path: Path) -> World:
    """A loop whose two periods take longer than a plan may."""
    shot: Snapshot = looping_pair(lives=[400.0])[0]
    world = World(tmp_path, shot)
    slow = replace(shot.programs[1].config, stopwaitsecs=10.0, startsecs=40.0)  # type: ignore[type-var]
    second = replace(shot.programs[1], config=slow)
    world.shot = replace(shot, programs=(shot.programs[0], second))
    return world


def test_a_long_startsecs_is_watched_for_as_long_as_there_is_time(tmp_path: Path) -> None:
    world = slow_world(tmp_path)
    world.server.stop_takes = 11.0
    outcome = act(world)
    assert outcome.status == "done"
    assert 55 <= world.clock.t <= 65
    told = details(outcome)["no-new-spawn"]
    assert told.endswith("watched for 47 s (two periods are 120 s)")


def test_a_spawn_in_that_shorter_watch_is_told(tmp_path: Path) -> None:
    world = slow_world(tmp_path)
    world.clock.after(50.0, lambda: world.server.spawn("beat2") and None)
    outcome = act(world)
    assert outcome.status == "failed"
    assert ticks(outcome)["no-new-spawn"] == "failed"


def test_never_longer_than_stopwaitsecs_and_a_minute(tmp_path: Path) -> None:
    world = slow_world(tmp_path)

    def late(name: str) -> None:
        world.clock.t += 49.0  # too little is left for a watch that means something
        world.server.finish_stop(name)

    world.server.on_stop = [late]
    outcome = act(world)
    assert outcome.status == "unverified"
    assert outcome.summary == "stopped, not yet verified"
    assert 69 <= world.clock.t <= 71
    assert ticks(outcome)["no-new-spawn"] == "pending"


class TestOneScheduleForBoth:
    """The one that is stopped writes the file once more: that is no sign of the kept one."""

    def _world(self, tmp_path: Path, **kept: Any) -> tuple[World, Plan, Path]:
        schedule = tmp_path / "schedule"
        schedule.touch()
        first, second = program("beat", 201, **kept), program("beat2", 202)
        beats = [beat(p, schedule=str(schedule)) for p in (first, second)]
        shot = snapshot([first, second], beats)
        world = World(tmp_path, shot)

        def farewell(name: str) -> None:
            world.server.finish_stop(name)
            os.utime(schedule, (AT, AT))

        world.server.on_stop = [farewell]
        return world, plan_duplicates([finding([target(second)], [keep(beats[0])])], shot), schedule

    def test_its_farewell_does_not_count(self, tmp_path: Path) -> None:
        world, plan, _ = self._world(tmp_path)
        outcome = world.do(plan)
        assert outcome.status == "done"
        assert ticks(outcome)["keeper-beats"] == "skipped"
        assert "both wrote one schedule file" in details(outcome)["keeper-beats"]
        assert world.clock.t > 20

    def test_a_later_write_does(self, tmp_path: Path) -> None:
        world, plan, schedule = self._world(tmp_path)
        world.clock.after(9, lambda: os.utime(schedule, (AT + 9, AT + 9)))
        assert ticks(world.do(plan))["keeper-beats"] == "done"

    def test_a_line_in_its_own_log_does(self, tmp_path: Path) -> None:
        world, plan, _ = self._world(tmp_path)
        words = LastWords(URL, "beat", "beat", (), AT, AT - 3, None)
        first = replace(world.shot.programs[0], last_words=words)
        world.shot = replace(world.shot, programs=(first, world.shot.programs[1]))
        outcome = world.do(plan)
        assert ticks(outcome)["keeper-beats"] == "done"
        assert "last sent or wrote" in details(outcome)["keeper-beats"]

    def test_a_loop_that_never_wrote_shares_nothing(self, tmp_path: Path) -> None:
        schedule = tmp_path / "schedule"
        schedule.touch()
        os.utime(schedule, (AT - 5, AT - 5))
        shot, found = looping_pair()
        beats = tuple(replace(b, schedule=str(schedule)) for b in shot.beats)
        world = World(tmp_path, replace(shot, beats=beats))
        outcome = world.do(plan_duplicates([found], world.shot))
        assert ticks(outcome)["keeper-beats"] == "done"
