"""One round over the files of the box's beats."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.members import Lines
from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.source import SourceName, SourceStatus, Status
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord, namespec
from beattop.sources.celery.code import may_stand_by, places, starts_beat
from beattop.sources.celery.handles import read_handles
from beattop.sources.celery.holder import Holders
from beattop.sources.celery.pidfile import read_pidfile
from beattop.sources.celery.programlogs import program_logs
from beattop.sources.celery.schedule import read_schedule
from beattop.sources.celery.targets import Holder, Named, Targets, targets
from beattop.sources.celery.words import DeniedError, Logs, ProgramLog, Tail, last_words
from beattop.sources.mounts import shared
from beattop.sources.rooted import inode, inside, root_of, seen_prefix
from beattop.sources.supervisor.client import ReadClient
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import CALL_ERRORS
from beattop.text import clean

Touch = Callable[[str], bool]
"""Called before each path is looked at; False: leave it alone, it hangs."""
ServerOf = Callable[[str], Server | None]
_ASK_AGAIN_S = 60.0
_HANDLES_EVERY_S = 8.0
"""psutil reads every TCP connection of the box to find one process's."""
_HANDLES_YOUNG_S = 20.0
_PIDFILE_WORDS: dict[str, tuple[Status, str]] = {
    "ok": ("ok", ""),
    "absent": ("absent", "no such file: no beat holds it now"),
    "denied": ("denied", "it may not be read, or whose pid it holds may not be seen: use sudo"),
    "garbage": ("degraded", "it holds no number: Celery takes it for broken and removes it"),
}
_SCHEDULE_WORDS: dict[str, tuple[Status, str]] = {
    "ok": ("ok", ""),
    "absent": ("absent", "no such file: not written yet, or the scheduler keeps none"),
    "denied": ("denied", "it may not be seen: run beattop as its owner or with sudo"),
    "garbage": ("degraded", "it is no file"),
}
_HUNG = "its disk does not answer (a hung network file system?)"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the collector knows of the box when a round begins."""

    processes: tuple[Process, ...] = ()
    usage: tuple[Usage, ...] = ()
    programs: tuple[ProgramState, ...] = ()
    configs: tuple[ProgramConfig, ...] = ()
    supervisords: tuple[Supervisord, ...] = ()


@dataclass(frozen=True, slots=True)
class BeatReading:
    """What is known at this moment."""

    pidfiles: tuple[Pidfile, ...] = ()
    schedules: tuple[ScheduleFile, ...] = ()
    handles: tuple[Handles, ...] = ()
    last_words: tuple[LastWords, ...] = ()
    sources: tuple[SourceStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A file as it is reached, with all the names that lead to it."""

    names: tuple[str, ...]
    pid_ns: int | None
    guessed: bool


@dataclass(frozen=True, slots=True)
class _Root:
    """Another root and how its paths are named."""

    path: str = ""
    prefix: str = ""
    inode: tuple[int, int] | None = None


