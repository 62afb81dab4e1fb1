"""Made-up processes and servers."""

from __future__ import annotations

from dataclasses import replace

from beattop.model.process import Process, ProcessKey
from beattop.model.supervisor import ProgramConfig, ProgramState

SOMEONE = Process(
    key=ProcessKey(100, 1000),
    ppid=1,
    pgrp=100,
    session=100,
    uid=1000,
    user="ops",
    comm="supervisord",
    argv=("supervisord", "-c", "/etc/s.conf"),
    cwd="/",
    exe=None,
    started_at=1000.0,
    env=None,
    cgroup=None,
    ns_pid=100,
    pid_ns=None,
)


def process(pid: int, argv: str, **more: object) -> Process:
    made = replace(SOMEONE, key=ProcessKey(pid, pid * 10), ns_pid=pid, argv=tuple(argv.split()))
    return replace(made, **more)  # type: ignore[arg-type]


def state(group: str, name: str, supervisor: str = "s") -> ProgramState:
    return ProgramState(supervisor, group, name, "RUNNING", 0, 1, 0, 0, "", 0, None, None)


def config(group: str, name: str, **more: object) -> ProgramConfig:
    made = ProgramConfig(
        supervisor="",
        group=group,
        name=name,
        command="sleep 1",
        directory=None,
        user=None,
        autostart=True,
        autorestart="unexpected",
        startsecs=1,
        startretries=3,
        exitcodes=(0,),
        stopsignal="SIGTERM",
        stopwaitsecs=10,
        stopasgroup=False,
        killasgroup=False,
        redirect_stderr=False,
        stdout_log=None,
        stderr_log=None,
        env=(),
        section=f"program:{name}",
        file="/etc/s.conf",
        line=1,
        order=0,
    )
    return replace(made, **more)  # type: ignore[arg-type]
