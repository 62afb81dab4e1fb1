"""Counting blocks: the same as folding each line, whatever the blocks."""

from __future__ import annotations

import io
import os
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.model.lives import Lives
from beattop.sources.mainlog import tally as module
from beattop.sources.mainlog.blocks import backwards, forwards
from beattop.sources.mainlog.clock import Clock
from beattop.sources.mainlog.lines import MAX_LINE, parse_lines
from beattop.sources.mainlog.segment import Segment, join
from beattop.sources.mainlog.tally import Tally, Wordings
from tests.unit.mainlog.written import (
    BASE,
    exited,
    fatal,
    histories,
    log,
    running,
    spawned,
    started,
    stopped,
)

LATE = 2.0**40
NAMES = ("beat", "beat2", "it's", "worker 1")


def fold(data: bytes, clock: Clock, limit: float = LATE) -> dict:
    """What Lives make of it, event by event."""
    lives: dict[str, Lives] = {}
    restarts = []
    for event in parse_lines(data.splitlines(), "s", clock, limit):
        if event.kind == "server-started":
            restarts.append(event)
            for each in lives.values():
                each.add(event)
        elif event.kind in ("spawned", "exited", "stopped", "fatal"):
            lives.setdefault(event.name, Lives("s", event.name, True)).add(event)
    return {name: visible(each.past()) for name, each in lives.items()}


def visible(past):
    # Restarts before a name's first event are known to some ways of reading and not to others; what
    # the marks are good for shows when the reading goes on from them.
    return replace(past, head=(), tail=(), settled=False)


def count(
    data: bytes, block: int, clock: Clock, limit: float = LATE, stretch: int = 1 << 16
) -> Segment:
    file = os.memfd_create("log")
    try:
        os.write(file, data)
        with patch.object(module, "_MOST_LINES", stretch):
            return _count(file, len(data), block, clock, limit)
    finally:
        os.close(file)


def _count(file: int, size: int, block: int, clock: Clock, limit: float) -> Segment:
    seen = Tally(Wordings("s"), clock, limit)
    for _, lines in backwards(file, size, block):
        seen.add(lines)
    return seen.segment()


@given(histories(names=NAMES, most=60), st.integers(60, 2000), st.sampled_from([1, 9, 1 << 16]))
@settings(max_examples=150, deadline=None)
def test_any_blocks_and_stretches_count_as_one_fold(events, block, stretch):
    data = log(events)
    found = count(data, block, Clock(), stretch=stretch).pasts
    assert {name: visible(past) for name, past in found.items()} == fold(data, Clock())


@given(histories(names=NAMES, most=60), st.integers(60, 2000))
@settings(max_examples=60, deadline=None)
def test_going_on_from_blocks_is_going_on_from_the_fold(events, block):
    half = len(events) // 2
    found = count(log(events[:half]), block, Clock())
    lives = {name: Lives.from_past(past) for name, past in found.pasts.items()}
    for event in events[half:]:
        if event.kind == "server-started":
            for each in lives.values():
                each.add(event)
        elif event.kind != "running":
            lives.setdefault(event.name, Lives("s", event.name, True)).add(event)
    want = fold(log(events), Clock())
    assert {name: visible(each.past()) for name, each in lives.items()} == want


@given(histories(names=NAMES, most=60))
@settings(max_examples=60, deadline=None)
def test_counts_are_greps(events):
    data = log(events)
    lines = data.decode().splitlines()
    found = count(data, 300, Clock())
    for name, past in found.pasts.items():
        spawns = [line for line in lines if f"spawned: '{name}' with pid" in line]
        exits = [line for line in lines if f"exited: {name} (" in line]
        assert (past.spawns, past.exits) == (len(spawns), len(exits))
        assert sum(row[1] for row in past.by_hour) == len(spawns)
        assert sum(row[2] for row in past.by_hour) == len(exits)
        statuses = Counter(
            line.split("(exit status ")[1].split(";")[0] for line in exits if "status" in line
        )
        statuses.update({"SIGKILL": sum("SIGKILL" in line for line in exits)})
        assert dict(past.exit_counts) == {k: v for k, v in statuses.items() if v}


def looping(count, at=float(BASE), name="beat2", life=2.0, wait=0.5):
    out = []
    for i in range(count):
        out += [spawned(at, 100 + i, name), running(at + 1, name), exited(at + life, name=name)]
        at += life + wait
    return out


def test_a_loop_over_many_blocks_is_one_run():
    past = count(log(looping(2000)), 4096, Clock()).pasts["beat2"]
    assert (past.spawns, past.exits, past.loop_exits) == (2000, 2000, 2000)
    assert past.loop_since_at == past.first_at == BASE
    assert len(past.recent) == 60
    assert past.recent[-1].status == 73
    assert past.recent[-2].pid == 100 + 1999
    assert not past.settled


def test_a_restart_ends_the_runs_of_names_that_are_silent_after_it():
    data = log([*looping(50), started(BASE + 200), *looping(50, BASE + 201, "other")])
    found = count(data, 1024, Clock())
    assert found.pasts["beat2"].loop_exits == 0
    assert found.pasts["other"].loop_exits == 50
    assert found.restart is not None
    assert found.restart.at == BASE + 200


