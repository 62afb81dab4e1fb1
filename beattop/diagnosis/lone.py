"""Beats and left-overs that are wrong on their own: alive but silent, held by nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from beattop.diagnosis.keep import describe
from beattop.diagnosis.lasting import leftover
from beattop.diagnosis.names import app_name, program_of, subject
from beattop.diagnosis.refusal import barred
from beattop.model.beats import unsent
from beattop.model.finding import Finding, LastingFix
from beattop.model.snapshot import Beat, Snapshot
from beattop.text import duration


def silent_beats(snapshot: Snapshot, claimed_pids: Collection[int]) -> Iterable[Finding]:
    """Beats that live but send nothing."""
    for beat in snapshot.beats:
        if beat.health != "silent" or beat.pid in claimed_pids:
            continue
        yield _silent(beat, snapshot)


def _silent(beat: Beat, snapshot: Snapshot) -> Finding:
    program = program_of(snapshot, beat.program)
    last = beat.last_sent_at
    ago = f" for {duration(snapshot.at - last)}" if last else ""
    says = f"lives but has sent nothing of {app_name(beat)}{ago}"
    evidence = [describe(beat, snapshot)]
    effect, cure = "silent", "Read its log (l); restart it when it hangs (R)."
    if beat.state in ("T", "t"):
        effect = "stopped"
        evidence.append(f"pid {beat.pid} is stopped by a signal (state {beat.state})")
        cure = f"kill -CONT {beat.pid} lets it go on."
    fact = beat.schedule_fact
    if fact is not None and fact.mtime_at is not None:
        evidence.append(
            f"{fact.path} was last written {duration(snapshot.at - fact.mtime_at)} ago; a working "
            "beat writes it at least every 480 s"
        )
    if program is not None and program.last_words and program.last_words.lines:
        line = program.last_words.lines[-1]
        evidence.append(f"its last line: {line}")
        if effect == "silent" and unsent(program.last_words.lines):
            effect, cure = "no broker", "Bring the broker back, or correct its URL."
            says = f"lives but cannot send: {line}"
    return Finding(
        kind="beat-silent",
        severity="warning",
        certainty="likely",
        summary=f"{subject(beat, snapshot)} {says.rstrip('.')}.",
        effect=effect,
        programs=(beat.program,) if beat.program else (),
        pids=(beat.pid,) if beat.pid else (),
        evidence=tuple(evidence),
        lasting=LastingFix(cure),
        since_at=last,
        identity=f"beat-silent:{beat.namespec or beat.pid}",
        short=f"{subject(beat, snapshot)} is silent{ago}",
    )


def orphans(snapshot: Snapshot, claimed_pids: Collection[int]) -> Iterable[Finding]:
    """Left-overs of supervised programs that no other finding names."""
    turned = {b.pid for b in snapshot.beats if barred(b, snapshot)}
    for root in snapshot.unmanaged:
        process = root.member.process
        pids = {process.pid, *(m.process.pid for m in root.children)}
        if root.origin != "orphan" or pids & {*claimed_pids, *turned}:
            continue
        if snapshot.limited_to and root.was_supervisor not in snapshot.limited_to:
            continue
        age = duration(snapshot.at - process.started_at)
        fix = leftover(root, snapshot)
        yield Finding(
            kind="orphan",
            severity="warning",
            certainty="certain",
            summary=f"pid {process.pid} ({root.role}) is left over from {root.was}: supervisord no "
            "longer holds it and cannot stop it.",
            effect="not supervised",
            programs=(),
            pids=(process.pid,),
            evidence=(
                f"pid {process.pid}: up {age}, user {process.user or process.uid}, parent pid "
                f"{root.member.ppid}",
                f"it carries the environment or process group of {root.was}",
                f"command: {' '.join(process.argv)}",
                f"to end it: kill -TERM {process.pid}",
            ),
            lasting=fix,
            since_at=None,
            identity=f"orphan:{process.pid}:{process.key.start_ticks}",
            short=f"pid {process.pid} ({root.role}) is left over from {root.was}",
        )
