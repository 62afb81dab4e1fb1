"""Step B: the children files four times a second and a pidfd for each life.

Where the kernel's process events are not to be had: in a container, or as an ordinary user before
Linux 6.6. Deaths are seen at once, births to a quarter of a second; supervisord's log, which is
another source, has those between.
"""

from __future__ import annotations

import os
import resource
import select
import threading
import time

from beattop.model.lifecycle import LifecycleEvent
from beattop.model.source import SourceStatus
from beattop.sources.lifecycle.lastlook import GONE, LastLook, last_look
from beattop.sources.lifecycle.pidfd import open_pidfd, wait_status
from beattop.sources.lifecycle.source import Drained, Unavailable, Wake
from beattop.sources.lifecycle.watched import Watched
from beattop.sources.proc.procfs import TICK_HZ, Procfs
from beattop.sources.proc.reading import ProcessReading

_PERIOD_S = 0.25
_UNREAPED_S = 1.5  # supervisord reaps within a second


class _Ending:
    """A process that ended and whose status only its reaping may tell."""

    __slots__ = ("at", "deadline", "fd", "look")

    def __init__(self, fd: int, at: float, look: LastLook, deadline: float) -> None:
        self.fd = fd
        self.at = at
        self.look = look
        self.deadline = deadline


class Children:
    """Looks at the children of whoever used CPU, in a thread of its own."""

    def __init__(self, why: str, on_exit: Wake | None = None) -> None:
        """`why` the kernel's events are not used, and what would mend it."""
        self._why = why
        self._on_exit = on_exit
        self._procfs = Procfs()
        self._lock = threading.Lock()
        self._watched = Watched(self._procfs, patience=1)
        self._clocks: dict[int, int] = {}
        self._parents: set[int] = set()
        self._scans = 0
        self._pidfds: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._ending: dict[int, _Ending] = {}
        self._epoll: select.epoll | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None
        self._closing = False
        self._failure: str | None = None
        self._scanned_at: float | None = None
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most_pidfds = 2000 if soft < 0 else min(2000, soft // 3)

    def because(self, why: str) -> None:
        """Say another reason from now on."""
        self._why = why

    def open(self) -> None:
        """Begin; raises Unavailable where the kernel lists no children."""
        if self._procfs.children(os.getpid()) is None:
            raise Unavailable("the kernel lists no children", "a kernel with CONFIG_PROC_CHILDREN")
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._thread = threading.Thread(target=self._run, name="beattop-lifecycle", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and let all descriptors go."""
        if self._thread is None or self._epoll is None:
            return
        self._closing = True
        os.eventfd_write(self._wake, 1)
        self._thread.join(2.0)
        self._thread = None
        self._epoll.close()
        for fd in [*self._pids, self._wake]:
            os.close(fd)

    def _run(self) -> None:
        try:
            self._look_on()
        except Exception as error:  # noqa: BLE001  a dead thread is silent: status() must tell
            self._failure = f"{type(error).__name__}: {error}"

    def _look_on(self) -> None:
        assert self._epoll is not None
        due = time.monotonic()
        while not self._closing:
            found = self._epoll.poll(max(0.0, due - time.monotonic()))
            with self._lock:
                ended = sum(self._react(fd, mask) for fd, mask in found)
                now = time.monotonic()
                if now >= due:
                    due = now + _PERIOD_S
                    self._scan()
                    ended += self._give_up(now)
            if ended and self._on_exit is not None:
                self._on_exit()

    # Deaths

    def _react(self, fd: int, mask: int) -> bool:
        """A pidfd became readable (dead) or hung up (reaped); True where an end was told."""
        if fd == self._wake:
            os.eventfd_read(fd)
            return False
        pid = self._pids.get(fd)
        if pid is None:  # let go meanwhile
            return False
        ending = self._ending.get(pid)
        if ending is None:
            look = last_look(self._procfs, pid)
            if look.living:
                life = self._watched.lives.get(pid)
                if life is None or look.start_ticks is None or life.is_it(look.start_ticks):
                    return False  # the descriptor's number was another's a moment ago
                # It was reaped, and its pid is another's already.
                look = GONE
            ending = _Ending(fd, time.time(), look, time.monotonic() + _UNREAPED_S)
            self._ending[pid] = ending
        status = ending.look.wait_status
        if status is None and mask & select.EPOLLHUP:
            status = wait_status(fd)
        elif status is None:
            assert self._epoll is not None
            self._epoll.modify(fd, 0)  # a hang-up is told in any case
            return False
        return self._end(pid, ending, status)

    def _give_up(self, now: float) -> int:
        """Tell of those that nobody reaped in time; how many those were."""
        late = [(pid, one) for pid, one in self._ending.items() if one.deadline <= now]
        return sum(self._end(pid, one, wait_status(one.fd)) for pid, one in late)

    def _end(self, pid: int, ending: _Ending, status: int | None) -> bool:
        del self._ending[pid]
        self._forget(pid)
        look = ending.look
        life = self._watched.lives.get(pid)
        if life and look.start_ticks is not None and not life.is_it(look.start_ticks):
            return False
        return self._watched.exit(pid, ending.at, status, look)

    def _forget(self, pid: int) -> None:
        self._clocks.pop(pid, None)
        fd = self._pidfds.pop(pid, None)
        if fd is not None:
            del self._pids[fd]
            os.close(fd)  # epoll lets it go by itself

    # Births

    def _scan(self) -> None:
        self._scans += 1
        for pid in list(self._watched.lives):
            # Who never had a child is asked once a second only.
            if pid not in self._parents and (pid + self._scans) % 4:
                continue
            ns = self._procfs.cpu_ns(pid)
            if ns is None and pid not in self._pidfds:
                self._watched.vanish(pid, time.time())
            # Forking costs CPU: whose clock stands still has no new child.
            if ns is not None and ns != self._clocks.get(pid):
                self._clocks[pid] = ns
                for child in self._procfs.children(pid) or ():
                    if child not in self._watched.lives:
                        self._born(child, pid)
        self._scanned_at = time.time()

    def _born(self, pid: int, parent: int) -> None:
        stat = self._procfs.stat(pid)
        if stat is None:
            return
        behind = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        self._parents.add(parent)
        if self._watched.fork(pid, parent, behind + (stat.start_ticks + 0.5) / TICK_HZ):
            life = self._watched.lives[pid]
            life.start_ticks, life.exact = stat.start_ticks, True
            self._hold(pid)

    def _hold(self, pid: int) -> None:
        self._ending.pop(pid, None)
        self._forget(pid)  # of a life whose pid came round
        if len(self._pids) >= self._most_pidfds:
            return
        fd = open_pidfd(pid)
        if fd is None:
            return
        assert self._epoll is not None
        self._pidfds[pid], self._pids[fd] = fd, pid
        self._epoll.register(fd, select.EPOLLIN)

    # The collector's side

    def drain(self) -> Drained:
        """What was seen since the last call."""
        with self._lock:
            events = self._watched.take()
        return Drained(tuple(sorted(events, key=lambda event: event.at)))

    def observe(self, reading: ProcessReading) -> tuple[LifecycleEvent, ...]:
        """Watch what the sampler watches; returns what happened between two looks."""
        with self._lock:
            new, events = self._watched.observe(reading)
            for pid in [p for p in self._pidfds if p not in self._watched.lives]:
                if pid not in self._ending:
                    self._forget(pid)
            for life in new:
                self._hold(life.pid)
            self._parents.update(usage.ppid for usage in reading.usage)
            self._parents &= self._watched.lives.keys()
        return events

    def status(self) -> SourceStatus:
        """Always degraded."""
        if self._failure is not None:
            return SourceStatus("lifecycle", "", "down", f"B: its thread ended ({self._failure})")
        detail = f"B: children looked at four times a second ({self._why})"
        return SourceStatus("lifecycle", "", "degraded", detail, self._scanned_at)
