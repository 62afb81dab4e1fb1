"""What one name's lines of a block say of it."""

from __future__ import annotations

from itertools import islice

from beattop.model.life import MOST
from beattop.model.lives import KEPT, SERVER_KINDS
from beattop.model.logevents import LogEvent, LogKind, Past
from beattop.model.streak import CONTEXT, RUN_KINDS, Run
from beattop.sources.mainlog.found import Counts, Found, offset
from beattop.sources.mainlog.lines import stamped

Marks = tuple[tuple[LogKind, float], ...]
"""As Past.head."""


class Lines:
    """One name's lines of a block."""

    __slots__ = ("_epochs", "_lines", "_meanings")

    def __init__(
        self, lines: list[Found], epochs: dict[bytes, float], meanings: dict[bytes, LogEvent]
    ) -> None:
        self._lines = lines
        self._epochs = epochs
        self._meanings = meanings

    def past(self, counts: Counts, calm: bool, full: bool) -> Past:
        """All that the block says of the name; recent events only if `full`.

        `calm`: these are spawns and exits only, and no run can end among them.
        """
        lines = self._lines
        if not calm:
            lines = [line for line in lines if self._meanings[line[2]].kind in RUN_KINDS]
        head = self._marks(lines[:CONTEXT])
        run = self._calm_run(head) if calm else Run().follow(self._marks(lines))
        meaning, first_at = (self._meanings[lines[0][2]], head[0][1]) if calm else self._first()
        hours = counts.hours(meaning.name)
        exits = sum(row[2] for row in hours)
        return Past(
            supervisor=meaning.supervisor,
            name=meaning.name,
            spawns=sum(row[1] for row in hours),
            exits=exits,
            first_at=first_at,
            complete=True,
            loop_since_at=run.since_at,
            loop_exits=exits if calm else run.count,
            exit_counts=counts.statuses(meaning.name),
            by_hour=hours,
            recent=self._recent() if full else (),
            head=head,
            tail=head if len(lines) <= CONTEXT else self._marks(lines[-CONTEXT:]),
            settled=run.settled,
        )

    def _calm_run(self, head: Marks) -> Run:
        """How the only run begins."""
        if head[0][0] == "spawned" and len(head) > 1 and head[1][0] == "exited":
            run = Run(len(head))
            run.since_at = head[0][1]
            return run
        run = Run()
        for line in self._lines:
            run.follow(self._marks([line]))
            if run.count:
                break
        return run

    def event(self, line: Found) -> LogEvent:
        """The line in full."""
        meaning = self._meanings[line[2]]
        pid = int(line[3]) if meaning.pid is not None and line[3] else None
        return stamped(meaning, self._at(line), pid)

    def _recent(self) -> tuple[LogEvent, ...]:
        kept = (x for x in reversed(self._lines) if self._meanings[x[2]].kind in KEPT)
        return tuple(self.event(line) for line in islice(kept, MOST))[::-1]

    def _first(self) -> tuple[LogEvent, float]:
        """The first line that is the name's own: what it says, and when."""
        for line in self._lines:
            meaning = self._meanings[line[2]]
            if meaning.kind not in SERVER_KINDS:
                return meaning, self._at(line)
        raise ValueError("no line of a name")

    def _marks(self, lines: list[Found]) -> Marks:
        epochs, meanings = self._epochs, self._meanings
        return tuple([
            (meanings[wording].kind, epochs[minute] + (int(second[:2]) + int(second[3:]) / 1000))
            for minute, second, wording, _ in lines
        ])  # fmt: skip

    def _at(self, line: Found) -> float:
        return self._epochs[line[0]] + offset(line)
