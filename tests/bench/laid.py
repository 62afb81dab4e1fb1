"""What being watched costs supervisord: the pace of a program that ends at once."""

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


def rows(quick: bool) -> Iterator[Row]:
    pairs, seconds = (2, 5.0) if quick else (4, 8.0)
    with home() as env, box() as made:
        made.program(_PROGRAM, "/bin/sleep 0.02", startsecs=0)
        made.up()
        made.wait_exits(_PROGRAM, 5)
        alone: list[float] = []
        watched: list[float] = []
        cost: list[float] = []
        server = made.servers["main"].pid
        tool = beattop_tool(env, _PROGRAM, "--supervisor", str(made.conf()))
        for _ in range(pairs):
            before = cpu_s(server)
            alone.append(_rate(made, seconds))
            between = cpu_s(server)
            with Terminal(tool.argv, tool.env, SIZE, tool.mark):
                watched.append(_rate(made, seconds))
            cost.append(1000 * (cpu_s(server) - between - (between - before)) / seconds)
    # Each window beside its neighbour: the box's own pace drifts.
    ratio = mid(w / a for w, a in zip(watched, alone, strict=True))
    yield Row(
        "pace of a program that ends after 20 ms, watched (start-up included) / alone",
        f"{mid(watched):.2f}/s / {mid(alone):.2f}/s = {ratio:.3f}",
        "within 10 %",
        abs(ratio - 1) <= 0.1,
        f"CPU more of supervisord and its children {mid(cost):+.0f} ms/s",
    )


def _rate(made: Box, seconds: float) -> float:
    """Spawns a second, by supervisord's own log."""
    before, begun = len(made.servers["main"].spawns(_PROGRAM)), time.monotonic()
    time.sleep(seconds)
    return (len(made.servers["main"].spawns(_PROGRAM)) - before) / (time.monotonic() - begun)
