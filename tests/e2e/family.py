"""A real parent that bears children on command, and knows the truth about them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from beattop.model.lifecycle import Exit, LifecycleEvent
from beattop.sources.lifecycle import Drops, Lifecycle
from beattop.sources.proc import ProcessReading, Sampler

# Commands on stdin, one JSON answer a line on stdout.
_PARENT = """
import json, os, signal, sys, threading, time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def bear(act):
    pid = os.fork()
    if not pid:
        try:
            act()
        finally:
            os._exit(99)
    return pid

def end(ms, status):
    time.sleep(ms / 1000)
    os._exit(status)

def nest(ms, status):
    inner = bear(lambda: end(ms, status))
    os.waitpid(inner, 0)
    os._exit(inner % 50)

def threads(status):
    for _ in range(4):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    os._exit(status)

def crowd(ms, status):
    for _ in range(30):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    end(ms, status)

def alone(ms, status):
    # The first thread ends by itself, as by pthread_exit(3); another ends the process.
    threading.Thread(target=end, args=(ms, status)).start()
    import ctypes
    ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)

def exec_in_a_thread(argv):
    threading.Thread(target=os.execv, args=(argv[0], argv)).start()
    time.sleep(60)

def work(own, childs):
    os.waitpid(bear(lambda: (burn(childs), os._exit(0))), 0)
    burn(own)
    os._exit(0)

def reap(pid):
    _, status, used = os.wait4(pid, 0)
    return {"status": status, "cpu": used.ru_utime + used.ru_stime}

acts = {"live": end, "nest": nest, "threads": threads, "crowd": crowd, "alone": alone, "exec": exec_in_a_thread, "work": work}
for line in sys.stdin:
    name, *args = json.loads(line)
    if name == "reap":
        told = reap(*args)
    elif name == "at once":  # nobody has time to read the zombie
        pid = bear(lambda: acts[args[0]](*args[1:]))
        told = [pid, reap(pid)["status"]]
    elif name == "lives":  # one after the other, reaped a little late as supervisord does
        count, ms, kind = args
        told = []
        for n in range(count):
            pid = bear(lambda: acts[kind](ms, n % 100))
            time.sleep(ms / 1000 + 0.004)
            told.append([pid, reap(pid)["status"]])
    else:
        told = bear(lambda: acts[name](*args))
    print(json.dumps(told), flush=True)
"""


class Family:
    """The parent; every call waits for its answer."""

    def __init__(self) -> None:
        # Others may run these tests on this box at the same time.
        self.mark = f"beattop-family-{os.getpid()}-{time.monotonic_ns()}"
        self._child = subprocess.Popen(
            [sys.executable, "-S", "-c", _PARENT, self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._child.pid

    def do(self, *command: object) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(command) + "\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())

    def end(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(10)


@contextmanager
def family() -> Iterator[Family]:
    one = Family()
    try:
        yield one
    finally:
        one.end()


class Looker:
    """Samples and listens as the collector does, and keeps what was told."""

    def __init__(self, source: Lifecycle, mark: str) -> None:
        """Looks at the family of that mark."""
        self.source = source
        self.sampler = Sampler(lambda argv: mark in argv)
        self.events: list[LifecycleEvent] = []
        self.execs: set[int] = set()
        self.drops: list[Drops] = []
        self.reading: ProcessReading

    def look(self) -> ProcessReading:
        heard = self.source.drain()
        self.execs |= heard.execs
        if heard.drops:
            self.drops.append(heard.drops)
        self.reading = self.sampler.sample(time.time(), heard.births, heard.execs, heard.rescan)
        self.events += [*heard.events, *self.source.observe(self.reading)]
        return self.reading

    def exits(self, pid: int) -> list[Exit]:
        return [e for e in self.events if isinstance(e, Exit) and e.pid == pid]

    def of(self, kind: type[LifecycleEvent], pid: int) -> list[LifecycleEvent]:
        return [e for e in self.events if isinstance(e, kind) and e.pid == pid]

    def watches(self, pid: int) -> bool:
        return any(p.pid == pid for p in self.look().processes)

    def close(self) -> None:
        self.source.close()
        self.sampler.close()
