"""What outlives the stop of its program: a beat behind a shell that passed no signal on."""

from __future__ import annotations

from collections.abc import Iterable

from beattop.actions.process_table import ProcessTable, key
from beattop.actions.steps import Parts, process_target, signal_step
from beattop.model.finding import Keep
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import ProgramId, Snapshot
from beattop.sources.proc.stat import Stat
from beattop.text import safe


def survivors(
    proc: ProcessTable,
    target: ProgramId,
    leaders: Iterable[ProcessKey],
    parent: int | None,
    below: Iterable[ProcessKey] = (),
) -> list[Stat]:
    """Living processes of a stopped program, oldest first.

    Found by the process group of a dead leader (a program's leader leads its own group), among
    those seen `below` it, whatever session they made for themselves, or by the environment that
    supervisord gave them where their group's leader is dead. `parent` is supervisord's pid: its
    own children are what it runs now, no left-overs.
    """
    groups = {leader.pid for leader in leaders}
    starts = dict(leaders)
    known = set(below)
    out: list[Stat] = []
    for found in proc.all():
        if found.ended or (found.ppid == parent and found.pgrp == found.pid):
            continue
        if found.pgrp in groups:
            # A group's number is not given anew while a member lives, so its members are these.
            if found.pid != found.pgrp or found.start_ticks == starts[found.pid]:
                out.append(found)
        elif key(found) in known or _left_over(proc, found, target):
            out.append(found)
    return sorted(out, key=lambda s: (s.start_ticks, s.pid))


def _left_over(proc: ProcessTable, found: Stat, target: ProgramId) -> bool:
    env = proc.environ(found.pid)
    if env.get("SUPERVISOR_PROCESS_NAME") != target.name:
        return False
    if env.get("SUPERVISOR_GROUP_NAME", target.group) != target.group:
        return False
    if env.get("SUPERVISOR_SERVER_URL", target.supervisor) != target.supervisor:
        return False
    leader = proc.stat(found.pgrp)
    return leader is None or leader.ended


def besides(proc: ProcessTable, left: Iterable[Stat], keep: Iterable[Keep]) -> list[Stat]:
    """Those that are not kept on purpose: an orphan that holds the pidfile, and its worker."""
    kept = [proc.stat(k.process.pid) for k in keep if k.process and proc.alive(k.process)]
    groups = {found.pgrp for found in kept if found is not None}
    return [found for found in left if found.pgrp not in groups]


def described(proc: ProcessTable, left: Iterable[Stat]) -> str:
    """Which they are, in words."""
    return ", ".join(f"pid {s.pid} ({proc.words(s.pid) or 'no command line'})" for s in left)


def further_plan(
    proc: ProcessTable,
    left: Iterable[Stat],
    name: ProgramId,
    snapshot: Snapshot,
    keep: Iterable[Keep] = (),
) -> Plan:
    """SIGTERM for what was left over, to be confirmed anew; `keep` has to live as before."""
    parts = Parts.empty()
    for found in left:
        words = f"left over from {name.namespec}: {proc.words(found.pid)}"
        target = process_target(key(found), words, name)
        parts.steps.append(signal_step(target, key(found)))
    parts.warnings.append("what is ended by a signal cannot be started again from here (no undo)")
    return parts.plan(f"End what {safe(name.namespec)} left over", snapshot, keep)
