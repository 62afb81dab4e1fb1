"""A supervisord asked over XML-RPC by a client that knows only questions."""

from __future__ import annotations

import http.client
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence

from beattop.model.supervisor import ProgramState, State
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import Transport, Unreadable, transport
from beattop.text import clean, safe

READ_METHODS = frozenset(
    {
        "supervisor.getAPIVersion",
        "supervisor.getAllConfigInfo",
        "supervisor.getAllProcessInfo",
        "supervisor.getIdentification",
        "supervisor.getPID",
        "supervisor.getProcessInfo",
        "supervisor.getState",
        "supervisor.getSupervisorVersion",
        "supervisor.readLog",
        "supervisor.readProcessStderrLog",
        "supervisor.readProcessStdoutLog",
        "supervisor.tailProcessStderrLog",
        "supervisor.tailProcessStdoutLog",
        "system.listMethods",
    }
)
"""All that may ever be sent; none of them changes anything in any release from 3.0 to 4.3.

reloadConfig, which reads the conf anew, replaces the server's own idea of it; clearLog and its kin
write; system.multicall would carry any name past this list.
"""
_STATES: Mapping[int, State] = {
    0: "STOPPED",
    10: "STARTING",
    20: "RUNNING",
    30: "BACKOFF",
    40: "STOPPING",
    100: "EXITED",
    200: "FATAL",
    1000: "UNKNOWN",
}
_MOST_PROGRAMS = 10_000


class NotARead(ValueError):
    """The method is not on the list of READ_METHODS; nothing was sent."""


class ReadClient:
    """Asks one server. Threads may share it: each call has a connection of its own.

    Every method raises one of transport.CALL_ERRORS; `errors.explain` has words for it.
    """

    def __init__(self, server: Server, timeout: float = 1.5) -> None:
        """`timeout`: seconds for each whole call. Raises ValueError for a server without URL."""
        if server.url is None:
            raise ValueError(f"{server.name} has no address to ask")
        self.server = server
        self.timeout = timeout

    def call(self, method: str, *params: int | str | bool, timeout: float | None = None) -> object:
        """The raw answer of `method`; raises NotARead before anything is sent for a writer."""
        link, body = self._link(timeout), _body(method, *params)
        return _only(method, link.request("localhost", "/RPC2", body))

    def calls(self, *methods: str) -> list[object]:
        """The raw answers of several methods without parameters, asked in one breath.

        Each call wakes supervisord's main loop, and a woken loop respawns what has just ended:
        calls that are sent before the first answer is read wake it once.
        """
        link, bodies = self._link(), [_body(method) for method in methods]
        sent: list[http.client.HTTPConnection | None] = []
        try:
            for body in bodies:
                try:
                    sent.append(link.send("/RPC2", body))
                except OSError:
                    if not sent:
                        raise
                    sent.append(None)  # its queue of connections is short: one after the other
            return [
                self.call(method) if open_ is None else _only(method, link.receive(open_))
                for method, open_ in zip(methods, sent, strict=True)
            ]
        finally:
            for left in filter(None, sent):
                left.close()

    def _link(self, timeout: float | None = None) -> Transport:
        server = self.server
        return transport(
            server.url or "", server.username, server.password, timeout or self.timeout
        )

    def who(self) -> tuple[int, str, list[Mapping[str, object]]]:
        """The server's own pid, as its pid namespace numbers it, its version, and the raw entries
        of getAllProcessInfo.
        """
        methods = ("getPID", "getSupervisorVersion", "getAllProcessInfo")
        pid, version, entries = self.calls(*(f"supervisor.{method}" for method in methods))
        if not isinstance(pid, int):
            raise Unreadable("getPID answered with no number")
        return pid, clean(str(version))[:40], structs(entries)

    def version(self) -> str:
        """Version of the supervisor package, "4.3.0"."""
        return clean(str(self.call("supervisor.getSupervisorVersion")))[:40]

    def read_programs(self, supervisor_id: str) -> tuple[ProgramState, ...]:
        """Every program's state, cleaned, in supervisord's order; costs it 1 to 300 ms."""
        answer = self.call("supervisor.getAllProcessInfo")
        return program_states(structs(answer), supervisor_id, time.time())

    def configs(self) -> list[Mapping[str, object]]:
        """getAllConfigInfo: the last re-read configuration, raw; thin before supervisor 4.0."""
        return structs(self.call("supervisor.getAllConfigInfo"))

    def tail(self, namespec: str, channel: str, most: int = 16384) -> str:
        """The last `most` bytes of a program's `stdout` or `stderr` log as supervisord reads it."""
        return self.tail_and_size(namespec, channel, most)[0]

    def tail_and_size(self, namespec: str, channel: str, most: int) -> tuple[str, int]:
        """The same, and the log's whole size in bytes; ("", 0) where supervisord cannot read it."""
        method = f"supervisor.tailProcess{channel.capitalize()}Log"
        answer = self.call(method, namespec, 0, most)
        if not isinstance(answer, list) or len(answer) < 2 or not isinstance(answer[0], str):
            raise Unreadable(f"{method} answered with no text")
        return answer[0], answer[1] if isinstance(answer[1], int) else 0

    def main_log(self, offset: int, length: int) -> str:
        """Bytes of the main log: (-n, 0) is its last n."""
        return str(self.call("supervisor.readLog", offset, length))


def _body(method: str, *params: int | str | bool) -> bytes:
    if method not in READ_METHODS:
        raise NotARead(f"{method} is not on the list of reading calls")
    return xmlrpc.client.dumps(params, method, allow_none=False).encode()


def _only(method: str, answer: Sequence[object]) -> object:
    if len(answer) != 1:
        raise Unreadable(f"{method} answered with {len(answer)} values")
    return answer[0]


def structs(answer: object) -> list[Mapping[str, object]]:
    """A list of structs, or Unreadable."""
    if not isinstance(answer, list) or len(answer) > _MOST_PROGRAMS:
        raise Unreadable("the answer is no list of programs")
    if not all(isinstance(entry, dict) for entry in answer):
        raise Unreadable("the answer's entries are no programs")
    return answer


def program_states(
    entries: Iterable[Mapping[str, object]], supervisor_id: str, at: float
) -> tuple[ProgramState, ...]:
    """The entries of getAllProcessInfo, answered `at` (Unix seconds), cleaned."""
    return tuple(program_state(entry, supervisor_id, at) for entry in entries)


def program_state(entry: Mapping[str, object], supervisor_id: str, at: float) -> ProgramState:
    """One entry of getAllProcessInfo, cleaned; raises Unreadable where it has no name."""
    name, group = _text(entry, "name"), _text(entry, "group")
    if not name or not group:
        raise Unreadable("a program without a name")
    return ProgramState(
        supervisor=supervisor_id,
        group=group,
        name=name,
        state=_STATES.get(_number(entry, "state"), "UNKNOWN"),
        state_at=at,
        pid=max(0, _number(entry, "pid")),
        start_at=float(max(0, _number(entry, "start"))),
        stop_at=float(max(0, _number(entry, "stop"))),
        spawnerr=safe(_text(entry, "spawnerr"))[:500],
        exit_status=_number(entry, "exitstatus"),
        stdout_log=_text(entry, "stdout_logfile") or None,
        stderr_log=_text(entry, "stderr_logfile") or None,
    )


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key, "")
    return clean(value)[:4096] if isinstance(value, str) else ""


def _number(entry: Mapping[str, object], key: str) -> int:
    value = entry.get(key, 0)
    return value if isinstance(value, int) else 0
