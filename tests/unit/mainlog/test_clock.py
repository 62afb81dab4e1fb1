"""Local time as Unix time, in the hours that come twice too."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.sources.mainlog.clock import Clock, zone_of
from beattop.sources.mainlog.lines import parse_lines

BERLIN = ZoneInfo("Europe/Berlin")
# 2026-10-25 03:00 CEST becomes 02:00 CET.
TURN = datetime(2026, 10, 25, 1, tzinfo=timezone.utc).timestamp()
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


def stamp(at: float, zone) -> str:
    local = datetime.fromtimestamp(at, zone)
    return f"{local:%Y-%m-%d %H:%M:%S},{round(at % 1 * 1000):03d}"


def lines(times, zone):
    return [
        f"{stamp(at, zone)} WARN exited: a (exit status 1; not expected)".encode() for at in times
    ]


def read(times, zone, limit=None):
    events = parse_lines(lines(times, zone), "s", Clock(zone), limit or times[-1] + 1)
    return [event.at for event in events]


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_milliseconds():
    assert Clock(timezone.utc).read(b"1970-01-02 00:00:01,250") == 86401.25


def test_the_hour_that_comes_twice_keeps_its_order():
    times = [TURN - 5000 + 600 * i for i in range(20)]
    assert read(times, BERLIN) == times


def test_the_same_with_our_own_zone(berlin):
    times = [TURN - 5000 + 600 * i for i in range(20)]
    events = parse_lines(lines(times, BERLIN), "s", Clock(), times[-1] + 1)
    assert [event.at for event in events] == times


def test_within_the_second_hour_a_fresh_line_is_now():
    assert read([TURN + 1800], BERLIN, limit=TURN + 1801) == [TURN + 1800]
    assert read([TURN - 1800], BERLIN, limit=TURN - 1799) == [TURN - 1800]


def test_the_hour_that_spring_leaves_out_breaks_nothing():
    clock = Clock(BERLIN)
    at = clock.read(b"2026-03-29 02:30:00,000")
    assert at is not None
    assert clock.later(at) == at


@pytest.mark.parametrize("zone", ZONES)
@given(st.lists(st.integers(0, 4000), min_size=1, max_size=30), st.integers(0, 6000))
@settings(max_examples=40, deadline=None)
def test_a_log_that_is_never_silent_for_long_is_read_exactly(zone, steps, back):
    zone = ZoneInfo(zone)
    turn = (
        TURN
        if "Lord" not in str(zone)
        else datetime(2026, 4, 4, 15, tzinfo=timezone.utc).timestamp()
    )
    at, times = turn - back, []
    for step in steps:
        at += min(step, 1200)
        times.append(at)
    # A line each 20 minutes: enough to tell the two hours apart.
    times.append(at + 1)
    got = read(times, zone)
    assert got == sorted(got)
    assert got == times


@pytest.mark.parametrize("hours", [-8, -3.5, 1, 5.75, 14])
def test_another_zone_is_found_by_the_files_time(hours):
    theirs = timezone(timedelta(hours=hours))
    at = 1_790_000_000.25
    clock = Clock(timezone.utc)
    assert clock.calibrate(stamp(at, theirs).encode(), at + 0.4)
    assert clock.read(stamp(at, theirs).encode()) == at
    assert clock.shift_s == -hours * 3600


@pytest.mark.parametrize("off", [0.0, 1.5, 300.0, 40 * 3600.0])
def test_a_quiet_or_copied_file_is_no_other_zone(off):
    clock = Clock(timezone.utc)
    at = 1_790_000_000.25
    assert not clock.calibrate(stamp(at, timezone.utc).encode(), at + off)
    assert clock.shift_s == 0
    assert not clock.calibrate(b"Traceback (most recent ", at)


def test_the_key_names_the_zone():
    assert Clock(BERLIN).key != Clock(timezone.utc).key
    assert Clock(ZoneInfo("UTC")).key == Clock(timezone.utc).key


def test_the_zone_of_another_root(tmp_path):
    assert zone_of("") is None
    assert zone_of(str(tmp_path)) is timezone.utc
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr").mkdir()
    zones = [Path(path) / "Europe/Berlin" for path in TZPATH]
    berlin = next((zone for zone in zones if zone.exists()), None)
    if berlin is None:
        pytest.skip("no time zones on this box")
    (tmp_path / "usr" / "Berlin").write_bytes(berlin.read_bytes())
    (tmp_path / "etc" / "localtime").symlink_to("/usr/Berlin")
    zone = zone_of(str(tmp_path))
    assert datetime.fromtimestamp(TURN - 1, zone).hour == 2
    (tmp_path / "usr" / "Berlin").write_bytes(b"garbage")
    assert zone_of(str(tmp_path)) is timezone.utc
