"""After a hand-over: does the supervised beat take the schedule, within its time?"""

from __future__ import annotations

import math
from dataclasses import replace

from beattop.actions.pidfile import named
from beattop.actions.process_table import key
from beattop.actions.run import Run
from beattop.actions.steps import call, command, program, program_target, rpc_step, supervisord
from beattop.actions.watch import Watch
from beattop.actions.writer import NoAnswer, Refused, WriteClient
from beattop.model.plan import Plan, Step, Tick
from beattop.model.process import ProcessKey
from beattop.model.snapshot import ProgramId
from beattop.text import safe

SPARE_S = 15.0
ASK_EVERY_S = 5.0


class Takeover:
    """Follows one heir from the moment the other beat, or the stale pidfile, is gone."""

    def __init__(
        self, run: Run, index: int, step: Step, heir: ProgramId, client: WriteClient
    ) -> None:
        self._run = run
        self._index = index
        self._heir = heir
        self._client = client
        self._path = step.pidfile.path if step.pidfile else None
        self._span = 2 * (run.startsecs(heir) + run.longest_life(heir)) + SPARE_S
        self._begun = run.clock.monotonic()
        self._asked = -math.inf
        self._first: tuple[int, float] | None = None
        """(pid, monotonic time) of the life that is being looked at."""

    def watch(self) -> Watch:
        """It ends by itself: two periods of the loop and some seconds from now."""
        return Watch(self._index, "took-over", self.read, math.inf)

    def read(self) -> tuple[Tick, str]:
        """Whether the pidfile names a living process of the heir, and supervisord agrees."""
        run = self._run
        now = run.clock.monotonic()
        over = now >= self._begun + self._span
        waited = f"{now - self._begun:.0f} s"
        holder = self._holder()
        if self._path is not None and holder is None and not over:
            return "pending", f"nobody holds {safe(self._path)} yet, {waited}"
        if now - self._asked < (0.5 if holder else ASK_EVERY_S) and not over:
            return "pending", waited
        self._asked = now
        words = self._judge(holder)
        if words is not None:
            return "done", words
        return ("failed", self._alarm()) if over else ("pending", waited)

    def _judge(self, holder: ProcessKey | None) -> str | None:
        """The reading that proves it; None where it is not proven (yet)."""
        run = self._run
        try:
            state = self._client.state(self._heir.namespec)
        except (Refused, NoAnswer):
            return None
        leader = run.process(state)
        if leader is None or state.state not in ("RUNNING", "STARTING"):
            return None
        now = run.clock.monotonic()
        if self._first is None or self._first[0] != leader.pid:
            self._first = (leader.pid, now)
        if self._path is None:
            # Without a pidfile only time tells: it has to outlive the lives that were refused.
            lived = now - self._first[1]
            enough = run.startsecs(self._heir) + run.longest_life(self._heir) + 1
            words = f"{self._heir.namespec} (pid {leader.pid}) lives for {lived:.0f} s"
            return safe(words) if lived >= enough and state.state == "RUNNING" else None
        if holder is None or leader.pid not in run.proc.ancestors(holder.pid):
            return None
        words = f"{self._heir.namespec} (pid {holder.pid}) holds {self._path}"
        return f"{safe(words)} at {run.clock.words()}"

    def _holder(self) -> ProcessKey | None:
        """The living process under the heir's supervisord that the pidfile names."""
        if self._path is None:
            return None
        try:
            pid = named(self._path)
        except OSError:
            return None
        server = supervisord(self._run.look(), self._heir.supervisor)
        if pid is None or server is None or server.key is None:
            return None
        proc = self._run.proc
        pending = proc.children(server.key.pid)
        while pending:
            child = pending.pop()
            if proc.own_pid(child) == pid:
                found = proc.stat(child)
                return key(found) if found and not found.ended else None
            pending += proc.children(child)
        return None

    def _alarm(self) -> str:
        name = safe(self._heir.namespec)
        what = f"holds {safe(self._path)}" if self._path else "schedules"
        by_hand = command(self._run.look(), "restart", self._heir) or call("restart", name)
        plan = restart_plan(self._run, self._heir)
        if plan is not None:
            self._run.further.append(plan)
        return (
            f"NOBODY {what} after {self._span:.0f} s: {name} HAS NOT TAKEN OVER and nothing is "
            f"scheduled now. Start it: {by_hand}"
        )


def restart_plan(run: Run, heir: ProgramId) -> Plan | None:
    """A restart of the heir that hesitates, to be confirmed anew."""
    found = program(run.look(), heir)
    if found is None:
        return None
    # Whatever it has become meanwhile is what is meant.
    target = replace(program_target(run.look(), found, "restart"), pid=None, process=None)
    step = rpc_step(run.look(), "restart", target)
    title = f"Restart {safe(heir.namespec)}, which has not taken over"
    return Plan(title, (), (step,), (), (), ())
