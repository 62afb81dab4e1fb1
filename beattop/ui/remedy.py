"""The key that ends a finding, and the plan behind it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from beattop.actions.plan import DUPLICATES, plan_duplicates, plan_pidfile
from beattop.actions.steps import mute
from beattop.model.finding import Finding, Target
from beattop.model.plan import Plan
from beattop.model.snapshot import ProgramId, Snapshot
from beattop.text import listing


class Remedy(NamedTuple):
    """A command's id and what its key does here: `d`, "stop beat2"; `short` for small panes."""

    command: str
    label: str
    short: str


class Chosen(NamedTuple):
    """What is selected in the table: keys act on that."""

    program: ProgramId | None = None
    finding: Finding | None = None
    """The one that the selected row is part of."""


def remedy(
    finding: Finding,
    snapshot: Snapshot,
    *,
    read_only: bool = False,
    chosen: Chosen | None = None,
) -> Remedy:
    """The key for a finding: an act where beattop has one, else the evidence.

    Where the key would act on another row than the finding's (`chosen`), it is the key that goes
    to the finding's row: no label may promise what its key does not do.
    """
    cure = _cure(finding, snapshot, read_only=read_only)
    if chosen is None or cure.command == "findings" or not finding.programs:
        return cure
    if cure.command == "duplicates":
        other = chosen.finding
        elsewhere = other is not None and other.identity != finding.identity and one_key(other)
    else:
        elsewhere = chosen.program not in finding.programs
    name = finding.programs[0].namespec
    return Remedy("next_finding", f"go to {name}", "go") if elsewhere else cure


def one_key(finding: Finding) -> bool:
    """True where `d` ends it."""
    return (finding.kind in DUPLICATES and finding.actionable) or _stale(finding)


def _stale(finding: Finding) -> bool:
    proven = finding.certainty == "certain" and finding.pidfile is not None
    return finding.kind == "stale-pidfile" and proven


def _cure(finding: Finding, snapshot: Snapshot, *, read_only: bool = False) -> Remedy:
    def act(command: str, verb: str, name: str, *, may: bool = True) -> Remedy:
        if read_only or not may:  # the key shows the plan and the command to hand on
            return Remedy(command, f"plan: {verb} {name}", "plan")
        return Remedy(command, f"{verb} {name}", verb)

    if _stale(finding):
        return act("duplicates", "remove", "the pidfile")
    if one_key(finding):
        names = [called(t) for t in finding.stop if t.via != "advice"]
        return act("duplicates", "stop", listing(names, 2))
    if finding.programs:
        supervisor, name = finding.programs[0].supervisor, finding.programs[0].namespec
        may = mute(snapshot, supervisor) is None
        if finding.kind == "respawn-loop":
            return act("stop", "stop", name, may=may)
        if finding.kind in {"beat-down", "program-down"}:
            return act("start", "start", name, may=may)
    return Remedy("findings", "evidence", "why")


def called(target: Target) -> str:
    """A target's name: its program, else its pid."""
    return target.namespec or (f"pid {target.pid}" if target.pid is not None else "it")


def plan_for(findings: tuple[Finding, ...], chosen: Finding | None, snapshot: Snapshot) -> Plan:
    """What `d` does: for the selected row's finding, else for all."""
    wanted = (chosen,) if chosen is not None else findings
    plan = plan_duplicates(wanted, snapshot)
    if not plan.empty or plan.advice:
        return plan
    stale = next((f for f in wanted if f.kind == "stale-pidfile"), None)
    if stale is not None:
        return plan_pidfile(stale, snapshot)
    return plan if chosen is None else plan_for(findings, None, snapshot)
