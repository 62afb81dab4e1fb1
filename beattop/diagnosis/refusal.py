"""A beat that finds a pidfile taken: which file, and who holds it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from beattop.diagnosis.identity import strangers
from beattop.model.files import Pidfile
from beattop.model.paths import absolute
from beattop.model.respawn import REFUSED_STATUS
from beattop.model.role import SCHEDULING
from beattop.model.snapshot import Beat, Program, Snapshot

_TAKEN = re.compile(r"Pidfile \((?P<path>[^)]*)\) already exists")
_HOLDER = re.compile(r"already running\?\s*\(pid: (?P<pid>\d+)\)")
_LOCK = re.compile(r"LockFailed|\[Errno 17\] File exists")
_IMPORTS_S = 120.0
"""The longest that a big project's imports may take before the pidfile is looked at."""
_ALONE_S = 30.0
"""The same where nobody is known to hold it: an admitted beat takes it within its imports."""
_FRESH_S = 60.0
_AT_THE_END = 4
"""Lines after which a refusal is an old story: a beat that was let in has said more since."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One program's last word on a pidfile."""

    path: str | None
    """Absolute; None where neither its words nor its configuration name one."""
    fact: Pidfile | None
    holder_pid: int | None
    words: str | None
    freed: bool = False
    """Whether it was turned away by that file, and no other holds it now: its next try may be let
    in, for Celery itself removes a file whose pid is dead or garbage."""


def refusal(program: Program, snapshot: Snapshot) -> Refusal | None:
    """How a beat program was refused; None where its exits have another cause."""
    lines = program.last_words.lines if program.last_words else ()
    path = words = None
    pid: int | None = None
    for line in reversed(lines):
        if path is None and (match := _TAKEN.search(line)):
            path, words = match["path"], line
        if pid is None and (match := _HOLDER.search(line)):
            pid = int(match["pid"])
        if words is None and _LOCK.search(line):
            words = line
    ended = program.last_exit
    if (ended is None or ended.status != REFUSED_STATUS) and not (
        _ends_refused(lines) and (ended is None or ended.signal is None)
    ):
        return None
    beat = next((b for b in snapshot.beats if b.program == program.id), None)
    cwd = program.config.directory if program.config else None
    if program.leader is not None:
        cwd = program.leader.process.cwd or cwd
    if beat is not None and beat.key.cwd:
        cwd = beat.key.cwd
    resolved = absolute(path, cwd) or (beat.pidfile if beat else None)
    fact = _fact(resolved, snapshot)
    own = {member.key for member in program.members}
    if fact is not None and fact.holder in own and not (program.respawning and fact.outlived):
        return None  # it holds the file: the words are another's, or of a life before
    turned = program.respawning and ended is not None and ended.status == REFUSED_STATUS
    freed = turned and fact is not None and fact.status != "denied" and fact.holder is None
    return Refusal(fact.path if fact else resolved, fact, pid, words, freed)


def _ends_refused(lines: Sequence[str]) -> bool:
    """Whether a log ends with a refusal, whatever status a shell or --detach made of it."""
    return any(_TAKEN.search(line) or _LOCK.search(line) for line in lines[-_AT_THE_END:])


def turned_away(program: Program, snapshot: Snapshot) -> bool:
    """Whether its own log tells of refusals, the last just now, where the main log does not.

    So it is where supervisord logs to a stream, where two groups have one bare name, and where a
    shell or --detach made status 0 of it: it then looks like a program that ends by design.
    """
    words = program.last_words
    if words is None or _judged(program, snapshot) or not _tried_again(program):
        return False
    if words.mtime_at is None or snapshot.at - words.mtime_at > _FRESH_S:
        return False
    if program.uptime_s is not None and program.uptime_s > _FRESH_S:
        return False
    return sum(bool(_TAKEN.search(line)) for line in words.lines) > 1 and _ends_refused(words.lines)


