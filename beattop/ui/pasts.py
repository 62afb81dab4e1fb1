"""A picture of what old logs tell of each program: spawns an hour or a day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from beattop.model.frame import HistoryProgress
from beattop.model.logevents import Past
from beattop.model.snapshot import Program
from beattop.text import count, moment, size
from beattop.ui import glyphs
from beattop.ui.line import EMPTY, Line, fit, line

_HOUR: Final = 3600.0
_DAY: Final = 86400.0
_TELLING: Final = 10
"""Exits that nobody asked for from which a picture is drawn in the ink of churn."""


def progress_words(progress: HistoryProgress | None) -> str:
    """How far the reading is."""
    if progress is None:
        return "reading old logs …"
    if progress.done:
        return f"{size(progress.read_bytes)} read"
    share = progress.read_bytes / progress.total_bytes if progress.total_bytes else 0.0
    done = min(20, round(share * 20))
    bar = f"{glyphs.BAR_LEFT}{glyphs.WORK * done}{' ' * (20 - done)}{glyphs.BAR_RIGHT}"
    return f"{bar} {min(1.0, share):.0%} of {size(progress.total_bytes)}"


def joined(programs: Sequence[Program], older: Sequence[Past]) -> list[Past]:
    """What the present knows of each program, with old logs it does not know of yet before it."""
    before = {(past.supervisor, past.name): past for past in older}
    out = []
    for program in programs:
        old = before.pop((program.id.supervisor, program.id.name), None)
        now = program.past
        if now is not None and old is not None and old.first_at < now.first_at:
            now = _after(old, now)
        if now is not None or old is not None:
            out.append(now or old)
    return [past for past in (*out, *before.values()) if past is not None]


def _after(old: Past, now: Past) -> Past:
    """Two stretches of one program's past as one, for drawing."""
    hours = {hour: (spawns, exits) for hour, spawns, exits in old.by_hour}
    for hour, spawns, exits in now.by_hour:
        had = hours.get(hour, (0, 0))
        hours[hour] = (had[0] + spawns, had[1] + exits)
    ends = Counter(dict(old.exit_counts)) + Counter(dict(now.exit_counts))
    return replace(
        now,
        spawns=old.spawns + now.spawns,
        exits=old.exits + now.exits,
        first_at=old.first_at or now.first_at,
        complete=old.complete,
        exit_counts=tuple(ends.most_common()),
        by_hour=tuple((hour, *had) for hour, had in sorted(hours.items())),
    )


def pictures(pasts: Sequence[Past], now: float, width: int, *, days: bool) -> list[Line]:
    """One picture a program, those that died most first."""
    drawn = sorted((past for past in pasts if past.by_hour), key=lambda past: -past.exits)
    return [row for past in drawn for row in _picture(past, now, width, _DAY if days else _HOUR)]


def _picture(past: Past, now: float, width: int, step: float) -> list[Line]:
    sums, first = _columns(past, now, step, max(10, min(width - 4, 168)))
    highest = max(sums, default=0)
    drawn = "".join(glyphs.bar(n / highest) if n else " " for n in sums)
    ends = ", ".join(f"{how} ×{number:,}" for how, number in past.exit_counts[:4])
    exits = f"{count(past.exits, 'exit')} nobody asked for"
    older = "" if past.complete else ", older logs not read"
    begin = moment(first, now)
    return [
        line(
            (f" {fit(past.name, 24).rstrip()}", "bold"),
            f"  {count(past.spawns, 'spawn')}, {exits} since {moment(past.first_at, now)}{older}",
            (f"  {ends}", "warning"),
        ),
        line("  ", (drawn, "churn" if past.exits > _TELLING else "info")),
        line(
            ("  " + fit(begin, max(len(begin) + 1, len(sums) - 3)) + "now", "dim"),
            (f"   highest {highest:,}", "dim"),
        ),
        EMPTY,
    ]


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
