"""Whether a living beat works, waits by design, or lives and sends nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from beattop.model.files import Handles, LastWords
from beattop.model.snapshot import Beat, Health, Member

SILENT_S = 480.0
"""A working PersistentScheduler writes its file at least every 300 s + 180 s (its longest sleep
and its sync interval, celery.beat), so an older file means that it does not run."""
_SLEEP_S = 300.0
"""PersistentScheduler's longest sleep, where --max-interval gives none."""
SETTLED_S = 600.0
"""A beat younger than this is not called silent for an old file: it may not have written yet."""
OPENED_S = 60.0
"""The same where it has the file open: it is written as it is opened (celery.beat, setup_schedule),
so that an older file was not written since the beat began."""
UNSENT = re.compile(r"beat: Connection error|Couldn't apply scheduled task")
"""What a beat that lives says of a broker that does not take its messages (celery.beat)."""
_INFORMED = re.compile(r": INFO/|\bbeat: |Scheduler: Sending due task")
"""A log of level info, that would tell what a beat sends."""
_CLOCK_S = 2.0
"""How far a process's start and a file's time may be apart by the clocks they are taken from."""
_BROKER_S = 15.0
"""So long a broker may take to come up beside its beat."""


def default_scheduler(scheduler: str | None) -> bool:
    """Whether it is Celery's PersistentScheduler, the one that keeps a schedule file."""
    return not scheduler or scheduler.rpartition(":")[2].rpartition(".")[2] == "PersistentScheduler"


def silent_s(beat: Beat) -> float:
    """Seconds that its schedule file may be old: SILENT_S, or more with a longer --max-interval."""
    said = beat.line.max_interval if beat.line else None
    try:
        return SILENT_S + max(0.0, float(said or 0) - _SLEEP_S)
    except ValueError:
        return SILENT_S


def keeps_schedule(beat: Beat) -> bool:
    """Whether it writes the schedule file that its command line names, or would by default.

    The settings may name another scheduler, that no command line tells. A file in use was written
    since the beat began; one that cannot be seen is believed where the command line names it.
    """
    if not default_scheduler(beat.scheduler):
        return False
    fact = beat.schedule_fact
    if fact is None or fact.status == "denied":
        return beat.line is not None and beat.line.schedule is not None
    began = beat.started_at
    return fact.mtime_at is not None and (began is None or fact.mtime_at > began - _CLOCK_S)


def idle(beat: Beat, words: LastWords | None) -> bool:
    """Whether it began, has sent nothing since, and keeps its schedule nobody knows where.

    So waits the standby of a scheduler with a lock, named in the settings; so does a beat with
    nothing due. A log above level info, or none, tells nothing of what was sent.
    """
    tail = words.lines if words else ()
    fact, held = beat.schedule_fact, beat.handles
    return (
        default_scheduler(beat.scheduler)
        and fact is not None
        and fact.status != "denied"
        and not keeps_schedule(beat)
        and not (held is not None and (held.schedules or held.may_stand_by is False))
        and (not any(map(_INFORMED.search, tail)) or "beat: Starting" in tail[-1])
    )


def locked(words: LastWords | None) -> bool:
    """Whether its log tells that it holds celery-redbeat's lock."""
    return words is not None and any("beat: Acquired lock" in line for line in words.lines)


def health_of(beat: Beat, member: Member, words: LastWords | None, at: float) -> Health | None:
    """What a living beat's state, log and schedule file tell; None where they tell too little."""
    age = at - (beat.started_at or at)
    tail = words.lines if words else ()
    if member.state in ("T", "t"):
        return "silent"
    if redbeat(beat.scheduler):
        return _redbeat_health(tail, words)
    sent = beat.last_sent_at
    if unsent(tail) and (age > _BROKER_S or sum(map(bool, map(UNSENT.search, tail))) > 2):
        return "silent"
    most = silent_s(beat)
    if sent is not None and at - sent < most:
        return "working"
    settled = OPENED_S if _opened(beat.handles) else SETTLED_S + most - SILENT_S
    if sent is not None and age > settled and default_scheduler(beat.scheduler):
        # A line that names a task long sent proves nothing: the schedule may ask for none. The
        # schedule file does: it is written every few minutes whatever is due.
        fact = beat.schedule_fact
        if fact is not None and fact.mtime_at is not None and at - fact.mtime_at >= most:
            return "silent"
    return "working" if age < SILENT_S and not idle(beat, words) else None


def _opened(handles: Handles | None) -> bool:
    return handles is not None and bool(handles.schedules) and not handles.deleted


def unsent(tail: Sequence[str]) -> str | None:
    """The last line of a log, where it says that a beat could not send; else None."""
    return tail[-1] if tail and UNSENT.search(tail[-1]) else None


def redbeat(scheduler: str | None) -> bool:
    """Whether the scheduler is celery-redbeat, whose lock makes all but one a standby."""
    return "redbeat" in (scheduler or "").lower()


def _redbeat_health(tail: Sequence[str], words: LastWords | None) -> Health | None:
    if words is not None and words.sent_at is not None:
        return "working"
    if locked(words):
        return "working"
    return "standby" if tail and "beat: Starting" in tail[-1] else None
