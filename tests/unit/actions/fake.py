"""A clock, a /proc and a supervisord that do as a test's script says; nothing real is touched."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from beattop.actions.clock import Clock
from beattop.actions.executor import LiveExecutor
from beattop.actions.journal import Journal
from beattop.actions.process_table import ProcessTable
from beattop.model.plan import Check, Outcome, Plan
from beattop.model.snapshot import Snapshot
from beattop.sources.proc.stat import Stat
from beattop.sources.supervisor.server import Server
from tests.unit.actions.scene import AT, SUPERVISORD

CODES = {
    "STOPPED": 0,
    "STARTING": 10,
    "RUNNING": 20,
    "BACKOFF": 30,
    "STOPPING": 40,
    "EXITED": 100,
    "FATAL": 200,
    "UNKNOWN": 1000,
}
NOT_RUNNING = xmlrpc.client.Fault(70, "NOT_RUNNING: beat2")
HUNG = TimeoutError("timed out")


class FakeClock(Clock):
    """Sleeping is instant, and what is due meanwhile happens. A wait without end fails at once."""

    def __init__(self) -> None:
        self.t = 0.0
        self.read = 0
        """How often since the last sleep."""
        self.due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return AT + self.t

    def monotonic(self) -> float:
        self.read += 1
        assert self.read < 10_000, "it waits without sleeping"
        return 5000.0 + self.t

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        assert self.t < 10_000, "it waits for ever"
        self.read = 0
        end = self.t + seconds
        for when, act in sorted(self.due, key=lambda item: item[0]):
            if when <= end + 1e-9:
                self.t = max(self.t, when)
                self.due.remove((when, act))
                act()
        self.t = end

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.due.append((self.t + seconds, act))


class FakeProc(ProcessTable):
    """Processes are Stats in a dict."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__("/nonexistent")
        self.clock = clock
        self.born: dict[int, float] = {}
        self.found: dict[int, Stat] = {}
        self.env: dict[int, dict[str, str]] = {}
        self.inside: dict[int, int] = {}
        self.users: dict[int, int] = {}
        self.add(SUPERVISORD.pid, ppid=1, start=SUPERVISORD.start_ticks)

    def add(
        self,
        pid: int,
        *,
        ppid: int = SUPERVISORD.pid,
        pgrp: int | None = None,
        start: int | None = None,
        state: str = "S",
    ) -> None:
        ticks = pid * 10 if start is None else start
        group = pgrp or pid
        self.found[pid] = Stat(pid, b"celery", state, ppid, group, pid, 0, 0, 0, 0, 1, ticks, 0, 0)

    def remove(self, pid: int) -> None:
        self.found.pop(pid, None)

    def stat(self, pid: int) -> Stat | None:
        return self.found.get(pid)

    def age(self, found: Stat) -> float:
        return self.clock.monotonic() - self.born.get(found.pid, 5000.0)

    def all(self) -> Iterator[Stat]:
        return iter(list(self.found.values()))

    def children(self, pid: int) -> list[int]:
        return [s.pid for s in self.found.values() if s.ppid == pid]

    def own_pid(self, pid: int) -> int:
        return self.inside.get(pid, pid)

    def uid(self, pid: int) -> int | None:
        return self.users.get(pid, 0) if pid in self.found else None

    def environ(self, pid: int) -> dict[str, str]:
        return self.env.get(pid, {})

    def words(self, pid: int) -> str:
        return f"celery beat {pid}"


