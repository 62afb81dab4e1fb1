"""What `stop-duplicates` does: the plan in print, and with --yes the deed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import localtime, strftime
from typing import TextIO

from beattop.actions.contract import Executor
from beattop.actions.plan import DUPLICATES, plan_duplicates, wanted_programs
from beattop.actions.steps import called, keeper
from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.plan import Check, Outcome, Plan
from beattop.model.snapshot import Snapshot
from beattop.text import safe

DONE, FAILED, BLIND, REFUSED = 0, 1, 3, 4
"""Exit statuses of the public contract; 2 is the usage error that ValueError stands for."""
_STATUS = {"done": DONE, "blind": BLIND, "refused": REFUSED}


def run(
    frame: Frame, executor: Executor, only: Sequence[str], yes: bool, out: TextIO, err: TextIO
) -> int:
    """Print the plan to `out`; with `yes` carry it out, one line a check. Returns the exit status.

    Raises ValueError with one line for a namespec that no program has. A closed `out` stops the
    printing, never the deed.
    """
    say, narrate = _Printer(out), _Printer(err)
    findings = frame.findings
    plan = plan_duplicates(findings, frame.snapshot, only)
    if plan.empty:
        plan = replace(plan, advice=(*plan.advice, *_stale(frame, only)))
    blind = _blind(frame.snapshot)
    for line in described(plan):
        say(line)
    for finding in findings:
        if safe(finding.lasting.text) in plan.lasting:
            for row in finding.lasting.diff.splitlines():
                say(f"    {row}")
    for why in blind:
        narrate(f"not seen: {why}")
    for finding in findings:
        if finding.kind in DUPLICATES and finding.certainty == "possible":
            narrate(f"possible only, so left alone: {safe(finding.summary)}")
    if plan.empty:
        return _nothing(frame.snapshot, findings, plan, blind, yes)
    if not yes:
        narrate("Nothing was done: this is the plan. Carry it out with --yes.")
        return DONE
    if not executor.writable:
        narrate(f"Refused, nothing was done: {executor.reason}.")
        return REFUSED
    outcome = executor.execute(plan, lambda check: _tell(check, say))
    _result(outcome, say)
    _offer(outcome, narrate)
    status = _STATUS.get(outcome.status, FAILED)
    # A duplicate that only a person can end is still there.
    return FAILED if status == DONE and plan.advice else status


def _stale(frame: Frame, only: Sequence[str]) -> Iterator[str]:
    """A stale pidfile is removed with the consent of a person only: in the live screen, by `d`."""
    wanted = wanted_programs(only, frame.snapshot)
    for finding in frame.findings:
        if finding.kind == "stale-pidfile" and (wanted is None or wanted & {*finding.programs}):
            yield f"{safe(finding.summary)} {safe(finding.lasting.text)}"


def _nothing(
    snapshot: Snapshot, findings: Sequence[Finding], plan: Plan, blind: Sequence[str], yes: bool
) -> int:
    """Without a step: nothing to do, or nothing that may be done, or too little seen."""
    dark = {s.id for s in snapshot.supervisords if s.answers is False or not s.writable}
    targets = [t for f in findings if f.kind in DUPLICATES for t in f.stop]
    if blind and (not plan.advice or any(t.supervisor in dark for t in targets)):
        return BLIND
    return FAILED if plan.advice and yes else DONE


def _blind(snapshot: Snapshot) -> list[str]:
    """What could not be looked at, each with what would mend it."""
    out = []
    for source in snapshot.sources:
        if source.name in ("supervisor", "processes") and source.status in (
            "timeout",
            "denied",
            "down",
        ):
            where = f" {source.target}" if source.target else ""
            out.append(f"{source.name}{where}: {source.detail or source.status}")
    return list(dict.fromkeys(safe(line) for line in out))


def described(plan: Plan) -> Iterator[str]:
    """The plan as lines of text."""
    yield plan.title
    for keep in plan.keep:
        why = f": {safe(keep.why)}" if keep.why else ""
        yield f"  keep    {keeper(keep)}{why}"
    for step in plan.steps:
        why = f": {safe(step.target.why)}" if step.target.why else ""
        yield f"  {step.verb:<7} {called(step.target)}{why}"
        yield f"          {step.call}" + (f"  {safe(step.server)}" if step.server else "")
        if step.command:
            yield f"          the same by hand: {step.command}"
    for line in plan.advice:
        yield f"  advice  {line}"
    for line in plan.warnings:
        yield f"  note    {line}"
    for line in plan.lasting:
        yield f"  for good: {line}"


def _result(outcome: Outcome, say: _Printer) -> None:
    """How it ended, and what has no result at its end."""
    for check in outcome.checks:
        if check.tick == "pending":
            _line(check, "open", say)
    say(f"{outcome.status}: {outcome.summary}")


def _tell(check: Check, say: _Printer) -> None:
    if check.tick != "pending":
        _line(check, check.tick, say)


def _line(check: Check, word: str, say: _Printer) -> None:
    at = strftime("%H:%M:%S", localtime(check.at)) if check.at is not None else ""
    told = [check.detail, "" if at in check.detail else at]
    say(f"  {word:<7} {check.label}: {', '.join(part for part in told if part)}".rstrip(": "))


def _offer(outcome: Outcome, narrate: _Printer) -> None:
    """What would have to be confirmed anew, as commands: this command has no second question."""
    if outcome.further is not None:
        narrate(f"Next, if you want it: {outcome.further.title}")
        for step in outcome.further.steps:
            narrate(f"  {step.command or step.call}")


class _Printer:
    """Prints lines until the reader is gone."""

    def __init__(self, to: TextIO) -> None:
        self._to: TextIO | None = to

    def __call__(self, line: str) -> None:
        if self._to is None:
            return
        try:
            self._to.write(line + "\n")
            self._to.flush()
        except (OSError, ValueError):
            self._to = None
