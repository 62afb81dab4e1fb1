"""Where a supervisord of this box keeps its conf and listens, from its process alone."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlsplit

import psutil

from beattop.model.process import Process, Usage
from beattop.sources.rooted import inside, root_of, seen_prefix
from beattop.sources.supervisor.conf import ConfReading
from beattop.sources.supervisor.invocation import Invocation, conf_path, invocation
from beattop.sources.supervisor.server import Server, bare

_FORK_S = 3.0
"""A child looks like its supervisord until it has exec'd its own program."""
_GONE = frozenset("ZXx")
_BOUND = re.compile(r"\.\d+$")
_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "::", ""})


@dataclass(frozen=True, slots=True)
class Place:
    """A supervisord's process and what its command line leads to."""

    process: Process
    call: Invocation
    root: str
    """Prefix under which its files are reached: "" or `/proc/PID/root`."""
    conf: str | None
    """As its own root names it; None where it cannot be told."""
    cwd: str | None = None
    """Its working directory, as its own root names it."""

    @property
    def conf_name(self) -> str:
        """The conf as it is shown and told apart from other roots' confs; "" for none."""
        return f"{self.root}{self.conf}" if self.conf else ""


def supervisords(
    processes: Sequence[Process], usage: Sequence[Usage] = (), now: float | None = None
) -> list[tuple[Process, Invocation]]:
    """Every live supervisord among the watched processes, oldest first."""
    now = time.time() if now is None else now
    gone = {u.key for u in usage if u.state in _GONE}
    found: list[tuple[Process, Invocation]] = []
    for process in processes:
        if process.key in gone or not any("supervisord" in word for word in process.argv):
            continue
        call = invocation(process.argv)
        if call is not None:
            found.append((process, call))
    found.sort(key=lambda pair: pair[0].key.start_ticks)
    by_pid = {process.pid: process for process, _ in found}
    return [pair for pair in found if not _forked(pair[0], by_pid.get(pair[0].ppid), now)]


def _forked(process: Process, parent: Process | None, now: float) -> bool:
    young = now - process.started_at < _FORK_S
    return parent is not None and young and parent.argv == process.argv


def place(process: Process, call: Invocation) -> Place:
    """Its root and conf file; looks at the disk."""
    root = root_of(process.pid)
    cwd = process.cwd
    if root and cwd:
        cwd = cwd.removeprefix(seen_prefix(process.pid)) or "/"
    conf, _ = conf_path(call, cwd, root)
    own = f"/proc/{process.pid}/root"
    if not root and conf and not os.path.exists(conf) and os.path.exists(inside(own, conf)):
        root = own  # the same root folder, but other mounts over it (a private /tmp)
    return Place(process, call, root, conf, cwd)


def same_network(pid: int) -> bool:
    """False where the process is known to live in another network namespace."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net")
    except OSError:
        return True


def candidates(
    where: Place, reading: ConfReading | None, child_url: str | None, known: Iterable[Server]
) -> list[Server]:
    """Where to ask this supervisord, likeliest first, with all credentials that are known.

    Its conf's servers, the URL in its children's environment, and, where neither says, the sockets
    it listens on.
    """
    found = list(reading.servers) if reading else []
    if child_url and bare(child_url):
        found.append(Server(bare(child_url)))
    if not found:
        found = [Server(url) for url in _listening(where.process.pid)]
    secrets = [*known, *([reading.ctl] if reading and reading.ctl else [])]
    out: dict[str, Server] = {}
    for server in found:
        if server.url is None:
            continue
        rich = with_credentials(server, secrets)
        reached = replace(rich, url=_reached(where, server.url), conf=where.conf)
        out.setdefault(reached.url or "", reached)
    return list(out.values())


def with_credentials(server: Server, known: Iterable[Server]) -> Server:
    """`server` with the user name and clear password that others hold for its URL."""
    hashed = (server.password or "").startswith("{SHA}")
    if server.password is not None and not hashed:
        return server
    for other in known:
        if same_url(other.url, server.url) and other.password is not None:
            return replace(server, username=other.username, password=other.password)
    return server


def same_url(one: str | None, other: str | None) -> bool:
    """True for two spellings of one local address."""
    if one is None or other is None:
        return False
    return _plain(one) == _plain(other)


def _plain(url: str) -> str:
    if url.startswith("unix://"):
        return "unix://" + os.path.realpath(url[len("unix://") :])
    parts = urlsplit(url)
    return f"http://{'localhost' if is_local(url) else parts.hostname}:{parts.port or 80}"


def is_local(url: str) -> bool:
    """True for a unix socket and for an address of this machine's own."""
    host = urlsplit(url).hostname or ""
    return url.startswith("unix:") or host in _LOCAL or host in _own_addresses()


@lru_cache(maxsize=1)
def _own_addresses() -> frozenset[str]:
    found = {socket.gethostname().lower()}
    for addresses in psutil.net_if_addrs().values():
        found.update(a.address for a in addresses)
    return frozenset(found)


def _reached(where: Place, url: str) -> str:
    """A unix socket's URL as it is reached from this root."""
    if not url.startswith("unix://"):
        return url
    path = url[len("unix://") :]
    own = f"/proc/{where.process.pid}/root"
    if where.root:
        return f"unix://{inside(where.root, path)}"
    if not os.path.exists(path) and os.path.exists(inside(own, path)):
        return f"unix://{inside(own, path)}"
    return url


def _listening(pid: int) -> list[str]:
    """URLs of what a process listens on; all of them need its own user or root."""
    paths = _bound(pid)
    urls: list[str] = []
    try:
        process = psutil.Process(pid)
        paths |= {str(c.laddr) for c in process.net_connections("unix") if c.laddr}
        tcp = [c.laddr for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        urls = [bare(f"http://{_host(a.ip)}:{a.port}") for a in tcp if hasattr(a, "port")]
    except (psutil.Error, OSError, RuntimeError):  # RuntimeError: a line psutil cannot read
        urls = []
    named = {_BOUND.sub("", path) for path in paths if path.startswith("/")}
    return [f"unix://{path}" for path in sorted(named)] + urls


def _bound(pid: int) -> set[str]:
    """Sockets that supervisord bound as FILE.PID before it linked them to FILE (supervisor.http);
    anyone may see these."""
    try:
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
            found = [line.split(maxsplit=7)[-1].rstrip("\n") for line in file]
    except OSError:
        return set()
    return {path for path in found if path.startswith("/") and path.endswith(f".{pid}")}


def _host(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip


def child_urls(processes: Iterable[Process]) -> Mapping[int, str]:
    """Parent's pid -> SUPERVISOR_SERVER_URL as supervisord gave it to its children."""
    urls = {}
    for process in processes:
        url = (process.env or {}).get("SUPERVISOR_SERVER_URL")
        if url:
            urls[process.ppid] = url
    return urls
