"""Pasts put together: what an older and a newer part of a log say as one."""

from __future__ import annotations

from bisect import bisect_left

from beattop.model.life import MOST
from beattop.model.logevents import LogEvent, Past
from beattop.model.streak import CONTEXT, joined

HOUR_S = 3600


def exit_key(event: LogEvent) -> str:
    """How Past.exit_counts names an exit: "73", "SIGKILL", or "unknown"."""
    if event.signal is not None:
        return event.signal
    return "unknown" if event.status is None else str(event.status)


def hour_of(at: float) -> float:
    """Start of the hour of `at`, in Unix time."""
    return float(at // HOUR_S * HOUR_S)


def ranked(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Most frequent first, equal ones by name."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def merge(older: Past, newer: Past) -> Past:
    """What one fold over both would say; `newer` begins where `older` ends.

    Complete is what `older` is: it is the one that may have unread logs before it.
    """
    run, settled = joined(older, newer)
    gap = older.gap or newer.gap
    return Past(
        supervisor=newer.supervisor,
        name=newer.name,
        spawns=older.spawns + newer.spawns,
        exits=older.exits + newer.exits,
        first_at=older.first_at or newer.first_at,
        complete=older.complete and not gap,
        loop_since_at=run.since_at,
        loop_exits=run.count,
        exit_counts=_sum_counts(older.exit_counts, newer.exit_counts),
        by_hour=sum_hours(older.by_hour, newer.by_hour),
        recent=(older.recent + newer.recent)[-MOST:],
        gap=gap,
        head=(older.head + newer.head)[:CONTEXT],
        tail=(older.tail + newer.tail)[-CONTEXT:],
        settled=settled,
    )


def _sum_counts(
    one: tuple[tuple[str, int], ...], other: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    if not one or not other:
        return one or other
    total = dict(one)
    for key, number in other:
        total[key] = total.get(key, 0) + number
    return ranked(total)


def sum_hours(
    older: tuple[tuple[float, int, int], ...], newer: tuple[tuple[float, int, int], ...]
) -> tuple[tuple[float, int, int], ...]:
    """Both as one Past.by_hour."""
    if not older or not newer or older[-1][0] < newer[0][0]:
        return older + newer
    if older[-1][0] == newer[0][0]:
        seam = (older[-1][0], older[-1][1] + newer[0][1], older[-1][2] + newer[0][2])
        return (*older[:-1], seam, *newer[1:])
    # Where a clock was set back, hours overlap by more than the one at the seam.
    at = bisect_left(older, (newer[0][0],))
    total = {hour: (spawns, exits) for hour, spawns, exits in older[at:]}
    for hour, spawns, exits in newer:
        had = total.get(hour, (0, 0))
        total[hour] = (had[0] + spawns, had[1] + exits)
    return older[:at] + tuple((hour, *total[hour]) for hour in sorted(total))
