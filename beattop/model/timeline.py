"""Samples in, snapshots out: the one place that remembers; no clock, no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from beattop.model.beats import Facts, beats
from beattop.model.cpu import Accounts
from beattop.model.lifecycle import Exit
from beattop.model.lives import Lives
from beattop.model.logevents import LogEvent, Past
from beattop.model.members import Lines, members
from beattop.model.membership import Membership, Names, assign
from beattop.model.namesakes import Namesakes
from beattop.model.outside import unmanaged
from beattop.model.process import Process, ProcessKey
from beattop.model.programs import Judgements, Material, Roles, build, program_ids
from beattop.model.sample import STEP_S, Sample
from beattop.model.snapshot import Burnt, CpuSplit, Member, Program, ProgramId, Snapshot
from beattop.model.unspoken import told_by_words

_SLACK_S = 2.0

_SETTLING = {"fatal": True, "stopped": True, "spawned": False, "exited": False, "running": False}


@dataclass(slots=True)
class Timeline:
    """Folds samples into a snapshot each. `window_s` is what percentages cover: None for all."""

    window_s: float | None = 3.0
    _accounts: Accounts = field(init=False)
    _names: Names = field(default_factory=Names)
    _lines: Lines = field(default_factory=Lines)
    _roles: Roles = field(default_factory=Roles)
    _judged: Judgements = field(default_factory=Judgements)
    _lives: dict[tuple[str, str], Lives] = field(default_factory=dict)
    """By (supervisor, bare name), from the log."""
    _seen: dict[ProgramId, Lives] = field(default_factory=dict)
    """Of programs that no log tells of, or none by a name of their own."""
    _namesakes: Namesakes = field(default_factory=Namesakes)
    _leaders: dict[ProgramId, Process] = field(default_factory=dict)
    _pasts: dict[tuple[str, str], Past] = field(default_factory=dict)
    _last: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    """The last kind of event of a name, and when."""
    _since: float | None = None
    """As Sample.steady_s."""
    _before: Sample | None = None
    _churned_s: float = 0.0
    _booked: dict[ProgramId, float] = field(default_factory=dict)
    events: deque[LogEvent] = field(default_factory=lambda: deque(maxlen=2000))
    """What happened since the observation began, the logless programs' lives included."""

    def __post_init__(self) -> None:
        self._accounts = Accounts(self.window_s)

    def add(self, sample: Sample) -> Snapshot:
        """Take in the next sample, in the order they were taken; clocks may be set back."""
        before, self._before = self._before, sample
        if self._since is None or before is None:
            self._since = sample.steady_s
        elif sample.up_s is None and sample.at < before.at:
            self._since -= before.at - sample.at
        elif sample.up_s is not None and before.up_s is not None:
            by = sample.at - before.at - (sample.up_s - before.up_s)
            if abs(by) >= STEP_S:
                self._follow_clock(by)
                sample = _moved(sample, sample.up_s - before.up_s, by)
        self._names.learn(sample)
        belongs = assign(sample, self._names)
        self._learn_pasts(sample.pasts, belongs)
        born = self._learn_events(sample, belongs)
        self._learn_leaders(sample, belongs)
        self._accounts.add(sample, belongs, born)
        self._names.trim(sample.usage)
        self._lines.trim({u.key for u in sample.usage})
        return self._snapshot(sample, belongs)

    def _follow_clock(self, by: float) -> None:
        """The wall clock was set: what it said before is told by it as it goes now."""
        for lives in (*self._lives.values(), *self._seen.values()):
            lives.shift(by)
        self._names.shift(by)

    def _learn_pasts(self, pasts: Iterable[Past], belongs: Membership) -> None:
        for past in pasts:
            key = (past.supervisor, past.name)
            if self._pasts.get(key) is past or (key in self._pasts and self._pasts[key] == past):
                continue
            self._pasts[key] = past
            if key not in self._lives:
                self._lives[key] = Lives.from_past(past)
                if self._names.ambiguous(*key):
                    for event in past.recent:
                        self._share(event, belongs)
                if past.recent:
                    self._last[key] = (past.recent[-1].kind, past.recent[-1].at)

    def _learn_events(self, sample: Sample, belongs: Membership) -> dict[ProcessKey, ProgramId]:
        """Fold log events and exits in; tells the leaders that lived between two samples."""
        exits = {e.pid: e for e in sample.lifecycle if isinstance(e, Exit)}
        ns_pids = {(belongs.supervisor_of.get(p.key), p.ns_pid): p for p in sample.processes}
        born: dict[ProcessKey, ProgramId] = {}
        spawned: dict[ProgramId, int] = {}
        for event in sample.log_events:
            self.events.append(event)
            if not event.name:
                # The server's own start or end concerns every program of it.
                for (supervisor, _), each in self._lives.items():
                    if supervisor == event.supervisor:
                        each.add(event)
                continue
            key = (event.supervisor, event.name)
            lives = self._lives.get(key)
            if lives is None:
                # A name that the whole log did not know before is new, not half read.
                whole = all(p.complete for p in sample.pasts if p.supervisor == event.supervisor)
                lives = self._lives[key] = Lives(event.supervisor, event.name, whole)
            lives.add(event)
            self._last[key] = (event.kind, event.at)
            program = self._names.program(*key)
            if program is None:
                program = self._share(event, belongs)
            if program is None:
                continue
            if event.kind == "spawned" and event.pid is not None:
                spawned[program] = event.pid
            elif event.kind in ("exited", "stopped") and program in spawned:
                pid = spawned.pop(program)
                if (event.supervisor, pid) not in ns_pids:
                    gone = exits.get(pid)
                    start = gone.start_ticks if gone and gone.start_ticks is not None else -1
                    born[ProcessKey(pid, start)] = program
        for gone in exits.values():
            self._enrich(gone)
        return born

    def _share(self, event: LogEvent, belongs: Membership) -> ProgramId | None:
        """Give a line of a name that several groups have to the program it is of."""
        supervisor, name = event.supervisor, event.name
        groups = self._names.groups.get((supervisor, name), ())
        candidates = [ProgramId(supervisor, group, name) for group in groups]
        living = {c: belongs.programs[c][0] for c in candidates if belongs.programs.get(c)}
        owner = {leader.ns_pid: program for program, leader in living.items()}
        program = self._namesakes.whose(event, candidates, living, owner)
        if program is not None:
            lives = self._seen.get(program)
            if lives is None:
                lives = self._seen[program] = Lives(supervisor, name)
            lives.add(event)
            self._last[supervisor, program.namespec] = (event.kind, event.at)
        return program

    def _enrich(self, gone: Exit) -> None:
        """Give a life what the kernel knows better than the log: its CPU and its instant."""
        key = ProcessKey(gone.pid, gone.start_ticks if gone.start_ticks is not None else -1)
        program = self._names.leaders.get(key)
        if program is None:
            for supervisor in {s for s, _ in self._lives}:
                named = self._names.by_pid.get((supervisor, gone.pid))
                if named and abs(named[1] - (gone.started_at or named[1])) < 5:
                    program = self._names.program(supervisor, named[0])
                    break
        if program is None:
            return
        lives = self._lives_of(program)
        if lives is not None:
            lives.enrich(gone.pid, gone.at, gone.cpu_s, gone.status, gone.signal, gone.started_at)

    def _lives_of(self, program: ProgramId) -> Lives | None:
        if not self._names.ambiguous(program.supervisor, program.name):
            found = self._lives.get((program.supervisor, program.name))
            if found is not None:
                return found
        return self._seen.get(program)

    def _learn_leaders(self, sample: Sample, belongs: Membership) -> None:
        """Where no log tells of a program, its leaders coming and going are its lives."""
        logged = {supervisor for supervisor, _ in self._lives}
        exits = {e.pid: e for e in sample.lifecycle if isinstance(e, Exit)}
        now = {p: tree[0] for p, tree in belongs.programs.items() if tree}
        for program in {*now, *self._leaders}:
            if program.supervisor in logged and not self._names.ambiguous(
                program.supervisor, program.name
            ):
                continue
            before, leader = self._leaders.get(program), now.get(program)
            if before is not None and leader is not None and before.key == leader.key:
                continue
            # What the log told already of a name that several groups have is not told again.
            told = self._seen[program].lives if program in self._seen else ()
            over = {life.pid for life in told if life.ended_at is not None}
            begun = {life.pid for life in told if life.ended_at is None}
            logs = program.supervisor in logged
            if before is not None and before.ns_pid not in over:
                gone = _exit_event(program, before, exits.get(before.pid), sample.at)
                self._saw(program, gone, logs)
            if leader is not None and leader.ns_pid not in begun:
                at, pid = leader.started_at, leader.ns_pid
                born = LogEvent(at, program.supervisor, "spawned", program.name, pid)
                self._saw(program, born, logs)
        self._leaders = now

    def _saw(self, program: ProgramId, event: LogEvent, told: bool) -> None:
        """A leader came or went; `told` where the log tells of it too, if without its group."""
        lives = self._seen.get(program)
        if lives is None:
            lives = self._seen[program] = Lives(program.supervisor, program.name)
        lives.add(event)
        if not told:
            self.events.append(event)
        self._last[program.supervisor, program.namespec] = (event.kind, event.at)

    def _settled(self, program: ProgramId, sample: Sample, material: Material) -> bool:
        """Whether supervisord will not start it again: STOPPED, FATAL, or no supervisord."""
        state = material.states.get(program)
        ambiguous = self._names.ambiguous(program.supervisor, program.name)
        names = (program.namespec,) if ambiguous else (program.namespec, program.name)
        known = (self._last.get((program.supervisor, name), ("", 0.0)) for name in names)
        kind, at = max(known, key=lambda last: last[1])
        running = any(s.id == program.supervisor and s.key for s in sample.supervisords)
        if not running:
            return True
        if state is not None and state.state_at > at and state.state in ("STOPPED", "FATAL"):
            return True
        return _SETTLING.get(kind, False)

    def _snapshot(self, sample: Sample, belongs: Membership) -> Snapshot:
        usage = {u.key: u for u in sample.usage}
        facts = Facts.of(sample)
        material = Material.of(sample)
        older = {(p.supervisor, p.name): p for p in sample.older}
        seconds, busy, own, used, estimated = self._accounts.window()

        def member(tree: tuple[Process, ...]) -> tuple[Member, ...]:
            return members(tree, self._lines, usage, self._accounts, facts.handles, sample.at)

        programs = []
        # Until it is known better, a supervisord goes by another name: that one's log is forgotten.
        told = {s.id for s in sample.supervisords}
        logged = tuple(key for key in self._lives if key[0] in told)
        blind = {supervisor for _, supervisor in belongs.unnamed}
        for program in program_ids(sample, logged, belongs.programs):
            found = member(belongs.programs.get(program, ()))
            ambiguous = self._names.ambiguous(program.supervisor, program.name)
            built = build(
                program,
                found,
                material,
                self._lives_of(program),
                None if ambiguous else older.get((program.supervisor, program.name)),
                self._settled(program, sample, material),
                self._accounts,
                (seconds, used, estimated),
                self._roles.of(program, found, material.configs.get(program)),
                sample.at,
                self._judged,
            )
            if not found and program.supervisor in blind and built.state is None:
                # One of those that run under a name that cannot be seen may be its.
                built = replace(built, cpu_pct=None, churn_pct=None)
            programs.append(told_by_words(built, facts))
        outside = unmanaged(sample, belongs, usage, member)
        unnamed = [(sid, member(belongs.tree(child))) for child, sid in belongs.unnamed]
        servers = {s.key for s in sample.supervisords}
        by_key = {p.key: p for p in sample.processes if p.key in servers}
        churn = sum(used.get(p.id, 0.0) for p in programs if p.respawning)
        self._burn(programs)
        return Snapshot(
            at=sample.at,
            observed_s=sample.steady_s - (self._since or sample.steady_s),
            host=sample.host,
            viewer=sample.viewer,
            cpu=_split(sample.host.cores, seconds, busy, sum(used.values()) + own, churn),
            load=sample.cpu.load,
            sources=sample.sources,
            supervisords=sample.supervisords,
            supervisord_members=tuple(
                (s.id, m)
                for s in sample.supervisords
                if s.key in by_key
                for m in member((by_key[s.key],))
            ),
            programs=tuple(programs),
            unmanaged=outside,
            beats=beats(programs, outside, facts, sample.at, unnamed),
            pidfiles=sample.pidfiles,
            schedules=sample.schedules,
            burnt=self._burnt(sample, programs),
            limited_to=sample.limited_to,
        )

    def _burn(self, programs: Iterable[Program]) -> None:
        for program in programs:
            before = self._booked.get(program.id, 0.0)
            if program.respawning:
                self._churned_s += max(0.0, program.cpu_s - before)
            self._booked[program.id] = program.cpu_s

    def _burnt(self, sample: Sample, programs: Iterable[Program]) -> Burnt:
        looping = {p.id.supervisor for p in programs if p.respawning}
        usage = {u.key: u for u in sample.usage}
        started: Mapping[ProcessKey, float] = {p.key: p.started_at for p in sample.processes}
        dead, since = 0.0, None
        for server in sample.supervisords:
            if server.id in looping and server.key in usage:
                dead += usage[server.key].dead_cpu_s
                begun = started.get(server.key)
                since = begun if since is None else min(since, begun or since)
        return Burnt(self._churned_s, dead if since is not None else None, since)


