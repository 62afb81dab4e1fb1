"""Which process belongs to which supervised program, and which to none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from beattop.model.logevents import Past
from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.sample import Sample
from beattop.model.snapshot import ProgramId
from beattop.model.supervisor import Supervisord


@dataclass(slots=True)
class Names:
    """What logs and states said of pids and groups; carried from sample to sample."""

    by_pid: dict[tuple[str, int], tuple[str, float]] = field(default_factory=dict)
    """(supervisor, pid in its namespace) -> (bare name, when it was spawned), from the logs."""
    logging: dict[str, None] = field(default_factory=dict)
    """The supervisords in `by_pid`, in the order they were met."""
    groups: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """(supervisor, bare name) -> the groups that have a process of that name."""
    leaders: dict[ProcessKey, ProgramId] = field(default_factory=dict)
    """Every process that was once seen as a program's leader: its process group outlives it."""
    by_group: dict[int, ProgramId] = field(default_factory=dict)
    """The leaders by pid, which is their process group's number."""
    _learnt: dict[tuple[str, str], Past] = field(default_factory=dict)
    """Pasts stay the same objects from sample to sample: each is taken in once."""

    def learn(self, sample: Sample) -> None:
        """Take in a sample's states, configurations and spawn lines."""
        for past in sample.pasts:
            if self._learnt.get((past.supervisor, past.name)) is past:
                continue
            self._learnt[past.supervisor, past.name] = past
            for event in past.recent:
                if event.kind == "spawned" and event.pid is not None:
                    self._spawned(event.supervisor, event.pid, event.name, event.at)
        for event in sample.log_events:
            if event.kind == "spawned" and event.pid is not None:
                self._spawned(event.supervisor, event.pid, event.name, event.at)
        groups: dict[tuple[str, str], dict[str, None]] = {}
        answering = {state.supervisor for state in sample.programs}
        for state in sample.programs:
            groups.setdefault((state.supervisor, state.name), {})[state.group] = None
        for config in sample.configs:
            if config.supervisor not in answering:
                groups.setdefault((config.supervisor, config.name), {})[config.group] = None
        self.groups = {key: tuple(found) for key, found in groups.items()}

    def _spawned(self, supervisor: str, pid: int, name: str, at: float) -> None:
        known = self.by_pid.get((supervisor, pid))
        if known is None or known[1] <= at:
            self.by_pid[supervisor, pid] = (name, at)
            self.logging[supervisor] = None

    def shift(self, by: float) -> None:
        """The clock was set by so many seconds, and processes' starts with it."""
        self.by_pid = {pid: (name, at + by) for pid, (name, at) in self.by_pid.items()}

    def program(self, supervisor: str, name: str, group: str | None = None) -> ProgramId | None:
        """The program of a bare name; None where several groups have it and none is given."""
        groups = self.groups.get((supervisor, name), ())
        if group is not None and (group in groups or not groups):
            return ProgramId(supervisor, group, name)
        if len(groups) > 1:
            return None
        return ProgramId(supervisor, groups[0] if groups else name, name)

    def ambiguous(self, supervisor: str, name: str) -> bool:
        """Whether the log's bare name stands for several programs."""
        return len(self.groups.get((supervisor, name), ())) > 1

    def trim(self, alive: Iterable[Usage]) -> None:
        """Forget dead leaders whose process group is empty, so that a reused pid is nobody's."""
        groups = {usage.pgrp for usage in alive}
        pids = {usage.key for usage in alive}
        for key in [k for k in self.leaders if k not in pids and k.pid not in groups]:
            program = self.leaders.pop(key)
            if self.by_group.get(key.pid) == program:
                del self.by_group[key.pid]
        if len(self.by_pid) > 20000:
            newest = sorted(self.by_pid.items(), key=lambda item: item[1][1])[-5000:]
            self.by_pid = dict(newest)


@dataclass(frozen=True, slots=True)
class Membership:
    """The watched processes sorted by whom they belong to, at one instant."""

    programs: Mapping[ProgramId, tuple[Process, ...]]
    """Leader first, then its descendants, parents before children."""
    owner: Mapping[ProcessKey, ProgramId]
    supervisor_of: Mapping[ProcessKey, str]
    """Every process in a supervised tree, supervisord itself included -> supervisor id."""
    roots: tuple[tuple[Process, ProgramId | None], ...]
    """Roots outside every supervisord, with the program whose left-over each is, if any."""
    children: Mapping[int, tuple[Process, ...]]
    """By parent pid, oldest first."""
    unnamed: tuple[tuple[Process, str], ...] = ()
    """What a supervisord runs under a name that cannot be seen here -> supervisor id."""

    def tree(self, root: Process) -> tuple[Process, ...]:
        """`root` and its descendants, parents before children."""
        out: list[Process] = []
        stack = [root]
        seen: set[int] = set()
        while stack:
            process = stack.pop()
            if process.pid in seen:
                continue
            seen.add(process.pid)
            out.append(process)
            stack.extend(reversed(self.children.get(process.pid, ())))
        return tuple(out)


def _leader_program(
    child: Process,
    supervisord: Supervisord,
    names: Names,
    states: Mapping[tuple[str, int], tuple[ProgramId, float]],
    held: Mapping[ProgramId, int],
    adopts: bool,
) -> ProgramId | None:
    """The program that a direct child of supervisord runs; None for an adopted orphan."""
    sid = supervisord.id
    told = states.get((sid, child.ns_pid))
    logged = names.by_pid.get((sid, child.ns_pid))
    # A pid comes round again: a spawn line or a state counts only if it fits the start.
    if logged and abs(logged[1] - child.started_at) < 5:
        # supervisord writes the line just after its fork, in the same second.
        found = names.program(sid, logged[0], told[0].group if told else _env_group(child))
        if found:
            return found
    if told and abs(told[1] - child.started_at) < 5:
        return told[0]
    env = child.env or {}
    name = env.get("SUPERVISOR_PROCESS_NAME")
    if name:
        program = names.program(sid, name, env.get("SUPERVISOR_GROUP_NAME"))
        # Where supervisord is pid 1 it adopts orphans: their program then has another pid.
        if program and adopts and held.get(program, child.ns_pid) != child.ns_pid:
            return None
        return program
    if adopts and child.pgrp != child.pid:
        return None
    return told[0] if told else names.leaders.get(child.key)