class FakeServer:
    """One supervisord: `calls` is what was sent, in order.

    `on_stop` and `on_start` are consumed one a call: an exception is raised, a callable is called,
    and after the last a stop or start just works.
    """

    def __init__(self, clock: FakeClock, proc: FakeProc, version: str = "4.3.0") -> None:
        self.clock, self.proc, self.version = clock, proc, version
        self.programs: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.on_stop: list[Exception | Callable[[str], None]] = []
        self.on_start: list[Exception | Callable[[str], None]] = []
        self.on_read: list[Exception | None] = []
        self.configs: list[dict[str, Any]] = []
        self.hung = False
        self.stop_takes: float | None = 0.3
        self.next_pid = 900

    def put(self, name: str, state: str, pid: int = 0, group: str | None = None) -> None:
        old = self.programs.get(name, {})
        self.programs[name] = {
            "name": name.rpartition(":")[2],
            "group": group or name.partition(":")[0],
            "state": CODES[state],
            "statename": state,
            "pid": pid,
            "start": old.get("start", int(AT) - 100),
            "stop": old.get("stop", int(AT) - 50),
            "now": int(self.clock.now()),
            "spawnerr": old.get("spawnerr", ""),
            "exitstatus": 0,
        }

    def spawn(self, name: str, state: str = "RUNNING") -> int:
        """A new life."""
        self.next_pid += 1
        self.proc.add(self.next_pid)
        self.proc.born[self.next_pid] = self.clock.monotonic()
        self.put(name, state, self.next_pid)
        self.programs[name]["start"] = int(self.clock.now())
        return self.next_pid

    def finish_stop(self, name: str) -> None:
        self.proc.remove(self.programs[name]["pid"])
        self.put(name, "STOPPED")

    def wire(self, server: Server) -> Callable[[str, tuple[Any, ...]], object]:
        return self.send

    def send(self, method: str, params: tuple[Any, ...]) -> object:
        space, _, short = method.partition(".")
        assert space == "supervisor"
        self.calls.append((short, *params))
        if self.hung:
            raise TimeoutError("timed out")
        return getattr(self, f"_{short}")(*params)

    @property
    def writes(self) -> list[tuple[Any, ...]]:
        return [c for c in self.calls if not c[0].startswith("get")]

    def _known(self, name: str) -> dict[str, Any]:
        if name not in self.programs:
            raise xmlrpc.client.Fault(10, f"BAD_NAME: {name}")
        return self.programs[name]

    def _getSupervisorVersion(self) -> str:
        return self.version

    def _getAllConfigInfo(self) -> list[dict[str, Any]]:
        return self.configs

    def _getProcessInfo(self, name: str) -> dict[str, Any]:
        if self.on_read and (trouble := self.on_read.pop(0)) is not None:
            raise trouble
        return dict(self._known(name))

    def _stopProcess(self, name: str, wait: bool) -> bool:
        assert wait is False
        found = self._known(name)
        if self.on_stop:
            scripted = self.on_stop.pop(0)
            if isinstance(scripted, Exception):
                raise scripted
            scripted(name)
            return True
        if found["statename"] == "BACKOFF":
            self.put(name, "STOPPED")
            return True
        if found["statename"] not in ("RUNNING", "STARTING"):
            raise NOT_RUNNING
        self.put(name, "STOPPING", found["pid"])
        if self.stop_takes is not None:
            self.clock.after(self.stop_takes, lambda: self.finish_stop(name))
        return True

    def _startProcess(self, name: str, wait: bool) -> bool:
        assert wait is False
        found = self._known(name)
        if self.on_start:
            scripted = self.on_start.pop(0)
            if isinstance(scripted, Exception):
                raise scripted
            scripted(name)
            return True
        if found["statename"] == "STOPPING":
            return True  # as the real one: it says yes and does nothing
        if found["statename"] in ("RUNNING", "STARTING", "BACKOFF"):
            raise xmlrpc.client.Fault(60, "ALREADY_STARTED")
        pid = self.spawn(name, "STARTING")
        self.clock.after(1.5, lambda: self._running(name, pid))
        return True

    def _running(self, name: str, pid: int) -> None:
        if self.programs[name]["pid"] == pid:
            start = self.programs[name]["start"]
            self.put(name, "RUNNING", pid)
            self.programs[name]["start"] = start


class World:
    """All of it together, and an executor in it."""

    def __init__(self, folder: Path, shot: Snapshot, version: str = "4.3.0") -> None:
        self.clock = FakeClock()
        self.proc = FakeProc(self.clock)
        self.server = FakeServer(self.clock, self.proc, version)
        self.shot = shot
        self.checks: list[Check] = []
        self.journal = folder / "journal.jsonl"
        self.address: Server | None = Server(shot.supervisords[0].url)
        self.confined: frozenset[str] | None = None
        self.cancelled: Callable[[], bool] = lambda: False
        self._executor: LiveExecutor | None = None
        for found in shot.programs:
            for one in found.members:
                ppid = one.process.ppid
                self.proc.add(one.key.pid, ppid=ppid, start=one.key.start_ticks)
            pid = found.leader.key.pid if found.leader else 0
            self.server.put(found.namespec, found.state or "RUNNING", pid, found.id.group)
        for beat in shot.beats:
            if beat.process is not None and beat.process.pid not in self.proc.found:
                self.proc.add(beat.process.pid, ppid=1, start=beat.process.start_ticks)

    @property
    def executor(self) -> LiveExecutor:
        if self._executor is None:
            self._executor = LiveExecutor(
                lambda _: self.address,
                lambda: self.shot,
                Journal(self.journal),
                self.confined,
                proc=self.proc,
                clock=self.clock,
                connect=self.server.wire,
            )
        return self._executor

    def do(self, plan: Plan) -> Outcome:
        self.checks = []
        return self.executor.execute(plan, self.checks.append, self.cancelled)


def ticks(outcome: Outcome) -> dict[str, str]:
    """{name: tick} of the first step's and keeper's checks."""
    return {c.name: c.tick for c in outcome.checks if c.step == 0}


def details(outcome: Outcome) -> dict[str, str]:
    return {c.name: c.detail for c in outcome.checks if c.step == 0}


def spans(calls: Sequence[tuple[Any, ...]], name: str) -> int:
    return sum(call[0] == name for call in calls)
