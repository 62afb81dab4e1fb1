"""The main logs of all supervisords: what they say of the past, and what they say now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from beattop.model.frame import HistoryProgress
from beattop.model.logevents import LogEvent, Past
from beattop.model.source import SourceStatus
from beattop.model.supervisor import Supervisord
from beattop.sources.mainlog.cache import Cache, default_directory
from beattop.sources.mainlog.distant import Distant
from beattop.sources.mainlog.follow import MainLog
from beattop.sources.mainlog.history import History
from beattop.sources.mainlog.rpclog import RpcLog
from beattop.sources.supervisor.client import ReadClient
from beattop.sources.supervisor.server import Server

UNASKED_BYTES = 64 << 20
"""Older logs of at most this size are read without being asked for: about a second of CPU."""
_UNKNOWN = "where it lies is not known: its conf may not be read"
_NOWHERE = (
    "its log's place is not known yet, or it logs to no file: deaths are seen in /proc only; "
    "set logfile= in [supervisord]"
)

Key = tuple[str, str, str]
"""(supervisor, path of its log, root)."""


@dataclass(frozen=True, slots=True)
class LogReading:
    """What the logs say since the reading before."""

    events: tuple[LogEvent, ...] = ()
    pasts: tuple[Past, ...] = ()
    older: tuple[Past, ...] = ()
    sources: tuple[SourceStatus, ...] = ()


class Logs:
    """Follows one main log for each supervisord. `poll` is for one thread; `history` for any."""

    def __init__(
        self,
        server_of: Callable[[str], Server | None] = lambda supervisor: None,
        unasked_bytes: float = UNASKED_BYTES,
    ) -> None:
        """`server_of` gives a supervisord's address, to ask it for a log we may not read.

        Older logs of at most `unasked_bytes` are read without being asked for.
        """
        self._server_of = server_of
        self._unasked_bytes = unasked_bytes
        self._logs: dict[Key, MainLog] = {}
        self._distant: dict[Key, Distant] = {}
        self._unplaced: set[Key] = set()
        """Those whose place was not known at the poll before."""
        self._histories: dict[Key, History] = {}
        self._started: set[Key] = set()
        self._listeners: list[Callable[[HistoryProgress], None]] = []
        self._lock = threading.Lock()

    def poll(self, supervisords: Sequence[Supervisord]) -> LogReading:
        """Read what is new; a log seen for the first time gives its past."""
        wanted = {(s.id, s.log, s.root): s for s in supervisords if s.log is not None}
        for key in [key for key in self._logs if key not in wanted]:
            self._drop(key)
        events: list[LogEvent] = []
        for key in wanted:
            log = self._logs.get(key)
            if log is None:
                self._open(key)
            else:
                events.extend(log.poll())
        statuses = [self._status(key, server, events) for key, server in wanted.items()]
        statuses += self._without_place([s for s in supervisords if s.log is None], events)
        events.sort(key=lambda event: event.at)
        logs: list[MainLog | Distant] = [*self._logs.values(), *self._distant.values()]
        return LogReading(
            tuple(events),
            tuple(past for log in logs for past in log.pasts()),
            self._older(),
            tuple(statuses),
        )

    def _status(self, key: Key, server: Supervisord, events: list[LogEvent]) -> SourceStatus:
        """How one log is read; where its file may not be, supervisord is asked for it."""
        status = self._logs[key].status()
        if status.status != "denied":
            if key in self._distant:
                self._distant.pop(key).close()
            return status
        return self._asked(key, server, events, status.detail) or status

    def _without_place(
        self, blind: Sequence[Supervisord], events: list[LogEvent]
    ) -> list[SourceStatus]:
        """Logs of confs that may not be read, asked of a supervisord that answers all the same."""
        keys = {(s.id, "", s.root): s for s in blind}
        for gone in [k for k in self._distant if k not in self._logs and k not in keys]:
            self._distant.pop(gone).close()
        out = []
        for key, server in keys.items():
            # At the first look the conf may just not have been read yet.
            known = key in self._unplaced
            told = self._asked(key, server, events, _UNKNOWN) if known else None
            out.append(told or SourceStatus("mainlog", key[0], "absent", _NOWHERE))
        self._unplaced = set(keys)
        return out

    def _asked(
        self, key: Key, server: Supervisord, events: list[LogEvent], why: str
    ) -> SourceStatus | None:
        """What supervisord tells of its log; None where it cannot be asked."""
        distant = self._distant.get(key)
        if distant is None:
            address = self._server_of(key[0]) if server.answers else None
            if address is None:
                return None
            client = ReadClient(address)
            programs = partial(client.read_programs, key[0])
            log = RpcLog(key[0], client.main_log, why, key[2], programs)
            distant = self._distant[key] = Distant(log)
        events.extend(distant.poll())
        return distant.status()

    def reading(self) -> bool:
        """Whether old logs are being read; for any thread."""
        with self._lock:
            started = [self._histories[key] for key in self._started if key in self._histories]
        return any(not history.progress().done for history in started)

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        """Read all older logs in the background, however large; returns what cancels it."""
        with self._lock:
            self._listeners.append(on_progress)
            waiting = [key for key in self._histories if key not in self._started]
        for key in waiting:
            self._start(key)
        on_progress(self._progress())

        def cancel() -> None:
            with self._lock:
                if on_progress in self._listeners:
                    self._listeners.remove(on_progress)
                unheard = not self._listeners
            if unheard:
                for key in waiting:
                    self._pause(key)

        return cancel

    def close(self) -> None:
        """Let all logs go; for the thread that polls."""
        for key in list(self._logs):
            self._drop(key)
        while self._distant:
            self._distant.popitem()[1].close()

    def _open(self, key: Key) -> None:
        log = self._logs[key] = MainLog(*key)
        if log.complete:
            return
        history = log.history(Cache(default_directory()))
        with self._lock:
            self._histories[key] = history
        if history.progress().total_bytes <= self._unasked_bytes:
            self._start(key)

    def _drop(self, key: Key) -> None:
        self._logs.pop(key).close()
        if key in self._distant:
            self._distant.pop(key).close()
        with self._lock:
            history = self._histories.pop(key, None)
            self._started.discard(key)
        if history is not None:
            history.close()

    def _pause(self, key: Key) -> None:
        """Read no further until somebody asks again."""
        with self._lock:
            history = self._histories.get(key)
            self._started.discard(key)
        if history is not None:
            history.cancel()

    def _start(self, key: Key) -> None:
        with self._lock:
            if key in self._started or key not in self._histories:
                return
            self._started.add(key)
            history = self._histories[key]
        history.start(self._tell)

    def _tell(self, _: HistoryProgress) -> None:
        whole = self._progress()
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(whole)

    def _each(self) -> Iterable[HistoryProgress]:
        with self._lock:
            histories = tuple(self._histories.values())
        return [history.progress() for history in histories]

    def _older(self) -> tuple[Past, ...]:
        return tuple(past for each in self._each() for past in each.pasts)

    def _progress(self) -> HistoryProgress:
        """All logs' progress as one."""
        each = list(self._each())
        oldest = [p.oldest_at for p in each if p.oldest_at is not None]
        return HistoryProgress(
            sum(p.read_bytes for p in each),
            sum(p.total_bytes for p in each),
            min(oldest, default=None),
            all(p.done for p in each),
            self._older(),
            "; ".join(p.detail for p in each if p.detail),
        )
