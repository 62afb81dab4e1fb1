"""Beats that no command line tells: scripts that call `app.Beat().run()` or `app.start()`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from beattop.model.beats import Facts
from beattop.model.files import LastWords
from beattop.model.process import Process
from beattop.model.snapshot import Member, Program

_BEAT = re.compile(r"^celery beat v\d|beat: Starting\.\.\.|Scheduler: Sending due task")
_WORKER = re.compile(r" ready\.$|/ForkPoolWorker-\d|/MainProcess\] Task ")
_REFUSED = re.compile(r"Pidfile \(.*\) already exists")
_REFUSED_STATUS = 73


def speaks_as_beat(words: LastWords | None) -> bool:
    """Whether a log is a beat's, or a copy of one."""
    if words is None or any(_WORKER.search(line) for line in words.lines):
        return False
    return any(_BEAT.search(line) for line in words.lines)


def is_python(process: Process) -> bool:
    """Whether an interpreter runs it: what only follows a beat's log is mostly something else."""
    name = posixpath.basename(process.exe or (process.argv[0] if process.argv else ""))
    return name.startswith(("python", "pypy"))


def told_by_words(program: Program, facts: Facts) -> Program:
    """The program, as a beat where its log and a file together prove that it is one.

    A log alone proves nothing: another program may print a copy of it. So it must hold a pidfile
    or a schedule as a beat does, run a script that starts one, or have been refused by a pidfile.
    """
    if program.role != "other" or not speaks_as_beat(program.last_words):
        return program
    beat = next((m for m in program.members if _holds(m, facts)), None)
    if beat is not None:
        return replace(program, role="beat", members=_with_role(program.members, beat))
    ended = program.last_exit
    if ended is None or ended.status != _REFUSED_STATUS or not program.last_words:
        return program
    if not any(_REFUSED.search(line) for line in program.last_words.lines):
        return program
    starts = [m for m in program.members if is_python(m.process)][-1:]
    members = _with_role(program.members, starts[0]) if starts else program.members
    return replace(program, role="beat", members=members)


def _holds(member: Member, facts: Facts) -> bool:
    if member.role != "other" or member.state == "Z" or not is_python(member.process):
        return False
    held = facts.handles.get(member.key)
    return member.key in facts.held or bool(held and (held.schedules or held.starts_beat))


def _with_role(members: Sequence[Member], beat: Member) -> tuple[Member, ...]:
    return tuple(replace(m, role="beat") if m is beat else m for m in members)
