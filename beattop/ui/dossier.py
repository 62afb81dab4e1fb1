"""Everything known of one program or process, as lines. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import localtime, strftime

from beattop.model.finding import Finding
from beattop.model.lives import Life
from beattop.model.snapshot import Beat, Member, Program, Snapshot, Unmanaged
from beattop.text import count, duration, moment, size
from beattop.ui import glyphs
from beattop.ui.brief import brief
from beattop.ui.line import EMPTY, Line, Span, fit, line, paragraph
from beattop.ui.trails import Trails

_LABEL = 12


def program_lines(
    p: Program, snapshot: Snapshot, findings: Sequence[Finding], trails: Trails, width: int
) -> list[Line]:
    """A program's page."""
    out: list[Line] = []
    for finding in findings:
        out += [*brief(finding, snapshot, width), EMPTY]
    out += _title("Now") + _now(p, snapshot, width)
    out += _title("Lives, newest first") + _lives(p, snapshot.at, width)
    out += _title("The last minutes") + _graphs(trails.cpu(p.id), trails.memory(p.id), width)
    for beat in (b for b in snapshot.beats if b.program == p.id):
        out += _title("Beat") + _beat(beat, snapshot, width)
    out += _title("Configuration") + _config(p, width)
    if p.members:
        out += _title("Processes") + [
            row for m in p.members for row in _member(m, snapshot.at, width)
        ]
    out += _title("Environment, names without values") + _environment(p, width)
    if p.last_words is not None and p.last_words.lines:
        source = f" ({p.last_words.path})" if p.last_words.path else ""
        out += _title(f"Last words{source}") + [
            line(" ", (fit(text, width - 2).rstrip(), "")) for text in p.last_words.lines[-12:]
        ]
    return out


def unmanaged_lines(
    u: Unmanaged, snapshot: Snapshot, findings: Sequence[Finding], width: int
) -> list[Line]:
    """The page of a process outside every supervisord."""
    out: list[Line] = []
    for finding in findings:
        out += [*brief(finding, snapshot, width), EMPTY]
    out += _title("Now")
    words = {
        "orphan": "a left-over: it carries a supervisor program's marks, but no supervisord holds it",
        "foreign": "started by somebody else than a supervisord",
    }
    out += _field("origin", words[u.origin] + (f"; was {u.was}" if u.was else ""), width)
    starter = u.unit or u.container or u.runner
    if starter:
        out += _field("started by", f"{starter}: it would be started again", width)
    out += _title("Processes") + [
        row for m in (u.member, *u.children) for row in _member(m, snapshot.at, width)
    ]
    for beat in (b for b in snapshot.beats if b.process == u.member.key):
        out += _title("Beat") + _beat(beat, snapshot, width)
    names = " ".join(sorted(u.member.process.env or ()))
    out += _title("Environment, names without values") + _field(
        "process", names or "not readable by this user", width
    )
    return out


def _title(text: str) -> list[Line]:
    return [EMPTY, line((f" {text}", "title"))]


def _field(name: str, text: str, width: int, ink: str = "") -> list[Line]:
    return (
        paragraph(text, width - 1, ink, _LABEL + 3, line((f" {fit(name, _LABEL)}  ", "dim")))
        if text
        else []
    )


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} %"


