"""A folder that looks like /proc: a box of made-up processes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Fake:
    """What the files of one process are written from."""

    pid: int
    ppid: int = 1
    argv: tuple[str, ...] = ()
    comm: str = "python"
    state: str = "S"
    pgrp: int = 0
    start: int = 1000
    cpu: int = 0
    dead: int = 0
    rss: int = 10
    threads: int = 1
    uid: int = 1000
    env: tuple[str, ...] | None = ()
    cwd: str = "/srv"
    cgroup: str = "0::/system.slice/supervisor.service\n"
    ns_pids: tuple[int, ...] = ()
    pid_ns: int | None = 4026531836


class FakeProc:
    """Writes and changes the files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fakes: dict[int, Fake] = {}
        root.mkdir()
        (root / "loadavg").write_text("0.50 0.25 0.10 1/100 4000\n")
        self.ticks()
        self.add(Fake(1, 0, ("/sbin/init",), "init", pgrp=1, start=1, uid=0))

    def ticks(self, user: int = 100, idle: int = 1000, iowait: int = 50, steal: int = 0) -> None:
        guest = user  # all of it: guest time is in user as well
        line = f"{user} 0 0 {idle} {iowait} 0 0 {steal} {guest} 0"
        (self.root / "stat").write_text(
            f"cpu  {line}\ncpu0 {line}\ncpu1 {line}\nctxt 5\nbtime 1700000000\nprocesses 500\n"
        )

    def add(self, fake: Fake) -> None:
        self.fakes[fake.pid] = fake
        folder = self.root / str(fake.pid)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "ns").mkdir(parents=True)
        words = "".join(f"{word}\0" for word in fake.argv)
        (folder / "cmdline").write_text(words)
        (folder / "status").write_text(
            f"Name:\t{fake.comm}\nUid:\t{fake.uid}\t{fake.uid}\t{fake.uid}\t{fake.uid}\n"
            f"NSpid:\t{fake.pid}{''.join(f'{chr(9)}{n}' for n in fake.ns_pids)}\n"
        )
        (folder / "cgroup").write_text(fake.cgroup)
        if fake.env is not None:
            (folder / "environ").write_text("".join(f"{pair}\0" for pair in fake.env))
        (folder / "cwd").symlink_to(fake.cwd)
        (folder / "exe").symlink_to("/usr/bin/python3")
        if fake.pid_ns is not None:
            (folder / "ns" / "pid").symlink_to(f"pid:[{fake.pid_ns}]")
        self._stat(fake)

    def change(self, pid: int, **what: object) -> None:
        """Rewrite stat only, as a counter or a parent changes."""
        self.fakes[pid] = replace(self.fakes[pid], **what)
        self._stat(self.fakes[pid])

    def remove(self, pid: int) -> None:
        del self.fakes[pid]
        shutil.rmtree(self.root / str(pid))

    def _stat(self, f: Fake) -> None:
        fields = [f.state, f.ppid, f.pgrp or f.pid, f.pgrp or f.pid, 0, -1, 0, 0, 0, 0, 0]
        fields += [f.cpu, 0, f.dead, 0, 20, 0, f.threads, 0, f.start, 1 << 20, f.rss]
        fields += [0] * 28
        line = f"{f.pid} ({f.comm}) {' '.join(str(x) for x in fields)}\n"
        (self.root / str(f.pid) / "stat").write_text(line)
