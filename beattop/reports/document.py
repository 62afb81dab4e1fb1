"""The public JSON document; its fields are a contract (README, "JSON")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from beattop import __version__
from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.snapshot import Beat, LastExit, Member, Program, Snapshot, Unmanaged

SCHEMA = "beattop/1"


def document(frame: Frame) -> dict[str, Any]:
    """Everything of one frame as plain values: seconds, Unix seconds, percent of one core."""
    snapshot = frame.snapshot
    cpu = snapshot.cpu
    return {
        "schema": SCHEMA,
        "version": __version__,
        "host": snapshot.host.name,
        "at": round(snapshot.at, 3),
        "observed_s": round(snapshot.observed_s, 3),
        "read_only": snapshot.viewer.read_only,
        "cpu": {
            "cores": cpu.cores,
            "busy_pct": _pct(cpu.busy_pct),
            "supervised_pct": _pct(cpu.supervised_pct),
            "churn_pct": _pct(cpu.churn_pct),
            "other_pct": _pct(cpu.other_pct),
        },
        "burnt": {
            "observed_core_s": round(snapshot.burnt.observed_s, 3),
            "since_start_core_s": _round(snapshot.burnt.since_start_s),
            "since_at": _round(snapshot.burnt.since_at),
        },
        "sources": [
            {
                "name": s.name,
                "target": s.target,
                "status": s.status,
                "detail": s.detail,
            }
            for s in snapshot.sources
        ],
        "programs": [_program(p) for p in snapshot.programs],
        "unmanaged": [_unmanaged(u) for u in snapshot.unmanaged],
        "beats": [_beat(b) for b in snapshot.beats],
        "findings": [_finding(f) for f in frame.findings],
    }


def _round(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def _pct(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _exit(last: LastExit | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {
        "status": last.status,
        "signal": last.signal,
        "at": _round(last.at),
        "meaning": last.meaning,
    }


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _program(program: Program) -> dict[str, Any]:
    ended = [life for life in program.lives if life.ended_at is not None][-10:]
    return {
        "supervisor": program.id.supervisor,
        "group": program.id.group,
        "name": program.id.name,
        "namespec": program.namespec,
        "role": program.role,
        "state": program.state,
        "state_at": _round(program.state_at),
        "pid": program.pid,
        "started_at": _round(program.started_at),
        "uptime_s": _round(program.uptime_s),
        "respawning": program.respawning,
        "periodic": program.periodic,
        "spawns_per_min": _round(program.spawns_per_min),
        "spawns": program.spawns,
        "exits": program.exits,
        "first_seen_at": _round(program.first_seen_at),
        "history_complete": program.history_complete,
        "lifetime_median_s": _round(program.lifetime_median_s),
        "lifetimes_s": [_round(span) for span in _known(life.lifetime_s for life in ended)],
        "cpu_per_life_s": [_round(cpu) for cpu in _known(life.cpu_s for life in ended)],
        "exit_counts": dict(program.past.exit_counts) if program.past else {},
        "last_exit": _exit(program.last_exit),
        "cpu_pct": _pct(program.cpu_pct),
        "churn_pct": _pct(program.churn_pct),
        "cpu_estimated": program.cpu_estimated,
        "rss_bytes": program.rss_bytes,
        "last_error": program.last_error,
        "loop_since_at": _round(program.loop_since_at),
        "loop_exits": program.loop_exits,
        "processes": [_process(m) for m in program.members],
    }


def _process(member: Member) -> dict[str, Any]:
    return {
        "pid": member.process.pid,
        "ppid": member.ppid,
        "role": member.role,
        "argv": list(member.process.argv),
        "started_at": _round(member.process.started_at),
        "cpu_pct": _pct(member.cpu_pct),
        "rss_bytes": member.rss_bytes,
    }


def _unmanaged(root: Unmanaged) -> dict[str, Any]:
    return {
        "pid": root.member.process.pid,
        "role": root.role,
        "origin": root.origin,
        "was": root.was,
        "argv": list(root.member.process.argv),
        "started_at": _round(root.member.process.started_at),
        "cpu_pct": _pct(root.cpu_pct),
        "rss_bytes": root.rss_bytes,
        "unit": root.unit,
        "container": root.container,
    }


def _beat(beat: Beat) -> dict[str, Any]:
    return {
        "key": {"app": beat.key.app, "cwd": beat.key.cwd, "broker": beat.key.broker},
        "pid": beat.pid,
        "namespec": beat.namespec,
        "supervisor": beat.supervisor,
        "embedded": beat.embedded,
        "health": beat.health,
        "pidfile": beat.pidfile,
        "schedule": beat.schedule,
        "scheduler": beat.scheduler,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "certainty": finding.certainty,
        "summary": finding.summary,
        "effect": finding.effect,
        "programs": [p.namespec for p in finding.programs],
        "pids": list(finding.pids),
        "evidence": list(finding.evidence),
        "since_at": _round(finding.since_at),
        "keep": [
            {"supervisor": k.supervisor, "namespec": k.namespec, "pid": k.pid, "why": k.why}
            for k in finding.keep
        ],
        "stop": [
            {
                "supervisor": t.supervisor,
                "namespec": t.namespec,
                "pid": t.pid,
                "via": t.via,
                "command": t.command,
                "why": t.why,
            }
            for t in finding.stop
        ],
        "lasting_fix": finding.lasting.text,
        "lasting_diff": finding.lasting.diff or None,
        "lasting_ticket": finding.lasting.ticket or None,
    }


def known(snapshot: Snapshot) -> bool:
    """Whether anything at all could be seen: /proc or some supervisord."""
    seen = {s.name: s.status for s in snapshot.sources if s.name == "processes"}
    if seen.get("processes") in ("ok", "degraded"):
        return True
    return any(s.name == "supervisor" and s.status == "ok" for s in snapshot.sources)
