"""Which of several addresses is this supervisord's, and what asking it gave."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from beattop.model.source import Status
from beattop.model.supervisor import ProgramState
from beattop.sources.supervisor.client import ReadClient, program_states
from beattop.sources.supervisor.discovery import Place, same_network
from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import CALL_ERRORS

# A candidate that answers badly is likelier to be the one than a socket nobody listens on.
_RANK: dict[Status, int] = {
    "ok": 0,
    "degraded": 1,
    "timeout": 2,
    "denied": 3,
    "absent": 4,
    "down": 5,
}
_NEXT_DOOR_S = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """What one round of asking gave."""

    status: Status
    detail: str
    programs: tuple[ProgramState, ...] | None
    """None where it did not answer."""
    at: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a supervisord is asked, and how that went."""

    status: Status
    detail: str
    server: Server | None
    """None where no address is known to be its own."""
    verified: bool = False
    """True where it said its own pid."""
    version: str | None = None
    pid: int | None = None
    """The pid it said it has, in its own namespace."""
    first: Answer | None = None
    """What it said of its programs, under the server's name, in the same breath."""


def find(
    where: Place, servers: Sequence[Server], timeout_s: float, unread: Status | None = None
) -> Verdict:
    """The server whose getPID() is this process's pid in its own namespace, else the likeliest.

    `unread` is the conf's status where it could not be read.
    """
    reachable = [
        s for s in servers if (s.url or "").startswith("unix:") or same_network(where.process.pid)
    ]
    if not reachable:
        return _nowhere(where, bool(servers), unread)
    best: Verdict | None = None
    strangers = []
    for server in reachable:
        # One that hangs hangs at all its doors.
        hung = best is not None and best.status == "timeout"
        verdict = probe(server, min(timeout_s, _NEXT_DOOR_S) if hung else timeout_s)
        if verdict.pid is None or verdict.pid == where.process.ns_pid:
            if best is None or _RANK[verdict.status] < _RANK[best.status]:
                best = verdict
            if verdict.verified:
                break
        else:
            strangers.append(f"{server.url} is answered by pid {verdict.pid}")
    if best is not None:
        return best
    return Verdict(
        "down",
        f"pid {where.process.pid} can no longer be asked: {'; '.join(strangers)}, another "
        "supervisord that took its address over",
        None,
    )


def _nowhere(where: Place, elsewhere: bool, unread: Status | None) -> Verdict:
    conf = where.conf or "its conf"
    if elsewhere:
        words = (
            "it listens only inside its container (another network namespace): run beattop there, "
            "or add a [unix_http_server] section"
        )
    elif unread is not None:
        words = (
            f"{conf} cannot be read, so where it listens is not known: run beattop as its owner "
            "or with sudo, or give its address with --supervisor"
        )
        return Verdict("denied" if unread == "denied" else "absent", words, None)
    else:
        words = (
            f"{conf} has no [unix_http_server] or [inet_http_server] section, so it cannot be "
            "asked or told anything: its log and processes still speak"
        )
    return Verdict("absent", words, None)


def probe(server: Server, timeout_s: float) -> Verdict:
    """Who answers at `server`; never raises."""
    began = time.monotonic()
    try:
        pid, version, entries = ReadClient(server, timeout_s).who()
        now = time.time()
        programs = program_states(entries, server.name, now)
    except CALL_ERRORS as error:
        status, detail = explain(error, server.url or "", server.password)
        return Verdict(status, detail, server)
    first = Answer("ok", "", programs, now, time.monotonic() - began)
    return Verdict("ok", "", server, True, version, pid, first)


def ask(server: Server, supervisor_id: str, timeout_s: float) -> Answer:
    """All program states; never raises."""
    began = time.monotonic()
    try:
        programs = ReadClient(server, timeout_s).read_programs(supervisor_id)
    except CALL_ERRORS as error:
        status, detail = explain(error, server.url or "", server.password)
        return Answer(status, detail, None, time.time(), time.monotonic() - began)
    return Answer("ok", "", programs, time.time(), time.monotonic() - began)
