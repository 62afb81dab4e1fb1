"""Everything known of one program or process, as lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from beattop.model.finding import Finding
from beattop.model.snapshot import Member, Program, Snapshot, Unmanaged
from beattop.text import count, duration, moment, size
from beattop.ui import glyphs
from beattop.ui.beatfacts import beat_lines
from beattop.ui.brief import brief
from beattop.ui.fields import field, percent, title
from beattop.ui.lifelines import graphs, lives
from beattop.ui.line import EMPTY, Line, Span, fit, line, paragraph
from beattop.ui.logline import chopped
from beattop.ui.trails import Trails

_ROWS: Final = 4
"""So many rows of one last line are shown."""
_ORIGINS = {
    "orphan": "a left-over: it carries a supervisor program's marks, no supervisord holds it",
    "foreign": "started by somebody else than a supervisord",
}


def program_lines(
    p: Program, snapshot: Snapshot, findings: Sequence[Finding], trails: Trails, width: int
) -> list[Line]:
    """A program's page."""
    out: list[Line] = []
    for finding in findings:
        out += [EMPTY, *brief(finding, snapshot, width)]
    out += title("Now") + _now(p, snapshot, width)
    out += title("Lives, newest first") + lives(p, snapshot.at, width)
    out += title("The last minutes") + graphs(trails.cpu(p.id), trails.memory(p.id), width)
    for beat in (b for b in snapshot.beats if b.program == p.id):
        out += title("Beat") + beat_lines(beat, snapshot, width)
    out += title("Configuration") + _config(p, width)
    if p.members:
        out += title("Processes")
        out += [row for m in p.members for row in _member(m, snapshot.at, width)]
    out += title("Environment, names without values") + _environment(p, width)
    if p.last_words is not None and p.last_words.lines:
        source = f" ({p.last_words.path})" if p.last_words.path else ""
        out += title(f"Last words{source}")
        for text in p.last_words.lines[-12:]:
            rows = chopped(line(text), width - 2)
            out += [(Span(" "), *row) for row in rows[:_ROWS]]
            out += [line((f" {glyphs.MORE}", "dim"))] if len(rows) > _ROWS else []
    return out


def unmanaged_lines(
    u: Unmanaged, snapshot: Snapshot, findings: Sequence[Finding], width: int
) -> list[Line]:
    """The page of a process outside every supervisord."""
    out: list[Line] = []
    for finding in findings:
        out += [EMPTY, *brief(finding, snapshot, width)]
    was = f"; was {u.was}" if u.was else ""
    out += title("Now") + field("origin", _ORIGINS[u.origin] + was, width)
    starter = u.unit or u.container or u.runner
    if starter:
        out += field("started by", f"{starter}: it would be started again", width)
    out += title("Processes")
    out += [row for m in (u.member, *u.children) for row in _member(m, snapshot.at, width)]
    for beat in (b for b in snapshot.beats if b.process == u.member.key):
        out += title("Beat") + beat_lines(beat, snapshot, width)
    names = " ".join(sorted(u.member.process.env or ()))
    out += title("Environment, names without values")
    return out + field("process", names or "not readable by this user", width)


def _now(p: Program, snapshot: Snapshot, width: int) -> list[Line]:
    at = snapshot.at
    told = f", supervisord's word of {duration(at - p.state_at)} ago" if p.state_at else ""
    out = field("role", _role(p), width)
    out += field("state", f"{p.state or 'not told'}{told}", width, "bold")
    if p.respawning:
        out += field("respawning", _respawning(p, at), width, "critical")
    out += field("spawn error", p.spawnerr, width, "warning")
    pid = "no process"
    if p.pid is not None:
        since = moment(p.started_at, at) if p.started_at else "at a time not known"
        up = "dead, not reaped yet" if p.uptime_s is None else f"up {duration(p.uptime_s)}"
        pid = f"{p.pid}, {up}, started {since}"
    out += field("pid", pid, width)
    out += field("CPU", _cpu(p), width)
    processes = count(len(p.members), "process", "processes")
    out += field("memory", f"{size(p.rss_bytes)} in {processes}", width)
    if p.spawns is not None:
        out += field("spawns", _spawns(p, at), width)
    if p.last_exit is not None:
        end = p.last_exit
        what = end.signal if end.signal is not None else f"status {end.status}"
        words = f"{what}, {end.meaning}, {duration(at - end.at)} ago"
        out += field("last exit", words, width)
    return out + field("last error", p.last_error or "", width, "warning")


