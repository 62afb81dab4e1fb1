"""Beats and left-overs that are wrong on their own: alive but silent, held by nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from beattop.diagnosis.keep import describe
from beattop.diagnosis.lasting import leftover, outlived
from beattop.diagnosis.names import app_name, program_of, subject
from beattop.diagnosis.refusal import barred
from beattop.model.beathealth import silent_s, unsent
from beattop.model.finding import Finding, LastingFix
from beattop.model.snapshot import Beat, Snapshot, Unmanaged
from beattop.model.words import headless
from beattop.text import duration, listing

JUST_LEFT_S = 8.0
"""So young, a left-over may not have shown yet that it sends what its elder kin send."""


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
            f"beat writes it at least every {silent_s(beat):.0f} s"
        )
    if program is not None and program.last_words and program.last_words.lines:
        line = headless(program.last_words.lines[-1])
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
    """Left-overs of supervised programs that no other finding names.

    All that outlived one supervisord has one cause and is one finding.
    """
    turned = {b.pid for b in snapshot.beats if barred(b, snapshot) or _just_left(b, snapshot)}
    by_server: dict[str | None, list[Unmanaged]] = {}
    for root in snapshot.unmanaged:
        pids = {root.member.process.pid, *(m.process.pid for m in root.children)}
        if root.origin != "orphan" or pids & {*claimed_pids, *turned}:
            continue
        if snapshot.limited_to and root.was_supervisor not in snapshot.limited_to:
            continue
        if outlived(root):
            by_server.setdefault(root.was_supervisor, []).append(root)
        else:
            yield _orphan([root], snapshot)
    for roots in by_server.values():
        yield _orphan(roots, snapshot)


def _just_left(beat: Beat, snapshot: Snapshot) -> bool:
    """Whether it is the last of those that a program leaves behind again and again."""
    young = beat.started_at is not None and snapshot.at - beat.started_at < JUST_LEFT_S
    kin = (b for b in snapshot.beats if b.origin == "orphan" and b.pid != beat.pid)
    return young and any((b.was_supervisor, b.was) == (beat.was_supervisor, beat.was) for b in kin)


def _orphan(roots: Sequence[Unmanaged], snapshot: Snapshot) -> Finding:
    processes = [root.member.process for root in roots]
    pids = tuple(p.pid for p in processes)
    first = roots[0]
    evidence = []
    for root in roots:
        process = root.member.process
        age = duration(snapshot.at - process.started_at)
        evidence += [
            f"pid {process.pid}: up {age}, user {process.user or process.uid}, parent pid "
            f"{root.member.ppid}",
            f"it carries the environment or process group of {root.was}",
            f"command: {' '.join(process.argv)}",
        ]
    evidence.append(f"to end {'it' if len(roots) == 1 else 'them'}: kill -TERM {_spaced(pids)}")
    short = f"pid {first.member.process.pid} ({first.role}) is left over from {first.was}"
    summary = f"{short}: supervisord no longer holds it and cannot stop it."
    if len(roots) > 1:
        names = listing(list(dict.fromkeys(str(root.was) for root in roots)))
        short = f"{len(roots)} processes outlived their supervisord: {names}"
        summary = f"{short}. No supervisord holds them now, and none can stop them."
    return Finding(
        kind="orphan",
        severity="warning",
        certainty="certain",
        summary=summary,
        effect="not supervised",
        programs=(),
        pids=pids,
        evidence=tuple(evidence),
        lasting=leftover(first, snapshot),
        identity=f"orphan:{processes[0].pid}:{processes[0].key.start_ticks}",
        short=short,
    )


def _spaced(pids: Iterable[int]) -> str:
    return " ".join(map(str, pids))
