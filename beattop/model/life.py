"""One life of a supervised program, and the last ones in a row."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from beattop.model.logevents import LogEvent

MOST = 60
"""How many lives, and how many events, are kept; counts are kept of all."""
_EARLY_MOST = 32
_SAME_S = 2.0
"""How far the kernel's and the log's time of one event may lie apart."""


@dataclass(frozen=True, slots=True)
class Life:
    """One process of a program from spawn to exit."""

    pid: int | None
    """As supervisord numbers it; None where the spawn was not seen."""
    spawned_at: float | None
    ended_at: float | None = None
    """None while it lives; also for one before the last whose end was never told."""
    status: int | None = None
    signal: str | None = None
    expected: bool | None = None
    """supervisord's word on its exit; None for a requested stop."""
    requested: bool = False
    """Ended because somebody asked, or with its supervisord."""
    cpu_s: float | None = None

    @property
    def lifetime_s(self) -> float | None:
        """Seconds it lived; None while it lives or where its birth was not seen."""
        if self.ended_at is None or self.spawned_at is None:
            return None
        return max(0.0, self.ended_at - self.spawned_at)


@dataclass(frozen=True, slots=True)
class Gone:
    """What the kernel said of a process that ended."""

    at: float
    cpu_s: float | None
    status: int | None
    signal: str | None
    began_at: float | None = None


class Row:
    """The last lives of one name, as events and the kernel tell of them."""

    __slots__ = ("_closed", "_early", "_lives", "_shown")

    def __init__(self) -> None:
        self._lives: deque[Life] = deque(maxlen=MOST)
        self._closed: deque[bool] = deque(maxlen=MOST)
        """Of each life: whether the log has told its end."""
        self._early: dict[int, Gone] = {}
        self._shown: tuple[Life, ...] | None = ()

    @property
    def lives(self) -> tuple[Life, ...]:
        """Oldest first; the same object until one of them changes."""
        if self._shown is None:
            self._shown = tuple(self._lives)
        return self._shown

    def add(self, event: LogEvent) -> None:
        """Take the next event, of any kind."""
        self._shown = None
        if event.kind == "spawned":
            life = Life(event.pid, event.at)
            gone = self._early.pop(event.pid, None) if event.pid is not None else None
            if gone is not None and _matches(life, gone):
                life = _told(life, gone)
            self._lives.append(life)
            self._closed.append(False)
        elif event.kind in ("exited", "stopped"):
            self._close(event)
        elif event.kind == "server-started":
            for i, life in enumerate(self._lives):
                if not self._closed[i]:
                    ended = life.ended_at if life.ended_at is not None else event.at
                    self._lives[i] = replace(life, ended_at=ended, requested=True)
                    self._closed[i] = True

    def enrich(self, pid: int, gone: Gone) -> bool:
        """Give a life what the kernel knows better; kept for later where none fits yet."""
        for i in range(len(self._lives) - 1, -1, -1):
            life = self._lives[i]
            if life.pid == pid and _matches(life, gone):
                self._lives[i] = _told(life, gone)
                self._shown = None
                return True
        self._early.pop(pid, None)
        self._early[pid] = gone
        while len(self._early) > _EARLY_MOST:
            del self._early[next(iter(self._early))]
        return False

    def shift(self, by: float) -> None:
        """The clock was set by so many seconds."""
        self._shown = None
        for i, life in enumerate(self._lives):
            began, ended = life.spawned_at, life.ended_at
            self._lives[i] = replace(
                life,
                spawned_at=None if began is None else began + by,
                ended_at=None if ended is None else ended + by,
            )
        for pid, gone in self._early.items():
            began = None if gone.began_at is None else gone.began_at + by
            self._early[pid] = replace(gone, at=gone.at + by, began_at=began)

    def _close(self, event: LogEvent) -> None:
        requested = event.kind == "stopped"
        expected = None if requested else event.expected
        for i in range(len(self._lives) - 1, -1, -1):
            if not self._closed[i]:
                life = self._lives[i]
                self._lives[i] = replace(
                    life,
                    # The kernel's time is the truer one, where it was told before the log's.
                    ended_at=event.at if life.ended_at is None else life.ended_at,
                    status=event.status,
                    signal=event.signal,
                    expected=expected,
                    requested=requested,
                )
                self._closed[i] = True
                return
        self._lives.append(
            Life(None, None, event.at, event.status, event.signal, expected, requested)
        )
        self._closed.append(True)


def _matches(life: Life, gone: Gone) -> bool:
    # A pid comes round again: the exit has to lie after the spawn, and near a known end.
    if life.spawned_at is not None and gone.at < life.spawned_at - _SAME_S:
        return False
    return life.ended_at is None or abs(life.ended_at - gone.at) <= _SAME_S


def _told(life: Life, gone: Gone) -> Life:
    # The log has it from wait(2); a kernel's event may be of the first thread alone.
    known = life.status is not None or life.signal is not None
    spawned = life.spawned_at
    # supervisord writes its line after the fork, on a busy box much of a short life later.
    if spawned is not None and gone.began_at is not None and 0 < spawned - gone.began_at < _SAME_S:
        spawned = gone.began_at
    return replace(
        life,
        spawned_at=spawned,
        ended_at=gone.at,
        status=life.status if known else gone.status,
        signal=life.signal if known else gone.signal,
        cpu_s=gone.cpu_s if gone.cpu_s is not None else life.cpu_s,
    )
