"""What one stretch of a main log says of every name in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from beattop.model.life import MOST
from beattop.model.logevents import LogEvent, Past
from beattop.model.pasts import merge

MOST_NAMES = 20_000
"""A log with more names than that is no log; the rest is dropped and counted as a gap."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Pasts by name, and what is about no name."""

    supervisor: str
    pasts: Mapping[str, Past] = field(default_factory=dict)
    restart: LogEvent | None = None
    """The last new start of supervisord in it."""
    oldest_at: float | None = None
    complete: bool = True
    """False where older logs are left unread."""
    gap: bool = False

    def well_known(self) -> frozenset[str]:
        """Names of which no more recent events are wanted."""
        return frozenset(name for name, past in self.pasts.items() if len(past.recent) >= MOST)

    def finished(self) -> tuple[Past, ...]:
        """The pasts, each knowing whether it is complete."""
        complete = self.complete and not self.gap
        return tuple(
            past
            if past.complete == complete and past.gap == self.gap
            else replace(past, complete=complete, gap=self.gap)
            for past in self.pasts.values()
        )


def join(older: Segment, newer: Segment) -> Segment:
    """Both as one; `newer` begins where `older` ends."""
    pasts = dict(newer.pasts)
    gap = older.gap or newer.gap
    for name, past in older.pasts.items():
        later = pasts.get(name)
        if later is not None:
            pasts[name] = merge(past, later)
        elif len(pasts) >= MOST_NAMES:
            gap = True
        else:
            pasts[name] = past if newer.restart is None else restarted(past, newer.restart)
    if older.restart is not None:
        # Still older parts may hold lives of these names, which this new start ended.
        for name in newer.pasts:
            if name not in older.pasts:
                unheard = restarted(nothing(older.supervisor, name), older.restart)
                pasts[name] = merge(unheard, pasts[name])
    return Segment(
        supervisor=newer.supervisor,
        pasts=pasts,
        restart=newer.restart or older.restart,
        oldest_at=older.oldest_at if older.oldest_at is not None else newer.oldest_at,
        complete=older.complete,
        gap=gap,
    )


def restarted(past: Past, restart: LogEvent) -> Past:
    """`past` after supervisord started anew without a word of this name."""
    mark = ((restart.kind, restart.at),)
    return merge(past, replace(nothing(past.supervisor, past.name), head=mark, tail=mark))


def nothing(supervisor: str, name: str, complete: bool = True) -> Past:
    """The past of a name that a stretch of log does not mention."""
    return Past(supervisor, name, 0, 0, 0.0, complete, None, 0, (), (), ())