def _moved(sample: Sample, elapsed: float, by: float) -> Sample:
    """What was stamped before the clock was set by `by`, as it would be stamped after it."""
    first, last = sample.at - elapsed - _SLACK_S, sample.at + _SLACK_S

    def moved(event: Any) -> Any:
        old = not first <= event.at <= last and first <= event.at + by <= last
        return replace(event, at=event.at + by) if old else event

    return replace(
        sample,
        lifecycle=tuple(moved(e) for e in sample.lifecycle),
        log_events=tuple(moved(e) for e in sample.log_events),
    )


def _exit_event(program: ProgramId, before: Process, gone: Exit | None, at: float) -> LogEvent:
    # Without a log nobody says who asked; a polite SIGTERM is what supervisord sends on request.
    asked = gone is not None and gone.signal == "SIGTERM"
    return LogEvent(
        gone.at if gone else at,
        program.supervisor,
        "stopped" if asked else "exited",
        program.name,
        before.ns_pid,
        gone.status if gone else None,
        gone.signal if gone else None,
        None,
    )


def _split(cores: int, seconds: float, busy: float, trees: float, churn: float) -> CpuSplit:
    """busy = supervised + churn + other, each in percent of one core."""
    if seconds <= 0:
        return CpuSplit(cores, None, None, None, None)
    churn = max(0.0, churn)
    supervised = max(0.0, trees - churn)
    other = max(0.0, busy - supervised - churn)
    scale = 100 / seconds
    return CpuSplit(
        cores,
        (supervised + churn + other) * scale,
        supervised * scale,
        churn * scale,
        other * scale,
    )
