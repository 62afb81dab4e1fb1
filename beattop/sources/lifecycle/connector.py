"""Step A: the kernel's own word on births and deaths (proc connector)."""

from __future__ import annotations

import os
import select
import threading
import time
from dataclasses import replace

from beattop.model.lifecycle import LifecycleEvent
from beattop.model.source import SourceStatus
from beattop.sources.lifecycle.ear import Ear
from beattop.sources.lifecycle.filter import MOST_PIDS
from beattop.sources.lifecycle.lastlook import GONE, LastLook, last_look
from beattop.sources.lifecycle.netlink import EXEC, EXIT, FORK, KernelEvent
from beattop.sources.lifecycle.pidfd import open_pidfd, wait_status
from beattop.sources.lifecycle.source import Drained, Drops, Wake
from beattop.sources.lifecycle.watched import Watched
from beattop.sources.proc.procfs import Procfs
from beattop.sources.proc.reading import ProcessReading

_MOST_EXECS = 4096
_LINGER_S = 1.0
_SOON_S = 0.005
_FOCUS_S = 0.001
_REMEMBER_S = 60.0


class _Leaving:
    """A process whose first thread ended: the process itself ends with its last one."""

    __slots__ = ("deadline", "event", "fd", "look")

    def __init__(self, event: KernelEvent, look: LastLook, deadline: float) -> None:
        self.event = event
        self.look = look
        """The last that was read of it."""
        self.deadline = deadline
        """Until then it is looked at again and again, later only when `fd` tells of its end."""
        self.fd = open_pidfd(event.pid)
        """Tells the process's own status, which the first thread's need not be."""

    def wait_status(self) -> int | None:
        """Of the process, reaped by now; None where nobody can tell."""
        status = wait_status(self.fd) if self.fd is not None else None
        # Before Linux 6.15: a thread that ends alone does so with 0 (pthread_exit(3)).
        return status if status is not None else self.event.wait_status or None


