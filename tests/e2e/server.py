"""One real supervisord of a test: its conf, its log, its XML-RPC."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import xmlrpc.client
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beattop.demo.family import Identity, alive
from beattop.demo.project import section

SPAWNED = r"spawned: '{}' with pid (\d+)"
EXITED = r"exited: {} \((.*)\)"


@dataclass
class Server:
    """A supervisord that a Box runs; `sections` become its conf file at Box.up()."""

    name: str
    folder: Path
    socket: Path | None
    port: int | None
    user: str | None
    password: str | None
    more: str
    sections: list[str] = field(default_factory=list)
    process: Identity | None = None

    @property
    def conf(self) -> Path:
        return self.folder / f"{self.name}.conf"

    @property
    def mainlog(self) -> Path:
        return self.folder / "log" / f"{self.name}.log"

    @property
    def output(self) -> Path:
        """What it prints itself, before it has a log."""
        return self.folder / "log" / f"{self.name}.out"

    @property
    def url(self) -> str:
        """As beattop names it: without credentials. Empty for one without a server."""
        if self.socket:
            return f"unix://{self.socket}"
        return f"http://127.0.0.1:{self.port}" if self.port else ""

    @property
    def url_with_password(self) -> str:
        return self.url.replace("://", f"://{self.user}:{self.password}@", 1)

    @property
    def pid(self) -> int:
        assert self.process, f"supervisord {self.name} was not started"
        return self.process.pid

    @property
    def up(self) -> bool:
        return self.process is not None and alive(self.process)

    def write(self, as_root: bool) -> None:
        """Its conf file."""
        login = {"username": self.user, "password": self.password}
        head = [
            section(
                "supervisord",
                {
                    "logfile": self.mainlog,
                    "pidfile": self.folder / "run" / f"{self.name}.pid",
                    "childlogdir": self.folder / "log",
                    "identifier": self.name,
                    "user": "root" if as_root else None,
                },
            )
            + self.more,
            section(
                "rpcinterface:supervisor",
                {
                    "supervisor.rpcinterface_factory": (
                        "supervisor.rpcinterface:make_main_rpcinterface"
                    )
                },
            ),
        ]
        if self.socket:
            head += [section("unix_http_server", {"file": self.socket, "chmod": "0700", **login})]
        if self.port:
            head += [section("inet_http_server", {"port": f"127.0.0.1:{self.port}", **login})]
        if self.url:
            head += [section("supervisorctl", {"serverurl": self.url, **login})]
        self.conf.write_text("\n".join([*head, *self.sections]))

    def rpc(self, method: str, *args: Any, timeout: float = 10.0) -> Any:
        """Call supervisor.`method`; a name with a dot is taken as it stands."""
        name = method if "." in method else f"supervisor.{method}"
        transport = _Transport(self, timeout)
        proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport, allow_none=True)
        with proxy:
            return getattr(proxy, name)(*args)

    def answers(self) -> bool:
        try:
            return bool(self.rpc("getState", timeout=2.0)["statecode"] == 1)
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def log(self) -> str:
        return self.mainlog.read_text(errors="replace") if self.mainlog.exists() else ""

    def spawns(self, program: str) -> list[int]:
        """The pids it gave to `program`, oldest first."""
        return [int(pid) for pid in re.findall(SPAWNED.format(re.escape(program)), self.log())]

    def exits(self, program: str) -> list[str]:
        """How the lives of `program` ended: "exit status 73; not expected", ..."""
        return re.findall(EXITED.format(re.escape(program)), self.log())


class _Transport(xmlrpc.client.Transport):
    def __init__(self, server: Server, timeout: float) -> None:
        super().__init__()
        self._server, self._timeout = server, timeout
        if server.user:
            word = base64.b64encode(f"{server.user}:{server.password}".encode()).decode()
            self._headers = [("Authorization", f"Basic {word}")]

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _Connection(self._server, self._timeout)


class _Connection(http.client.HTTPConnection):
    def __init__(self, server: Server, timeout: float) -> None:
        super().__init__("127.0.0.1", server.port, timeout=timeout)
        self._path = server.socket

    def connect(self) -> None:
        if not self._path:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
