"""The proof after a stop: the duplicate stays away, and the kept beat still beats."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from beattop.actions.pidfile import named
from beattop.actions.pulse import BEATS_S, Pulse, beat_of
from beattop.actions.run import Run
from beattop.actions.steps import address, supervisord
from beattop.actions.stop import Stopping
from beattop.actions.survivors import besides, described, further_plan, survivors
from beattop.actions.validate import DOWN
from beattop.actions.watch import Watch
from beattop.actions.writer import NoAnswer, Refused
from beattop.model.finding import Keep
from beattop.model.plan import Tick
from beattop.text import safe

PIDFILE_S = 5.0
SURVIVE_S = 3.0
"""How long a dying shell's child may take before it counts as left over."""
ASK_EVERY_S = 2.0
END_S = 12.0
"""What the last question of a watch may take, by an answer that comes late (writer.TIMEOUT_S)."""
LEAST_S = 10.0
"""A watch that would be cut shorter than this proves nothing."""


def expect_keepers(run: Run) -> None:
    """Announce the checks of every kept beat."""
    for index, keep in enumerate(run.plan.keep):
        if keep.process is None:
            continue
        name = safe(keep.namespec) if keep.namespec else "the kept beat"
        run.checks.expect(index, "keeper-alive", f"{name} still lives")
        run.checks.expect(index, "keeper-pidfile", f"the pidfile names {name}")
        run.checks.expect(index, "keeper-beats", f"{name} still beats")


def keeper_watches(run: Run) -> Iterator[Watch]:
    """Pidfile and pulse of every kept beat; that it lives is read last, by `keepers_live`."""
    now = run.clock.monotonic()
    for index, keep in enumerate(run.plan.keep):
        if keep.process is not None:
            yield Watch(index, "keeper-pidfile", _Pidfile(run, keep).read, now + PIDFILE_S)
            yield Watch(index, "keeper-beats", Pulse(run, keep).read, now + BEATS_S + 1)


def keepers_live(run: Run) -> None:
    """Tick, at the very end, whether each kept beat is the same living process."""
    for index, keep in enumerate(run.plan.keep):
        if keep.process is None:
            continue
        alive = run.proc.alive(keep.process)
        halted = run.proc.halted(keep.process)
        word = "is stopped by a signal" if halted else "lives" if alive else "is gone"
        detail = f"pid {keep.process.pid} (start {keep.process.start_ticks}) {word}"
        tick: Tick = "done" if alive and not halted else "failed"
        run.checks.tick(index, "keeper-alive", tick, f"{detail} at {run.clock.words()}")


class _Pidfile:
    def __init__(self, run: Run, keep: Keep) -> None:
        self._run, self._keep = run, keep
        beat = beat_of(run, keep)
        self._path = beat.pidfile if beat else None

    def read(self) -> tuple[Tick, str]:
        if self._path is None or self._keep.process is None:
            return "skipped", "it has no pidfile"
        try:
            pid = named(self._path)
        except PermissionError:
            return "skipped", f"{safe(self._path)} may not be read by this user"
        except OSError as why:
            return "pending", f"{safe(self._path)}: {why.strerror}"
        own = self._run.proc.own_pid(self._keep.process.pid)
        words = f"{safe(self._path)} names pid {pid}, read at {self._run.clock.words()}"
        return ("done" if pid == own else "pending"), words


