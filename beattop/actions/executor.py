"""The executor that acts: the only place where something that can write is built."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from beattop.actions.carrying import Carrying
from beattop.actions.checklist import Checklist
from beattop.actions.clock import Clock
from beattop.actions.ended import Blind
from beattop.actions.interrupted import interrupted
from beattop.actions.journal import Journal
from beattop.actions.process_table import ProcessTable
from beattop.actions.program_plan import surprises
from beattop.actions.run import SLACK_S, Run
from beattop.actions.steps import called, start_again, waiting
from beattop.actions.writer import Wire, WriteClient, wire
from beattop.model.plan import Check, Outcome, Plan, Step
from beattop.model.snapshot import ProgramId, Snapshot
from beattop.sources.supervisor.server import Server
from beattop.text import listing, safe

CLOSE_S = 30.0
"""How long a closed screen waits for a restart that is halfway, or for an answer."""
QUIET_S = 0.3
"""A wait that is not worth a word."""
ENDED = "beattop was ended"


class LiveExecutor:
    """Carries plans out, one at a time. Made only where writing is allowed."""

    writable = True
    reason = ""

    def __init__(
        self,
        servers: Callable[[str], Server | None],
        look: Callable[[], Snapshot],
        journal: Journal | None = None,
        confined_to: frozenset[str] | None = None,
        *,
        proc: ProcessTable | None = None,
        clock: Clock | None = None,
        connect: Callable[[Server], Wire] = wire,
    ) -> None:
        """`servers` gives address and credentials for a supervisor's id, None where unknown;
        `look` the newest snapshot. With `confined_to` no program of another supervisord and no
        process outside of these supervisords' trees is touched. The rest is for tests."""
        self._servers = servers
        self._look = look
        self._journal = journal or Journal()
        self._confined_to = confined_to
        self._proc = proc or ProcessTable()
        self._clock = clock or Clock()
        self._connect = connect
        # The demo is no part of what happens on this box.
        at_large = confined_to is None
        self.before = interrupted(self._journal, self._proc, self._clock) if at_large else ""
        self._busy = threading.Lock()
        self._closing = threading.Event()
        self._broken_off: Callable[[], None] = lambda: None
        self._title = ""
        self._undo: list[Plan] = []

    def undo_plan(self) -> Plan | None:
        """The plan that takes the last action of this run back; None where there is none."""
        if not self._undo:
            return None
        plan = self._undo[-1]
        now = surprises(plan.steps, self._look())
        return replace(plan, warnings=(*plan.warnings, *now))

    def execute(
        self,
        plan: Plan,
        on_check: Callable[[Check], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Carry `plan` out; blocks for at most the longest stopwaitsecs and 60 s. Never raises for
        anything the box does. A second call while one runs is refused."""
        if not self._busy.acquire(blocking=False):
            return Outcome("refused", (), "another action is still under way")
        try:
            return self._execute(plan, on_check, cancelled)
        finally:
            self._busy.release()

    def _execute(
        self, plan: Plan, on_check: Callable[[Check], None], cancelled: Callable[[], bool]
    ) -> Outcome:
        action = self._journal.begin()

        def note(event: str, **fields: object) -> None:
            self._journal.write(action, event, self._clock.now(), fields)

        def told(check: Check) -> None:
            if check.tick != "pending":
                words = {"check": check.name, "step": check.step, "label": check.label}
                note("check", **words, tick=check.tick, detail=check.detail)
            on_check(check)

        checks = Checklist(told, self._clock)
        run = Run(
            plan=plan,
            begun=self._look(),
            look=self._look,
            checks=checks,
            clock=self._clock,
            proc=self._proc,
            connect=self._clients(lambda call, result: note("call", call=call, result=result)),
            note=lambda call, result: note("call", call=call, result=result),
            cancelled=lambda: cancelled() or self._closing.is_set(),
            confined_to=self._confined_to,
        )
        self._broken_off = lambda: note("result", status="interrupted", summary=ENDED)
        self._title = plan.title
        run.deadline = self._clock.monotonic() + _span(run)
        note(
            "plan",
            title=plan.title,
            steps=[[s.call, s.server, called(s.target)] for s in plan.steps],
            keep=[[k.namespec, k.pid] for k in plan.keep],
        )
        try:
            outcome = Carrying(run).out()
        except BaseException as why:
            ended = type(why).__name__ if isinstance(why, Exception) else ENDED
            note("result", status="interrupted", summary=ended)
            raise
        by = f"{ENDED}: " if outcome.status == "cancelled" and self._closing.is_set() else ""
        note("result", status=outcome.status, summary=f"{by}{outcome.summary}")
        self._remember(plan, outcome)
        return self._with_journal(outcome, on_check)

    def close(self, tell: Callable[[str], None] = lambda words: None) -> None:
        """Beattop ends, a closed terminal too: a plan under way takes no further step.

        A restart between its stop and its start is brought to its end first. Blocks for at most
        CLOSE_S, and says so through `tell`; what is not over then, or where a signal ends the
        wait, is journalled as interrupted.
        """
        self._closing.set()
        if self._busy.acquire(timeout=min(QUIET_S, CLOSE_S)):
            self._busy.release()
            return
        try:
            tell(f"{self._title}: waiting at most {CLOSE_S:.0f} s for its end (Ctrl-C leaves now)")
            over = self._busy.acquire(timeout=CLOSE_S)
        except BaseException:
            self._broken_off()
            raise
        if over:
            self._busy.release()
        else:
            self._broken_off()
            tell(f"{self._title}: not over, look at it")

    def _clients(self, note: Callable[[str, str], None]) -> Callable[[str], WriteClient]:
        """One client a supervisord for one carrying-out; a thread of its own uses them."""
        made: dict[str, WriteClient] = {}

        def connect(supervisor: str) -> WriteClient:
            if supervisor not in made:
                server = self._servers(supervisor)
                if server is None or server.url is None:
                    raise Blind(f"there is no address for {safe(supervisor)}")
                try:
                    made[supervisor] = WriteClient(server, supervisor, note, self._connect(server))
                except ValueError as why:
                    raise Blind(safe(str(why))) from None
            return made[supervisor]

        return connect

    def _remember(self, plan: Plan, outcome: Outcome) -> None:
        """Keep what would take it back; what an undo has carried out leaves the pile."""
        last = self._undo[-1] if self._undo else None
        if last is not None:
            good = ("done", "skipped") if outcome.status == "done" else ("done",)
            asked = [c for c in outcome.checks if c.name == "asked" and c.tick in good]
            undone = {plan.steps[check.step] for check in asked}
            left = tuple(step for step in last.steps if step not in undone)
            self._undo[-1:] = [_undoing(left)] if left else []
        done = {c.step for c in outcome.checks if c.name == "asked" and c.tick == "done"}
        done |= {c.step for c in outcome.checks if c.name == "started" and c.tick == "done"}
        names = {plan.steps[index].target.program for index in done}
        again = [s for s in (plan.steps[i] for i in done) if s.verb == "restart" or s.after]
        self._forget({step.target.program for step in again})
        steps = [step for step in plan.undo if step.target.program in names]
        steps += self._unstarted(plan, outcome)
        # What the stop left over is not joined by a second one.
        left = outcome.further.steps if outcome.further else ()
        steps = [waiting(step, left) for step in steps]
        if steps:
            self._undo.append(_undoing(tuple(steps)))

    def _unstarted(self, plan: Plan, outcome: Outcome) -> Iterator[Step]:
        """The starts that restarts have not come to: taken back, their programs run again."""
        asked = {c.step for c in outcome.checks if c.name == "asked" and c.tick == "done"}
        came = {c.step for c in outcome.checks if c.name == "started" and c.tick == "done"}
        for index in sorted(asked - came):
            if plan.steps[index].verb == "restart":
                yield start_again(self._look(), plan.steps[index])

    def _forget(self, programs: set[ProgramId | None]) -> None:
        """What was restarted is no more as an earlier action left it: nothing to take back."""
        left = (
            tuple(s for s in plan.steps if s.target.program not in programs) for plan in self._undo
        )
        self._undo = [_undoing(steps) for steps in left if steps]

    def _with_journal(self, outcome: Outcome, on_check: Callable[[Check], None]) -> Outcome:
        """The outcome with a word on a journal that could not be written."""
        if not self._journal.trouble:
            return outcome
        check = Check(
            "journal", "written to the journal", "failed", self._journal.trouble, self._clock.now()
        )
        on_check(check)
        return replace(
            outcome,
            checks=(*outcome.checks, check),
            summary=f"{outcome.summary} ({self._journal.trouble})",
        )


def _undoing(steps: tuple[Step, ...]) -> Plan:
    """The plan that takes an action back, as `steps`."""
    verb = "Start" if steps[0].verb == "start" else "Stop"
    words = listing([called(step.target) for step in steps])
    return Plan(
        title=f"Undo: {verb.lower()} {words} again",
        keep=(),
        steps=steps,
        advice=(),
        warnings=(f"what the last action ended, {words}, comes back as it was",),
        lasting=(),
    )


def _span(run: Run) -> float:
    """Seconds that all may take: stops wait side by side, starts one after the other."""
    waits, starts = [0.0], 0.0
    for step in run.plan.steps:
        if step.verb == "stop":
            waits.append(run.stopwaitsecs(step.target))
        elif step.verb in ("start", "restart"):
            starts += run.stopwaitsecs(step.target) + 2 * run.startsecs(step.target.program) + 5
    return max(waits) + starts + SLACK_S
