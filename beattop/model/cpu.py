"""CPU split by what it was good for, exact because reaped children are accounted to their parents.

For a supervised tree T, W = sum of (own + dead) over T, and the tree's CPU in an interval is the
difference of W. What supervisord reaped is paid out to the programs whose leaders ended: from a
leader's clock at its exit where that was read, else from what it was last seen to have used and in
equal shares of what is left (estimated).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from beattop.model.lifecycle import Exit
from beattop.model.membership import Membership
from beattop.model.process import ProcessKey, Usage
from beattop.model.sample import Sample
from beattop.model.snapshot import ProgramId

MINUTE_S = 60.0
_TICKS_S = 0.021
"""Two of /proc's clock ticks, to which counters of reaped children are rounded."""
REAPED_S = 5.0
"""So long an exit is remembered: supervisord reaps up to a second late (its loop polls for 1 s)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Core-seconds used between two samples."""

    at: float
    """Its end, as Sample.steady_s."""
    seconds: float
    busy_s: float
    supervisord_s: float
    """supervisords' own, and what cannot be laid to a program."""
    programs: Mapping[ProgramId, float]
    estimated: frozenset[ProgramId]


class _Ended(NamedTuple):
    """A leader that ended and whose CPU supervisord reaps."""

    program: ProgramId
    cpu_s: float | None = None
    """All that it used, by its clock at the exit; None where that was missed."""
    booked_s: float = 0.0
    """What it, and those below it that went with it, were booked with while they lived."""


@dataclass(slots=True)
class _Bank:
    """What one supervisord has reaped and no program was charged with yet."""

    seconds: float = 0.0
    owed: dict[ProcessKey, _Ended] = field(default_factory=dict)
    """Ended leaders not paid yet."""
    idle: int = 0


