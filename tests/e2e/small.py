"""A small real supervisord in a private folder, ended by pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from beattop.model.process import Process, ProcessKey

SLEEPER = f"{sys.executable} -c 'import time; time.sleep(120)'"


@dataclass
class Small:
    """What a test may do with it."""

    folder: Path
    conf: Path
    url: str
    child: subprocess.Popen[bytes]
    argv: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def process(self) -> Process:
        return seen(self.pid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def seen(pid: int) -> Process:
    """A live process as the process source would hand it over."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    process = psutil.Process(pid)
    return Process(
        key=ProcessKey(pid, int(fields[19])),
        ppid=process.ppid(),
        pgrp=os.getpgid(pid),
        session=os.getsid(pid),
        uid=process.uids().real,
        user=None,
        comm=process.name(),
        argv=tuple(process.cmdline()),
        cwd=process.cwd(),
        exe=process.exe(),
        started_at=process.create_time(),
        env=None,
        cgroup=None,
        ns_pid=pid,
        pid_ns=None,
    )


def until(condition, seconds: float = 10.0, what: str = "the condition"):
    """The first true value of `condition()`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def end(child: subprocess.Popen[bytes]) -> None:
    """supervisord and whatever it started, by pid and at once."""
    family = []
    if child.poll() is None:
        child.send_signal(signal.SIGSTOP)  # nothing is started again meanwhile
        try:
            family = psutil.Process(child.pid).children(recursive=True)
        finally:
            child.kill()
            child.wait(5)
    for process in family:
        try:
            process.kill()  # psutil checks the start time: never a stranger of the same pid
        except psutil.NoSuchProcess:
            continue


@contextmanager
def supervisord(
    programs: str = "",
    *,
    inet: tuple[str, str] | None = None,
    server: bool = True,
    interface: bool = True,
    args: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    head: str = "",
    relative: bool = False,
) -> Iterator[Small]:
    """A supervisord that answers; `inet` is (user, password) for a TCP server instead."""
    folder = Path(tempfile.mkdtemp(prefix="bt-"))
    conf = folder / "supervisord.conf"
    url = f"unix://{folder}/s.sock"
    lines = []
    if server and inet:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        lines += ["[inet_http_server]", f"port=127.0.0.1:{port}"]
        lines += [f"username={inet[0]}", f"password={inet[1].replace('%', '%%')}"]
    elif server:
        lines += ["[unix_http_server]", f"file={folder}/s.sock"]
    lines += ["[supervisord]", f"logfile={folder}/main.log", f"pidfile={folder}/s.pid"]
    lines += [f"childlogdir={folder}", *(["user=root"] if os.geteuid() == 0 else []), head]
    if interface:
        lines += ["[rpcinterface:supervisor]", "supervisor.rpcinterface_factory = "]
        lines[-1] += "supervisor.rpcinterface:make_main_rpcinterface"
    lines += ["[supervisorctl]", f"serverurl={url}", programs]
    conf.write_text("\n".join(lines) + "\n")
    named = "supervisord.conf" if relative else str(conf)
    argv = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", named, *args]
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(
        argv, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, env={**os.environ, **(env or {})}
    )
    try:
        log = folder / "main.log"
        until(lambda: log.exists() and "supervisord started" in log.read_text(), 20, "its start")
        yield Small(folder, conf, url, child, argv)
    finally:
        end(child)
        shutil.rmtree(folder, ignore_errors=True)