def _role(p: Program) -> str:
    """What it is, and of which app, as its command line says."""
    told = next((m.line for m in p.members if m.role == p.role), None)
    if told is None:
        return p.role
    app = f"{p.role} of app {told.app}" if told.app else p.role
    queues = f"queues {', '.join(told.queues)}" if told.queues else ""
    node = f"node {told.hostname}" if told.hostname else ""
    return ", ".join(part for part in (app, queues, node) if part)


def _respawning(p: Program, at: float) -> str:
    rate = "rate not known yet"
    if p.spawns_per_min is not None:
        rate = f"{p.spawns_per_min:.1f} a minute"
    since = f" since {moment(p.loop_since_at, at)}" if p.loop_since_at else ""
    median = duration(p.lifetime_median_s)
    return f"{rate}, {count(p.loop_exits, 'exit')}{since}, lives {median} (median)"


def _cpu(p: Program) -> str:
    churn = f", churn {percent(p.churn_pct)}" if p.respawning else ""
    guess = " (dead lives' share estimated)" if p.cpu_estimated else ""
    spent = f"{p.cpu_s:,.1f} CPU s since beattop began"
    return f"{percent(p.cpu_pct)} of a core{churn}{guess}, {spent}"


def _spawns(p: Program, at: float) -> str:
    since = f" since {moment(p.first_seen_at, at)}" if p.first_seen_at else ""
    part = "" if p.history_complete else "; older logs are not read: there may have been more"
    exits = f"{count(p.exits or 0, 'exit')} nobody asked for"
    return f"{count(p.spawns or 0, 'spawn')}, {exits}{since}{part}"


def _config(p: Program, width: int) -> list[Line]:
    c = p.config
    if c is None:
        return [line((" not readable, or not in the conf any more", "dim"))]
    place = f"{c.file}:{c.line}" if c.line else c.file
    starts = (
        f"autostart={str(c.autostart).lower()} autorestart={c.autorestart}"
        f" startsecs={c.startsecs:g} startretries={c.startretries}"
        f" exitcodes={','.join(map(str, c.exitcodes))}"
    )
    stops = f"stopsignal={c.stopsignal} stopwaitsecs={c.stopwaitsecs:g}"
    for name in ("stopasgroup", "killasgroup", "redirect_stderr"):
        stops += f" {name}=true" if getattr(c, name) else ""
    stdout = p.stdout_log or c.stdout_log or "no file"
    stderr = p.stderr_log or c.stderr_log or ("with stdout" if c.redirect_stderr else "no file")
    return [
        *field("section", f"[{c.section}] in {place}", width, "bold"),
        *field("command", c.command, width, "code"),
        *field("runs in", c.directory or "supervisord's folder", width),
        *field("runs as", c.user or "supervisord's user", width),
        *field("starts", starts, width),
        *field("stops", stops, width),
        *field("stdout", stdout, width),
        *field("stderr", stderr, width),
    ]


def _member(m: Member, at: float, width: int) -> list[Line]:
    process = m.process
    head = line(
        (f" {fit(str(process.pid), 7)} ", "bold"),
        (fit(m.role, 9), "role"),
        f"{m.state}  {percent(m.cpu_pct)}  {size(m.rss_bytes)}  ",
        f"up {duration(at - process.started_at)}  {process.user or process.uid}  ",
        (f"in {process.cwd or '?'}", "dim"),
    )
    argv = " ".join(process.argv) or f"[{process.comm}]"
    return [head, *paragraph(argv, width - 1, "code", 9, (Span(" " * 9),))]


def _environment(p: Program, width: int) -> list[Line]:
    out = field("conf", " ".join(name for name, _ in p.config.env) if p.config else "", width)
    if p.leader is None:
        return out or [line((" no process, none in the conf", "dim"))]
    env = p.leader.process.env
    if env is None:
        words = "not readable by this user (root and the program's user may)"
    else:
        words = " ".join(sorted(env)) or "none of those beattop reads"
    return out + field("process", words, width)
