"""Programs' configuration as supervisord itself tells it, for confs that may not be read."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from beattop.model.supervisor import ProgramConfig
from beattop.sources.supervisor.client import ReadClient
from beattop.sources.supervisor.conf import command
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import CALL_ERRORS
from beattop.text import clean


def program_configs(
    server: Server, supervisor_id: str, timeout_s: float
) -> tuple[ProgramConfig, ...]:
    """getAllConfigInfo as far as it goes; () before supervisor 4.0 or where it fails.

    It lacks autorestart, stopasgroup and the environment: autorestart is taken as supervisor's
    default, stopasgroup as on unless killasgroup is off, which proves it off. `file` is empty.
    """
    try:
        told = ReadClient(server, timeout_s).configs()
    except CALL_ERRORS:
        return ()
    return tuple(
        _config(entry, supervisor_id, order)
        for order, entry in enumerate(told)
        if isinstance(entry.get("command"), str) and entry.get("inuse")
    )


def _config(entry: Mapping[str, object], supervisor_id: str, order: int) -> ProgramConfig:
    group, name = _text(entry, "group") or "", _text(entry, "name") or ""
    codes = entry.get("exitcodes")
    return ProgramConfig(
        supervisor=supervisor_id,
        group=group,
        name=name,
        command=command(str(entry["command"])),
        directory=_text(entry, "directory"),
        user=None,
        autostart=bool(entry.get("autostart")),
        autorestart="unexpected",
        startsecs=_number(entry, "startsecs", 1),
        startretries=_number(entry, "startretries", 3),
        exitcodes=tuple(c for c in codes if isinstance(c, int))
        if isinstance(codes, list)
        else (0,),
        stopsignal=_signal(_number(entry, "stopsignal", signal.SIGTERM)),
        stopwaitsecs=_number(entry, "stopwaitsecs", 10),
        stopasgroup=bool(entry.get("killasgroup", True)),
        killasgroup=bool(entry.get("killasgroup", True)),
        redirect_stderr=bool(entry.get("redirect_stderr")),
        stdout_log=_text(entry, "stdout_logfile"),
        stderr_log=_text(entry, "stderr_logfile"),
        env=(),
        section=f"program:{group if group == name else name}",
        file="",
        line=0,
        order=order,
    )


def _text(entry: Mapping[str, object], key: str) -> str | None:
    """A text; None for the protocol's "none" and "auto"."""
    value = entry.get(key)
    if not isinstance(value, str) or value in ("", "none", "auto"):
        return None
    return clean(value)[:4096]


def _number(entry: Mapping[str, object], key: str, default: int) -> int:
    value = entry.get(key)
    return value if isinstance(value, int) else default


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
