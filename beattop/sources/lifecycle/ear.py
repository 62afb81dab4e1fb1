"""Two proc connector sockets that hear as one.

`near` hears the watched processes and their children only: a BPF filter in the kernel keeps the
rest of the box out, so it wakes at once, others' forks cannot make it overflow, and there is time
to read the CPU clock of whoever just ended. Its filter is always a little late for a child that
forks at once; `far` hears the whole box, is read in passing, and holds what `near` could not know
of. In a fork storm `far` is shut: the whole box would cost more than it tells.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection

from beattop.sources.lifecycle import filter as bpf
from beattop.sources.lifecycle.channel import Channel
from beattop.sources.lifecycle.lastlook import LastLook, last_look
from beattop.sources.lifecycle.netlink import EXIT, FORK, KernelEvent, parse
from beattop.sources.lifecycle.source import Drops
from beattop.sources.lifecycle.storm import STORM_EVENTS, Storm
from beattop.sources.proc.procfs import Procfs

_PERIOD_S = 0.5
_FOCUS_SHARE = 10  # a new filter costs 30 to 600 us: at most a tenth of a core goes into them
_FOCUS_MOST_S = 0.01
_FOCUS_CALM_S = 0.25
"""Where far hears everything as well, there is no hurry to hear a newborn's children close by."""
_KEEP_S = 2.0

Heard = tuple[KernelEvent, LastLook | None]
"""An event, and for the exit of a process close by what was left of it."""


class Ear:
    """Opened on construction, which raises Unavailable; not locked: its owner does that."""

    def __init__(self, procfs: Procfs, now: float) -> None:
        self._procfs = procfs
        self._storm = Storm(procfs, now)
        self._far = Channel()
        try:
            self._near = Channel()
            self._near.attach(bpf.family(()))
            self._far.attach(bpf.processes())
        except BaseException:
            self.close()
            raise
        # Twice as often as a rate just below a storm would fill the buffer.
        self.period_s = min(_PERIOD_S, self._far.capacity / STORM_EVENTS / 2)
        """How often to listen though nothing is heard close by."""
        self._focus: frozenset[int] = frozenset()
        self._focus_again = now
        self._early: dict[bytes, float] = {}
        self._forks_in_storm = 0

    def close(self) -> None:
        """Stop listening."""
        self._far.close()
        if hasattr(self, "_near"):
            self._near.close()

    def fileno(self) -> int:
        """Becomes readable when something happens close by."""
        return self._near.fileno()

    @property
    def storm(self) -> bool:
        """Whether the rest of the box is not listened to."""
        return self._storm.raging

    def drops(self) -> Drops:
        """All that went by unheard so far."""
        return Drops(
            self._near.overflows + self._far.overflows,
            self._near.dropped() + self._far.dropped(),
            max(0, self._storm.unheard - self._forks_in_storm),
        )

    def hear(self, now: float) -> list[Heard]:
        """Everything since the last call, in an order in which a cause precedes its effect."""
        close: dict[bytes, Heard] = {}
        for raw in self._near.read():
            event = parse(raw)
            if event is not None:
                ended = event.kind == EXIT
                close[raw] = (event, last_look(self._procfs, event.pid) if ended else None)
        if self._storm.raging:
            self._forks_in_storm += sum(event.kind == FORK for event, _ in close.values())
            if self._storm.over(now):
                self._far.attach(bpf.processes())
            return list(close.values())
        heard = self._hear_far(close, now)
        # An event reaches one socket a moment before the other: far's copy is yet to come.
        self._early.update(dict.fromkeys(close, now))
        heard += close.values()
        return heard

    def _hear_far(self, close: dict[bytes, Heard], now: float) -> list[Heard]:
        """What the whole box did; takes out of `close` what is in its place here."""
        overflows = self._far.overflows
        messages = self._far.read()
        heard: list[Heard] = []
        for raw in messages:
            if raw in self._early:
                del self._early[raw]
            elif raw in close:
                heard.append(close.pop(raw))
            else:
                event = parse(raw)
                if event is not None:
                    heard.append((event, None))
        while self._early and (oldest := next(iter(self._early.items())))[1] < now - _KEEP_S:
            del self._early[oldest[0]]
        if self._storm.count(len(messages), self._far.overflows > overflows, now):
            self._far.attach(bpf.NOTHING)
            self._far.read()
            self._early.clear()
        return heard

    def focus(self, pids: Collection[int], now: float) -> frozenset[int]:
        """Listen closely to `pids` (the first 400 of them); returns those that are new to it.

        Put off for a moment where it was done only just now.
        """
        if now < self._focus_again:
            return frozenset()
        new = frozenset(pids) - self._focus
        chosen = list(pids)[: bpf.MOST_PIDS]
        # Refused where net.core.optmem_max is tiny: then far alone tells of the new ones.
        with contextlib.suppress(OSError):
            self._near.attach(bpf.family(chosen))
        self._focus = frozenset(pids)
        after = time.monotonic()
        pause = min(_FOCUS_MOST_S, _FOCUS_SHARE * (after - now)) if self.storm else _FOCUS_CALM_S
        self._focus_again = after + pause
        return new

    def rest_s(self, now: float) -> float:
        """For how long `focus` is still put off."""
        return max(0.0, self._focus_again - now)

    def late(self, pids: Collection[int]) -> bool:
        """Whether `focus` was put off for some of `pids`."""
        return not self._focus.issuperset(pids)
