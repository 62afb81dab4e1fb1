"""Snapshots and findings put together by hand, for plans and their execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beattop.model.box import Host, Viewer
from beattop.model.commandline import CommandLine
from beattop.model.files import Pidfile
from beattop.model.finding import Finding, Keep, LastingFix, Target
from beattop.model.frame import Frame
from beattop.model.lives import Life
from beattop.model.process import Process, ProcessKey
from beattop.model.role import Role
from beattop.model.snapshot import (
    Beat,
    BeatKey,
    CpuSplit,
    Member,
    Program,
    ProgramId,
    Snapshot,
)
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, Supervisord

URL = "unix:///run/supervisor.sock"
AT = 1_795_402_549.0
SUPERVISORD = ProcessKey(100, 1000)


def pid_of(name: str, group: str | None = None, url: str = URL) -> ProgramId:
    return ProgramId(url, group or name, name)


def member(pid: int, role: Role = "beat", *, start: int | None = None, ppid: int = 100) -> Member:
    process = Process(
        key=ProcessKey(pid, start if start is not None else pid * 10),
        ppid=ppid,
        pgrp=pid,
        session=1,
        uid=0,
        user="root",
        comm="celery",
        argv=("celery", "-A", "proj", role),
        cwd="/srv/proj",
        exe=None,
        started_at=AT - 100,
        env=None,
        cgroup=None,
        ns_pid=pid,
        pid_ns=None,
    )
    return Member(process, role, CommandLine(role), "S", ppid, 0.0, 1, 1.0)


def config(name: str, group: str | None = None, url: str = URL, **entries: Any) -> ProgramConfig:
    values: dict[str, Any] = {
        "command": "celery -A proj beat",
        "directory": "/srv/proj",
        "user": None,
        "autostart": True,
        "autorestart": "true",
        "startsecs": 1.0,
        "startretries": 3,
        "exitcodes": (0,),
        "stopsignal": "TERM",
        "stopwaitsecs": 10.0,
        "stopasgroup": False,
        "killasgroup": False,
        "redirect_stderr": True,
        "stdout_log": None,
        "stderr_log": None,
        "env": (),
        "section": f"program:{name}",
        "file": "/etc/supervisord.conf",
        "line": 7,
        "order": 0,
        "after": (),
        **entries,
    }
    return ProgramConfig(supervisor=url, group=group or name, name=name, **values)


def program(
    name: str,
    pid: int | None = None,
    *,
    group: str | None = None,
    url: str = URL,
    role: Role = "beat",
    state: str | None = "RUNNING",
    respawning: bool = False,
    members: Sequence[Member] | None = None,
    lives: Sequence[float] = (),
    conf: ProgramConfig | str | None = "default",
) -> Program:
    """`lives` are lifetimes in seconds."""
    if members is None:
        members = (member(pid, role),) if pid is not None else ()
    return Program(
        id=pid_of(name, group, url),
        role=role,
        state=state,  # type: ignore[arg-type]
        state_at=AT,
        pid=pid,
        started_at=AT - 100,
        uptime_s=100.0,
        respawning=respawning,
        periodic=False,
        spawns_per_min=None,
        spawns=None,
        exits=None,
        first_seen_at=None,
        history_complete=False,
        lifetime_median_s=None,
        last_exit=None,
        cpu_pct=0.0,
        churn_pct=0.0,
        rss_bytes=1,
        last_error=None,
        members=tuple(members),
        config=config(name, group, url) if conf == "default" else conf,  # type: ignore[arg-type]
        lives=tuple(Life(1, AT - 50, AT - 50 + s) for s in lives),
    )


def beat(
    of: Program | None = None,
    pid: int | None = None,
    *,
    health: str | None = "working",
    app: str = "proj",
    cwd: str = "/srv/proj",
    **more: Any,
) -> Beat:
    """A beat of a program (its leader by default), or an unmanaged one."""
    if pid is None and of is not None and of.leader is not None:
        pid = of.leader.process.pid
    return Beat(
        key=BeatKey(app, cwd, None),
        pid=pid,
        namespec=of.namespec if of else None,
        supervisor=of.id.supervisor if of else None,
        embedded=more.pop("embedded", False),
        health=health,  # type: ignore[arg-type]
        pidfile=more.pop("pidfile", None),
        schedule=more.pop("schedule", None),
        scheduler=None,
        program=of.id if of else None,
        process=ProcessKey(pid, pid * 10) if pid is not None else None,
        main_pid=more.pop("main_pid", pid),
        state="S" if pid is not None else None,
        unmanaged=of is None,
        **more,
    )


def supervisord(url: str = URL, **more: Any) -> Supervisord:
    values: dict[str, Any] = {
        "key": SUPERVISORD,
        "conf": "/etc/supervisord.conf",
        "root": "",
        "log": None,
        "url": url,
        "version": "4.3.0",
        "server_state": "RUNNING",
        "answered_at": AT,
        "ctl": ("supervisorctl", "-c", "/etc/supervisord.conf"),
        "answers": True,
        **more,
    }
    return Supervisord(id=url, **values)


def snapshot(
    programs: Sequence[Program] = (),
    beats: Sequence[Beat] = (),
    *,
    supervisords: Sequence[Supervisord] | None = None,
    pidfiles: Sequence[Pidfile] = (),
    sources: Sequence[SourceStatus] = (),
    viewer_pid: int = 1,
) -> Snapshot:
    return Snapshot(
        at=AT,
        observed_s=2.0,
        host=Host("box1", 2, AT - 1000, 100),
        viewer=Viewer(0, "root", False, viewer_pid),
        cpu=CpuSplit(2, None, None, None, None),
        load=(0.0, 0.0, 0.0),
        sources=tuple(sources),
        supervisords=tuple(supervisords if supervisords is not None else (supervisord(),)),
        supervisord_members=(),
        programs=tuple(programs),
        unmanaged=(),
        beats=tuple(beats),
        pidfiles=tuple(pidfiles),
    )


def target(of: Program, via: str = "xmlrpc", **more: Any) -> Target:
    leader = of.leader
    return Target(
        supervisor=of.id.supervisor,
        namespec=of.namespec,
        pid=leader.process.pid if leader else None,
        via=via,  # type: ignore[arg-type]
        command=f"supervisorctl -c /etc/supervisord.conf stop {of.namespec}",
        program=of.id,
        process=leader.key if leader else None,
        why=more.pop("why", "surplus"),
    )


def outsider(pid: int, via: str = "signal", why: str = "started by hand") -> Target:
    return Target(
        None,
        None,
        pid,
        via,  # type: ignore[arg-type]
        f"kill -TERM {pid}",
        process=ProcessKey(pid, pid * 10),
        why=why,
    )


def keep(of: Beat) -> Keep:
    return Keep(of.supervisor, of.namespec, of.pid, of.program, of.process, "holds the pidfile")


def finding(
    stop: Sequence[Target],
    keeps: Sequence[Keep] = (),
    *,
    kind: str = "duplicate-beat",
    certainty: str = "certain",
    lasting: str = "remove [program:beat2]",
    **more: Any,
) -> Finding:
    return Finding(
        kind=kind,  # type: ignore[arg-type]
        severity="critical",
        certainty=certainty,  # type: ignore[arg-type]
        summary="beat2 is a second beat of proj",
        effect="respawning",
        programs=more.pop("programs", tuple(t.program for t in stop if t.program)),
        pids=tuple(t.pid for t in stop if t.pid),
        evidence=("exit 73",),
        keep=tuple(keeps),
        stop=tuple(stop),
        lasting=LastingFix(lasting),
        **more,
    )


def frame(shot: Snapshot, findings: Sequence[Finding]) -> Frame:
    return Frame(shot, tuple(findings), ())


def looping_pair(lives: Sequence[float] = (1.0, 1.4)) -> tuple[Snapshot, Finding]:
    """The original incident: beat works, beat2 is respawned for ever."""
    first = program("beat", 201)
    second = program("beat2", 202, respawning=True, lives=lives)
    kept = beat(first)
    shot = snapshot([first, second], [kept, beat(second, health="respawning")])
    return shot, finding([target(second)], [keep(kept)])
