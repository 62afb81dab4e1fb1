"""One supervisord to be looked at again and again: a process of this box, or a name given by hand.

A subject is used by one thread only, its follower's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from beattop.model.process import Process
from beattop.model.source import SourceStatus
from beattop.sources.rooted import inside
from beattop.sources.supervisor import conf
from beattop.sources.supervisor.discovery import (
    Place,
    candidates,
    is_local,
    place,
    same_url,
    with_credentials,
)
from beattop.sources.supervisor.invocation import Invocation, invocation
from beattop.sources.supervisor.rpcconfig import program_configs
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.verdict import Verdict, ask, find, probe
from beattop.sources.supervisor.word import Memory, Names, Word, word

QUICK_S = 1.5
PATIENT_S = 8.0
"""A supervisord on a busy box may need seconds; the screen has been told of a timeout by then."""
_CONF_AGAIN_S = 5.0
_CONF_SLOW_AGAIN_S = 60.0
Publish = Callable[[Word | None], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look gave, for the follower's timing."""

    word: Word | None
    """None where this subject is not what the user asked for."""
    took_s: float | None
    """How long supervisord worked for its answer; None where it gave none."""


class _Subject:
    """What both kinds share: remembering, asking twice, and reading the conf when it changed."""

    def __init__(self, owner: object, memory: Memory, names: Names) -> None:
        self._owner = owner
        self._memory = memory
        self._names = names
        self._verdict: Verdict | None = None

    def close(self) -> None:
        """Free its id for good."""
        self._names.retire(self._owner)

    def _id(self, server: Server | None) -> str:
        key = self._memory.key
        pid = key.pid if key else None
        url = server.url if server else None
        settled = self._memory.answered_at is not None
        return self._names.claim(self._owner, url, self._memory.conf_name, pid, settled)

    def _read_conf(self, cwd: str | None, args: tuple[str, ...], pid: int | None) -> None:
        memory = self._memory
        if memory.conf is None:
            return
        last = memory.reading
        if last is not None:
            slow = last.status == "timeout"
            wait_s = _CONF_SLOW_AGAIN_S if slow else _CONF_AGAIN_S
            if 0 <= time.time() - memory.read_at < wait_s or not (slow or last.stale()):
                return
        env = dict(os.environ) if pid is None else conf.environ(pid)
        node = _node(memory.root)
        memory.conf_inode = _inode(inside(memory.root, memory.conf))
        memory.reading = conf.read(
            memory.conf, root=memory.root, cwd=cwd, args=args, env=env, node=node
        )
        memory.read_at = time.time()

    def _ask(self, server: Server | None, verdict: Verdict, patience_s: float) -> Look:
        memory = self._memory
        name = self._id(server)
        if server is None or not verdict.verified:
            status = SourceStatus(
                "supervisor", name, verdict.status, verdict.detail, memory.answered_at
            )
            return Look(word(memory, name, server, status), None)
        answer = verdict.first or ask(server, name, patience_s)
        if answer.programs is not None:
            memory.programs = tuple(replace(p, supervisor=name) for p in answer.programs)
            memory.answered_at = answer.at
            self._verdict = replace(verdict, first=None)
            self._configs_by_rpc(server, name)
        else:
            self._verdict = None  # look for it anew: it may have moved, or gone
        status = SourceStatus("supervisor", name, answer.status, answer.detail, memory.answered_at)
        took = answer.took_s if answer.programs is not None else None
        return Look(word(memory, name, server, status), took)

    def _configs_by_rpc(self, server: Server, name: str) -> None:
        """Where the conf cannot be read, supervisord itself knows most of it (4.0 and later)."""
        memory = self._memory
        unread = memory.reading is None or not memory.reading.programs
        if unread and not memory.rpc_configs:
            memory.rpc_configs = program_configs(server, name, QUICK_S)


