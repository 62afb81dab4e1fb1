"""What is known of a beat: whose schedule it sends, its pidfile and schedule with their truth."""

from __future__ import annotations

from beattop.model.snapshot import Beat, Snapshot
from beattop.text import duration, size
from beattop.ui.fields import field
from beattop.ui.line import Line


def beat_lines(beat: Beat, snapshot: Snapshot, width: int) -> list[Line]:
    """The section on a beat."""
    broker = beat.broker_full or beat.key.broker or "not known"
    whose = f"app {beat.key.app or 'not known'} in {beat.key.cwd or 'a folder not known'}"
    embedded = ", embedded in a worker (-B)" if beat.embedded else ""
    out = field("schedules", f"{whose}, broker {broker}", width)
    out += field("health", (beat.health or "not known") + embedded, width)
    if beat.last_sent_at is not None:
        ago = duration(snapshot.at - beat.last_sent_at)
        out += field("last proof", f"sent, or wrote its schedule, {ago} ago", width)
    if beat.pidfile is not None:
        out += field("pidfile", f"{beat.pidfile}: {_pidfile(beat)}", width)
    fact = beat.schedule_fact
    if beat.schedule is not None or fact is not None:
        path = fact.path if fact else beat.schedule
        out += field("schedule", f"{path}: {_schedule(beat, snapshot.at)}", width)
    if beat.handles is not None:
        out += field("holds open", _handles(beat), width)
    return out + field("scheduler", beat.scheduler or "", width)


def _pidfile(beat: Beat) -> str:
    fact = beat.pidfile_fact
    if fact is None:
        return "not looked at yet"
    if fact.status != "ok":
        return fact.status
    named = f"names pid {fact.pid}"
    if fact.holder is None:
        return f"{named}, which does not live"
    if beat.holds_pidfile:
        return f"{named}, which is this beat"
    words = " ".join(fact.holder_argv)[:80]
    return f"{named}, which is another" + (f": {words}" if words else "")


def _schedule(beat: Beat, at: float) -> str:
    fact = beat.schedule_fact
    if fact is None:
        return "not looked at yet"
    if fact.status != "ok" or fact.mtime_at is None:
        return fact.status
    return f"{size(fact.size)}, written {duration(at - fact.mtime_at)} ago"


def _handles(beat: Beat) -> str:
    handles = beat.handles
    if handles is None or not handles.readable:
        return "not readable by this user"
    held = ", ".join(handles.schedules) or "no schedule file"
    gone = ", ".join(handles.deleted)
    return f"{held}; deleted under it: {gone}" if gone else held