def _judged(program: Program, snapshot: Snapshot) -> bool:
    """Whether its exits are known from before this look, or enough of them to judge by those."""
    begun = snapshot.at - snapshot.observed_s
    ended = [life.ended_at for life in program.lives if life.ended_at is not None]
    return not program.periodic and (len(ended) > 1 or any(at < begun for at in ended))


def _tried_again(program: Program) -> bool:
    if program.state != "EXITED":
        return program.state in ("STARTING", "RUNNING", "BACKOFF")
    config = program.config
    return config is not None and (
        config.autorestart == "true"
        or (config.autorestart == "unexpected" and REFUSED_STATUS not in config.exitcodes)
    )


def barred(beat: Beat, snapshot: Snapshot) -> bool:
    """Whether it has just begun, and does not hold the pidfile it is told to hold.

    Celery looks at the pidfile once its imports are done: it then takes it before it sends
    anything, or exits 73 where it is another living beat's.
    """
    fact, began = beat.pidfile_fact, beat.started_at
    if beat.embedded or began is None or snapshot.at - began > _IMPORTS_S:
        return False
    if beat.handles is not None and beat.handles.schedules:
        return False
    others = [b for b in snapshot.beats if b is not beat and b.pid is not None]
    if beat.pidfile is not None and (fact is None or fact.status == "denied"):
        # The file cannot be read here: the one that began first is taken to hold it.
        return any(b.pidfile == beat.pidfile and (b.started_at or began) < began for b in others)
    if fact is not None and fact.status != "denied" and fact.holder is None:
        return snapshot.at - began <= _ALONE_S  # nobody's yet: the pid may be hidden from here
    if fact is None or fact.holder is None or fact.mtime_at is None or began <= fact.mtime_at:
        return False
    return any(b.holds_pidfile and _is(b, fact.holder.pid) for b in others)


def _fact(path: str | None, snapshot: Snapshot) -> Pidfile | None:
    return next((p for p in snapshot.pidfiles if path in (p.path, *p.named)), None)


def holder(refused: Refusal, program: Program, snapshot: Snapshot) -> Beat | None:
    """The living beat that holds the pidfile a program was refused by.

    None where its holder is no beat, or another project's: one --pidfile copied into two projects
    makes them no duplicates, and stopping the refused one would leave its schedule unsent.
    """
    own = next((b for b in snapshot.beats if b.program == program.id), None)
    others = [
        b
        for b in snapshot.beats
        if b.pid is not None and b.program != program.id and not (own and strangers(own, b))
    ]
    if refused.fact is not None and refused.fact.status == "ok":
        key = refused.fact.holder
        return next((b for b in others if key is not None and _is(b, key.pid)), None)
    if refused.holder_pid is not None:
        found = next((b for b in others if _is(b, refused.holder_pid)), None)
        if found is not None:
            return found
    if refused.path is not None:
        return next((b for b in others if b.pidfile == refused.path), None)
    return None


def _is(beat: Beat, pid: int) -> bool:
    # A worker with -B holds its pidfile itself; the beat is its child.
    return pid in (beat.pid, beat.main_pid)


def proven_stale(fact: Pidfile | None, snapshot: Snapshot) -> bool:
    """Whether the file names a live process that did not write it: no Celery, or a later one.

    Never on a file system that other hosts write to: its pid may be that of a beat over there.
    """
    if fact is None or fact.status != "ok" or fact.holder is None or fact.shared is not None:
        return False
    if fact.outlived:
        return True
    if any(_is(beat, fact.holder.pid) for beat in snapshot.beats):
        return False
    for member in _members(snapshot):
        if member[0] == fact.holder.pid:
            return member[1] not in (*SCHEDULING, "worker", "multi")
    return bool(fact.holder_argv) and not any("celery" in word for word in fact.holder_argv)


def _members(snapshot: Snapshot) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = [
        (m.process.pid, m.role) for p in snapshot.programs for m in p.members
    ]
    found += [(u.member.process.pid, u.role) for u in snapshot.unmanaged]
    return found + [(m.process.pid, m.role) for u in snapshot.unmanaged for m in u.children]
