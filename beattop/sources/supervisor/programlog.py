"""A program's log as its supervisord reads it: for logs of another box, or of another user."""

from __future__ import annotations

import http.client
import threading
import time
import xmlrpc.client
from collections.abc import Callable
from typing import Final

from beattop.sources.supervisor.client import ReadClient
from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import CALL_ERRORS
from beattop.text import safe

_FIRST: Final = 64 << 10
_USUAL: Final = 16 << 10
"""Bytes of the log's end that are asked for, at first and later."""
_KNOWN: Final = 400
"""Characters by which the end of the last answer is found again in the next."""
_LONGEST: Final = 4000
Tell = Callable[[list[str], bool, str], None]
"""(lines, from the start again, trouble in words)"""


class ProgramLog(threading.Thread):
    """Asks for the end of a log again and again until stopped, and tells what is new in it.

    tailProcessStdoutLog reads only; but every question wakes supervisord, which lets a loop
    respawn sooner: so there are seconds between two, as many as `pace_s` says.
    """

    def __init__(
        self,
        server: Server,
        namespec: str,
        channel: str,
        tell: Tell,
        pace_s: Callable[[float], float],
    ) -> None:
        """`pace_s`: seconds to wait after a call that took so many."""
        super().__init__(name="beattop-log", daemon=True)
        self._client = ReadClient(server)
        self._namespec, self._channel = namespec, channel
        self._tell = tell
        self._pace_s = pace_s
        self._over = threading.Event()
        self._size: int | None = None
        self._end = ""
        self._rest = ""
        self._trouble = ""

    def stop(self) -> None:
        """Ask no more; returns at once."""
        self._over.set()

    def run(self) -> None:
        """Ask, wait, ask."""
        while not self._over.is_set():
            began = time.monotonic()
            try:
                self._look()
            except CALL_ERRORS as error:
                server = self._client.server
                self._say(explain(error, server.url or "", server.password)[1])
            except Exception as error:  # noqa: BLE001  a thread's exception is silent: it has to be told
                self._say(safe(f"reading the log failed: {type(error).__name__}: {error}"))
                return
            self._over.wait(self._pace_s(time.monotonic() - began))

    def _say(self, words: str) -> None:
        if words != self._trouble:
            self._trouble = words
            self._tell([], False, words)

    def _look(self) -> None:
        first = self._size is None
        text, size = self._ask(_FIRST if first else _USUAL)
        added = text if first else self._added(text, size)
        self._size, self._end = size, text[-_KNOWN:]
        if first and "\n" in text and size > len(text.encode()):
            added = added.partition("\n")[2]  # its first line is cut
        *whole, self._rest = (self._rest + added).split("\n")
        if whole or first or self._trouble:
            self._trouble = ""
            self._tell([safe(line.rstrip("\r")[:_LONGEST]) for line in whole], first, "")

    def _added(self, text: str, size: int) -> str:
        """What of the log's end was not there the last time."""
        before = self._size or 0
        if size == before:
            return ""
        raw = text.encode()
        if size > before and len(raw) == min(_USUAL, size):  # nothing was cleaned out of it
            grown = size - before
            if grown <= len(raw):
                return raw[-grown:].decode("utf-8", "replace")
        elif size > before and (at := text.rfind(self._end)) >= 0:
            return text[at + len(self._end) :]
        self._rest = ""
        what = "the log begins anew" if size < before else "some lines were not seen"
        return f"({what})\n{text if size < before else text.partition(chr(10))[2]}"

    def _ask(self, most: int) -> tuple[str, int]:
        # Where the cut lies within a character supervisord fails to decode it (HTTP 500).
        for more in range(3):
            try:
                return self._client.tail_and_size(self._namespec, self._channel, most + more)
            except xmlrpc.client.ProtocolError as error:
                if error.errcode != http.client.INTERNAL_SERVER_ERROR:
                    raise
        return self._client.tail_and_size(self._namespec, self._channel, most + 3)
