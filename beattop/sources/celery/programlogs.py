"""Which programs' logs are worth reading, and where they are."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from beattop.model.process import Process
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord
from beattop.sources.celery.targets import known_line
from beattop.sources.celery.words import ProgramLog

_FEW = 60
"""Up to so many programs, all are read."""
_YOUNG_S = 60.0
_CALM = frozenset({"RUNNING", "STOPPED"})
Key = tuple[str, str, str]


def program_logs(
    processes: Sequence[Process],
    programs: Sequence[ProgramState],
    configs: Sequence[ProgramConfig],
    supervisords: Sequence[Supervisord],
    now: float,
) -> list[ProgramLog]:
    """Celery's programs and those in trouble; on a small box every program.

    What supervisord says goes before the conf: it alone knows the names of AUTO logs. Pure.
    """
    states = {(p.supervisor, p.group, p.name): p for p in programs}
    written = {(c.supervisor, c.group, c.name): c for c in configs}
    servers = {s.id: s for s in supervisords}
    cwds = _cwds(processes, supervisords)
    out = []
    for key in dict.fromkeys([*states, *written]):
        state, config = states.get(key), written.get(key)
        server = servers.get(key[0])
        few = len(states) + len(written) <= 2 * _FEW
        if server is None or not (few or _wanted(state, config, now)):
            continue
        stdout = state.stdout_log if state else config.stdout_log if config else None
        stderr = state.stderr_log if state else config.stderr_log if config else None
        cwd = cwds.get(server.id)
        log = ProgramLog(
            *key, _file(stdout, cwd), _file(stderr, cwd), server.root, _troubled(state, now)
        )
        if log.stdout or log.stderr:
            out.append(log)
    return out


def _wanted(state: ProgramState | None, config: ProgramConfig | None, now: float) -> bool:
    line = known_line(config) if config else None
    if line is not None and line.leads_to != "other":
        return True
    if state is None:
        return config is None
    return _troubled(state, now)


def _troubled(state: ProgramState | None, now: float) -> bool:
    if state is None:
        return False
    return state.state not in _CALM or now - max(state.start_at, state.stop_at) < _YOUNG_S


def _cwds(
    processes: Sequence[Process], supervisords: Sequence[Supervisord]
) -> Mapping[str, str | None]:
    by_key = {process.key: process.cwd for process in processes}
    return {s.id: by_key.get(s.key) if s.key else None for s in supervisords}


def _file(path: str | None, cwd: str | None) -> str | None:
    """A log's absolute path; None for a stream, and where it cannot be placed."""
    if not path or path.lower() in ("none", "auto", "syslog"):
        return None
    full = posixpath.normpath(posixpath.join(cwd or "", path))
    return full if full.startswith("/") and not full.startswith(("/dev/", "/proc/")) else None
