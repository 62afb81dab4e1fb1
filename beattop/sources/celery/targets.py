"""Which files and processes tell about the box's beats; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from beattop.model.beathealth import default_scheduler
from beattop.model.beats import config_line
from beattop.model.commandline import CommandLine
from beattop.model.files import LastWords
from beattop.model.members import Lines
from beattop.model.paths import absolute
from beattop.model.process import Process, ProcessKey
from beattop.model.role import SCHEDULING
from beattop.model.supervisor import ProgramConfig, Supervisord, runs_supervisord
from beattop.model.unspoken import is_python, speaks_as_beat

_TAKEN = re.compile(r"Pidfile \((?P<path>[^)]+)\) already exists")
_DEFAULT_PIDFILE = "celerybeat.pid"
_DEFAULT_SCHEDULE = "celerybeat-schedule"
# A worker's --pidfile may hold %n, %h, %i: node names are its own affair.
_PIDFILED = frozenset({"beat", "worker", "worker+beat"})


known_line = lru_cache(maxsize=4096)(config_line)
"""config_line, each configuration read once."""


@dataclass(frozen=True, slots=True)
class Named:
    """A file as a beat is configured to use it."""

    path: str
    """Absolute in its own root, links not followed."""
    pid: int | None
    """A process whose root it is in; None for the root of `supervisor`."""
    supervisor: str | None
    pid_ns: int | None
    """The pid namespace in which numbers in it count; None where unknown."""
    guessed: bool = False
    """Celery 3 and 4's default pidfile, which later releases do not write: told only if a beat
    holds it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process whose open files are looked at."""

    process: Process
    schedule: str | None
    """Its schedule's path, absolute in its own root."""
    fork: bool
    """A fork of a worker with -B: its embedded beat, or a pool child."""
    scripted: bool = False
    """Its command line tells nothing, its log speaks as a beat's."""


@dataclass(frozen=True, slots=True)
class Targets:
    """All that is to be looked at, each thing once."""

    pidfiles: tuple[Named, ...] = ()
    schedules: tuple[Named, ...] = ()
    holders: tuple[Holder, ...] = ()


@dataclass(slots=True)
class _Found:
    pidfiles: dict[tuple[str, str, int | None], Named] = field(default_factory=dict)
    schedules: dict[tuple[str, str, int | None], Named] = field(default_factory=dict)
    holders: list[Holder] = field(default_factory=list)

    def add(self, into: dict[tuple[str, str, int | None], Named], named: Named) -> None:
        # One name in one pid namespace is one file, unless roots differ: that is found out later.
        key = (named.path, named.supervisor or "", named.pid_ns)
        known = into.get(key)
        if known is None or (known.guessed and not named.guessed):
            into[key] = named


def targets(
    processes: Sequence[Process],
    configs: Sequence[ProgramConfig],
    supervisords: Sequence[Supervisord],
    words: Iterable[LastWords],
    lines: Lines,
) -> Targets:
    """What the living beats, the beat programs and the refusals in their logs name."""
    found = _Found()
    words = tuple(words)
    beats = {(w.group, w.name) for w in words if speaks_as_beat(w)}
    by_pid = {process.pid: process for process in processes}
    told = {s.key for s in supervisords}
    anothers = cache(lambda ppid: _anothers(by_pid.get(ppid), by_pid, told))
    for process in processes:
        if told and anothers(process.ppid):
            continue
        line = lines.of(process)
        parent = by_pid.get(process.ppid)
        fork = parent is not None and (process.argv == parent.argv or line.child)
        if parent is not None and fork:
            above = lines.of(parent)
            if above.role == "worker+beat":
                found.holders.append(Holder(process, _schedule(above, process.cwd), fork=True))
        else:
            _living(process, line, found)
            if line.role == "other" and beats and is_python(process) and _program(process) in beats:
                schedule = _schedule(line, process.cwd)
                found.holders.append(Holder(process, schedule, fork=False, scripted=True))
    spaces = {s.id: _pid_ns(s.key, by_pid) for s in supervisords}
    places = {(c.supervisor, c.group, c.name): c for c in configs}
    for config in configs:
        configured = known_line(config)
        if configured is not None:
            _configured(config, configured, spaces.get(config.supervisor), found)
    for word in words:
        program = places.get((word.supervisor, word.group, word.name))
        _refused(word, program, spaces.get(word.supervisor), found)
    return Targets(
        tuple(found.pidfiles.values()), tuple(found.schedules.values()), tuple(found.holders)
    )


def _anothers(
    above: Process | None, by_pid: Mapping[int, Process], told: set[ProcessKey | None]
) -> bool:
    """Whether what `above` has begun is a supervisord's that is not looked at (--supervisor): its
    files are that one's affair."""
    for _ in range(16):
        if above is None or runs_supervisord(above.argv):
            break
        above = by_pid.get(above.ppid)
    return above is not None and runs_supervisord(above.argv) and above.key not in told


def _program(process: Process) -> tuple[str, str]:
    env = process.env or {}
    return env.get("SUPERVISOR_GROUP_NAME", ""), env.get("SUPERVISOR_PROCESS_NAME", "")


def _pid_ns(key: ProcessKey | None, by_pid: Mapping[int, Process]) -> int | None:
    process = by_pid.get(key.pid) if key else None
    return process.pid_ns if process else None


def _living(process: Process, line: CommandLine, found: _Found) -> None:
    if line.role not in _PIDFILED:
        return
    for path, guessed in _pidfiles(line, process.cwd):
        named = Named(path, process.pid, None, process.pid_ns, guessed)
        found.add(found.pidfiles, named)
    if line.role in SCHEDULING:
        schedule = _schedule(line, process.cwd)
        if schedule is not None:
            found.add(found.schedules, Named(schedule, process.pid, None, process.pid_ns))
        found.holders.append(Holder(process, schedule, fork=False))


def _configured(
    config: ProgramConfig, line: CommandLine, pid_ns: int | None, found: _Found
) -> None:
    if line.role not in _PIDFILED:
        return
    for path, guessed in _pidfiles(line, config.directory):
        found.add(found.pidfiles, Named(path, None, config.supervisor, pid_ns, guessed))
    schedule = _schedule(line, config.directory) if line.role in SCHEDULING else None
    if schedule is not None:
        found.add(found.schedules, Named(schedule, None, config.supervisor, pid_ns))


def _refused(
    word: LastWords, config: ProgramConfig | None, pid_ns: int | None, found: _Found
) -> None:
    line = known_line(config) if config else None
    for text in word.lines:
        match = _TAKEN.search(text)
        cwd = config.directory if config else None
        path = absolute(match["path"], cwd, line.workdir if line else None) if match else None
        if path is not None:
            found.add(found.pidfiles, Named(path, None, word.supervisor, pid_ns))


def _pidfiles(line: CommandLine, cwd: str | None) -> list[tuple[str, bool]]:
    """(path, whether it is only a guess)."""
    if line.pidfile is not None:
        path = None if "%" in line.pidfile else absolute(line.pidfile, cwd, line.workdir)
        return [(path, False)] if path else []
    default = absolute(_DEFAULT_PIDFILE, cwd, line.workdir) if line.role == "beat" else None
    return [(default, True)] if default else []


def _schedule(line: CommandLine, cwd: str | None) -> str | None:
    if not default_scheduler(line.scheduler):
        return None
    return absolute(line.schedule or _DEFAULT_SCHEDULE, cwd, line.workdir)
