"""Plans against findings: which calls, in which order, and what is left to a person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from beattop.actions.program_plan import plan_program
from beattop.actions.protect import Kept, handed_on, withheld
from beattop.actions.steps import (
    Parts,
    advised,
    called,
    mute,
    pidfile_step,
    program,
    program_target,
    rpc_step,
    signal_step,
)
from beattop.model.files import Pidfile
from beattop.model.finding import Finding, Keep, Target
from beattop.model.plan import Plan
from beattop.model.snapshot import ProgramId, Snapshot
from beattop.text import count, listing, safe

__all__ = [
    "plan_duplicates",
    "plan_finding_alternative",
    "plan_pidfile",
    "plan_program",
    "wanted_programs",
]

DUPLICATES = ("duplicate-beat", "double-supervisor")
"""The kinds of finding that one key ends."""


def plan_duplicates(
    findings: Sequence[Finding], snapshot: Snapshot, only: Sequence[str] = ()
) -> Plan:
    """Stop every duplicate that is certain or likely, never the last working beat of an identity.

    `only` limits it to those namespecs (`group:*` is all of a group). Raises ValueError, one line,
    for a namespec that no supervisord on the box has.
    """
    wanted = wanted_programs(only, snapshot)
    chosen = [f for f in findings if f.kind in DUPLICATES and f.certainty != "possible"]
    if wanted is None:
        chosen = list(handed_on(snapshot, chosen))
    others = [f for f in findings if f.kind not in DUPLICATES or f.certainty == "possible"]
    kept = Kept.of([*chosen, *others])
    every = [t for f in chosen for t in f.stop if wanted is None or t.program in wanted]
    stopping = [t for t in every if t.via != "advice" and not kept.holds(t)]
    parts = Parts.empty()
    concerned = []
    for finding in chosen:
        before = len(parts.steps)
        for target in finding.stop:
            if target in every:
                _add(parts, snapshot, target, withheld(snapshot, finding, target, kept, stopping))
                every = [t for t in every if t != target]
        if len(parts.steps) > before:
            concerned.append(finding)
    _split(parts, snapshot)
    return parts.plan(
        _title(parts),
        snapshot,
        (keep for finding in concerned for keep in finding.keep),
        (safe(finding.lasting.text) for finding in concerned),
    )


def wanted_programs(only: Sequence[str], snapshot: Snapshot) -> frozenset[ProgramId] | None:
    """The programs of those namespecs, None for all; raises ValueError for an unknown one."""
    if not only:
        return None
    out: set[ProgramId] = set()
    for word in only:
        group, _, name = word.partition(":")
        found = [
            p.id
            for p in snapshot.programs
            if word in (p.namespec, f"{p.id.group}:{p.id.name}")
            or (name == "*" and p.id.group == group)
        ]
        if not found:
            known = listing(sorted({p.namespec for p in snapshot.programs}), 8)
            hint = f": there is {known}" if known else ": no supervisord with programs was found"
            raise ValueError(f"no program is called {safe(word)}{hint}")
        out.update(found)
    return frozenset(out)


def _add(parts: Parts, snapshot: Snapshot, target: Target, reason: str | None) -> None:
    """One target as a step, or as a line of advice with the reason."""
    if target.via == "advice":
        parts.advice.append(advised(target))
        return
    if reason is None and target.via == "xmlrpc":
        reason = mute(snapshot, target.supervisor)
        if target.program is None:
            reason = "its supervisord does not know it"
    elif reason is None and target.process is None:
        reason = "its process is not known"
    if reason is not None:
        parts.advice.append(advised(replace(target, command=None), f"not stopped, {reason}"))
    elif target.via == "xmlrpc":
        parts.steps.append(rpc_step(snapshot, "stop", target))
        parts.warnings += returns(snapshot, target)
    elif target.process is not None:
        parts.steps.append(signal_step(target, target.process))
        parts.warnings.append(f"{called(target)} cannot be started again from here (no undo)")


def returns(snapshot: Snapshot, target: Target) -> list[str]:
    """The warning that a stop lasts only until supervisord restarts, where it does."""
    found = program(snapshot, target.program)
    name = called(target)
    if found is None or found.config is None:
        return [f"{name} may come back when supervisord restarts: see the lasting fix"]
    if found.config.autostart:
        return [f"{name} comes back when supervisord restarts (autostart), but for the lasting fix"]
    return [f"{name} stays stopped until somebody starts it (autostart=false)"]


def _split(parts: Parts, snapshot: Snapshot) -> None:
    """After the stop of a shell that may pass no signal on: SIGTERM for the beat behind it."""
    for step in tuple(parts.steps):
        found = program(snapshot, step.target.program)
        if step.verb != "stop" or found is None or found.respawning or not found.leader:
            continue
        as_group = found.config is not None and found.config.stopasgroup
        if found.leader.role != "wrapper" or as_group:
            continue
        for beat in snapshot.beats:
            if beat.program == found.id and beat.process and beat.process != found.leader.key:
                behind = Target(
                    supervisor=found.id.supervisor,
                    namespec=None,
                    pid=beat.process.pid,
                    via="signal",
                    command=f"kill -TERM {beat.process.pid}",
                    program=found.id,
                    process=beat.process,
                    why=f"the beat behind {found.namespec}'s shell, which may outlive it",
                )
                parts.steps.append(replace(signal_step(behind, beat.process), if_left=True))
                parts.warnings.append(
                    f"{safe(found.namespec)} runs its beat behind a shell: pid {beat.process.pid} "
                    "gets SIGTERM if it is left over"
                )


def _title(parts: Parts) -> str:
    number = sum(not step.if_left for step in parts.steps)
    if number == 1:
        return f"Stop the duplicate beat {called(parts.steps[0].target)}"
    return f"Stop {count(number, 'duplicate beat')}" if number else "No duplicate beat to stop"


def plan_finding_alternative(finding: Finding, snapshot: Snapshot) -> Plan:
    """What a finding offers second. A foreign beat is ended only where a supervised one follows.

    This hand-over is the one exception to "a working beat is never stopped".
    """
    parts = Parts.empty()
    heir = _heir(finding, snapshot)
    for target in finding.alternatives:
        if target.via != "signal" or target.process is None:
            if target.program is not None and finding.certainty != "possible":
                kept = Kept(frozenset(), frozenset())
                swapped = replace(finding, keep=tuple(_as_keep(t) for t in finding.stop))
                reason = withheld(snapshot, swapped, target, kept, [target])
                _add(parts, snapshot, target, reason)
            else:
                parts.advice.append(advised(target))
        elif heir is None or finding.certainty == "possible":
            parts.advice.append(advised(target, "no supervised beat would take over from it"))
        else:
            fact = _pidfile_of(finding, snapshot, heir, target)
            step = signal_step(target, target.process, heir=heir)
            parts.steps.append(replace(step, pidfile=fact))
            parts.warnings.append(
                f"{called(target)} is the beat that works now: until {safe(heir.namespec)} has "
                "taken over, nothing is scheduled"
            )
            parts.warnings.append(f"{called(target)} cannot be started again from here (no undo)")
    if heir is None or not any(step.heir for step in parts.steps):
        title = f"Stop {called(parts.steps[0].target)}" if parts.steps else "Nothing to hand over"
        return parts.plan(title, snapshot, lasting=(safe(finding.lasting.text),))
    _wake(parts, snapshot, heir)
    keep = Keep(heir.supervisor, heir.namespec, None, program=heir, why="takes the schedule over")
    plan = parts.plan(
        f"Hand the schedule over to {safe(heir.namespec)}",
        snapshot,
        (keep,),
        (safe(finding.lasting.text),),
    )
    # Stopping the heir again would leave no beat at all.
    return replace(plan, undo=())


def _as_keep(target: Target) -> Keep:
    return Keep(target.supervisor, target.namespec, target.pid, target.program, target.process)


def _heir(finding: Finding, snapshot: Snapshot) -> ProgramId | None:
    """The supervised program that the finding would stop first, or is about."""
    known = [t.program for t in finding.stop] + list(finding.programs)
    return next((p for p in known if program(snapshot, p) is not None), None)


def _pidfile_of(
    finding: Finding, snapshot: Snapshot, heir: ProgramId, target: Target
) -> Pidfile | None:
    """The pidfile that changes hands."""
    for beat in snapshot.beats:
        if beat.pidfile_fact and (beat.process == target.process or beat.program == heir):
            return beat.pidfile_fact
    return next((p for p in snapshot.pidfiles if p.path == finding.pidfile), None)


def _wake(parts: Parts, snapshot: Snapshot, heir: ProgramId) -> None:
    """A start for an heir that supervisord would not start again by itself."""
    found = program(snapshot, heir)
    if found is None or found.respawning or found.state in ("RUNNING", "STARTING", "BACKOFF"):
        return
    target = replace(program_target(snapshot, found, "start"), pid=None, process=None)
    reason = mute(snapshot, heir.supervisor)
    if reason is None:
        parts.steps.append(rpc_step(snapshot, "start", target))
    else:
        parts.advice.append(advised(target, f"has to be started by hand, {reason}"))


def plan_pidfile(finding: Finding, snapshot: Snapshot) -> Plan:
    """Remove a pidfile that the finding proves stale, so that the refused beat can start."""
    parts = Parts.empty()
    fact = next((p for p in snapshot.pidfiles if p.path == finding.pidfile), None)
    heir = _heir(finding, snapshot)
    lasting = (safe(finding.lasting.text),)
    title = "No pidfile that is proven stale"
    if finding.kind != "stale-pidfile" or fact is None or fact.status in ("absent", "denied"):
        return parts.plan(title, snapshot, lasting=lasting)
    line = f"rm -- {safe(fact.path)}"
    if finding.certainty != "certain" or _held(fact, snapshot):
        parts.advice.append(f"{safe(fact.path)} is not proven stale; look first, then: {line}")
        return parts.plan(title, snapshot, lasting=lasting)
    parts.steps.append(pidfile_step(fact, heir, owner(fact)))
    parts.warnings.append(f"{owner(fact)}; that process is left alone")
    if heir is not None:
        _wake(parts, snapshot, heir)
    plan = parts.plan(f"Remove the stale pidfile {safe(fact.path)}", snapshot, lasting=lasting)
    return replace(plan, undo=())


def _held(fact: Pidfile, snapshot: Snapshot) -> bool:
    """Whether a living beat holds the file: named by it and not born after it was written."""
    if fact.holder is None:
        return False
    born, written = fact.holder_started_at, fact.mtime_at
    later = born is not None and written is not None and born > written + 2
    return any(
        beat.pidfile == fact.path or not later
        for beat in snapshot.beats
        if fact.holder == beat.process or fact.holder.pid == beat.main_pid
    )


def owner(fact: Pidfile) -> str:
    """Whose pid the file holds, in words."""
    if fact.pid is None:
        return f"{safe(fact.path)} holds no pid"
    if fact.holder is None:
        return f"{safe(fact.path)} names pid {fact.pid}, which does not exist any more"
    words = safe(" ".join(fact.holder_argv))[:80] or "a process without a command line"
    user = f" of {safe(fact.holder_user)}" if fact.holder_user else ""
    return f"{safe(fact.path)} names pid {fact.pid}, which now is {words}{user}, no beat"
