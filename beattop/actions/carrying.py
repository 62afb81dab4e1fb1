"""The order in which a plan's steps are carried out, and the proof of all of them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from beattop.actions import pidfile, signals, start, stop, verify
from beattop.actions.confine import OUTSIDE, outside
from beattop.actions.ended import WORST, Blind, Cancelled, Ended, Failed, Status, Unverified
from beattop.actions.run import Run
from beattop.actions.steps import called, named, start_again, waiting
from beattop.actions.stop import Stopping
from beattop.actions.survivors import further_plan
from beattop.actions.takeover import Takeover
from beattop.actions.watch import Watch, follow
from beattop.model.plan import Outcome, Plan, Step
from beattop.model.process import ProcessKey
from beattop.model.snapshot import ProgramId
from beattop.text import listing, safe

UNVERIFIED = "stopped, not yet verified"


class Carrying:
    """The order in which a plan's steps are carried out and proven."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.wrong: dict[int, Ended] = {}
        self.asked: list[Stopping] = []
        self.settled: list[Stopping] = []
        self.ended: list[str] = []
        self.held: list[Step] = []
        """Starts that wait for what is left over to be ended: they are offered after that."""

    def out(self) -> Outcome:
        """All steps, then the proof of all together."""
        for step in self.run.plan.steps:
            if outside(self.run, step):
                return Outcome("refused", (), f"{called(step.target)}: {OUTSIDE}")
        self._announce()
        try:
            for index, step in enumerate(self.run.plan.steps):
                if not self._may(index):
                    break
                self._guarded(index, self._step, index, step)
            self._settle()
            late = not self._prove()
        except Cancelled as why:
            return self._outcome("cancelled", why.words)
        if late and not self.wrong and not self.run.checks.failed():
            return self._outcome("unverified", UNVERIFIED)
        return self._result()

    def _announce(self) -> None:
        """The whole checklist, still open."""
        many = len(self.run.plan.steps) > 1
        for index, step in enumerate(self.run.plan.steps):
            name = f"{called(step.target)}: " if many and step.target.namespec else ""
            for check, label in _LABELS[step.verb]:
                self.run.checks.expect(index, check, f"{name}{label}")
            if step.heir is not None:
                label = f"{safe(step.heir.namespec)} takes over"
                self.run.checks.expect(index, "took-over", label)
        verify.expect_keepers(self.run)

    def _may(self, index: int) -> bool:
        """Whether to go on: after a change since the look nothing more is touched."""
        changed = any(why.status == "changed" for why in self.wrong.values())
        if not changed and not self.run.late():
            return True
        for rest in range(index, len(self.run.plan.steps)):
            self.run.checks.skip_open(rest, "not begun")
            if not changed:
                self.wrong[rest] = Unverified("not begun, for the time was over")
        return False

    def _guarded(self, index: int, act: Callable[..., None], *args: object) -> None:
        """`act`, its bad end noted for its step; a cancellation ends all."""
        try:
            act(*args)
        except Cancelled:
            raise
        except Ended as why:
            self._note_end(index, why)

    def _note_end(self, index: int, why: Ended) -> None:
        self.wrong[index] = why
        opened = [c for c in self.run.checks.open() if c.step == index]
        opened = [c for c in opened if not c.name.startswith("keeper-")]
        if opened:
            self.run.checks.tick(index, opened[0].name, "failed", why.words)
            self.run.checks.skip_open(index, "the step before it failed")

    def _step(self, index: int, step: Step) -> None:
        run = self.run
        self._not_blind_twice(step)
        if step.verb == "stop":
            self.asked.append(stop.ask(run, index, step))
            return
        self._settle()
        if step.verb == "start":
            self._depends(index)
            self._alone(step)
            if start.start(run, index, step):
                self.ended.append(f"{called(step.target)} is started")
        elif step.verb == "restart":
            self._restart(index, step)
        elif step.verb == "remove-pidfile":
            pidfile.remove(run, index, step)
            self.ended.append(f"{named(step)} is removed")
        else:
            self._depends(index)
            if signals.send(run, index, step):
                self.ended.append(f"{called(step.target)} has ended")

    def _not_blind_twice(self, step: Step) -> None:
        """One that did not answer a moment ago is not waited for again."""
        for index, why in self.wrong.items():
            other = self.run.plan.steps[index]
            if why.status == "blind" and step.server and other.server == step.server:
                raise Blind("its supervisord did not answer a moment ago")

    def _depends(self, index: int) -> None:
        """A later step of a hand-over, or for what a stop left over, needs the one before it."""
        steps = self.run.plan.steps
        if self.wrong and (steps[index].if_left or steps[0].heir):
            raise Failed("not done, because the step before it failed")
        owner = steps[index].target.program
        if steps[index].if_left and not any(
            s.verb == "stop" and s.target.program == owner for s in steps[:index]
        ):
            raise Failed("not done, because its program is not stopped: it would be started again")

    def _alone(self, step: Step) -> None:
        """A start after what its program left over needs that ended: else there would be two."""
        proc = self.run.proc
        left = [found for key in step.after if proc.alive(key) and (found := proc.stat(key.pid))]
        if left and step.target.program:
            self.held.append(step)
            offer = further_plan(proc, left, step.target.program, self.run.look())
            self.run.further.append(offer)
            raise Failed("not started: a second one would run beside what is left over")

    def _restart(self, index: int, step: Step) -> None:
        """Stop it for good, make sure that nothing of it is left, then start it."""
        run = self.run
        stopping = stop.ask(run, index, step)
        run.halfway = run.acted
        try:
            wrong = stop.settle(run, [stopping]).get(index)
            if wrong is not None:
                raise wrong
            left = verify.LeftOvers(run, stopping)
            follow(run, [left.watch()])
            if any(c.step == index and c.name == "survivors" for c in run.checks.failed()):
                self.held.append(start_again(run.look(), step))
                raise Failed("not started: a second one would run beside what is left over")
            if start.start(run, index, step, check="started"):
                self.ended.append(f"{called(step.target)} is restarted")
        finally:
            run.halfway = False

    def _settle(self) -> None:
        """Watch the stops that were asked for, and look a second time."""
        waiting, self.asked = self.asked, []
        for index, why in stop.settle(self.run, waiting).items():
            self._note_end(index, why)
        for stopping in waiting:
            if stopping.index not in self.wrong:
                self._guarded(stopping.index, stop.stays, self.run, stopping)
            if stopping.index not in self.wrong:
                self.settled.append(stopping)
                self.ended.append(f"{called(stopping.step.target)} is stopped")

    def _prove(self) -> bool:
        """Follow every check that takes time. False where the plan's time was over before."""
        run = self.run
        if self.wrong and not run.acted:
            run.checks.skip_keepers("nothing was done")
            return True
        watches: list[Watch] = [*verify.stop_watches(run, self.settled)]
        for index, step in enumerate(run.plan.steps):
            if step.heir is not None and index not in self.wrong:
                self._guarded(index, self._follow_heir, index, step, step.heir, watches)
        watches += verify.keeper_watches(run)
        in_time = follow(run, watches)
        verify.keepers_live(run)
        return in_time

    def _follow_heir(self, index: int, step: Step, heir: ProgramId, watches: list[Watch]) -> None:
        client = self.run.client(replace(step.target, program=heir))
        watches.append(Takeover(self.run, index, step, heir, client).watch())

    def _result(self) -> Outcome:
        """The worst ending of any step, else whether all checks are ticked."""
        failed = self.run.checks.failed()
        for status in WORST:
            whys = [(i, why) for i, why in self.wrong.items() if why.status == status]
            if whys:
                index, why = whys[0]
                name = named(self.run.plan.steps[index])
                done = f" Done before: {'; '.join(self.ended)}." if self.ended else ""
                what = why.words if why.words.startswith(name) else f"{name}: {why.words}"
                return self._outcome(status, f"{what}.{done}")
        if failed:
            done = "; ".join(self.ended)
            bad = f"{failed[0].label}: no – {failed[0].detail}"
            return self._outcome("failed", f"{done}, but: {bad}" if done else bad)
        return self._outcome("done", "; ".join(self.ended) or "there was nothing left to do")

    def _outcome(self, status: Status | Literal["done"], words: str) -> Outcome:
        if status == "cancelled" and self.run.acted:
            words = f"{words}; {self._so_far()}"
        return Outcome(status, self.run.checks.all(), words, self._further())

    def _so_far(self) -> str:
        """What was asked before it was called off, done or not."""
        steps = self.run.plan.steps
        done = [c for c in self.run.checks.all() if c.tick == "done"]
        asked = {c.step for c in done if c.name in ("asked", "started")}
        names = [named(steps[index]) for index in sorted(asked)]
        words = f"asked already, not proven: {', '.join(names)}" if names else ""
        return "; ".join(self.ended) or words or "see the journal for what was asked"

    def _further(self) -> Plan | None:
        """All that is offered next, as one plan, each process once."""
        offers: list[Plan] = []
        known: set[ProcessKey] = set()
        for offer in self.run.further:
            steps = tuple(s for s in offer.steps if s.target.process not in known)
            known |= {s.target.process for s in steps if s.target.process}
            if steps:
                offers.append(replace(offer, steps=steps))
        if not offers:
            return None
        starts = f", then start {listing([called(s.target) for s in self.held])}"
        left = [step for offer in offers for step in offer.steps]
        title = offers[0].title if len(offers) == 1 else "End what was left over"
        return Plan(
            title=f"{title}{starts}" if self.held else title,
            keep=self.run.plan.keep,
            steps=(*left, *(waiting(step, left) for step in self.held)),
            advice=(),
            warnings=tuple(dict.fromkeys(w for offer in offers for w in offer.warnings)),
            lasting=(),
        )


_LABELS: dict[str, tuple[tuple[str, str], ...]] = {
    "stop": (
        ("asked", "asked to stop"),
        ("stopped", "is stopped"),
        ("stays-stopped", "stays stopped"),
        ("gone", "its process is gone"),
        ("survivors", "nothing of it is left over"),
        ("no-new-spawn", "no new spawn"),
    ),
    "start": (("asked", "asked to start"), ("runs", "runs")),
    "restart": (
        ("asked", "asked to stop"),
        ("stopped", "is stopped"),
        ("survivors", "nothing of it is left over"),
        ("started", "asked to start"),
        ("runs", "runs again"),
    ),
    "signal": (("asked", "SIGTERM sent"), ("gone", "the process is gone")),
    "kill": (("asked", "SIGKILL sent"), ("gone", "the process is gone")),
    "remove-pidfile": (("asked", "the stale pidfile is removed"),),
}
