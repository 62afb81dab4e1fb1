from __future__ import annotations

from pathlib import Path

import pytest

from beattop.sources.lifecycle.storm import STORM_EVENTS, Storm
from beattop.sources.proc.procfs import Procfs


class Box:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.forks(1000)

    def forks(self, count: int) -> None:
        (self.root / "stat").write_text(f"cpu 1\nctxt 5\nprocesses {count}\nbtime 1\n")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.fixture
def storm(box: Box) -> Storm:
    return Storm(Procfs(box.root), 100.0)


def test_an_ordinary_day(storm: Storm):
    for n in range(1, 20):
        assert not storm.count(int(STORM_EVENTS * 0.4), False, 100.0 + n / 2)
    assert not storm.raging


def test_a_burst_within_one_window_is_no_storm(storm: Storm):
    assert not storm.count(500, False, 100.05)
    assert not storm.count(0, False, 100.5)


def test_many_events_or_an_overflow_are_a_storm(storm: Storm, box: Box):
    assert storm.count(int(STORM_EVENTS), False, 100.5)
    assert storm.raging
    assert Storm(Procfs(box.root), 100.0).count(1, True, 100.01)


def test_it_is_over_after_two_calm_seconds_and_its_forks_are_counted(storm: Storm, box: Box):
    storm.count(10_000, False, 100.5)
    box.forks(6000)
    assert not storm.over(101.5)
    box.forks(6100)
    assert not storm.over(102.5)
    assert not storm.over(102.6)  # too soon to tell
    box.forks(6200)
    assert storm.over(103.5)
    assert not storm.raging
    assert storm.unheard == 5200


def test_calm_must_last(storm: Storm, box: Box):
    storm.count(10_000, False, 100.5)
    assert not storm.over(101.5)
    box.forks(9000)
    assert not storm.over(102.5)
    assert not storm.over(103.5)
    assert storm.over(104.5)
