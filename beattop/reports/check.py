"""One line for Nagios, Icinga, cron and tmux's status-right."""

from __future__ import annotations

from beattop.model.frame import Frame
from beattop.model.snapshot import Snapshot
from beattop.model.source import SourceStatus
from beattop.model.standing import standing
from beattop.reports.document import known
from beattop.text import count, listing

OK, WARNING, CRITICAL, UNKNOWN = range(4)
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def status(frame: Frame) -> int:
    """The plugin's exit status (Monitoring Plugins guidelines)."""
    if not known(frame.snapshot):
        return UNKNOWN
    severities = {f.severity for f in frame.findings}
    if "critical" in severities:
        return CRITICAL
    if "warning" in severities:
        return WARNING
    return UNKNOWN if _unseen(frame) else OK


def _unseen(frame: Frame) -> list[SourceStatus]:
    """Supervisords that told nothing: what is not seen may hide the trouble, so it is no OK.

    One that is down has no finding of its own: it is not there, though it was named.
    """
    told = [s for s in frame.snapshot.sources if s.name == "supervisor"]
    blind = [s for s in told if s.status in ("denied", "timeout", "down")]
    if len(blind) < len(told) or _any_ok(frame):
        return [s for s in blind if s.status == "down"]
    return blind


def _any_ok(frame: Frame) -> bool:
    return any(
        s.status == "ok" for s in frame.snapshot.sources if s.name in ("supervisor", "mainlog")
    )


def line(frame: Frame, oneline: bool = False) -> str:
    """The verdict, and the figures after a pipe sign; `oneline` is the short form for panes."""
    snapshot = frame.snapshot
    code = status(frame)
    told = [f for f in frame.findings if f.severity != "info"]
    if told:
        text = told[0].short if oneline else told[0].summary
        if len(told) > 1:
            text += f" (+{len(told) - 1} more)"
    elif code == UNKNOWN and (unseen := _unseen(frame)):
        source = unseen[0]
        text = f"supervisord {source.target} is not seen ({source.status})"
        if not oneline and source.detail:
            text += f": {source.detail}"
    else:
        text = calm(snapshot)
    text = text.replace("|", "/")
    if oneline:
        return f"{_WORDS[code]}: {text}" if code else f"OK: {text}"
    return f"BEATTOP {_WORDS[code]} - {text} | {perfdata(frame)}"


def calm(snapshot: Snapshot) -> str:
    """What a box without trouble says."""
    if not snapshot.supervisords and not snapshot.beats and not snapshot.programs:
        return "no supervisord and no Celery on this box"
    beats = [b for b in snapshot.beats if b.pid is not None]
    apps = sorted({b.key.app or b.key.cwd or "?" for b in beats})
    all_ = standing(snapshot.programs)
    words = f"{count(all_.steady, 'program')} steady"
    words += f", {all_.passing} starting or stopping" if all_.passing else ""
    words += f", {all_.idle} not running" if all_.idle else ""
    words += f", the state of {all_.unknown} not known" if all_.unknown else ""
    if beats:
        words += f", {count(len(beats), 'beat')} for {listing(apps)}"
    return words


def perfdata(frame: Frame) -> str:
    """'label'=value[UOM];warn;crit;min;max, separated by spaces."""
    snapshot = frame.snapshot
    cpu = snapshot.cpu
    respawning = sum(p.respawning for p in snapshot.programs)
    values = {
        "beats": str(sum(b.pid is not None for b in snapshot.beats)),
        "respawning": f"{respawning};0",
        "duplicates": str(
            sum(f.kind == "duplicate-beat" and f.severity != "info" for f in frame.findings)
        ),
        "programs": str(len(snapshot.programs)),
        "busy": _percent(cpu.busy_pct),
        "churn": _percent(cpu.churn_pct),
    }
    return " ".join(f"{name}={value}" for name, value in values.items())


def _percent(value: float | None) -> str:
    return "U" if value is None else f"{value:.1f}%"
