"""What the frames of frames.py are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from beattop.model.box import Host, Viewer
from beattop.model.commandline import classify
from beattop.model.lives import Life
from beattop.model.process import Process, ProcessKey
from beattop.model.snapshot import (
    CpuSplit,
    Member,
    Program,
    ProgramId,
    Snapshot,
)
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, Supervisord

AT = 1_795_402_549.0
"""Sunday 22 Nov 2026, 20:55:49 UTC."""
URL = "unix:///run/supervisor.sock"
HOST = Host("box1", 2, AT - 112 * 86400, 100)
DAY = 86400.0
LOOP_S = 2.7
LIFE_S = 2.2


def pid_(name: str, group: str = "") -> ProgramId:
    return ProgramId(URL, group or name, name)


def process(pid: int, argv: str, started_at: float, ppid: int = 700, user: str = "app") -> Process:
    return Process(
        ProcessKey(pid, int((started_at - HOST.boot_at) * 100)), ppid, pid, pid, 1000, user, argv.split(maxsplit=1)[0].rsplit("/", maxsplit=1)[-1],
        tuple(argv.split(" ")), "/srv/proj", "/usr/bin/python3", started_at, {"DJANGO_SETTINGS_MODULE": "proj.settings"},
        None, pid, None,
    )  # fmt: skip


def member(
    pid: int,
    argv: str,
    started_at: float,
    cpu: float = 0.3,
    rss: int = 45_000_000,
    role: str | None = None,
    **kw,
) -> Member:
    p = process(pid, argv, started_at, **kw)
    line = classify(p.argv, p.cwd)
    return Member(p, role or line.role, line, "S", p.ppid, cpu, rss, 12.0)


def config(
    name: str,
    command: str,
    file: str = "/etc/supervisor/conf.d/proj.conf",
    line: int = 3,
    order: int = 0,
) -> ProgramConfig:
    return ProgramConfig(
        URL, name, name, command, "/srv/proj", "app", True, "true", 1.0, 3, (0,), "TERM", 10.0, False, False, False,
        f"/var/log/{name}.log", f"/var/log/{name}.err", (("DJANGO_SETTINGS_MODULE", "proj.settings"),),
        f"program:{name}", file, line, order,
    )  # fmt: skip


def program(
    name: str,
    argv: str = "/srv/venv/bin/python3 /srv/venv/bin/celery -A proj worker",
    *,
    pid: int | None = 1000,
    up_s: float = 3 * DAY,
    at: float = AT,
    cpu: float = 0.2,
    state: str | None = "RUNNING",
    role: str | None = None,
    children: int = 0,
    group: str = "",
    **kw,
) -> Program:
    members: tuple[Member, ...] = ()
    if pid is not None:
        lead = member(pid, argv, at - up_s, cpu)
        kids = [
            member(pid + n + 1, argv, at - up_s + 1, 0.1, 30_000_000, "pool", ppid=pid)
            for n in range(children)
        ]
        members = (lead, *kids)
    known = classify(tuple(argv.split(" ")), "/srv/proj").role
    id = pid_(name, group)
    defaults = {
        "respawning": False, "periodic": False, "spawns_per_min": None, "spawns": 1, "exits": 0, "first_seen_at": at - 30 * DAY,
        "history_complete": True, "lifetime_median_s": None, "last_exit": None, "churn_pct": 0.0, "last_error": None,
        "config": config(name, argv), "stdout_log": f"/var/log/{name}.log", "stderr_log": f"/var/log/{name}.err",
        "lives": (Life(pid, at - up_s),) if pid else (),
    }  # fmt: skip
    defaults.update(kw)
    return Program(
        id=id, role=role or known, state=state, state_at=at - 3, pid=pid, started_at=at - up_s if pid else None,
        uptime_s=up_s if pid else None, cpu_pct=cpu, rss_bytes=sum(m.rss_bytes or 0 for m in members) or None,
        members=members, **defaults,
    )  # fmt: skip


def sources(**trouble: tuple[str, str]) -> tuple[SourceStatus, ...]:
    out = [
        SourceStatus("processes", "", "ok", "", AT),
        SourceStatus("lifecycle", "", "ok", "A proc connector", AT),
        SourceStatus("supervisor", URL, "ok", "", AT - 3),
        SourceStatus("mainlog", "/var/log/supervisor/supervisord.log", "ok", "", AT),
        SourceStatus("conf", "/etc/supervisor/supervisord.conf", "ok", "", AT),
    ]
    return tuple(
        replace(s, status=trouble[s.name][0], detail=trouble[s.name][1]) if s.name in trouble else s
        for s in out
    )


def supervisord(at: float = AT, url: str = URL) -> Supervisord:
    return Supervisord(
        url, ProcessKey(700, 100), "/etc/supervisor/supervisord.conf", "", "/var/log/supervisor/supervisord.log", url, "4.3.0",
        "RUNNING", at - 3, ("supervisorctl", "-c", "/etc/supervisor/supervisord.conf"), True,
    )  # fmt: skip


def snapshot(programs: Sequence[Program], at: float = AT, **kw) -> Snapshot:
    defaults = {
        "observed_s": 60.0, "host": HOST, "viewer": Viewer(1000, "ops", False, 9999), "cpu": CpuSplit(2, 18.0, 12.0, 0.0, 6.0),
        "load": (0.3, 0.2, 0.2), "sources": sources(), "supervisords": (supervisord(at),), "supervisord_members": (), "unmanaged": (), "beats": (),
    }  # fmt: skip
    defaults.update(kw)
    return Snapshot(at=at, programs=tuple(programs), **defaults)