def _env_group(process: Process) -> str | None:
    return (process.env or {}).get("SUPERVISOR_GROUP_NAME")


def assign(sample: Sample, names: Names) -> Membership:
    """Sort the sample's processes; `names` must have learnt from the sample before."""
    by_pid = {process.pid: process for process in sample.processes}
    parent = {usage.key.pid: usage.ppid for usage in sample.usage}
    pgrp = {usage.key.pid: usage.pgrp for usage in sample.usage}
    children: dict[int, list[Process]] = {}
    for process in sorted(sample.processes, key=lambda p: (p.key.start_ticks, p.pid)):
        children.setdefault(parent.get(process.pid, process.ppid), []).append(process)
    states = {
        (state.supervisor, state.pid): (
            ProgramId(state.supervisor, state.group, state.name),
            state.start_at,
        )
        for state in sample.programs
        if state.pid
    }
    held = {program: pid for (_, pid), (program, _) in states.items()}
    fixed = {pid: tuple(kids) for pid, kids in children.items()}
    programs: dict[ProgramId, list[Process]] = {}
    owner: dict[ProcessKey, ProgramId] = {}
    inside: dict[ProcessKey, str] = {}
    adopted: list[Process] = []
    unnamed: list[tuple[Process, str]] = []
    servers = {s.key: s for s in sample.supervisords if s.key is not None}
    bare = Membership({}, {}, {}, (), fixed)
    for key, server in servers.items():
        own = by_pid.get(key.pid)
        if own is None:
            continue
        inside[key] = server.id
        for child in fixed.get(own.pid, ()):
            if child.key in servers:
                continue
            program = _leader_program(child, server, names, states, held, own.ns_pid == 1)
            if program is None and own.ns_pid == 1:
                adopted.append(child)
                continue
            if program is None:
                unnamed.append((child, server.id))
            for member in bare.tree(child):
                if member.key in servers:
                    continue
                inside.setdefault(member.key, server.id)
                if program:
                    owner.setdefault(member.key, program)
            if program:
                names.leaders[child.key] = program
                names.by_group[child.pid] = program
                programs.setdefault(program, []).extend(
                    m for m in bare.tree(child) if owner.get(m.key) == program
                )
    roots = _roots(sample, fixed, inside, names, pgrp, adopted)
    return Membership(
        {program: tuple(found) for program, found in programs.items()},
        owner,
        inside,
        roots,
        fixed,
        tuple(unnamed),
    )


def _roots(
    sample: Sample,
    children: Mapping[int, tuple[Process, ...]],
    inside: Mapping[ProcessKey, str],
    names: Names,
    pgrp: Mapping[int, int],
    adopted: Iterable[Process],
) -> tuple[tuple[Process, ProgramId | None], ...]:
    """Watched processes outside every supervised tree that no other such process started."""
    outside = {p.pid for p in sample.processes if p.key not in inside}
    below: set[int] = set()
    for pid in outside:
        below.update(child.pid for child in children.get(pid, ()))
    supervisords = {s.key for s in sample.supervisords}
    out: list[tuple[Process, ProgramId | None]] = []
    for process in sample.processes:
        if process.pid not in outside or process.pid in below or process.key in supervisords:
            continue
        out.append((process, _was(process, names, pgrp.get(process.pid, process.pgrp), sample)))
    seen = {process.key for process, _ in out}
    out.extend(
        (p, _was(p, names, pgrp.get(p.pid, p.pgrp), sample)) for p in adopted if p.key not in seen
    )
    return tuple(out)


def _was(process: Process, names: Names, group: int, sample: Sample) -> ProgramId | None:
    """The program whose left-over a process is: by its environment, or its process group."""
    if process.key in names.leaders:
        return names.leaders[process.key]
    if group in names.by_group and group != process.pid:
        return names.by_group[group]
    env = process.env or {}
    name = env.get("SUPERVISOR_PROCESS_NAME")
    if not name or ("SUPERVISOR_ENABLED" not in env and "SUPERVISOR_GROUP_NAME" not in env):
        return _logged(process, names, group)
    url = env.get("SUPERVISOR_SERVER_URL")
    group_name = env.get("SUPERVISOR_GROUP_NAME") or name
    if url:
        # In a root of its own a supervisord's socket is reached by a longer path.
        path = url.removeprefix("unix://") if url.startswith("unix://") else None
        for server in sample.supervisords:
            rooted = bool(path and server.root and server.id.endswith(path))
            if url in (server.id, server.url) or rooted:
                return ProgramId(server.id, group_name, name)
        return ProgramId(url, group_name, name)
    fits = [s for s in sample.supervisords if (s.id, name) in names.groups]
    return ProgramId(fits[0].id if fits else "", group_name, name)


def _logged(process: Process, names: Names, group: int) -> ProgramId | None:
    """By process group: a log line names the dead leader whose group it still carries."""
    if group == process.pid:
        return None
    for supervisor in names.logging:
        name, at = names.by_pid.get((supervisor, group), ("", 0.0))
        # The leader was spawned before its child; a child is rarely a day younger.
        if name and 0 <= process.started_at - at + 5 < 86400:
            return names.program(supervisor, name)
    return None
