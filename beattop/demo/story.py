"""What happened: a second beat was added beside the first, with the same pidfile."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from collections.abc import Sequence
from pathlib import Path

from beattop.demo import project
from beattop.demo.environment import SOCKET

PIDFILE = "run/beat.pid"
_SCHEDULE = "run/beat-schedule"
_FOLDERS = ("app", "broker/messages", "broker/control", "home", "log", "run")
# Longer than startsecs=1, so that supervisord takes every refused beat for a good start.
_IMPORT_CPU_S = 1.7
_EVERY_S = 3.0


def write(folder: Path, celery: Sequence[str], *, root: bool) -> Path:
    """Write the project and the conf into `folder`; returns the conf's path.

    root: supervisord runs as root, and wants to be told that it is meant.
    """
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True)
    (folder / "app" / "shop.py").write_text(
        project.app_module(
            "shop",
            root=folder,
            import_cpu_s=_IMPORT_CPU_S,
            every_s=_EVERY_S,
            second=("beat2",),
            pidfile=PIDFILE,
            schedule=_SCHEDULE,
        )
    )
    conf = folder / "supervisord.conf"
    conf.write_text("\n".join(_conf(folder, celery, root)))
    return conf


def _conf(folder: Path, celery: Sequence[str], root: bool) -> list[str]:
    beat = project.command(
        *celery, "-A", "shop", "beat", "-l", "info",
        f"--pidfile={folder / PIDFILE}", "-s", folder / _SCHEDULE,
    )  # fmt: skip
    worker = project.command(*celery, "-A", "shop", "worker", "-l", "info", "-c", "2")
    return [
        "; supervisord.conf of the shop. This is beattop's demo: it goes when beattop goes.",
        "",
        project.section("unix_http_server", {"file": folder / SOCKET, "chmod": "0700"}),
        project.section(
            "supervisord",
            {
                "logfile": folder / "log" / "supervisord.log",
                "pidfile": folder / "run" / "supervisord.pid",
                "childlogdir": folder / "log",
                "minfds": 128,
                "minprocs": 32,
                "user": "root" if root else None,
            },
        ),
        project.section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": ("supervisor.rpcinterface:make_main_rpcinterface")},
        ),
        project.section("supervisorctl", {"serverurl": f"unix://{folder / SOCKET}"}),
        "; Sends the periodic tasks. There must be one, and only one.",
        _program(folder, "beat", beat),
        "; Added with the move to the new server; the old one above was to go, and was forgotten.",
        _program(folder, "beat2", beat),
        "; Carries the tasks out.",
        _program(folder, "worker", worker),
    ]


def _program(folder: Path, name: str, command: str) -> str:
    return project.section(
        f"program:{name}",
        {
            "command": command,
            "directory": folder / "app",
            "autostart": "true",
            "autorestart": "true",
            "redirect_stderr": "true",
            "stdout_logfile": folder / "log" / f"{name}.log",
        },
    )


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = str(path)

    def connect(self) -> None:
        """To the unix socket, within the timeout."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def answers(path: Path, timeout_s: float = 2.0) -> bool:
    """True where a supervisord answers on the unix socket `path`."""
    connection = _Connection(path, timeout_s)
    try:
        body = xmlrpc.client.dumps((), "supervisor.getState")
        connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
