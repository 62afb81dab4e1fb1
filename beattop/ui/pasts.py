"""A picture of what old logs tell of each program: spawns an hour or a day. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from beattop.model.frame import HistoryProgress
from beattop.model.logevents import Past
from beattop.model.snapshot import Program
from beattop.text import count, moment, size
from beattop.ui import glyphs
from beattop.ui.line import EMPTY, Line, fit, line, paragraph

_HOUR: Final = 3600.0
_DAY: Final = 86400.0
_TELLING: Final = 10
"""Exits that nobody asked for from which a picture is drawn in the ink of churn."""
_LOOP: Final = 2
"""Exits in a row from which it is one."""


def progress_words(progress: HistoryProgress | None) -> str:
    """How far the reading is."""
    if progress is None:
        return "reading old logs …"
    if progress.done:
        return f"{size(progress.read_bytes)} read" if progress.read_bytes else "no older logs"
    share = progress.read_bytes / progress.total_bytes if progress.total_bytes else 0.0
    done = min(20, round(share * 20))
    bar = f"{glyphs.BAR_LEFT}{glyphs.WORK * done}{' ' * (20 - done)}{glyphs.BAR_RIGHT}"
    return f"{bar} {min(1.0, share):.0%} of {size(progress.total_bytes)}"


def joined(programs: Sequence[Program], older: Sequence[Past]) -> list[Past]:
    """What is known of each program, and of names that only old logs tell of.

    A program's own past holds what was read of the old logs up to the last sample: adding what the
    reader says now would count most of it twice.
    """
    before = {(past.supervisor, past.name): past for past in older}
    out = []
    for program in programs:
        old = before.pop((program.id.supervisor, program.id.name), None)
        past = program.past or old
        if past is not None:
            out.append(past)
    return [*out, *before.values()]


def pictures(
    pasts: Sequence[Past],
    now: float,
    width: int,
    *,
    days: bool,
    periodic: Collection[tuple[str, str]] = (),
) -> list[Line]:
    """One picture a program, those that died most first, those that end by design last.

    `periodic`: supervisor and name of those.
    """

    def calm(past: Past) -> bool:
        return (past.supervisor, past.name) in periodic

    step = _DAY if days else _HOUR
    drawn = sorted((past for past in pasts if past.by_hour), key=lambda p: (calm(p), -p.exits))
    return [row for past in drawn for row in _picture(past, now, width, step, calm=calm(past))]


def _picture(past: Past, now: float, width: int, step: float, *, calm: bool) -> list[Line]:
    room = max(10, min(width - 4, 168))
    sums, first = _columns(past, now, step, room)
    highest = max(sums, default=0)
    drawn = "".join(glyphs.bar(n / highest) if n else " " for n in sums)
    begin = moment(first, now)
    unit = "a day" if step == _DAY else "an hour"
    older = "" if past.complete else ", older logs not read"
    exits = f"{count(past.exits, 'exit')} {'by design' if calm else 'nobody asked for'}"
    since = f"since {moment(past.first_at, now)}{older}"
    words = f"{count(past.spawns, 'spawn')}, {exits} {since}"
    name = fit(past.name, 24).rstrip()
    lead = line((f" {name}  ", "bold"))
    loop = "" if calm else _loop_words(past, now)
    return [
        *paragraph(words, width - 1, "", 3, lead),
        *(paragraph(loop, width - 1, "warning", 2, line("  ")) if loop else []),
        line("  ", (drawn, "churn" if past.exits > _TELLING and not calm else "info")),
        line((f"  {begin} to now, highest {highest:,} {unit}", "dim")),
        EMPTY,
    ]


def _loop_words(past: Past, now: float) -> str:
    """Since when it loops, how often, and how it ends; "" for what never died of itself."""
    if not past.exits:
        return ""
    ends = ", ".join(f"{how} ×{number:,}" for how, number in past.exit_counts[:4])
    if past.loop_since_at is None or past.loop_exits < _LOOP:
        return f"ends: {ends}"
    hours = (now - past.loop_since_at) / _HOUR
    begin = "since" if past.complete or past.settled else "since or before"
    often = [
        f"{past.loop_exits / hours * size:,.0f} {unit}"
        for size, unit in ((1, "an hour"), (24, "a day"))
        if hours >= size
    ]
    words = f"{past.loop_exits:,} exits in a row {begin} {moment(past.loop_since_at, now)}"
    return "; ".join([words, *often, ends])


def _columns(past: Past, now: float, step: float, room: int) -> tuple[list[int], float]:
    """Spawns in each column, and when the first begins."""
    end = now - now % step
    first = max(min(hour for hour, _, _ in past.by_hour), end - step * (room - 1))
    first -= first % step
    sums = [0] * (int(max(0.0, end - first) / step) + 1)
    for hour, spawns, _ in past.by_hour:
        place = int((hour - first) // step)
        if 0 <= place < len(sums):
            sums[place] += spawns
    return sums, first
