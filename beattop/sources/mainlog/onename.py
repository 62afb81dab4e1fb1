"""What one name's lines of a block say of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from beattop.model.life import MOST
from beattop.model.lives import KEPT, SERVER_KINDS
from beattop.model.logevents import LogEvent, LogKind, Past
from beattop.model.streak import CONTEXT, RUN_KINDS, Run
from beattop.sources.mainlog.found import Counts, Found, offset
from beattop.sources.mainlog.lines import stamped


class Lines:
    """One name's lines of a block."""

    __slots__ = ("_epochs", "_lines", "_meanings")

    def __init__(
        self, lines: list[Found], epochs: dict[bytes, float], meanings: dict[bytes, LogEvent]
    ) -> None:
        self._lines = lines
        self._epochs = epochs
        self._meanings = meanings

    def past(self, counts: Counts, run: Run, full: bool) -> Past:
        """All that the block says of the name; recent events only if `full`."""
        first = next(line for line in self._lines if self._kind(line) not in SERVER_KINDS)
        meaning = self._meanings[first[2]]
        hours = counts.hours(meaning.name)
        return Past(
            supervisor=meaning.supervisor,
            name=meaning.name,
            spawns=sum(row[1] for row in hours),
            exits=sum(row[2] for row in hours),
            first_at=self._at(first),
            complete=True,
            loop_since_at=run.since_at,
            loop_exits=run.count,
            exit_counts=counts.statuses(meaning.name),
            by_hour=hours,
            recent=self._recent() if full else (),
            head=self._marks(self._lines),
            tail=self._marks(reversed(self._lines))[::-1],
            settled=run.settled,
        )

    def run(self) -> Run:
        """The run at the end, line by line."""
        run = Run()
        for line in self._lines:
            kind = self._kind(line)
            if kind in RUN_KINDS:
                run.add(kind, self._at(line))
        return run

    def calm_run(self, exits: int) -> Run:
        """The same where none can end within the block: its begin, and all the exits."""
        run = Run()
        for line in self._lines:
            run.add(self._kind(line), self._at(line))
            if run.count:
                break
        run.count = exits
        return run

    def event(self, line: Found) -> LogEvent:
        """The line in full."""
        meaning = self._meanings[line[2]]
        pid = int(line[3]) if meaning.pid is not None and line[3] else None
        return stamped(meaning, self._at(line), pid)

    def _recent(self) -> tuple[LogEvent, ...]:
        kept = (line for line in reversed(self._lines) if self._kind(line) in KEPT)
        return tuple(self.event(line) for line in islice(kept, MOST))[::-1]

    def _marks(self, lines: Iterable[Found]) -> tuple[tuple[LogKind, float], ...]:
        marks: list[tuple[LogKind, float]] = []
        for line in lines:
            kind = self._kind(line)
            if kind in RUN_KINDS:
                marks.append((kind, self._at(line)))
                if len(marks) == CONTEXT:
                    break
        return tuple(marks)

    def _kind(self, line: Found) -> LogKind:
        return self._meanings[line[2]].kind

    def _at(self, line: Found) -> float:
        return self._epochs[line[0]] + offset(line)
