"""The lives of one program name, folded from what supervisord's log says."""

from __future__ import annotations

from collections import Counter, deque

from beattop.model.life import MOST, Gone, Life, Row
from beattop.model.logevents import LogEvent, LogKind, Past
from beattop.model.pasts import exit_key, hour_of, merge, ranked, resume, sum_hours
from beattop.model.streak import CONTEXT, RUN_KINDS, Run, Streak

__all__ = ["Life", "Lives", "merge"]

KEPT: frozenset[LogKind] = frozenset(("spawned", "exited", "stopped", "fatal"))
"""Kinds that Past.recent holds."""
SERVER_KINDS: frozenset[LogKind] = frozenset(("server-started", "server-stopping", "gap"))
"""Kinds that are about no name in particular."""


class Lives:
    """The fold of one name's events, which come in the order of the log.

    The server's own events (`server-started`, `gap`; their name is empty) belong to every name of
    their supervisor: add them to each Lives there is.
    """

    __slots__ = (
        "_counts",
        "_head",
        "_hour",
        "_hours",
        "_past",
        "_recent",
        "_row",
        "_run",
        "_tail",
        "complete",
        "exits",
        "first_at",
        "gap",
        "name",
        "spawns",
        "supervisor",
    )

    def __init__(self, supervisor: str, name: str, complete: bool = False) -> None:
        self.supervisor = supervisor
        self.name = name
        self.complete = complete
        """Whether nothing older is left unread."""
        self.spawns = 0
        self.exits = 0
        """Unrequested ones."""
        self.first_at: float | None = None
        self.gap = False
        self._run = Run()
        self._counts: Counter[str] = Counter()
        # The hour that is filling stands apart, so that nothing long is copied at each event.
        self._hours: tuple[tuple[float, int, int], ...] = ()
        self._hour: tuple[float, int, int] | None = None
        self._recent: deque[LogEvent] = deque(maxlen=MOST)
        self._head: tuple[tuple[LogKind, float], ...] = ()
        self._tail: deque[tuple[LogKind, float]] = deque(maxlen=CONTEXT)
        self._row = Row()
        self._past: Past | None = None

    @classmethod
    def from_past(cls, past: Past) -> Lives:
        """The fold as it stood at the end of `past`; lives as far as its recent events tell."""
        lives = cls(past.supervisor, past.name, past.complete)
        # Supervisord's own restarts are not in `recent`, but they end lives.
        restarts = [
            LogEvent(at, past.supervisor, kind, "")
            for kind, at in past.tail
            if kind == "server-started"
        ]
        for event in sorted((*past.recent, *restarts), key=lambda event: event.at):
            lives._row.add(event)
        lives.spawns, lives.exits, lives.gap = past.spawns, past.exits, past.gap
        lives.first_at = past.first_at or None
        lives._run = resume(past)
        lives._counts.update(dict(past.exit_counts))
        lives._hours = past.by_hour
        lives._recent.extend(past.recent)
        lives._head = past.head
        lives._tail.extend(past.tail)
        return lives

    def add(self, event: LogEvent) -> None:
        """Take the next event."""
        self._past = None
        kind = event.kind
        if kind in RUN_KINDS:
            self._run.add(kind, event.at)
            self._tail.append((kind, event.at))
            if len(self._head) < CONTEXT:
                self._head = (*self._head, (kind, event.at))
        if kind == "gap":
            self.gap = True
        elif kind not in SERVER_KINDS and self.first_at is None:
            self.first_at = event.at
        if kind in KEPT:
            self._recent.append(event)
        if kind == "spawned":
            self.spawns += 1
            self._book(event.at, 1, 0)
        elif kind == "exited":
            self.exits += 1
            self._counts[exit_key(event)] += 1
            self._book(event.at, 0, 1)
        self._row.add(event)

    def enrich(
        self,
        pid: int,
        ended_at: float,
        cpu_s: float | None = None,
        status: int | None = None,
        signal: str | None = None,
        began_at: float | None = None,
    ) -> bool:
        """Give a life what the kernel knows better; False where no such life is known (yet).

        `pid` as supervisord numbers it. It counts no exit: the log alone says whether anybody asked
        for it. What comes before its `spawned` line is kept for it.
        """
        return self._row.enrich(pid, Gone(ended_at, cpu_s, status, signal, began_at))

    def shift(self, by: float) -> None:
        """The clock was set by so many seconds: lives began at other times by it. What is counted
        by the hour stays as the log has it.
        """
        self._row.shift(by)
        self._run.shift(by)

    @property
    def lives(self) -> tuple[Life, ...]:
        """The last 60, oldest first."""
        return self._row.lives

    @property
    def recent(self) -> tuple[LogEvent, ...]:
        """The last 60 events of its lives, oldest first."""
        return tuple(self._recent)

    @property
    def streak(self) -> Streak:
        """The run of unrequested exits at the end of the log."""
        return Streak(self._run.count, self._run.since_at)

    @property
    def exit_counts(self) -> tuple[tuple[str, int], ...]:
        """How often it ended with which status or signal, most frequent first."""
        return ranked(self._counts)

    @property
    def by_hour(self) -> tuple[tuple[float, int, int], ...]:
        """(start of the hour, spawns, exits), oldest first."""
        return self._hours if self._hour is None else sum_hours(self._hours, (self._hour,))

    def past(self) -> Past:
        """All of it as a value; the same object until another event comes."""
        if self._past is None or self._past.complete != (self.complete and not self.gap):
            self._past = Past(
                supervisor=self.supervisor,
                name=self.name,
                spawns=self.spawns,
                exits=self.exits,
                first_at=self.first_at if self.first_at is not None else 0.0,
                complete=self.complete and not self.gap,
                loop_since_at=self._run.since_at,
                loop_exits=self._run.count,
                exit_counts=self.exit_counts,
                by_hour=self.by_hour,
                recent=self.recent,
                gap=self.gap,
                head=self._head,
                tail=tuple(self._tail),
                settled=self._run.settled,
            )
        return self._past

    def _book(self, at: float, spawns: int, exits: int) -> None:
        hour = hour_of(at)
        if self._hour is not None and self._hour[0] == hour:
            self._hour = (hour, self._hour[1] + spawns, self._hour[2] + exits)
        else:
            self._hours = self.by_hour
            self._hour = (hour, spawns, exits)
