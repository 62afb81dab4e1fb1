"""The kernel's own account of a tree of processes: a control group made for it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


class Cgroup:
    """A group of its own in a mounted hierarchy; OSError where none can be made."""

    def __init__(self, name: str, above: Cgroup | None = None) -> None:
        error = OSError("no cgroup hierarchy that accounts for CPU is mounted")
        for folder in [above.folder] if above else _hierarchies():
            try:
                self.folder = folder / name
                self.folder.mkdir()
            except OSError as refused:
                error = refused
            else:
                break
        else:
            raise error
        self._usage = self.folder / "cpuacct.usage"
        self._stat = self.folder / "cpu.stat"

    def take(self, pid: int) -> None:
        """Move a process in; whatever it forks from now on is in it as well."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    def cpu_s(self) -> float:
        """All that was used in it, in seconds, to the microsecond or better."""
        if self._usage.exists():
            return int(self._usage.read_text()) / 1e9
        return int(self._stat.read_text().split()[1]) / 1e6

    def remove(self) -> None:
        """Once it is empty."""
        self.folder.rmdir()


def _hierarchies() -> list[Path]:
    """Version 1's cpuacct first: nanoseconds, and no rule about processes in inner groups."""
    found: list[tuple[int, Path]] = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpuacct" in options.split(","):
            found.append((0, Path(where)))
        elif kind == "cgroup2":
            found.append((1, Path(where)))
    return [path for _, path in sorted(found) if os.access(path, os.W_OK)]


def tree_s(pid: int) -> float:
    """The same from /proc, in clock ticks: own and reaped CPU of a tree; where there is no group."""
    root = psutil.Process(pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total