@dataclass(slots=True)
class Accounts:
    """Books one interval a sample; keeps those that a window needs."""

    window_s: float | None = None
    """Seconds that the percentages cover; None for the whole observation."""
    intervals: deque[Interval] = field(default_factory=deque)
    totals: dict[ProgramId, float] = field(default_factory=dict)
    """Core-seconds of each program since the observation began."""
    _minute: deque[tuple[float, Mapping[ProgramId, float]]] = field(default_factory=deque)
    _lately: dict[ProgramId, float] = field(default_factory=dict)
    """Core-seconds of each program in the intervals of `_minute`."""
    _before: Sample | None = None
    _usage: dict[ProcessKey, Usage] = field(default_factory=dict)
    _owner: dict[ProcessKey, ProgramId] = field(default_factory=dict)
    _inside: dict[ProcessKey, str] = field(default_factory=dict)
    _banks: dict[str, _Bank] = field(default_factory=dict)
    _claims: dict[ProcessKey, float] = field(default_factory=dict)
    """What ended children of a living parent were booked with and it was not yet seen to reap."""
    _exits: dict[int, tuple[Exit, float]] = field(default_factory=dict)
    """By pid, with when it was heard: a zombie may stay a second before it is reaped."""
    _stale: dict[ProcessKey, float] = field(default_factory=dict)
    """Of `_claims` what stood there a sample before already."""
    _servers: frozenset[ProcessKey] = frozenset()
    _rings: deque[tuple[float, dict[ProcessKey, Usage]]] = field(default_factory=deque)

    def add(
        self, sample: Sample, members: Membership, born: Mapping[ProcessKey, ProgramId]
    ) -> None:
        """Book what was used since the sample before.

        `born` are leaders that began and ended between the two samples.
        """
        usage = {u.key: u for u in sample.usage}
        before = self._before
        servers = _keys(sample) & members.supervisor_of.keys()
        if servers and not self._servers:
            # What supervisord reaped before its tree was known is nobody's: begin anew.
            self.intervals.clear()
            before = None
        now = sample.steady_s
        if before is not None and now < before.steady_s:
            # An older recording, and its clock was set back: what was kept lies in the future.
            self.intervals.clear()
            self._rings.clear()
            self._minute.clear()
            self._lately.clear()
            self._exits.clear()
        if before is not None and now > before.steady_s:
            self._book(before, sample, usage, members, born)
        self._servers = servers
        self._before = sample
        self._usage = usage
        self._owner = dict(members.owner)
        self._inside = dict(members.supervisor_of)
        self._rings.append((now, usage))
        while (
            self.window_s is not None
            and len(self._rings) > 2
            and now - self._rings[1][0] >= self.window_s
        ):
            self._rings.popleft()
        if self.window_s is None and len(self._rings) > 2:
            del self._rings[1]

    def _book(
        self,
        before: Sample,
        sample: Sample,
        usage: Mapping[ProcessKey, Usage],
        members: Membership,
        born: Mapping[ProcessKey, ProgramId],
    ) -> None:
        servers = {s.key: s.id for s in sample.supervisords if s.key is not None}
        programs: dict[ProgramId, float] = {}
        own = 0.0
        reaping: dict[ProcessKey, float] = {}
        for key, now in usage.items():
            if key not in members.supervisor_of:
                continue
            old = self._usage.get(key)
            if old is None and not self._began_since(key, sample, before):
                continue
            grown = now.cpu_s - (old.cpu_s if old else 0.0)
            reaped = now.dead_cpu_s - (old.dead_cpu_s if old else 0.0)
            if key in servers:
                own += max(0.0, grown)
                if key not in self._servers:
                    continue
                self._bank(servers[key]).seconds += reaped
                continue
            program = members.owner.get(key)
            reaping[key] = reaped
            if program is None:
                own += grown + reaped
            else:
                programs[program] = programs.get(program, 0.0) + grown + reaped
        own -= self._gone(usage, servers, reaping) + self._inherited(programs, reaping, members)
        self._owe(sample, members, born, usage)
        estimated: set[ProgramId] = set()
        for bank in self._banks.values():
            own += _pay(bank, programs, estimated)
        interval = Interval(
            sample.steady_s,
            sample.steady_s - before.steady_s,
            max(0.0, sample.cpu.busy_s - before.cpu.busy_s),
            max(0.0, own),
            programs,
            frozenset(estimated),
        )
        for program, used in programs.items():
            self.totals[program] = self.totals.get(program, 0.0) + used
        self._remember(interval.at, programs)
        self.intervals.append(interval)
        while (
            self.window_s is not None
            and len(self.intervals) > 1
            and interval.at - self.intervals[1].at >= self.window_s - interval.seconds
        ):
            self.intervals.popleft()
        if self.window_s is None and len(self.intervals) > 1:
            self._merge()

    def _remember(self, at: float, programs: Mapping[ProgramId, float]) -> None:
        """Keep a minute's worth, summed."""
        for program, used in programs.items():
            self._lately[program] = self._lately.get(program, 0.0) + used
        self._minute.append((at, programs))
        while at - self._minute[0][0] >= MINUTE_S:
            for program, used in self._minute.popleft()[1].items():
                self._lately[program] -= used

    def _merge(self) -> None:
        """Fold all intervals into one: the whole observation needs no more."""
        first, last = self.intervals.popleft(), self.intervals.popleft()
        programs = dict(first.programs)
        for program, used in last.programs.items():
            programs[program] = programs.get(program, 0.0) + used
        self.intervals.append(
            Interval(
                last.at,
                first.seconds + last.seconds,
                first.busy_s + last.busy_s,
                first.supervisord_s + last.supervisord_s,
                programs,
                first.estimated | last.estimated,
            )
        )

    def _bank(self, supervisor: str) -> _Bank:
        return self._banks.setdefault(supervisor, _Bank())

    def _began_since(self, key: ProcessKey, sample: Sample, before: Sample) -> bool:
        # A process that was there before and is only now watched did not use it all just now.
        started = sample.host.boot_at + key.start_ticks / sample.host.tick_hz
        return sample.at - started <= sample.steady_s - before.steady_s + 1.0

    def _gone(
        self,
        usage: Mapping[ProcessKey, Usage],
        servers: Mapping[ProcessKey, str],
        reaping: Mapping[ProcessKey, float],
    ) -> float:
        """Note what ended processes were booked with, for whoever reaped them is charged whole.

        Returns what supervisords' own is to be relieved of.
        """
        own = 0.0
        gone = {
            key: old
            for key, old in self._usage.items()
            if key not in usage and key in self._inside and key not in self._servers
        }
        by_pid = {key.pid: key for key in self._usage} if gone else {}
        for key, old in gone.items():
            booked = old.cpu_s + old.dead_cpu_s
            top, above = key, by_pid.get(old.ppid)
            while above in gone and above != key:
                top, above = above, by_pid.get(gone[above].ppid)
            if above in servers:
                program = self._owner.get(top)
                if program is None:
                    own += booked
                    continue
                owed = self._bank(self._inside[top]).owed
                ended = owed.get(top, _Ended(program))
                owed[top] = ended._replace(booked_s=ended.booked_s + booked)
            elif above is not None and above in reaping:
                self._claims[above] = self._claims.get(above, 0.0) + booked
            # Else a stranger reaps it: what it used stays where it is booked.
        return own

    def _inherited(
        self,
        programs: dict[ProgramId, float],
        reaping: Mapping[ProcessKey, float],
        members: Membership,
    ) -> float:
        """Take back what was booked twice: with the dead, and with the living who reaped them.

        A parent that ignores SIGCHLD inherits nothing, nor does one whose child was orphaned.
        Returns what supervisords' own is to be relieved of.
        """
        own = 0.0
        left: dict[ProcessKey, float] = {}
        for parent, claim in self._claims.items():
            if parent not in reaping:
                continue
            fresh = claim - self._stale.get(parent, 0.0)
            part = claim if reaping[parent] + _TICKS_S >= claim else max(0.0, reaping[parent])
            program = members.owner.get(parent)
            if program is None:
                own += part
            else:
                programs[program] = programs.get(program, 0.0) - part
            # /proc is not read in one instant: the parent's counters may tell it a sample later.
            if claim - part > 0.0 and fresh > 0.0:
                left[parent] = min(claim - part, fresh)
        self._claims, self._stale = left, dict(left)
        return own

    def _owe(
        self,
        sample: Sample,
        members: Membership,
        born: Mapping[ProcessKey, ProgramId],
        usage: Mapping[ProcessKey, Usage],
    ) -> None:
        """Note the leaders that ended, with what the clock said at their exit."""
        for key, program in born.items():
            if key not in usage:
                self._bank(program.supervisor).owed.setdefault(key, _Ended(program))
        for exit_ in sample.lifecycle:
            if isinstance(exit_, Exit):
                self._exits[exit_.pid] = (exit_, sample.steady_s)
        self._exits = {p: e for p, e in self._exits.items() if sample.steady_s - e[1] < REAPED_S}
        exits = {pid: heard for pid, (heard, _) in self._exits.items()}
        for bank in self._banks.values():
            for key, ended in bank.owed.items():
                gone = exits.get(key.pid)
                if gone and gone.cpu_s is not None and gone.start_ticks in (None, key.start_ticks):
                    bank.owed[key] = ended._replace(cpu_s=gone.cpu_s)

    def minute_pct(self, program: ProgramId) -> float:
        """Percent of a core over the last whole minute; too little while less was observed."""
        return 100 * self._lately.get(program, 0.0) / MINUTE_S

    def window(self) -> tuple[float, float, float, dict[ProgramId, float], frozenset[ProgramId]]:
        """(seconds, busy, supervisords' own, by program, estimated) over the window."""
        seconds = busy = own = 0.0
        programs: dict[ProgramId, float] = {}
        estimated: set[ProgramId] = set()
        for interval in self.intervals:
            seconds += interval.seconds
            busy += interval.busy_s
            own += interval.supervisord_s
            estimated |= interval.estimated
            for program, used in interval.programs.items():
                programs[program] = programs.get(program, 0.0) + used
        return seconds, busy, own, programs, frozenset(estimated)

    def process_pct(self, usage: Usage, age_s: float) -> float | None:
        """A live process's percent of a core over the window, or over its life if shorter."""
        if not self._rings:
            return None
        since, old = self._rings[0]
        known = old.get(usage.key)
        seconds = self._rings[-1][0] - since
        if known is None:
            seconds = min(seconds, age_s)
        if seconds <= 0.05:
            return None
        return max(0.0, 100 * (usage.cpu_s - (known.cpu_s if known else 0.0)) / seconds)


