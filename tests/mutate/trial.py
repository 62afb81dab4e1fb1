"""One mutant each in a process of its own, against the tests that run its lines."""

from __future__ import annotations

import gc
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutate.cover import FOR_REAL
from tests.mutate.mutants import Mutant

PYTEST = ("-o", "addopts=", "-m", "not long", "-s", "-p", "no:cacheprovider", "-p", "no:terminal")
DEADLINE_S = 15.0
"""And ten times what its tests take unchanged."""
_MEMORY = 3 << 30


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and the tests to run on it, in this order."""

    mutant: Mutant
    tests: Sequence[str]
    seconds: float
    first: str | None = None
    """Who killed it in an earlier run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went: killed (`by` a test), timeout, survived, or broken: it could not be tried."""

    name: str
    word: str
    by: str | None
    seconds: float

    @property
    def scope(self) -> str:
        """The function that was changed."""
        return self.name.partition("  ")[0]


def judge(
    trials: Sequence[Trial], jobs: int, attempt: Callable[[Trial], str | None]
) -> Iterator[Verdict]:
    """Runs `attempt`, which returns the test that failed, in a fork a trial, `jobs` at a time."""
    waiting = list(reversed(trials))
    running: dict[int, tuple[Trial, int, int, float]] = {}
    poll = select.poll()
    while waiting or running:
        while waiting and len(running) < jobs:
            trial = waiting.pop()
            told, tell = os.pipe()
            pid = _fork(trial, attempt, tell)
            os.close(tell)
            watch = os.pidfd_open(pid)
            poll.register(watch, select.POLLIN)
            running[watch] = (trial, pid, told, time.monotonic())
        ready = {fd for fd, _ in poll.poll(200)}
        for watch, (trial, pid, told, began) in list(running.items()):
            spent = time.monotonic() - began
            late = spent > DEADLINE_S + 10 * trial.seconds
            if watch not in ready and not late:
                continue
            if late:
                os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            by = os.read(told, 4096).decode()
            poll.unregister(watch)
            os.close(watch)
            os.close(told)
            del running[watch]
            if late or status in (-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGALRM):
                word = "timeout"
            elif status == 0:
                word = "survived"
            else:
                word = "killed" if by else "broken"
            yield Verdict(trial.mutant.name, word, by or None, spent)


def _fork(trial: Trial, attempt: Callable[[Trial], str | None], tell: int) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        seconds = int(DEADLINE_S + 10 * trial.seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        sys.addaudithook(_forbid)
        signal.pidfd_send_signal = _no_signal
        by = attempt(trial)
        if by is None:
            status = 0
        else:
            os.write(tell, by.encode()[:4096])
    finally:
        os._exit(status)


def _forbid(event: str, args: tuple[Any, ...]) -> None:
    """A wrong change of the code that ends processes ends none."""
    if event in FOR_REAL:
        raise PermissionError(f"{event} in a mutant")


def _no_signal(*_: object) -> None:
    raise PermissionError("a signal from a mutant")


class Warm:
    """A pytest plugin: with everything imported, it tries each mutant instead of running tests.

    A function is changed in place, so that everybody who imported it calls the changed one.
    """

    def __init__(
        self,
        files: Sequence[str],
        rounds: Iterable[Sequence[Trial]],
        seconds: Mapping[str, float],
        jobs: int,
        told: Callable[[Verdict], None],
    ) -> None:
        self.files, self.rounds, self.jobs, self.told = files, rounds, jobs, told
        self.seconds = seconds
        """What each test takes unchanged."""
        self.kills: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
        """By function: who killed one of its mutants will often kill the next."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """To write pytest's own traceback, which nobody reads, takes ten times its test."""
        config.option.tbstyle = "native"

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own."""
        self.items = {item.nodeid: item for item in session.items}
        self.folders = session.config._tmp_path_factory  # type: ignore[attr-defined]
        files = {os.path.abspath(f) for f in self.files}
        self.live: dict[tuple[str, int, str], list[FunctionType]] = {}
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and found.__code__.co_filename in files:
                self.live.setdefault(_place(found.__code__), []).append(found)
        gc.collect()
        gc.freeze()
        with tempfile.TemporaryDirectory(dir=".mutate") as folder:
            self.folder = Path(folder).absolute()
            for trials in self.rounds:
                for verdict in judge(trials, self.jobs, self._attempt):
                    self.kills[verdict.scope][verdict.by] += 1
                    self.told(verdict)
        return True

    def _attempt(self, trial: Trial) -> str | None:
        mutant = trial.mutant
        path = os.path.abspath(mutant.file)
        module = compile(mutant.apply(), path, "exec")
        if mutant.function:
            code = next(
                c for c in _codes(module) if (c.co_firstlineno, c.co_name) == mutant.outermost
            )
            for function in self.live[(path, *mutant.outermost)]:
                function.__code__ = code
        else:
            try:
                _redo_import(mutant, module)
            except Exception:
                return "import"
        # A folder for the fixtures' own: pytest's would be counted through for each of thousands.
        self.folders._basetemp = self.folder / str(os.getpid())
        self.folders._basetemp.mkdir()
        try:
            return self._first_failure(trial)
        finally:
            shutil.rmtree(self.folders._basetemp, ignore_errors=True)

    def _first_failure(self, trial: Trial) -> str | None:
        kills = self.kills[trial.mutant.scope]
        for nodeid in sorted(trial.tests, key=lambda test: (test != trial.first, -kills[test])):
            # A loop without end is ended in its first test, not after the time of all.
            signal.setitimer(signal.ITIMER_REAL, DEADLINE_S + 10 * self.seconds[nodeid])
            try:
                reports = runtestprotocol(self.items[nodeid], nextitem=None, log=False)
            except KeyboardInterrupt:  # raised by the changed code
                return nodeid
            if any(r.failed for r in reports):
                return nodeid
        return None


def _redo_import(mutant: Mutant, code: CodeType) -> None:
    """What the changed file defines at import, put into the module that everybody has imported."""
    name = mutant.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    live = vars(sys.modules[name])
    fresh = {"__name__": name, "__file__": live["__file__"], "__package__": live["__package__"]}
    exec(code, fresh)
    for key, new in fresh.items():
        old = live.get(key)
        if isinstance(new, type | FunctionType):
            if new.__module__ == name and old is not None:
                _take_over(old, new)
        elif new is not old and repr(new) != repr(old):
            for module in list(sys.modules.values()):
                if vars(module).get(key) is old:
                    setattr(module, key, new)


def _take_over(old: Any, new: Any) -> None:
    """Defaults of a function; those of a class's fields, and its plain attributes."""
    if isinstance(new, FunctionType):
        old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
        return
    for key, value in vars(new).items():
        if isinstance(value, FunctionType):
            _take_over(vars(old)[key], value)
        elif isinstance(value, int | float | str | tuple) and key[:2] != "__":
            setattr(old, key, value)


def _place(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_name


def _codes(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)
