"""The processes whose births and deaths are told, and what was told of them."""

from __future__ import annotations

import time
from collections import Counter

from beattop.model.lifecycle import Exec, Exit, Fork, LifecycleEvent
from beattop.model.process import Process
from beattop.model.sample import STEP_S
from beattop.sources.lifecycle.lastlook import LastLook, last_look, meaning
from beattop.sources.proc.procfs import TICK_HZ, Procfs
from beattop.sources.proc.reading import ProcessReading

_MOST_EVENTS = 200_000  # ten seconds of the worst storm
_REMEMBER_S = 10.0


class Life:
    """One watched process, alive as far as is known."""

    __slots__ = (
        "bore",
        "born_ns",
        "exact",
        "forked",
        "missing",
        "pid",
        "ppid",
        "start_ticks",
        "started_at",
    )

    def __init__(self, pid: int, ppid: int, started_at: float) -> None:
        self.pid = pid
        self.ppid = ppid
        self.started_at = started_at
        self.start_ticks: int | None = None
        self.exact = False
        """Whether start_ticks was read, not reckoned."""
        self.born_ns = 0
        self.forked = False
        """Whether it was seen to fork, or may have before it was watched."""
        self.bore = 0
        """How many children it was heard to fork."""
        self.missing = 0
        """Readings in a row that did not show it alive."""

    def is_it(self, start_ticks: int) -> bool:
        """Whether a process of its pid with that start is this one."""
        if self.start_ticks is None:
            return True
        return abs(start_ticks - self.start_ticks) <= (0 if self.exact else 1)

    def began(self, at: float, ns: int) -> bool:
        """Whether a birth of its pid is its own: no pid comes round in two ticks."""
        if ns and self.born_ns:
            return ns <= self.born_ns
        if ns and self.start_ticks is not None:
            return _ticks(ns) <= self.start_ticks + 2
        return at <= self.started_at + 2 / TICK_HZ