def _now(p: Program, snapshot: Snapshot, width: int) -> list[Line]:
    told = f", supervisord's word of {duration(snapshot.at - p.state_at)} ago" if p.state_at else ""
    out = _field("state", f"{p.state or 'not told'}{told}", width, "bold")
    if p.respawning:
        since = f" since {moment(p.loop_since_at, snapshot.at)}" if p.loop_since_at else ""
        rate = (
            f"{p.spawns_per_min:.1f} a minute"
            if p.spawns_per_min is not None
            else "rate not known yet"
        )
        out += _field(
            "respawning",
            f"{rate}, {count(p.loop_exits, 'exit')}{since}, lives {duration(p.lifetime_median_s)} (median)",
            width,
            "critical",
        )
    if p.spawnerr:
        out += _field("spawn error", p.spawnerr, width, "warning")
    pid = (
        "no process"
        if p.pid is None
        else f"{p.pid}, up {duration(p.uptime_s)}, started {moment(p.started_at or 0.0, snapshot.at)}"
    )
    out += _field("pid", pid, width)
    churn = f", churn {_percent(p.churn_pct)}" if p.respawning else ""
    guess = " (dead lives' share estimated)" if p.cpu_estimated else ""
    out += _field(
        "CPU",
        f"{_percent(p.cpu_pct)} of a core{churn}{guess}, {p.cpu_s:.0f} core-seconds since beattop looks",
        width,
    )
    out += _field(
        "memory", f"{size(p.rss_bytes)} in {count(len(p.members), 'process', 'processes')}", width
    )
    if p.spawns is not None:
        since = f" since {moment(p.first_seen_at, snapshot.at)}" if p.first_seen_at else ""
        part = "" if p.history_complete else "; older logs are not read: there may have been more"
        out += _field(
            "spawns",
            f"{count(p.spawns, 'spawn')}, {count(p.exits or 0, 'exit')} nobody asked for{since}{part}",
            width,
        )
    if p.last_exit is not None:
        end = p.last_exit
        what = end.signal if end.signal is not None else f"status {end.status}"
        out += _field(
            "last exit", f"{what}, {end.meaning}, {duration(snapshot.at - end.at)} ago", width
        )
    if p.last_error:
        out += _field("last error", p.last_error, width, "warning")
    return out


def _lives(p: Program, at: float, width: int) -> list[Line]:
    if not p.lives:
        return [line((" none seen yet", "dim"))]
    shown = list(reversed(p.lives))[:12]
    longest = max((_lived(life, at) or 0.0 for life in shown), default=0.0) or 1.0
    room = max(8, min(40, width - 56))
    out = []
    for life in shown:
        lived = _lived(life, at)
        born = (
            strftime("%a %H:%M:%S", localtime(life.spawned_at))
            if life.spawned_at is not None
            else "before the log"
        )
        drawn = (
            glyphs.WORK * max(1, round(room * (lived or 0.0) / longest))
            if lived is not None
            else "?"
        )
        ink, words = _end(life)
        out.append(line(
            (f" {fit(born, 13)} ", "dim"), (fit(str(life.pid), 8), ""), (fit(duration(lived), 7, right=True), "bold"),
            (f" {fit(drawn, room)} ", ink), (words, ink),
        ))  # fmt: skip
    if p.past is not None and p.past.exit_counts:
        counts = ", ".join(f"{how} ×{number:,}" for how, number in p.past.exit_counts[:8])
        out += _field("exits", counts, width)
    return out


def _lived(life: Life, at: float) -> float | None:
    return (
        None
        if life.spawned_at is None
        else (at if life.ended_at is None else life.ended_at) - life.spawned_at
    )


def _end(life: Life) -> tuple[str, str]:
    if life.ended_at is None:
        return "good", "alive"
    how = life.signal or (
        f"exited {life.status}" if life.status is not None else "ended, unknown how"
    )
    if life.requested:
        return "dim", f"{how}, asked for"
    return ("dim", how) if life.expected else ("warning", how)


def _graphs(cpu: Sequence[float], memory: Sequence[float], width: int) -> list[Line]:
    room = max(10, width - _LABEL - 24)
    return [
        *_graph("CPU", cpu, room, lambda v: f"{v:.0f} %"),
        *_graph("memory", memory, room, lambda v: size(int(v))),
    ]


