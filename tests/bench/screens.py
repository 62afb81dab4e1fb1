"""CPU a second, memory and first picture, beattop and a peer always in the same window."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.boxes import quiet_box
from tests.bench.clocks import cpu_s, mid, processes, rss_mb
from tests.bench.farm import Farm
from tests.bench.table import Row
from tests.bench.terminal import Terminal
from tests.bench.tools import SIZE, Tool, beattop_tool, home, peers

_SETTLE_S = 3.0
_SLICE_S = 2.0
_MARK = "benchworker"


def rows(quick: bool) -> Iterator[Row]:
    with ExitStack() as stack:
        env = stack.enter_context(home())
        stack.enter_context(quiet_box())
        beattop, others = beattop_tool(env, _MARK), peers(env)
        window = 4.0 if quick else 8.0
        if quick:
            others = others[:2]
        for total in (250, 5000) if quick else (250, 1000, 5000):
            with Farm(total):
                yield from _at(beattop, others, window, total)
        yield from _first(beattop, others, 2 if quick else 5)


def _run(tool: Tool) -> Terminal:
    return Terminal(tool.argv, tool.env, SIZE, tool.mark)


def _at(beattop: Tool, others: list[Tool], window: float, total: int) -> Iterator[Row]:
    mine: list[float] = []
    theirs: dict[str, float] = {}
    memory: dict[str, float] = {}
    with _run(beattop) as ours:
        ours.wait_picture(20)
        time.sleep(_SETTLE_S)
        seen = processes()
        for tool in others:
            with _run(tool) as other:
                other.wait_picture(20)
                time.sleep(_SETTLE_S)
                used = _window(ours.pid, other.pid, window)
                mine += [one for one, _ in used]
                theirs[tool.name] = mid(two for _, two in used)
                memory[tool.name] = rss_mb(other.pid)
        if not others:
            mine += [one for one, _ in _window(ours.pid, ours.pid, window)]
        memory["beattop"] = rss_mb(ours.pid)
    target, limit = "≤ 15 ms/s", 15.0
    if "htop" in theirs:
        part = 1.0 if total <= 250 else 0.1 if total >= 5000 else None
        if part:
            target += ", ≤ htop" if part == 1.0 else ", ≤ htop / 10"
            limit = min(limit, part * theirs["htop"])
    beside = ", ".join(f"{name} {ms:.1f}" for name, ms in theirs.items())
    value = mid(mine)
    yield Row(f"CPU at {seen} processes, ms/s", f"{value:.1f}", target, value <= limit, beside)
    if total >= 5000:
        own = memory.pop("beattop")
        others_mb = ", ".join(f"{name} {mb:.0f}" for name, mb in memory.items())
        yield Row(f"RSS at {seen} processes, MB", f"{own:.0f}", "≤ 50 MB", own <= 50, others_mb)


def _window(one: int, other: int, seconds: float) -> list[tuple[float, float]]:
    """CPU of both in ms a second, for each slice of the same time.

    The median of slices leaves out what a shared box does now and then, such as a supervisord
    that comes and has its conf read.
    """
    slices = []
    for _ in range(int(seconds / _SLICE_S)):
        begun, before = time.monotonic(), (cpu_s(one), cpu_s(other))
        time.sleep(_SLICE_S)
        span = time.monotonic() - begun
        after = cpu_s(one), cpu_s(other)
        slices.append(tuple(1000 * (b - a) / span for a, b in zip(before, after, strict=True)))
    return slices


def _first(beattop: Tool, others: list[Tool], times: int) -> Iterator[Row]:
    cpu: dict[str, list[float]] = defaultdict(list)
    wall: dict[str, list[float]] = defaultdict(list)
    for _ in range(times):
        for tool in (beattop, *others):
            with _run(tool) as screen:
                if screen.wait_picture(20):
                    cpu[tool.name].append(screen.first_cpu_s)
                    wall[tool.name].append(screen.first_wall_s)
    for what, taken, target in (("CPU s", cpu, 0.7), ("s of waiting", wall, None)):
        own = mid(taken.pop("beattop", []))
        beside = ", ".join(f"{name} {mid(each):.2f}" for name, each in taken.items())
        goal, met = ("≤ 0.7 CPU s", own <= target) if target else ("", None)
        yield Row(f"first picture, {what}", f"{own:.2f}", goal, met, beside)
