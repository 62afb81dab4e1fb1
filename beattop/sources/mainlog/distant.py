"""A main log whose file is not ours to read, asked of supervisord in a thread of its own.

Each question wakes supervisord and speeds up what loops there (measured), so they are few; and one
may take its whole deadline, so the collector never waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from beattop.model.logevents import LogEvent, Past
from beattop.model.source import SourceStatus
from beattop.sources.mainlog.rpclog import RpcLog

EVERY_S = 10.0


class Distant:
    """Polls an RpcLog now and then; every method returns at once."""

    def __init__(self, log: RpcLog, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called, in the thread, when something new was read."""
        self._log = log
        self._changed = changed
        self._events: list[LogEvent] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="beattop-distant-log", daemon=True).start()

    def pasts(self) -> tuple[Past, ...]:
        """What the log's end said at the first answer."""
        return self._log.pasts()

    def poll(self) -> list[LogEvent]:
        """What came in since the last time."""
        with self._lock:
            events, self._events = self._events, []
        return events

    def status(self) -> SourceStatus:
        """How the last question fared."""
        return self._log.status()

    def close(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            events = self._log.poll()
            with self._lock:
                self._events += events
            if events or self._log.pasts():
                self._changed()
            self._ended.wait(EVERY_S)