class Connector:
    """Hears every watched life from its first to its last instant, in a thread of its own."""

    def __init__(self, on_exit: Wake | None = None) -> None:
        """`on_exit` is called soon after a watched process ended."""
        self._on_exit = on_exit
        self._procfs = Procfs()
        self._lock = threading.Lock()
        self._watched = Watched(self._procfs, patience=1)
        self._ear: Ear | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None
        self._closing = False
        self._failure: str | None = None
        self._execs: set[int] = set()
        self._leaving: dict[int, _Leaving] = {}
        self._ready: select.epoll | None = None
        self._rescan = False
        self._told = self._total = Drops()
        self._dropped_at: float | None = None
        self._heard_at: float | None = None

    def open(self) -> None:
        """Begin to listen; raises Unavailable."""
        self._ear = Ear(self._procfs, time.monotonic())
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._ready = select.epoll()
        self._ready.register(self._ear.fileno(), select.EPOLLIN)
        self._ready.register(self._wake, select.EPOLLIN)
        self._thread = threading.Thread(target=self._run, name="beattop-lifecycle", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and the sockets."""
        if self._thread is None or self._ear is None or self._ready is None:
            return
        self._closing = True
        os.eventfd_write(self._wake, 1)
        self._thread.join(2.0)
        self._thread = None
        for pid in list(self._leaving):
            self._stays(pid)
        self._ready.close()
        self._ear.close()
        os.close(self._wake)

    def _run(self) -> None:
        try:
            self._listen()
        except Exception as error:  # noqa: BLE001  a dead thread is silent: status() must tell
            self._failure = f"{type(error).__name__}: {error}"

    def _listen(self) -> None:
        assert self._ear is not None
        assert self._ready is not None
        wait = 0.0
        while not self._closing:
            for fd, _ in self._ready.poll(wait):
                if fd == self._wake:
                    os.eventfd_read(self._wake)
            with self._lock:
                ended = self._hear()
                wait = _SOON_S if self._impatient() else self._ear.period_s
                if self._ear.late(self._watched.lives):
                    wait = min(wait, max(_FOCUS_S, self._ear.rest_s(time.monotonic())))
            if ended and self._on_exit is not None:
                self._on_exit()

    def _hear(self) -> bool:
        """Take in all that happened; True where a watched process ended."""
        assert self._ear is not None
        ended, stormy = False, self._ear.storm
        behind = time.time_ns() - time.monotonic_ns()
        for _ in range(8):
            now = time.monotonic()
            for event, look in self._ear.hear(now):
                ended |= self._take(event, look, (event.ns + behind) / 1e9, now)
            # Who was born is listened to from now on; what it did until now far has heard.
            if self._ear.rest_s(now) or not self._ear.late(self._watched.lives):
                break
            new = self._ear.focus(self._watched.by_promise(MOST_PIDS), time.monotonic())
            if not new:
                break
            if self._ear.storm:
                self._catch_up(new, now + behind / 1e9)
        self._rescan |= stormy and not self._ear.storm
        self._heard_at = time.time()
        return (bool(self._leaving) and self._settle()) or ended

    def _take(self, event: KernelEvent, look: LastLook | None, at: float, now: float) -> bool:
        pid = event.pid
        if event.kind == FORK:
            self._watched.fork(pid, event.ppid, at, event.ns)
        elif event.kind == EXEC:
            # A thread that execs ends all others and takes over the leader's pid: it lives on.
            self._stays(pid)
            self._watched.exec(pid, at)
            if len(self._execs) >= _MOST_EXECS:
                self._execs.clear()
                self._rescan = True
            self._execs.add(pid)
        elif event.kind == EXIT:
            self._execs.discard(pid)
            life = self._watched.lives.get(pid)
            if life is None:
                return False
            look = look or last_look(self._procfs, pid)
            if look.start_ticks is not None and not life.is_it(look.start_ticks):
                look = None
            if look is not None and look.living:
                self._leaves(_Leaving(event, look, now + _LINGER_S))
                return False
            return self._watched.exit(pid, at, event.wait_status, look, event.ppid)
        return False

    def _leaves(self, one: _Leaving) -> None:
        self._stays(one.event.pid)
        self._leaving[one.event.pid] = one
        if one.fd is not None and self._ready is not None:
            self._ready.register(one.fd, select.EPOLLIN)

    def _stays(self, pid: int) -> None:
        one = self._leaving.pop(pid, None)
        if one is not None and one.fd is not None:
            os.close(one.fd)  # epoll lets it go by itself

    def _impatient(self) -> bool:
        """Whether somebody is looked at until it ends."""
        now = time.monotonic()
        return any(now < one.deadline for one in self._leaving.values())

    def _settle(self) -> bool:
        """Tell the end of those whose first thread ended before the others."""
        ended = False
        for pid, one in list(self._leaving.items()):
            look = last_look(self._procfs, pid)
            if look.start_ticks is not None and look.start_ticks != one.look.start_ticks:
                look = GONE  # its pid is another's already
            if look.living:
                one.look = look
                if one.fd is None and time.monotonic() >= one.deadline:
                    self._stays(pid)
                continue
            # Reaped meanwhile: what it had used a moment ago is all but a trifle of it.
            last = look if look.own_s is not None else one.look
            status = look.wait_status
            if status is None:
                status = one.wait_status()
            self._stays(pid)
            ended |= self._watched.exit(pid, time.time(), status, last, one.event.ppid)
        return ended

    def _catch_up(self, parents: frozenset[int], at: float) -> None:
        """In a storm far does not tell what newly born parents did before the filter knew them."""
        for parent in parents & self._watched.lives.keys():
            for child in self._procfs.children(parent) or ():
                if child not in self._watched.lives:
                    self._watched.fork(child, parent, at)

    def drain(self) -> Drained:
        """What was heard since the last call."""
        with self._lock:
            if self._thread is not None and self._failure is None:
                self._hear()
            events = tuple(sorted(self._watched.take(), key=lambda event: event.at))
            execs, self._execs = frozenset(self._execs), set()
            drops = self._drops()
            rescan, self._rescan = self._rescan or bool(drops.overflows), False
        return Drained(events, execs, drops, rescan)

    def _drops(self) -> Drops:
        if self._ear is None or self._thread is None:
            return Drops()
        before = self._total
        self._total = replace(self._ear.drops(), discarded=self._watched.discarded)
        fresh = self._total.since(before)
        if fresh:
            self._dropped_at = time.monotonic()
        return fresh

    def observe(self, reading: ProcessReading) -> tuple[LifecycleEvent, ...]:
        """Watch what the sampler watches; after losses this also finds what went unheard."""
        with self._lock:
            new, events = self._watched.observe(reading)
            if new and self._ear is not None:
                self._ear.focus(self._watched.by_promise(MOST_PIDS), time.monotonic())
        if new and self._thread is not None:
            os.eventfd_write(self._wake, 1)
        return events

    def status(self) -> SourceStatus:
        """Degraded in a storm, and for a minute after events were lost."""
        if self._failure is not None:
            return SourceStatus("lifecycle", "", "down", f"A: its reader ended ({self._failure})")
        words = ["A: the kernel's process events"]
        degraded = False
        if self._ear is not None and self._ear.storm:
            degraded = True
            words.append("a fork storm: only watched processes are listened to")
        if self._dropped_at is not None:
            degraded |= time.monotonic() - self._dropped_at < _REMEMBER_S
            words.append(f"since the start {self._total}")
        return SourceStatus(
            "lifecycle", "", "degraded" if degraded else "ok", "; ".join(words), self._heard_at
        )
