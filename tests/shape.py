"""The public JSON document as README promises it: keys, types, what may be null, what adds up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NUMBER = (int, float)
TIME = (int, float, type(None))
TEXT = (str, type(None))
ROLES = {
    "beat", "worker", "worker+beat", "flower", "events", "control", "multi", "pool", "wrapper",
    "supervisord", "other",
}  # fmt: skip
STATES = {
    "STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN", None,
}  # fmt: skip
KINDS = {
    "duplicate-beat", "stale-pidfile", "beat-down", "supervisor-not-answering", "respawn-loop",
    "program-down", "double-supervisor", "beat-silent", "orphan", "supervisor-denied",
}  # fmt: skip
SEVERITIES = ("critical", "warning", "info")
PROCESS = {
    "pid": (int,), "role": ROLES, "argv": [(str,)], "started_at": NUMBER, "cpu_pct": TIME,
    "rss_bytes": (int, type(None)),
}  # fmt: skip
KEEP = {"supervisor": TEXT, "namespec": TEXT, "pid": (int, type(None))}
DOCUMENT = {
    "schema": {"beattop/1"}, "version": (str,), "host": (str,), "at": NUMBER, "observed_s": NUMBER,
    "read_only": (bool,),
    "cpu": {
        "cores": (int,), "busy_pct": TIME, "supervised_pct": TIME, "churn_pct": TIME,
        "other_pct": TIME,
    },
    "sources": [{
        "name": {"processes", "lifecycle", "supervisor", "mainlog", "conf", "pidfile", "schedule"},
        "target": (str,), "status": {"ok", "degraded", "denied", "timeout", "down", "absent"},
        "detail": (str,),
    }],
    "programs": [{
        "supervisor": (str,), "group": (str,), "name": (str,), "namespec": (str,), "role": ROLES,
        "state": STATES, "state_at": TIME, "pid": (int, type(None)), "started_at": TIME,
        "uptime_s": TIME, "respawning": (bool,), "periodic": (bool,), "spawns_per_min": TIME,
        "spawns": (int, type(None)), "exits": (int, type(None)), "first_seen_at": TIME,
        "history_complete": (bool,), "lifetime_median_s": TIME, "last_exit": (dict, type(None)),
        "cpu_pct": TIME, "churn_pct": TIME, "rss_bytes": (int, type(None)), "last_error": TEXT,
        "processes": [{**PROCESS, "ppid": (int,)}],
    }],
    "unmanaged": [{**PROCESS, "origin": {"orphan", "foreign"}, "was": TEXT}],
    "beats": [{
        "key": {"app": TEXT, "cwd": TEXT, "broker": TEXT}, "pid": (int, type(None)),
        "namespec": TEXT, "supervisor": TEXT, "embedded": (bool,),
        "health": {"working", "respawning", "standby", "silent", "down", None},
        "pidfile": TEXT, "schedule": TEXT, "scheduler": TEXT,
    }],
    "findings": [{
        "kind": KINDS, "severity": set(SEVERITIES), "certainty": {"certain", "likely", "possible"},
        "summary": (str,), "effect": TEXT, "programs": [(str,)], "pids": [(int,)],
        "evidence": [(str,)], "keep": [KEEP],
        "stop": [{**KEEP, "via": {"xmlrpc", "signal", "advice"}, "command": TEXT}],
        "lasting_fix": (str,),
    }],
}  # fmt: skip
LAST_EXIT = {"status": (int, type(None)), "signal": TEXT, "at": NUMBER, "meaning": (str,)}
_RUNNABLE = re.compile(r"(\S*supervisorctl .*\S|kill -(TERM|INT|KILL) \d+|systemctl stop \S+)")


def check(document: Mapping[str, Any]) -> None:
    """Assert that the document is as promised."""
    _as(DOCUMENT, document, "document")
    for program in document["programs"]:
        _program(program)
    for stray in document["unmanaged"]:
        assert (stray["was"] is None) == (stray["origin"] == "foreign"), stray
    _adds_up(document)
    grave = [SEVERITIES.index(f["severity"]) for f in document["findings"]]
    assert grave == sorted(grave)
    for finding in document["findings"]:
        _finding(finding)


def _as(shape: Any, value: Any, where: str) -> None:
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert set(value) >= set(shape), f"{where} lacks {set(shape) - set(value)}"
        for key, inner in shape.items():
            _as(inner, value[key], f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, one in enumerate(value):
            _as(shape[0], one, f"{where}[{number}]")
    elif isinstance(shape, set):
        assert value in shape, f"{where} is {value!r}"
    else:
        right = isinstance(value, shape) and (bool in shape or not isinstance(value, bool))
        assert right, f"{where} is {value!r}"


def _program(program: Mapping[str, Any]) -> None:
    name, group = program["name"], program["group"]
    assert program["namespec"] == (name if name == group else f"{group}:{name}")
    assert re.match(r"(unix|http|conf):/", program["supervisor"]), program["supervisor"]
    assert not (program["respawning"] and program["periodic"])
    if program["churn_pct"] is not None:
        assert program["churn_pct"] == (program["cpu_pct"] if program["respawning"] else 0)
    last = program["last_exit"]
    if last is not None:
        _as(LAST_EXIT, last, "last_exit")
        assert (last["status"] is None) != (last["signal"] is None)
        assert last["signal"] is None or last["signal"].startswith("SIG")
    if program["rss_bytes"] is not None:
        whole = [p["rss_bytes"] for p in program["processes"] if p["rss_bytes"] is not None]
        assert program["rss_bytes"] == sum(whole)
    if program["pid"] is not None and program["uptime_s"] is not None:
        assert program["uptime_s"] >= 0


def _adds_up(document: Mapping[str, Any]) -> None:
    cpu = document["cpu"]
    if None in cpu.values():
        return
    parts = cpu["supervised_pct"], cpu["churn_pct"], cpu["other_pct"]
    assert abs(sum(parts) - cpu["busy_pct"]) < 0.05 and min(parts) >= 0
    churn = [p["churn_pct"] or 0 for p in document["programs"]]
    assert abs(sum(churn) - cpu["churn_pct"]) <= 0.01 * (len(churn) + 1)


def _finding(finding: Mapping[str, Any]) -> None:
    kept: Sequence[Mapping[str, Any]] = finding["keep"]
    assert not {k["pid"] for k in kept} - {None} & set(finding["pids"])
    for target in finding["stop"]:
        command = target["command"]
        assert command is None or _RUNNABLE.fullmatch(command), command
        assert target["namespec"] is None or target["supervisor"] is not None