class ProcessSubject(_Subject):
    """A supervisord found among the processes."""

    def __init__(
        self,
        process: Process,
        call: Invocation,
        names: Names,
        named: tuple[Server, ...] = (),
        known: tuple[Server, ...] = (),
    ) -> None:
        """`named` limits what is asked; `known` lends its credentials."""
        super().__init__(process.key, Memory(process.key), names)
        self._process = process
        self._call = call
        self._named = named
        self._known = (*named, *known)
        self._place: Place | None = None
        self.child_url: str | None = None
        """SUPERVISOR_SERVER_URL of its children, where readable; set from outside."""
        self.stopped = False
        """True while a signal holds the process (state T); set from outside."""
        self.match: Server | None = None
        """The name by which the user asked for it."""

    @property
    def target(self) -> str:
        """What to call it before it has a name."""
        return self._memory.conf_name or f"pid {self._process.pid}"

    def look(self, publish: Publish) -> Look:
        """Read the conf if it changed, find the server, ask it; tells `publish` of each stage."""
        where = self._where()
        memory = self._memory
        if self._named and self.match is None:
            # Known before the conf is read, which takes a second on a busy box: told at once.
            self.match = self._meant(where, [])
            publish(None)
        if self._named and self.match is None and all(name.url is None for name in self._named):
            return Look(None, None)
        self._read_conf(where.cwd, self._call.options, where.process.pid)
        servers = candidates(where, memory.reading, self.child_url, self._known)
        if self._named:
            self.match = self._meant(where, servers)
            if self.match is None:
                return Look(None, None)
        look = Look(None, None)
        for patience_s in (QUICK_S, PATIENT_S):
            look = self._try(where, servers, patience_s)
            if look.word is None or look.word.sources[0].status != "timeout" or self.stopped:
                break
            publish(look.word)
        return look

    def _where(self) -> Place:
        if self._place is None or self._place.conf is None:
            self._place = place(self._process, self._call)
            self._memory.root, self._memory.conf = self._place.root, self._place.conf
            self._memory.cwd = self._place.cwd
        return self._place

    def _meant(self, where: Place, servers: list[Server]) -> Server | None:
        """The name by which the user asked for it: its conf's path, or one of its addresses."""
        mine = os.path.realpath(where.conf_name) if where.conf else None
        for name in self._named:
            by_conf = name.conf is not None and mine == os.path.realpath(name.conf)
            if by_conf or any(same_url(name.url, server.url) for server in servers):
                self._names.release(name)  # the NamedSubject's, which now has nothing to do
                return name
        return None

    def _try(self, where: Place, servers: list[Server], patience_s: float) -> Look:
        if self.stopped:
            pid = where.process.pid
            words = f"supervisord (pid {pid}) is stopped by a signal: kill -CONT {pid} resumes it"
            server = self._verdict.server if self._verdict else next(iter(servers), None)
            return self._ask(server, Verdict("timeout", words, server), patience_s)
        if self._verdict is None or not self._verdict.verified:
            reading = self._memory.reading
            known = reading is not None and reading.status in ("ok", "degraded")
            unread = None if known else reading.status if reading else "absent"
            self._verdict = find(where, servers, patience_s, unread)
            self._memory.version = self._verdict.version or self._memory.version
        return self._ask(self._verdict.server, self._verdict, patience_s)


class NamedSubject(_Subject):
    """A server or conf that the user named, for as long as no process is known to stand for it."""

    def __init__(
        self, named: Server, names: Names, known: tuple[Server, ...], matched: Callable[[], bool]
    ) -> None:
        """`matched` tells whether some ProcessSubject is what the user means by `named`."""
        super().__init__(named, Memory(None, conf=named.conf), names)
        self.named = named
        self._known = known
        self._matched = matched
        self.processes: tuple[Process, ...] = ()
        """The supervisords of this box; set from outside."""

    @property
    def target(self) -> str:
        """What to call it before it has a name."""
        return self.named.name

    def look(self, publish: Publish) -> Look:
        """Read its conf if it has one, ask its server."""
        if self._matched():
            self._names.release(self._owner)
            self._verdict = None
            return Look(None, None)
        memory = self._memory
        memory.programs = None  # without a process, nothing says that old ones still are
        self._read_conf(_cwd(), (), None)
        found = memory.reading.servers if memory.reading else ()
        server = next((s for s in found if s.url), None) if self.named.url is None else self.named
        if server is None:
            return self._ask(None, self._no_server(), QUICK_S)
        server = with_credentials(server, self._secrets())
        if self._verdict is None or not self._verdict.verified:
            self._verdict = probe(server, QUICK_S)
            memory.version = self._verdict.version
            self._settle(server, self._verdict.pid)
        return self._ask(server, self._verdict, QUICK_S)

    def _secrets(self) -> list[Server]:
        reading = self._memory.reading
        own = [reading.ctl] if reading and reading.ctl else []
        return [*self._known, self.named, *own]

    def _settle(self, server: Server, pid: int | None) -> None:
        """Find the process behind an address of this box, where its conf did not tell."""
        memory = self._memory
        local = pid is not None and is_local(server.url or "")
        fits = [p for p in self.processes if local and p.ns_pid == pid]
        call = invocation(fits[0].argv) if len(fits) == 1 else None
        if call is None:
            memory.key = None
            return
        memory.key = fits[0].key
        if memory.conf is None:
            where = place(fits[0], call)
            memory.root, memory.conf, memory.cwd = where.root, where.conf, where.cwd
            self._read_conf(where.cwd, call.options, where.process.pid)

    def _no_server(self) -> Verdict:
        reading = self._memory.reading
        if reading is None or reading.status in ("ok", "degraded"):
            return Verdict(
                "down",
                f"{self.named.conf} has no [unix_http_server] or [inet_http_server] section, and "
                "no supervisord runs with it",
                None,
            )
        return Verdict("denied" if reading.status == "denied" else "down", reading.detail, None)


def _cwd() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None  # it was removed


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _node(root: str) -> str | None:
    """The host's name inside another root, for %(host_node_name)s; None for our own."""
    if not root:
        return None
    try:
        with open(f"{root}/etc/hostname", encoding="utf-8", errors="replace") as file:
            return file.read(256).strip() or None
    except OSError:
        return None