def _keys(sample: Sample) -> frozenset[ProcessKey]:
    """The processes of the sample's supervisords."""
    return frozenset(s.key for s in sample.supervisords if s.key is not None)


def _pay(bank: _Bank, programs: dict[ProgramId, float], estimated: set[ProgramId]) -> float:
    """Charge ended leaders from what supervisord reaped; returns what stays nobody's."""
    for key, ended in list(bank.owed.items()):
        # Reaped only when supervisord's account has grown by it (to a clock tick or two).
        if ended.cpu_s is not None and bank.seconds + _TICKS_S >= ended.cpu_s:
            _charge(programs, ended, ended.cpu_s)
            bank.seconds -= ended.cpu_s
            del bank.owed[key]
    missed = [e for e in bank.owed.values() if e.cpu_s is None]
    if missed and bank.seconds > 0.0 and len(missed) == len(bank.owed):
        # First what each was seen to have used, then equal parts of the rest.
        least = sum(e.booked_s for e in missed)
        part = min(1.0, bank.seconds / least) if least > 0.0 else 0.0
        rest = (bank.seconds - part * least) / len(missed)
        for ended in missed:
            _charge(programs, ended, part * ended.booked_s + rest)
            estimated.add(ended.program)
        bank.owed.clear()
        bank.seconds = 0.0
    if bank.owed or bank.seconds > 0.0:
        # /proc is not read in one instant: a leader may vanish one sample before, or after, its
        # CPU arrives at supervisord. Allow that, then let go.
        bank.idle += 1
    else:
        bank.idle = 0
    if bank.idle > 2:
        booked = sum(ended.booked_s for ended in bank.owed.values())
        bank.owed.clear()
        bank.idle = 0
        left, bank.seconds = max(0.0, bank.seconds - booked), 0.0
        return left
    return 0.0


def _charge(programs: dict[ProgramId, float], ended: _Ended, seconds: float) -> None:
    """All that a leader used in its life, less what was booked while it lived."""
    programs[ended.program] = programs.get(ended.program, 0.0) + max(0.0, seconds - ended.booked_s)