class Round:
    """Looks again and again, remembering what need not be read twice; used by one thread."""

    def __init__(self, touch: Touch, server_of: ServerOf) -> None:
        self._touch = touch
        self._server_of = server_of
        self._logs = Logs()
        self._lines = Lines()
        self._known: dict[ProcessKey, tuple[float, Handles]] = {}
        """(when to look again, what it held)."""
        self._asked: dict[tuple[str, str, str], tuple[float, LastWords | None]] = {}
        self._roots: dict[ProcessKey, _Root] = {}
        self._sources: list[SourceStatus] = []

    def look(self, seen: Seen) -> BeatReading:
        """Everything anew."""
        self._sources = []
        dead = {u.key for u in seen.usage if u.state in "ZX"}
        living = [p for p in seen.processes if p.key not in dead]
        self._trim(living)
        words = tuple(self._words(seen))
        todo = targets(living, seen.configs, seen.supervisords, words, self._lines)
        roots = {s.id: s.root for s in seen.supervisords}
        holders = Holders(living)
        beats = {h.process.key for h in todo.holders}
        return BeatReading(
            tuple(self._pidfiles(self._places("pidfile", todo.pidfiles, roots), holders, beats)),
            tuple(self._schedules(self._places("schedule", todo.schedules, roots))),
            tuple(self._handles(todo)),
            words,
            tuple(self._sources),
        )

    def _trim(self, living: Sequence[Process]) -> None:
        alive = {p.key for p in living}
        self._lines.trim(alive)
        self._known = {k: v for k, v in self._known.items() if k in alive}
        self._roots = {k: v for k, v in self._roots.items() if k in alive}
        for process in living:
            if process.key not in self._roots:
                self._roots[process.key] = _root(process.pid)

    def _tell(self, name: SourceName, path: str, status: Status, detail: str) -> None:
        at = time.time() if status == "ok" else None
        self._sources.append(SourceStatus(name, clean(path), status, detail, at))

    def _places(
        self, name: SourceName, found: Iterable[Named], roots: dict[str, str]
    ) -> dict[str, _Place]:
        """By the path as it is reached."""
        by_pid = {key.pid: root for key, root in self._roots.items()}
        # One root may be reached through several processes: the supervisord's goes first.
        first: dict[tuple[int, int] | None, str] = {inode(r): r for r in roots.values() if r}
        for root in by_pid.values():
            first.setdefault(root.inode, root.path)
        out: dict[str, _Place] = {}
        for one in found:
            its = by_pid.get(one.pid or 0, _Root())
            root_path = first[its.inode] if one.pid else roots.get(one.supervisor or "", "")
            full = root_path + one.path.removeprefix(its.prefix)
            if not self._touch(full):
                self._tell(name, full, "timeout", _HUNG)
                continue
            path = inside(root_path, full[len(root_path) :])
            known = out.get(path)
            names = (*known.names, one.path) if known else (one.path,)
            out[path] = _Place(
                tuple(dict.fromkeys(names)),
                one.pid_ns if known is None or known.pid_ns is None else known.pid_ns,
                one.guessed and (known is None or known.guessed),
            )
        return out

    def _pidfiles(
        self, places: dict[str, _Place], holders: Holders, beats: set[ProcessKey]
    ) -> Iterable[Pidfile]:
        network = shared() if places else {}
        for path, place in places.items():
            if not self._touch(path):
                continue
            fact = read_pidfile(path, place.names, place.pid_ns, holders, network)
            if place.guessed and fact.holder not in beats:
                continue
            self._tell("pidfile", path, *_PIDFILE_WORDS[fact.status])
            yield fact

    def _schedules(self, places: dict[str, _Place]) -> Iterable[ScheduleFile]:
        for path, place in places.items():
            if self._touch(path):
                fact = read_schedule(path, place.names)
                self._tell("schedule", path, *_SCHEDULE_WORDS[fact.status])
                yield fact

    def _handles(self, todo: Targets) -> Iterable[Handles]:
        for target in todo.holders:
            told = self._held(target)
            if not told.readable and not target.fork:
                words = "its open files may not be seen: run beattop as its owner or with sudo"
                self._tell("schedule", f"pid {target.process.pid}", "denied", words)
            yield told

    def _held(self, target: Holder) -> Handles:
        key = target.process.key
        due, told = self._known.get(key, (0.0, None))
        if told is not None and time.monotonic() < due:
            return told
        root = self._roots.get(key, _Root())
        before, told = told, read_handles(target, root.path, root.prefix)
        process = target.process
        known = before is not None or all(map(self._touch, places(process, root.path)))
        if known and not (target.fork and told.pipes):
            starts, waits = _coded(target, before, root)
            told = replace(told, starts_beat=starts, may_stand_by=waits)
        # A young one opens its schedule and connects to its broker yet; a pool child stays one.
        young = time.time() - target.process.started_at < _HANDLES_YOUNG_S
        wait_s = math.inf if target.fork and told.pipes else 0.0 if young else _HANDLES_EVERY_S
        self._known[key] = (time.monotonic() + wait_s, told)
        return told

    def _words(self, seen: Seen) -> Iterable[LastWords]:
        logs = program_logs(
            seen.processes, seen.programs, seen.configs, seen.supervisords, time.time()
        )
        self._logs.keep({log.key for log in logs})
        for log in logs:
            if not all(self._touch(log.root + p) for p in (log.stdout, log.stderr) if p):
                self._tell("programlog", log.stderr or log.stdout or "", "timeout", _HUNG)
                continue
            try:
                words = self._logs.read(log.reached())
            except DeniedError as denied:
                words = self._ask(log)
                if words is None:
                    detail = f"{namespec(log.group, log.name)}'s own log may not be read: use sudo"
                    self._tell("programlog", str(denied), "denied", detail)
            if words is not None:
                yield words

    def _ask(self, log: ProgramLog) -> LastWords | None:
        """By supervisord, which may read what we may not; rarely: each question wakes it."""
        asked_at, words = self._asked.get(log.key, (0.0, None))
        server = self._server_of(log.supervisor)
        if not log.troubled or server is None or time.monotonic() - asked_at < _ASK_AGAIN_S:
            return words
        told = _tail(server, log)
        if told is not None:
            words = last_words(log, told, words.sent_at if words else None)
        self._asked[log.key] = (time.monotonic(), words)
        return words


def _coded(target: Holder, before: Handles | None, root: _Root) -> tuple[bool, bool | None]:
    """Whether its script starts a beat, and its scheduler may wait: read once in its life."""
    if before is not None:
        return before.starts_beat, before.may_stand_by
    process = target.process
    starts = target.scripted and starts_beat(process, root.path)
    return starts, may_stand_by(process, root.path)


def _root(pid: int) -> _Root:
    path = root_of(pid)
    return _Root(path, seen_prefix(pid), inode(path)) if path else _Root()


def _tail(server: Server, log: ProgramLog) -> Tail | None:
    channel = "stderr" if log.stderr else "stdout"
    try:
        text = ReadClient(server).tail(namespec(log.group, log.name), channel)
    except CALL_ERRORS:
        return None
    return Tail(log.stderr or log.stdout or "", text.encode(), None)
