"""What one stretch of a main log says of every name in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from beattop.model.life import MOST
from beattop.model.logevents import LogEvent, Past
from beattop.model.pasts import Ledger, merge

MOST_NAMES = 20_000
"""A log with more names than that is no log; the rest is dropped and counted as a gap."""
_MOST_RECENT = 20_000
_LAST_LIVES = 20
"""Events of ten lives."""


def most_recent(names: int) -> int:
    """How many recent events of each are kept of so many names: memory is bounded."""
    return max(_LAST_LIVES, min(MOST, _MOST_RECENT // max(1, names)))


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
        most = most_recent(len(self.pasts))
        return frozenset(name for name, past in self.pasts.items() if len(past.recent) >= most)

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
    pile = Pile(newer)
    pile.under(older)
    return pile.segment()


class Pile:
    """Segments as one that grows at its begin, without a copy at each step."""

    __slots__ = ("_complete", "_gap", "_ledgers", "_supervisor", "known", "oldest_at", "restart")

    def __init__(self, newest: Segment) -> None:
        self._supervisor = newest.supervisor
        self._ledgers: dict[str, Ledger | Past] = dict(newest.pasts)
        self.known: set[str] = set(newest.well_known())
        """Names of which no more recent events are wanted."""
        self.restart = newest.restart
        self.oldest_at = newest.oldest_at
        self._complete, self._gap = newest.complete, newest.gap

    def under(self, older: Segment) -> None:
        """Take what comes before all of this."""
        self._gap = self._gap or older.gap
        self._complete = older.complete
        if older.restart is not None:
            # Still older parts may hold lives of these names, which this new start ended.
            unheard = [name for name in self._ledgers if name not in older.pasts]
            for name in unheard:
                self._add(restarted(nothing(older.supervisor, name), older.restart))
        for past in older.pasts.values():
            if past.name in self._ledgers:
                self._add(past)
            elif len(self._ledgers) >= MOST_NAMES:
                self._gap = True
            else:
                restart = self.restart
                self._ledgers[past.name] = past if restart is None else restarted(past, restart)
                self._learn(past)
        self.restart = self.restart or older.restart
        if older.oldest_at is not None:
            self.oldest_at = older.oldest_at

    def _add(self, past: Past) -> None:
        ledger = self._ledgers[past.name]
        if isinstance(ledger, Past):
            ledger = self._ledgers[past.name] = Ledger(ledger)
        ledger.before(past, most_recent(len(self._ledgers)))
        self._learn(ledger)

    def _learn(self, past: Past | Ledger) -> None:
        if len(past.recent) >= most_recent(len(self._ledgers)):
            self.known.add(past.name)

    def segment(self) -> Segment:
        """All of it as a value."""
        return Segment(
            supervisor=self._supervisor,
            pasts={
                name: each if isinstance(each, Past) else each.past()
                for name, each in self._ledgers.items()
            },
            restart=self.restart,
            oldest_at=self.oldest_at,
            complete=self._complete,
            gap=self._gap,
        )


def restarted(past: Past, restart: LogEvent) -> Past:
    """`past` after supervisord started anew without a word of this name."""
    mark = ((restart.kind, restart.at),)
    return merge(past, replace(nothing(past.supervisor, past.name), head=mark, tail=mark))


def nothing(supervisor: str, name: str, complete: bool = True) -> Past:
    """The past of a name that a stretch of log does not mention."""
    return Past(supervisor, name, 0, 0, 0.0, complete, None, 0, (), (), ())
