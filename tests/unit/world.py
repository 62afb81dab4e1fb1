"""A made-up box: processes, a supervisord and its log, as samples; time moves only when told."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace

from beattop.diagnosis import diagnose
from beattop.model.box import CpuTimes, Host, Viewer
from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.lifecycle import Exit
from beattop.model.logevents import LogEvent
from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.sample import Sample
from beattop.model.snapshot import Program, Snapshot
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord
from beattop.model.timeline import Timeline
from beattop.reports.document import document
from tests import shape

BOOT = 1_790_000_000.0
START = BOOT + 1_000_000.0
HZ = 100
made: list[World] = []
"""By the present test, for what it makes beattop say (approved.py)."""
URL = "unix:///run/supervisor.sock"
CONF = "/etc/supervisor/supervisord.conf"


@dataclass
class Proc:
    process: Process
    cpu_s: float = 0.1
    dead_s: float = 0.0
    state: str = "S"
    ppid: int = 1

    @property
    def pid(self) -> int:
        return self.process.pid


@dataclass
class World:
    now: float = START
    uid: int = 0
    viewer_ns: int | None = None
    window_s: float | None = None
    procs: dict[int, Proc] = field(default_factory=dict)
    servers: list[Supervisord] = field(default_factory=list)
    states: dict[tuple[str, str, str], ProgramState] = field(default_factory=dict)
    configs: dict[tuple[str, str, str], ProgramConfig] = field(default_factory=dict)
    pidfiles: dict[str, Pidfile] = field(default_factory=dict)
    schedules: dict[str, ScheduleFile] = field(default_factory=dict)
    handles: dict[ProcessKey, Handles] = field(default_factory=dict)
    words: dict[tuple[str, str, str], LastWords] = field(default_factory=dict)
    sources: list[SourceStatus] = field(default_factory=list)
    limited_to: tuple[str, ...] = ()
    logged: bool = True
    boot: float | None = None
    """Set, samples tell the time since then too, which `set_clock` leaves alone."""
    _events: list[LogEvent] = field(default_factory=list)
    _exits: list[Exit] = field(default_factory=list)
    _next: int = 100
    busy_s: float = 0.0

    def __post_init__(self) -> None:
        made.append(self)
        self.timeline = Timeline(self.window_s)
        self.snapshot: Snapshot | None = None
        self.findings: tuple[Finding, ...] = ()

    # The box

    def process(
        self, command: str, *, ppid: int = 1, cwd: str | None = "/srv/proj", age: float = 0.0,
        env: dict[str, str] | None = None, pgrp: int | None = None, uid: int = 1000,
        cgroup: str | None = None, pid_ns: int = 1, pid: int | None = None,
    ) -> Proc:  # fmt: skip
        self._next += 1
        pid = pid or self._next
        started = self.now - age
        key = ProcessKey(pid, round((started - (self.boot or BOOT)) * HZ))
        argv = tuple(shlex.split(command))
        process = Process(
            key, ppid, pgrp or pid, 1, uid, "root" if uid == 0 else "app",
            argv[0].rsplit("/")[-1][:15], argv, cwd, argv[0], started, env or {}, cgroup, pid, pid_ns,
        )  # fmt: skip
        found = Proc(process, ppid=ppid)
        self.procs[pid] = found
        return found

    def supervisord(
        self, url: str = URL, conf: str = CONF, *, answers: bool | None = True, age: float = 86400
    ) -> Supervisord:
        own = self.process(f"/usr/bin/python3 /usr/bin/supervisord -n -c {conf}", age=age, uid=0)
        server = Supervisord(
            url, own.process.key, conf, "", "/var/log/supervisord.log", url, "4.3.0", "RUNNING",
            self.now, ("supervisorctl", "-c", conf), answers,
        )  # fmt: skip
        self.servers.append(server)
        status = "ok" if answers else "timeout"
        self.sources.append(
            SourceStatus("supervisor", url, status, "" if answers else "no answer in 1.5 s")
        )
        return server

    def program(
        self, name: str, command: str, *, group: str | None = None, cwd: str | None = "/srv/proj",
        state: str = "RUNNING", server: Supervisord | None = None, line: int = 1, numprocs: int = 1,
        env: tuple[tuple[str, str], ...] = (), **conf: object,
    ) -> None:  # fmt: skip
        server = server or self.servers[0]
        key = (server.id, group or name, name)
        self.configs[key] = replace(
            ProgramConfig(
                server.id, group or name, name, command, cwd, None, True, "true", 1.0, 3, (0,), "TERM", 10.0,
                False, False, True, f"/var/log/{name}.log", None, env, f"program:{name}", CONF, line,
                len(self.configs), (f"[program:{name}]", f"command={command}"), numprocs, (),
            ), **conf,
        )  # fmt: skip
        self.state(name, state, group=group, server=server)

    def state(
        self,
        name: str,
        state: str,
        *,
        group: str | None = None,
        server: Supervisord | None = None,
        pid: int = 0,
    ) -> None:
        server = server or self.servers[0]
        self.states[server.id, group or name, name] = ProgramState(
            server.id, group or name, name, state, self.now, pid, self.now if pid else 0, 0, "", 0,
            f"/var/log/{name}.log", None,
        )  # fmt: skip

    def log(
        self, kind: str, name: str, *, server: Supervisord | None = None, **more: object
    ) -> None:
        if self.logged:
            self._events.append(
                LogEvent(self.now, (server or self.servers[0]).id, kind, name, **more)
            )

    def spawn(
        self,
        name: str,
        command: str | None = None,
        *,
        group: str | None = None,
        age: float = 0.0,
        server: Supervisord | None = None,
        **more: object,
    ) -> Proc:
        server = server or self.servers[0]
        key = (server.id, group or name, name)
        config = self.configs.get(key)
        more.setdefault("cwd", config.directory if config else None)
        env = {
            "SUPERVISOR_ENABLED": "1",
            "SUPERVISOR_PROCESS_NAME": name,
            "SUPERVISOR_GROUP_NAME": group or name,
            "SUPERVISOR_SERVER_URL": server.id,
        }
        env |= dict(config.env) if config else {}
        env |= more.pop("env", None) or {}
        found = self.process(
            command or config.command, ppid=server.key.pid, age=age, env=env, **more
        )
        now, self.now = self.now, self.now - age
        self.log("spawned", name, server=server, pid=found.pid)
        self.now = now
        self.state(name, "RUNNING", group=group, server=server, pid=found.pid)
        return found

    def end(
        self,
        proc: Proc,
        name: str,
        *,
        status: int | None = 0,
        signal: str | None = None,
        requested: bool = False,
        expected: bool = False,
        told: bool = True,
        server: Supervisord | None = None,
    ) -> None:
        """A leader ends and is reaped by its supervisord."""
        server = server or self.servers[0]
        del self.procs[proc.pid]
        self.procs[server.key.pid].dead_s += proc.cpu_s + proc.dead_s
        kind = "stopped" if requested else "exited"
        self.log(
            kind,
            name,
            server=server,
            status=None if signal else status,
            signal=signal,
            expected=None if requested else expected,
        )
        if told:
            self._exits.append(
                Exit(self.now, proc.pid, server.key.pid, proc.process.key.start_ticks, proc.process.started_at,
                     None if signal else status, signal, proc.cpu_s + proc.dead_s)
            )  # fmt: skip

    def loop(
        self,
        name: str,
        times: int,
        life: float = 2.2,
        *,
        status: int = 73,
        cpu: float = 1.0,
        pause: float = 0.5,
        signal: str | None = None,
        server: Supervisord | None = None,
        told: bool = True,
    ) -> None:
        """A program lives and dies so many times, with a look in each life."""
        for _ in range(times):
            proc = self.spawn(name, server=server)
            proc.cpu_s = 0.0
            self.pass_(life / 2)
            proc.cpu_s = cpu / 2
            self.look()
            self.pass_(life / 2)
            proc.cpu_s = cpu
            self.end(proc, name, status=status, signal=signal, server=server, told=told)
            self.look()
            self.pass_(pause)

    def pidfile(
        self, path: str, holder: Proc | None, *, pid: int | None = None, age: float = 3600.0
    ) -> None:
        self.pidfiles[path] = Pidfile(
            path, "ok", pid or (holder.pid if holder else None), self.now - age,
            holder.process.key if holder else None, holder.process.argv if holder else (),
            holder.process.user if holder else None, holder.process.started_at if holder else None,
        )  # fmt: skip

    def schedule(self, path: str, age: float = 30.0) -> None:
        self.schedules[path] = ScheduleFile(path, "ok", self.now - age, 16384, hash(path) % 10000)

    def holds(
        self,
        proc: Proc,
        *paths: str,
        deleted: tuple[str, ...] = (),
        peers: tuple[str, ...] = (),
        pipes: int = 0,
    ) -> None:
        self.handles[proc.process.key] = Handles(
            proc.process.key, paths, deleted, tuple((1, hash(p) % 10000) for p in paths if p not in deleted), peers, True, pipes,
        )  # fmt: skip

    def say(
        self, name: str, *lines: str, group: str | None = None, sent_ago: float | None = None
    ) -> None:
        key = (self.servers[0].id, group or name, name)
        sent = self.now - sent_ago if sent_ago is not None else None
        self.words[key] = LastWords(*key, lines, self.now, sent, f"/var/log/{name}.log")

    # Time

    def pass_(self, seconds: float) -> None:
        self.now += seconds

    def set_clock(self, by: float) -> None:
        """As settimeofday(2): the sampler moves the boot and all starts with it."""
        assert self.boot is not None
        self.now += by
        self.boot += by
        for proc in self.procs.values():
            began = proc.process.started_at + by
            proc.process = replace(proc.process, started_at=began)

    def look(self) -> Snapshot:
        events, self._events = self._events, []
        exits, self._exits = self._exits, []
        used = sum(p.cpu_s + p.dead_s for p in self.procs.values())
        self.busy_s = max(self.busy_s, used)
        sample = Sample(
            self.now, Host("box1", 2, self.boot or BOOT, HZ), Viewer(self.uid, "root", False, 1, self.viewer_ns),
            CpuTimes(self.busy_s, 0.0, 0.0, (0.5, 0.4, 0.3)),
            tuple(p.process for p in self.procs.values()),
            tuple(
                Usage(p.process.key, p.ppid, p.process.pgrp, p.state, p.cpu_s, p.dead_s, 40_000_000)
                for p in self.procs.values()
            ),
            tuple(exits), tuple(self.servers), tuple(self.states.values()), tuple(self.configs.values()),
            tuple(events), (), tuple(self.pidfiles.values()), tuple(self.schedules.values()),
            tuple(self.handles.values()), tuple(self.words.values()),
            (SourceStatus("processes", "", "ok"), *self.sources), limited_to=self.limited_to,
            up_s=None if self.boot is None else self.now - self.boot,
        )  # fmt: skip
        self.sample = sample
        self.snapshot = self.timeline.add(sample)
        self.findings = diagnose(self.snapshot)
        shape.check(document(Frame(self.snapshot, self.findings, ())))
        return self.snapshot

    def the(self, namespec: str, server: Supervisord | None = None) -> Program:
        assert self.snapshot is not None
        wanted = (server or self.servers[0]).id
        return next(
            p
            for p in self.snapshot.programs
            if p.namespec == namespec and p.id.supervisor == wanted
        )

    def kinds(self, *severities: str) -> list[str]:
        return [f.kind for f in self.findings if not severities or f.severity in severities]
