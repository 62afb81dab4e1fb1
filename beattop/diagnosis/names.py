"""Beats and programs in the words of a sentence."""

from __future__ import annotations

from beattop.model.snapshot import Beat, Program, ProgramId, Snapshot
from beattop.model.supervisor import Supervisord


def server_of(snapshot: Snapshot, supervisor: str | None) -> Supervisord | None:
    """The supervisord of that id."""
    return next((s for s in snapshot.supervisords if s.id == supervisor), None)


def program_of(snapshot: Snapshot, program: ProgramId | None) -> Program | None:
    """The program of that id."""
    return next((p for p in snapshot.programs if p.id == program), None)


def short_name(program: ProgramId, snapshot: Snapshot) -> str:
    """The namespec; with its supervisord where two have the same."""
    twins = [p for p in snapshot.programs if p.namespec == program.namespec]
    if len(twins) > 1:
        return f"{program.namespec} ({program.supervisor})"
    return program.namespec


def beat_name(beat: Beat, snapshot: Snapshot) -> str:
    """`beat2`, `worker (worker -B)`, `the left-over of beat (pid 812)`, or what a stranger is."""
    if beat.program is not None:
        name = short_name(beat.program, snapshot)
        return f"{name} (worker -B)" if beat.embedded else name
    what = "worker -B" if beat.embedded else "beat"
    if beat.supervisor is not None:
        return f"a {what} of {beat.supervisor} (pid {beat.pid})"
    if beat.origin == "orphan":
        return f"the {what} left over from {beat.was} (pid {beat.pid})"
    if where := beat.unit or beat.container:
        return f"the {what} of {where} (pid {beat.pid})"
    return f"the unsupervised {what} (pid {beat.pid})"


def subject(beat: Beat, snapshot: Snapshot) -> str:
    """The same, to begin or fill a sentence, with its pid."""
    if beat.program is not None and beat.pid is not None:
        return f"{beat_name(beat, snapshot)} (pid {beat.pid})"
    return beat_name(beat, snapshot)


def app_name(beat: Beat) -> str:
    """`app proj`, or the folder where no app is named."""
    if beat.key.app:
        return f"app {beat.key.app}"
    if beat.key.cwd:
        return f"the project in {beat.key.cwd}"
    return "the same project"
