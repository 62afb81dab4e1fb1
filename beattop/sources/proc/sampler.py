"""The table of watched processes: supervised trees, Celery's, and what is left over of either.

After the first look a sample costs in proportion to the watched processes, not to the box: a
system call each for the CPU clock, and a read of stat for those whose clock moved.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from beattop.model.outside import runner
from beattop.model.source import SourceStatus
from beattop.sources.proc import commands, facts
from beattop.sources.proc.box import Box
from beattop.sources.proc.census import Census
from beattop.sources.proc.procfs import Procfs
from beattop.sources.proc.reading import ProcessReading
from beattop.sources.proc.row import Row
from beattop.sources.supervisor.invocation import invocation

_EVERY = 10  # samples after which stat and the command line are read again in any case
_YOUNG = 3  # samples in which a new process's command line is compared each time
_MOST_FILES = 2000
_GENERATIONS = 8  # of a foreign root's ancestors are looked at
_RESCAN_S = 5.0  # at most so often is the whole box looked through on request


class Sampler:
    """Looks at the watched processes; one thread only."""

    def __init__(
        self,
        interesting: Callable[[Sequence[str]], bool],
        proc: Path | str = "/proc",
    ) -> None:
        """`interesting` tells from a command line (raw words) whether it is Celery's.

        `proc` may be any folder of that shape; pids of another namespace's mount are read, but
        not asked for by system calls. Sets psutil.PROCFS_PATH to it. OSError where `proc/stat`
        cannot be read.
        """
        self._interesting = interesting
        self._procfs = Procfs(proc)
        psutil.PROCFS_PATH = self._procfs.root
        self._box = Box(self._procfs)
        self._census = Census(self._procfs)
        self._rows: dict[int, Row] = {}
        self._groups: dict[int, None] = {}
        self._young: dict[int, int] = {}
        self._tree: dict[int, list[int]] | None = None
        self._turn = 0
        self._hidden = False
        self._last_scan: float | None = None
        self._status = SourceStatus("processes", self._procfs.root, "ok")
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        # Only /proc's own files end with their process: in a folder an open one would lie.
        most = _MOST_FILES if self._procfs.native else 0
        self._files_left = most if soft < 0 else min(most, soft // 3)

    def close(self) -> None:
        """Let all descriptors go."""
        for row in self._rows.values():
            row.close()
        self._rows.clear()

    def status(self) -> SourceStatus:
        """How the last sample fared."""
        return self._status

    def sample(
        self,
        now: float,
        births: Iterable[int] = (),
        execs: Iterable[int] = (),
        rescan: bool = False,
    ) -> ProcessReading:
        """The watched processes at `now` (Unix seconds); OSError where /proc cannot be read.

        `births` are pids known to descend from watched ones, `execs` pids that became another
        program; `rescan` asks for a look at every process, because events were lost.
        """
        self._turn += 1
        self._tree = None
        up = time.clock_gettime(time.CLOCK_BOOTTIME)
        if by := self._box.stepped(time.time()):
            for row in self._rows.values():
                row.process = replace(row.process, started_at=row.process.started_at + by)
        if self._last_scan is not None:
            self._meet(births, execs)
        if self._last_scan is None or (
            rescan and abs(now - self._last_scan) >= _RESCAN_S  # clocks may be set back
        ):
            self._last_scan = now
            self._scan(self._census.everyone())
        self._read()
        self._learn_groups()
        rows = self._rows.values()
        reading = ProcessReading(
            now,
            tuple([row.process for row in rows]),
            tuple([row.usage for row in rows]),
            self._box.cpu(self._census.count()),
            self._box.host,
            up,
            frozenset([row.pid for row in rows if row.supervisord]),
        )
        self._status = self._judge(now)
        return reading

    # Who is watched

    def _scan(self, pids: list[int]) -> None:
        """Look at everyone: by command line first, then what is left over of the supervised."""
        for pid in pids:
            if pid not in self._rows:
                self._try_command(pid)
        self._hidden = self._procfs.native and self._procfs.stat(1) is None
        everyone = set(pids)
        for pid in pids:
            if pid not in self._rows and self._left_over(pid, everyone):
                self._adopt(pid)

    def _meet(self, births: Iterable[int], execs: Iterable[int]) -> None:
        """Look at newcomers, at what became another program, and at a few of the rest."""
        for pid in births:
            self._adopt(pid)
        # A new process is looked at twice: between fork and exec it bears its parent's name.
        again, self._young = self._young, {}
        for pid in [*self._census.newcomers(), *again, *execs]:
            row = self._rows.get(pid)
            if row is not None:
                row.looks = 0
                continue
            if self._descends(pid) or self._try_command(pid) or self._try_left_over(pid):
                continue
            if pid not in again:
                self._young[pid] = self._turn
        for pid in self._census.some():
            if pid not in self._rows:
                self._try_command(pid)

    def _try_command(self, pid: int) -> bool:
        raw = self._first_words(pid)
        if not raw or not commands.hinted(raw):
            return False
        argv = commands.split(raw if len(raw) < 4096 else facts.cmdline(self._procfs, pid))
        if not (invocation(argv) is not None or self._interesting(argv)):
            return False
        self._adopt(pid)
        self._look_up(pid)
        return True

    def _look_up(self, pid: int) -> None:
        """Who above a root that is watched for its command line would start it again."""
        root = self._rows.get(pid)
        stat = self._procfs.stat(pid)
        for _ in range(_GENERATIONS):
            if root is None or stat is None or stat.ppid <= 1 or stat.ppid in self._rows:
                return
            stat = self._procfs.stat(stat.ppid)
            if stat is None:
                return
            argv = commands.split(facts.cmdline(self._procfs, stat.pid))
            found = runner(stat.comm.decode("utf-8", "replace"), argv)
            if found is not None:
                root.process = replace(root.process, runner=found)
                return

    def _first_words(self, pid: int) -> bytes:
        try:
            return self._procfs.read(f"{pid}/cmdline")
        except OSError:
            return b""

    def _descends(self, pid: int) -> bool:
        stat = self._procfs.stat(pid)
        if stat is None or not (stat.ppid in self._rows or stat.pgrp in self._groups):
            return False
        self._adopt(pid)
        return True

    def _try_left_over(self, pid: int) -> bool:
        found = self._left_over(pid, None)
        if found:
            self._adopt(pid)
        return found

    def _left_over(self, pid: int, everyone: set[int] | None) -> bool:
        """Whether it carries a supervised program's environment though none watched holds it.

        Only a group's leader, or a member of a group without one, can be the root of such a tree:
        supervisord makes each program a group of its own, and a left-over's parent is a stranger.
        """
        group = self._procfs.pgrp(pid)
        if not group:  # gone, or a kernel thread
            return False
        if group != pid:
            led = group in everyone if everyone is not None else self._procfs.pgrp(group)
            if led:
                return False
        env = facts.environ(self._procfs, pid)
        return env is not None and ("SUPERVISOR_ENABLED" in env or "SUPERVISOR_PROCESS_NAME" in env)

    def _adopt(self, pid: int) -> None:
        """Watch a process and all its descendants."""
        todo = [pid]
        while todo:
            one = todo.pop()
            if one in self._rows:
                continue
            stat = self._procfs.stat(one)
            if stat is None or stat.pid != one:
                continue
            raw = facts.cmdline(self._procfs, one)
            process = facts.process(self._procfs, stat, raw, self._box.host.boot_at)
            if process is None:
                continue
            row = Row(self._procfs, stat, raw, process, self._files_left > 0)
            self._files_left -= row.holds_file
            self._rows[one] = row
            todo += self._children(one)

    def _children(self, pid: int) -> list[int]:
        found = self._procfs.children(pid)
        if found is None:
            if self._tree is None:
                self._tree = self._procfs.tree()
            found = self._tree.get(pid, [])
        return found

    def _learn_groups(self) -> None:
        """Remember the process groups of supervisord's children while anyone is in them."""
        alive = {row.usage.pgrp for row in self._rows.values()}
        for group in [g for g in self._groups if g not in alive]:
            del self._groups[group]
        for row in self._rows.values():
            if row.usage.pgrp == row.pid:
                parent = self._rows.get(row.usage.ppid)
                if parent is not None and parent.supervisord:
                    self._groups[row.pid] = None

    # What they do

    def _read(self) -> None:
        ended: set[int] = set()
        gone: list[Row] = []
        for row in self._rows.values():
            due = (row.pid + self._turn) % _EVERY == 0
            before = row.usage
            if not row.read(due):
                gone.append(row)
                continue
            if row.usage is not before and row.usage.state in "ZX":
                ended.add(row.pid)
            if due or row.looks < _YOUNG:
                row.looks += 1
                self._compare(row)
        for row in gone:
            self._drop(row)
        ended.update(row.pid for row in gone)
        if ended:
            # Their children have another parent now, at no cost of their own.
            for row in [r for r in self._rows.values() if r.usage.ppid in ended]:
                if not row.read(True):
                    self._drop(row)
        for row in self._rows.values():
            u, p = row.usage, row.process
            if u.ppid != p.ppid or u.pgrp != p.pgrp:
                above = p.runner if u.ppid == p.ppid else None
                row.process = replace(p, ppid=u.ppid, pgrp=u.pgrp, runner=above)

    def _compare(self, row: Row) -> None:
        """Read the facts again where the command line is another: an exec, or setproctitle."""
        raw = facts.cmdline(self._procfs, row.pid)
        if not raw or hash(raw) == row.words:
            return
        stat = self._procfs.stat(row.pid)
        if stat is None or stat.start_ticks != row.start_ticks:
            return
        process = facts.process(self._procfs, stat, raw, self._box.host.boot_at)
        if process is not None:
            row.bear(replace(process, runner=row.process.runner), raw)

    def _drop(self, row: Row) -> None:
        self._files_left += row.holds_file
        row.close()
        del self._rows[row.pid]

    def _judge(self, now: float) -> SourceStatus:
        target = self._procfs.root
        if self._hidden:
            return SourceStatus(
                "processes",
                target,
                "degraded",
                "other users' processes are hidden (/proc is mounted with hidepid): "
                "run as root, or as a member of the mount's gid= group",
                now,
            )
        blind = sum(row.process.env is None for row in self._rows.values())
        detail = (
            f"environment of {blind} of {len(self._rows)} watched processes unreadable: "
            "run as root, or as their user, to tell left-overs by it"
            if blind
            else ""
        )
        return SourceStatus("processes", target, "ok", detail, now)