def test_garbage_between_lines_is_left_out():
    lines = log(looping(100)).splitlines(keepends=True)
    junk = [
        b"Traceback (most recent call last):\n",
        b"  exited: beat2 (exit status 73; not expected)\n",
        b"2026-99-99 00:00:00,000 WARN exited: beat2 (exit status 73; not expected)\n",
        b"2026-01-01 00:00:00,000 WARN exited: beat2 (exit\n",
        b"\xff\xfe\x00\n",
        b"\n",
        b"2026-01-01 00:00:00,000 INFO exited: "
        + b"y" * MAX_LINE
        + b" (exit status 1; expected)\n",
    ]
    data = b"".join(part for i, line in enumerate(lines) for part in (line, junk[i % len(junk)]))
    past = count(data, 3000, Clock()).pasts
    assert {name: (p.spawns, p.exits) for name, p in past.items()} == {"beat2": (100, 100)}


def test_the_clock_set_back_loses_no_counts():
    events = [*looping(100), *looping(100, BASE - 1800.0), *looping(100, BASE + 300.0)]
    data = log(events)
    past = count(data, 5000, Clock()).pasts["beat2"]
    assert (past.spawns, past.exits) == (300, 300)
    assert visible(past) == fold(data, Clock())["beat2"]


@pytest.mark.parametrize("block", [500, 5000, 1 << 20])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata"])
def test_hours_over_the_turn_of_the_clock(block, zone, monkeypatch):
    turn = datetime(2026, 10, 25, 1, tzinfo=timezone.utc).timestamp()
    tz = ZoneInfo(zone)

    def stamp(at):
        local = datetime.fromtimestamp(at, tz)
        return f"{local:%Y-%m-%d %H:%M:%S},{round(at % 1 * 1000):03d}"

    monkeypatch.setattr("tests.unit.mainlog.written.stamp", stamp)
    events = looping(200, turn - 5400, life=50.0, wait=10.0)
    past = count(log(events), block, Clock(tz)).pasts["beat2"]
    assert [event.at for event in past.recent] == [
        event.at for event in events if event.kind != "running"
    ][-60:]
    assert past.first_at == turn - 5400
    assert sum(row[1] for row in past.by_hour) == 200
    # A full hour holds sixty lives, the doubled one no more than any other.
    assert {row[1] for row in past.by_hour[1:-1]} == {60}
    assert past.loop_exits == 200


def test_stops_and_fatal_in_a_block():
    data = log(
        [
            *looping(5),
            spawned(BASE + 20.0),
            stopped(BASE + 21.0),
            *looping(3, BASE + 30.0),
            fatal(BASE + 40.0, "beat2"),
        ]
    )
    past = count(data, 1 << 20, Clock()).pasts["beat2"]
    assert (past.spawns, past.exits, past.loop_exits, past.loop_since_at) == (9, 8, 3, BASE + 30)
    assert past.settled
    assert past.recent[-1].kind == "fatal"


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.just(b"x" * (MAX_LINE + 10)), st.just(b"z" * 300)),
        max_size=12,
    ),
    st.integers(1, 700),
)
@settings(max_examples=100, deadline=None)
def test_blocks_hold_every_line_once(chunks, block):
    lines = [chunk.replace(b"\n", b".") + b"\n" for chunk in chunks]
    data = b"".join(lines)
    want = [line for line in lines if len(line) <= MAX_LINE]
    file = os.memfd_create("log")
    os.write(file, data)
    try:
        found = list(backwards(file, len(data), block))
    finally:
        os.close(file)
    pieces = [piece for _, piece in reversed(found)]
    got = [line for piece in pieces for line in piece.splitlines(keepends=True)]
    split = [line for piece in pieces for line in piece.split(b"\n")[:-1]]
    assert [s + b"\n" for s in split if len(s) < MAX_LINE] == want
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert all(data[offset:].startswith(piece) for offset, piece in found) or got
    streamed = b"".join(forwards(io.BytesIO(data), block)).split(b"\n")[:-1]
    assert [s + b"\n" for s in streamed if len(s) < MAX_LINE] == want


def test_a_file_that_becomes_shorter_is_told(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"a\n" * 1000)
    with path.open("rb") as file, pytest.raises(EOFError):
        list(backwards(file.fileno(), 4000, 512))


def test_of_many_names_few_recent_events_are_kept_however_many_parts_there_are():
    names = [f"w{i}" for i in range(1000)]
    whole = Segment("s")
    for part in reversed(range(3)):
        tally = Tally(Wordings("s"), Clock(), LATE)
        at = BASE + 100.0 * part
        tally.add(log([spawned(at + turn, name=name) for turn in range(15) for name in names]))
        whole = join(tally.segment(), whole)
    assert {past.spawns for past in whole.pasts.values()} == {45}
    assert {len(past.recent) for past in whole.pasts.values()} == {20}
    assert {past.recent[-1].at for past in whole.pasts.values()} == {BASE + 214.0}
