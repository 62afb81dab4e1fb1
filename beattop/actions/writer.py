"""The only client that can change a supervisord, by two calls; LiveExecutor alone builds it.

Nothing that only looks, and nothing in read-only mode, imports this module.
"""

from __future__ import annotations

import http.client
import xmlrpc.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from beattop.model.supervisor import ProgramState
from beattop.sources.supervisor.client import ReadClient, program_state, structs
from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import CALL_ERRORS, Unreadable, transport
from beattop.text import safe

WRITE_METHODS = frozenset({"supervisor.startProcess", "supervisor.stopProcess"})
"""All that may be changed on a server. No groups, no signals, no configuration, no shutdown."""
TIMEOUT_S = 5.0
"""For each whole call: getAllProcessInfo of 500 programs takes supervisord 0.3 s."""
BAD_NAME, NO_FILE, NOT_EXECUTABLE, SPAWN_ERROR = 10, 20, 21, 50
ALREADY_STARTED, NOT_RUNNING, SHUTDOWN_STATE = 60, 70, 6

Wire = Callable[[str, tuple[str | bool, ...]], object]
"""Sends one call with its parameters and gives the answer; raises one of CALL_ERRORS."""
# The request may have arrived before these: it may still be carried out.
_UNSURE = (
    TimeoutError,
    ConnectionResetError,
    BrokenPipeError,
    http.client.HTTPException,
    Unreadable,
)


class Refused(Exception):
    """supervisord answered with a fault."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"fault {code}: {text}")
        self.code = code


class NoAnswer(Exception):
    """supervisord could not be asked; `sent` where the call may still be carried out."""

    def __init__(self, words: str, sent: bool) -> None:
        super().__init__(words)
        self.sent = sent


def wire(server: Server) -> Wire:
    """The real one; raises ValueError for a server without a usable address."""
    reader = ReadClient(server, TIMEOUT_S)
    link = transport(server.url or "", server.username, server.password, TIMEOUT_S)
    proxy = xmlrpc.client.ServerProxy("http://localhost", transport=link)

    def send(method: str, params: tuple[str | bool, ...]) -> object:
        if method in WRITE_METHODS:
            return getattr(proxy, method)(*params)
        return reader.call(method, *params)

    return send


class WriteClient:
    """Stops and starts programs of one server, and reads what became of it.

    Not for two threads at once. Methods raise Refused or NoAnswer. `note` is told each writing
    call with its result; a call is sent once and never repeated here.
    """

    def __init__(
        self,
        server: Server,
        supervisor: str,
        note: Callable[[str, str], None],
        send: Wire,
    ) -> None:
        self.supervisor = supervisor
        self._server = server
        self._note = note
        self._send = send

    def stop(self, namespec: str) -> None:
        """Ask for a stop without waiting for it: while it waits, supervisord spins."""
        self._write("supervisor.stopProcess", namespec)

    def start(self, namespec: str) -> None:
        """Ask for a start without waiting. While STOPPING it is told yes, and nothing is done."""
        self._write("supervisor.startProcess", namespec)

    def state(self, namespec: str) -> ProgramState:
        """getProcessInfo, now."""
        with self._asked():
            answer = self._send("supervisor.getProcessInfo", (namespec,))
            return program_state(structs([answer])[0], self.supervisor, 0.0)

    def version(self) -> str:
        """Version of the supervisor package."""
        with self._asked():
            return safe(str(self._send("supervisor.getSupervisorVersion", ())))[:40]

    def config(self, group: str, name: str) -> Mapping[str, object]:
        """That program's entry of getAllConfigInfo; empty where it has none."""
        with self._asked():
            entries = structs(self._send("supervisor.getAllConfigInfo", ()))
        return next((e for e in entries if e.get("group") == group and e.get("name") == name), {})

    def _write(self, method: str, namespec: str) -> None:
        if not namespec or namespec.endswith((":", ":*")):
            # supervisord takes these for the whole group.
            raise ValueError(f"{namespec!r} does not name one program")
        shown = f'{method}("{safe(namespec)}", wait=False)'
        try:
            with self._asked():
                self._send(method, (namespec, False))
        except (Refused, NoAnswer) as why:
            self._note(shown, str(why))
            raise
        self._note(shown, "accepted")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """What goes wrong with a call, or with its answer, as Refused or NoAnswer."""
        try:
            yield
        except xmlrpc.client.Fault as fault:
            raise Refused(fault.faultCode, safe(str(fault.faultString))[:200]) from None
        except CALL_ERRORS as error:
            _, words = explain(error, self._server.name, self._server.password)
            raise NoAnswer(words, isinstance(error, _UNSURE)) from None