class Watched:
    """The table of lives; not locked: its owner does that."""

    def __init__(self, procfs: Procfs, patience: int) -> None:
        """`patience`: how many readings may miss a process before it is taken for dead."""
        self._procfs = procfs
        self.lives: dict[int, Life] = {}
        self.discarded = 0
        self._patience = patience
        self._events: list[LifecycleEvent] = []
        self._ended: dict[int, tuple[Life, float]] = {}
        """By pid, with the time since boot at which it was told."""
        self._supervisords: frozenset[int] = frozenset()
        self._before: ProcessReading | None = None

    def take(self) -> tuple[LifecycleEvent, ...]:
        """All events since the last call."""
        taken, self._events = tuple(self._events), []
        return taken

    def _tell(self, event: LifecycleEvent) -> None:
        if len(self._events) < _MOST_EVENTS:
            self._events.append(event)
        else:
            self.discarded += 1

    def fork(self, pid: int, ppid: int, at: float, ns: int = 0) -> bool:
        """A process was born; True where it is watched from now on, its parent being so."""
        parent, old = self.lives.get(ppid), self.lives.get(pid)
        if old is not None:
            if old.began(at, ns):  # seen before it was heard of, or heard twice
                old.born_ns = old.born_ns or ns
                return False
            self.vanish(pid, at)
        if parent is None:
            return False
        parent.forked = True
        parent.bore += 1
        life = self.lives[pid] = Life(pid, ppid, at)
        if ns:
            life.born_ns = ns
            life.start_ticks = _ticks(ns)
        self._tell(Fork(at, pid, ppid))
        return True

    def exec(self, pid: int, at: float) -> None:
        """A process became another program."""
        if pid in self.lives:
            self._tell(Exec(at, pid))

    def exit(
        self, pid: int, at: float, wait_status: int | None, look: LastLook | None, ppid: int = 0
    ) -> bool:
        """A process ended; True where it was watched."""
        life = self.lives.pop(pid, None)
        if life is None:
            return False
        status, signal = meaning(wait_status)
        cpu = None
        if look is not None:
            if look.start_ticks is not None:
                life.start_ticks = look.start_ticks
            cpu = look.cpu_s(childless=not life.forked)
        self._ended[pid] = (life, _since_boot())
        self._tell(
            Exit(at, pid, ppid or life.ppid, life.start_ticks, life.started_at, status, signal, cpu)
        )
        return True

    def vanish(self, pid: int, at: float) -> bool:
        """Nobody heard it go: tell so, unless it is still there after all."""
        life = self.lives[pid]
        look = last_look(self._procfs, life.pid)
        if look.start_ticks is not None and life.is_it(look.start_ticks):
            if look.living:
                return False
            return self.exit(life.pid, max(at, life.started_at), look.wait_status, look)
        return self.exit(life.pid, max(at, life.started_at), None, None)

    def observe(self, reading: ProcessReading) -> tuple[list[Life], tuple[LifecycleEvent, ...]]:
        """Take over what the sampler found.

        Returns the lives that are watched from now on, and the events that nobody heard of.
        """
        heard, self._events = self._events, []
        before, self._before = self._before, reading
        self._supervisords = reading.supervisords
        if before is not None:
            self._follow_clock(reading.at - reading.up_s - (before.at - before.up_s))
        for pid in [p for p, (_, up) in self._ended.items() if up < reading.up_s - _REMEMBER_S]:
            del self._ended[pid]
        new = []
        alive = set()
        for process, usage in zip(reading.processes, reading.usage, strict=True):
            if usage.state in "ZX":
                continue
            life = self.lives.get(process.pid)
            if life is not None and not life.is_it(process.key.start_ticks):
                self.vanish(process.pid, reading.at)
                life = None
            if life is None:
                ended = self._ended.get(process.pid)
                if ended is not None and ended[0].is_it(process.key.start_ticks):
                    continue  # heard to end since the reading was taken
                life = self._meet(process, usage.ppid, before)
                new.append(life)
            alive.add(process.pid)
            life.missing = 0
            life.ppid = usage.ppid
            life.exact, life.start_ticks = True, process.key.start_ticks
        self._miss(alive, before, reading)
        unheard, self._events = tuple(self._events), heard
        return new, unheard

    def by_promise(self, room: int) -> list[int]:
        """Pids, those first whose children are most wanted where there is no room for all.

        Supervisords, then parents by their children, then who may have had some.
        """
        if len(self.lives) <= room:
            return list(self.lives)
        children = Counter(life.ppid for life in self.lives.values())
        return sorted(
            self.lives,
            key=lambda pid: (
                pid in self._supervisords,
                children[pid] + self.lives[pid].bore,
                self.lives[pid].forked,
            ),
            reverse=True,
        )

    def _follow_clock(self, by: float) -> None:
        """The wall clock was set: what began before it began at another time by that clock."""
        if abs(by) >= STEP_S:
            for life in self.lives.values():
                life.started_at += by

    def _meet(self, process: Process, ppid: int, before: ProcessReading | None) -> Life:
        life = self.lives[process.pid] = Life(process.pid, ppid, process.started_at)
        life.forked = True
        if before is not None and process.key.start_ticks >= before.up_s * TICK_HZ - 1:
            self._tell(Fork(process.started_at, process.pid, ppid))
        return life

    def _miss(self, alive: set[int], before: ProcessReading | None, now: ProcessReading) -> None:
        for life in [one for pid, one in self.lives.items() if pid not in alive]:
            if life.started_at < now.at:
                life.missing += 1
            if life.missing > self._patience:
                # Somewhere between the two readings; the middle errs least.
                gap = 0.0 if before is None else now.up_s - before.up_s
                self.vanish(life.pid, now.at - gap / 2)


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _ticks(ns: int) -> int:
    """Field 22 of stat for a process born at `ns` of CLOCK_MONOTONIC, to a tick."""
    asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return (ns + asleep) * TICK_HZ // 1_000_000_000