def _graph(name: str, values: Sequence[float], room: int, words: object) -> list[Line]:
    known = [v for v in values if not math.isnan(v)]
    if len(known) < 2:
        return [line((f" {fit(name, _LABEL)}  ", "dim"), ("not enough seen yet", "dim"))]
    tell = words if callable(words) else str
    highest = max(known) or 1.0
    points = [
        max((v for v in values[i : i + step] if not math.isnan(v)), default=math.nan)
        for step in [-(-len(values) // room)]
        for i in range(0, len(values), step)
    ]
    drawn = "".join(" " if math.isnan(v) else glyphs.bar(v / highest) for v in points)
    return [
        line(
            (f" {fit(name, _LABEL)}  ", "dim"),
            (drawn, "info"),
            (f"  now {tell(known[-1])}, most {tell(max(known))}", ""),
        )
    ]


def _beat(beat: Beat, snapshot: Snapshot, width: int) -> list[Line]:
    out = _field(
        "schedules",
        f"app {beat.key.app or 'not known'} in {beat.key.cwd or 'a folder not known'}, broker {beat.broker_full or beat.key.broker or 'not known'}",
        width,
    )
    out += _field(
        "health",
        (beat.health or "not known") + (", embedded in a worker (-B)" if beat.embedded else ""),
        width,
    )
    if beat.last_sent_at is not None:
        out += _field(
            "last proof",
            f"sent or wrote its schedule {duration(snapshot.at - beat.last_sent_at)} ago",
            width,
        )
    fact = beat.pidfile_fact
    if beat.pidfile is not None:
        truth = (
            "not looked at yet"
            if fact is None
            else fact.status
            if fact.status != "ok"
            else f"names pid {fact.pid}"
        )
        if fact is not None and fact.status == "ok" and fact.holder is None:
            truth += ", which does not live"
        if beat.holds_pidfile:
            truth += ", which is this beat"
        elif beat.holds_pidfile is False and fact is not None and fact.holder is not None:
            truth += f", which is another: {' '.join(fact.holder_argv)[:80]}"
        out += _field("pidfile", f"{beat.pidfile}: {truth}", width)
    schedule = beat.schedule_fact
    if beat.schedule is not None or schedule is not None:
        truth = "not looked at yet" if schedule is None else schedule.status
        if schedule is not None and schedule.status == "ok" and schedule.mtime_at is not None:
            truth = (
                f"{size(schedule.size)}, written {duration(snapshot.at - schedule.mtime_at)} ago"
            )
        out += _field("schedule", f"{schedule.path if schedule else beat.schedule}: {truth}", width)
    if beat.handles is not None:
        held = (
            ", ".join(beat.handles.schedules)
            if beat.handles.readable
            else "not readable by this user"
        )
        gone = (
            f"; deleted under it: {', '.join(beat.handles.deleted)}" if beat.handles.deleted else ""
        )
        out += _field("holds open", (held or "no schedule file") + gone, width)
    if beat.scheduler:
        out += _field("scheduler", beat.scheduler, width)
    return out


def _config(p: Program, width: int) -> list[Line]:
    c = p.config
    if c is None:
        return [line((" not readable, or not in the conf any more", "dim"))]
    place = f"{c.file}:{c.line}" if c.line else c.file
    out = _field("section", f"[{c.section}] in {place}", width, "bold")
    out += _field("command", c.command, width, "code")
    out += _field(
        "runs in",
        f"{c.directory or 'supervisord’s folder'} as {c.user or 'supervisord’s user'}",
        width,
    )
    codes = ",".join(map(str, c.exitcodes))
    out += _field(
        "starts",
        f"autostart={str(c.autostart).lower()} autorestart={c.autorestart} startsecs={c.startsecs:g} startretries={c.startretries} exitcodes={codes}",
        width,
    )
    flags = "".join(
        f" {name}=true"
        for name, on in (
            ("stopasgroup", c.stopasgroup),
            ("killasgroup", c.killasgroup),
            ("redirect_stderr", c.redirect_stderr),
        )
        if on
    )
    out += _field(
        "stops", f"stopsignal={c.stopsignal} stopwaitsecs={c.stopwaitsecs:g}{flags}", width
    )
    out += _field("stdout", p.stdout_log or c.stdout_log or "no file", width)
    return out + _field(
        "stderr",
        p.stderr_log or c.stderr_log or ("with stdout" if c.redirect_stderr else "no file"),
        width,
    )


def _member(m: Member, at: float, width: int) -> list[Line]:
    head = line(
        (f" {fit(str(m.process.pid), 7)} ", "bold"), (fit(m.role, 9), "role"), f"{m.state}  {_percent(m.cpu_pct)}  {size(m.rss_bytes)}  ",
        f"up {duration(at - m.process.started_at)}  {m.process.user or m.process.uid}  ", (f"in {m.process.cwd or '?'}", "dim"),
    )  # fmt: skip
    return [
        head,
        *paragraph(
            " ".join(m.process.argv) or f"[{m.process.comm}]",
            width - 1,
            "code",
            9,
            (Span(" " * 9),),
        ),
    ]


def _environment(p: Program, width: int) -> list[Line]:
    out = _field("conf", " ".join(name for name, _ in p.config.env) if p.config else "", width)
    leader = p.leader
    if leader is None:
        return out or [line((" no process, none in the conf", "dim"))]
    env = leader.process.env
    words = (
        "not readable by this user (root and the program's user may)"
        if env is None
        else " ".join(sorted(env)) or "none of those beattop reads"
    )
    return out + _field("process", words, width)