class NoSpawn:
    """No new life within twice (startsecs + the longest life): two periods of the loop.

    Where the plan's time is shorter it is watched for as long as that lasts: it was read STOPPED
    twice, over more than a turn of supervisord's loop, and supervisord starts none such by itself.
    """

    def __init__(self, run: Run, stopping: Stopping) -> None:
        self._run, self._stopping = run, stopping
        wanted = stopping.step.target.program
        self._since = stopping.stopped_at
        periods = 2 * (run.startsecs(wanted) + run.longest_life(wanted))
        left = run.deadline - self._since - END_S
        self._span = left if LEAST_S <= left < periods else periods
        self._of = "" if self._span == periods else f" (two periods are {periods:.0f} s)"
        server = supervisord(run.look(), stopping.step.target.supervisor)
        self._parent = server.key.pid if server and server.key else None
        self._known = self._children()
        self._asked = self._since

    def watch(self) -> Watch:
        """Fails where supervisord does not tell its state in the end."""
        until = max(self._since + self._span, self._run.clock.monotonic()) + 10
        return Watch(self._stopping.index, "no-new-spawn", self.read, until)

    def _children(self) -> set[int]:
        return set(self._run.proc.children(self._parent)) if self._parent else set()

    def _spawned(self) -> bool:
        """Whether supervisord has a new child that is this program's: only then is it asked."""
        new = self._children() - self._known
        self._known |= new
        name = self._stopping.before.name
        names = [self._run.proc.environ(p).get("SUPERVISOR_PROCESS_NAME") for p in new]
        return any(other is None or other == name for other in names)

    def read(self) -> tuple[Tick, str]:
        """By supervisord's new children, rarely by its word, and by that at the end."""
        now = self._run.clock.monotonic()
        watched = now - self._since
        if watched < self._span and not (now - self._asked >= ASK_EVERY_S and self._spawned()):
            return "pending", f"{watched:.0f} of {self._span:.0f} s"
        self._asked = now
        try:
            state = self._stopping.client.state(address(self._stopping.step.target))
        except (Refused, NoAnswer) as why:
            return "pending", f"supervisord does not tell: {why}"
        first = self._stopping.stopped or self._stopping.before
        # `start` is the time of the last spawn, so one reading covers the whole span.
        if state.start_at > first.start_at or state.state not in (*DOWN, "EXITED"):
            return "failed", f"{state.state}, spawned at {self._run.clock.words(state.start_at)}"
        if watched < self._span:
            return "pending", f"{watched:.0f} of {self._span:.0f} s"
        last = self._run.clock.words(state.start_at) if state.start_at else "never"
        words = f"{state.state}, last spawn {last}, watched for {watched:.0f} s{self._of}"
        return "done", words


class LeftOvers:
    """Nothing of the stopped program lives on."""

    def __init__(self, run: Run, stopping: Stopping) -> None:
        self._run, self._stopping = run, stopping
        server = supervisord(run.look(), stopping.step.target.supervisor)
        self._parent = server.key.pid if server and server.key else None
        begun = run.program(stopping.step.target)
        self._below = [member.key for member in begun.members] if begun else []
        self._end = (
            run.clock.monotonic() + SURVIVE_S + run.longest_life(stopping.step.target.program)
        )

    def watch(self) -> Watch:
        """Offers SIGTERM for what is left at its end."""
        return Watch(self._stopping.index, "survivors", self.read, math.inf)

    def read(self) -> tuple[Tick, str]:
        """What lives on now; a shell's child may be on its way out."""
        run, target = self._run, self._stopping.step.target.program
        if self._parent is None or target is None:
            return "skipped", "its processes are not on this box"
        left = survivors(run.proc, target, self._stopping.leaders, self._parent, self._below)
        left = besides(run.proc, left, run.plan.keep)
        if not left:
            return "done", f"none is left at {run.clock.words()}"
        words = described(run.proc, left)
        if run.clock.monotonic() < self._end:
            return "pending", words
        run.further.append(further_plan(run.proc, left, target, run.look(), run.plan.keep))
        return "failed", f"{words} lives on, outside of supervisord"


def gone(run: Run, stopping: Stopping) -> tuple[Tick, str]:
    """Whether the processes that were stopped have ended."""
    pids = [str(key.pid) for key in stopping.leaders]
    if not pids:
        return "skipped", "it had no process when it was asked"
    alive = [str(key.pid) for key in stopping.leaders if run.proc.alive(key)]
    if alive:
        return "pending", f"pid {', '.join(alive)} still lives"
    return "done", f"pid {', '.join(pids)} is gone at {run.clock.words()}"


def stop_watches(run: Run, stopped: Sequence[Stopping]) -> Iterator[Watch]:
    """All that is proven of programs after they were found stopped twice."""
    now = run.clock.monotonic()
    for stopping in stopped:

        def ended(stopping: Stopping = stopping) -> tuple[Tick, str]:
            return gone(run, stopping)

        yield Watch(stopping.index, "gone", ended, now + 5)
        yield LeftOvers(run, stopping).watch()
        yield NoSpawn(run, stopping).watch()
