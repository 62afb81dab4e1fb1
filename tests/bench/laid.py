"""What being watched costs supervisord: the pace of programs that end at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.boxes import box
from tests.bench.clocks import cpu_s, mid
from tests.bench.table import Row
from tests.bench.terminal import Terminal
from tests.bench.tools import SIZE, beattop_tool, home
from tests.e2e.incident import Box

_PROGRAM = "instant"
_SERVERS = ("one", "two", "three", "four")
"""Each has one program that ends after 20 ms: some 50 spawns a minute, too few to count in one."""


def rows(quick: bool) -> Iterator[Row]:
    pairs, seconds = (1, 8.0) if quick else (2, 15.0)
    with home() as env, box() as made:
        for name in _SERVERS:
            made.program(_PROGRAM, "/bin/sleep 0.02", server=name, startsecs=0)
        made.up()
        for name in _SERVERS:
            made.wait_exits(_PROGRAM, 3, server=name)
        words = [w for name in _SERVERS for w in ("--supervisor", str(made.conf(name)))]
        tool = beattop_tool(env, _PROGRAM, *words)
        alone: list[float] = []
        watched: list[float] = []
        cost: list[float] = []
        for _ in range(pairs):
            before = _used(made)
            alone.append(_rate(made, seconds))
            between = _used(made)
            with Terminal(tool.argv, tool.env, SIZE, tool.mark):
                watched.append(_rate(made, seconds))
            more = _used(made) - between - (between - before)
            cost.append(1000 * more / seconds / len(_SERVERS))
    # Each window beside its neighbour: the box's own pace drifts.
    ratio = mid(w / a for w, a in zip(watched, alone, strict=True))
    yield Row(
        f"pace of a program that ends after 20 ms, watched for {seconds:.0f} s from beattop's "
        "start / alone",
        f"{60 * mid(watched):.0f} / {60 * mid(alone):.0f} a minute = {ratio:.3f}",
        "within 10 %",
        abs(ratio - 1) <= 0.1,
        f"a supervisord and its children use {mid(cost):+.1f} ms/s",
    )


def _used(made: Box) -> float:
    return sum(cpu_s(made.servers[name].pid) for name in _SERVERS)


def _rate(made: Box, seconds: float) -> float:
    """Spawns a second of one supervisord, by their own logs."""
    before, begun = _spawns(made), time.monotonic()
    time.sleep(seconds)
    return (_spawns(made) - before) / (time.monotonic() - begun) / len(_SERVERS)


def _spawns(made: Box) -> int:
    return sum(len(made.servers[name].spawns(_PROGRAM)) for name in _SERVERS)
