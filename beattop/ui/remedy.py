"""The key that ends a finding, and the plan behind it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from beattop.actions.plan import DUPLICATES, plan_duplicates, plan_pidfile
from beattop.model.finding import Finding, Target
from beattop.model.plan import Plan
from beattop.model.snapshot import Snapshot
from beattop.text import listing


class Remedy(NamedTuple):
    """A command's id and what its key does here: `d`, "stop beat2"; `short` for small panes."""

    command: str
    label: str
    short: str


def remedy(finding: Finding, *, read_only: bool = False) -> Remedy:
    """The key for a finding: an act where beattop has one, else the evidence."""

    def act(command: str, verb: str, name: str) -> Remedy:
        if read_only:  # the key shows the plan and the command to hand on
            return Remedy(command, f"plan: {verb} {name}", "plan")
        return Remedy(command, f"{verb} {name}", verb)

    if finding.kind in DUPLICATES and finding.actionable:
        return act(
            "duplicates", "stop", listing([called(t) for t in finding.stop if t.via != "advice"], 2)
        )
    if finding.kind == "stale-pidfile" and finding.pidfile and finding.certainty == "certain":
        return act("duplicates", "remove", "the pidfile")
    if finding.programs:
        name = finding.programs[0].namespec
        if finding.kind == "respawn-loop":
            return act("stop", "stop", name)
        if finding.kind in {"beat-down", "program-down"}:
            return act("start", "start", name)
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
