"""What every way to hear of births and deaths offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from beattop.model.lifecycle import Exit, Fork, LifecycleEvent
from beattop.model.source import SourceStatus
from beattop.sources.proc.reading import ProcessReading
from beattop.text import count

Wake = Callable[[], None]
"""Called from the source's own thread; must return at once and not raise."""


class Unavailable(Exception):
    """This way cannot be had here. Holds why, and what would mend it."""

    def __init__(self, reason: str, mend: str = "", passing: bool = False) -> None:
        """`passing`: it may be had a little later, as where a busy box was slow to answer."""
        super().__init__(f"{reason}: {mend}" if mend else reason)
        self.reason = reason
        self.mend = mend
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Drops:
    """What went by unheard since the last drain."""

    overflows: int = 0
    """Times the kernel's buffer was full."""
    lost: int = 0
    """Events that the kernel could not deliver in them."""
    unheard_forks: int = 0
    """Forks of the box while a storm was kept out on purpose, less those heard of."""
    discarded: int = 0
    """Events thrown away because nobody drained for long."""

    def since(self, before: Drops) -> Drops:
        """What came on top of an earlier count."""
        return Drops(
            self.overflows - before.overflows,
            self.lost - before.lost,
            self.unheard_forks - before.unheard_forks,
            self.discarded - before.discarded,
        )

    def __str__(self) -> str:
        words = []
        if self.overflows:
            words.append(f"{self.lost:,} events lost in {count(self.overflows, 'overflow')}")
        if self.unheard_forks:
            words.append(f"{count(self.unheard_forks, 'fork')} of the box kept out")
        if self.discarded:
            words.append(f"{count(self.discarded, 'event')} discarded")
        return ", ".join(words)

    def __bool__(self) -> bool:
        return bool(self.overflows or self.lost or self.unheard_forks or self.discarded)


@dataclass(frozen=True, slots=True)
class Drained:
    """What happened since the last drain."""

    events: tuple[LifecycleEvent, ...] = ()
    """Of watched processes, in order of time."""
    execs: frozenset[int] = frozenset()
    """Living processes of the whole box that became another program."""
    drops: Drops = Drops()
    rescan: bool = False
    """Whether execs may have been missed: the whole box should be looked at."""

    @property
    def births(self) -> frozenset[int]:
        """Pids that were born to watched processes and did not end yet."""
        ended = {event.pid for event in self.events if isinstance(event, Exit)}
        return frozenset(
            event.pid for event in self.events if isinstance(event, Fork) and event.pid not in ended
        )


class Lifecycle(Protocol):
    """A source of forks, execs and exits. The collector, once a sample:

    `drained = source.drain()`, then `reading = sampler.sample(now, drained.births, drained.execs,
    drained.rescan)`, then `events = drained.events + source.observe(reading)`.
    """

    def open(self) -> None:
        """Begin; raises Unavailable."""

    def close(self) -> None:
        """End, its thread too; may be called twice."""

    def drain(self) -> Drained:
        """What was heard since the last call; never blocks for long."""

    def observe(self, reading: ProcessReading) -> tuple[LifecycleEvent, ...]:
        """Watch what the sampler watches; returns births and deaths that only it shows."""

    def status(self) -> SourceStatus:
        """How it fares; the detail begins with A, B or C."""
