"""What a supervisord, its programs and its configuration say of themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from beattop.model.process import ProcessKey

State = Literal[
    "STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN"
]
"""supervisor.states.ProcessStates, by name."""
PASSING: Final = frozenset({"STARTING", "BACKOFF", "STOPPING"})
"""States that a program does not stay in: neither steady nor at rest."""


_SCRIPT = re.compile(r"(?:.*/)?supervisord(?:-?[\d.]+)?(?:\.py)?")
_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)[\d.]*")


def runs_supervisord(argv: Sequence[str]) -> bool:
    """Whether a command line is a supervisord's own: a script of that name, or its module."""
    if not argv:
        return False
    if _SCRIPT.fullmatch(argv[0]):
        return True
    return bool(_PYTHON.fullmatch(argv[0])) and (
        "supervisor.supervisord" in argv[1:6] or any(_SCRIPT.fullmatch(w) for w in argv[1:4])
    )


def namespec(group: str, name: str) -> str:
    """The name as supervisorctl prints it: `group`, or `group:name` where they differ."""
    return group if group == name else f"{group}:{name}"


@dataclass(frozen=True, slots=True)
class Supervisord:
    """One supervisord: a live process, a server that answers, or only a conf file."""

    id: str
    """The server's URL without credentials, or `conf:/path` for one without a server."""
    key: ProcessKey | None
    conf: str | None
    """Path of its conf file as its own mount namespace sees it."""
    root: str
    """Prefix under which its files are reached: "" or `/proc/PID/root`."""
    log: str | None
    """Its main log as the conf names it: a path, a stream (`/dev/stdout`) or "syslog"; None where
    that is not known."""
    url: str | None
    version: str | None
    server_state: str | None
    """RUNNING, RESTARTING, SHUTDOWN or FATAL; None where it did not answer."""
    answered_at: float | None
    """Unix time of the last good answer."""
    ctl: tuple[str, ...]
    """How to call supervisorctl for it, without a password."""
    answers: bool | None
    """False where it hangs or refuses; None where it was not asked yet or has no server."""
    writable: bool = True
    """False for a server that the viewer may read the files of, but not talk to."""
    conf_inode: tuple[int, int] | None = None
    """(device, inode) of its conf file, whatever it is called; None where that may not be seen."""


@dataclass(frozen=True, slots=True)
class ProgramState:
    """One process of a program as getProcessInfo gave it."""

    supervisor: str
    group: str
    name: str
    state: State
    state_at: float
    """Unix time at which supervisord said so."""
    pid: int
    """As supervisord's namespace numbers it; 0 for none."""
    start_at: float
    """Unix seconds, integer in the protocol; 0 for never."""
    stop_at: float
    spawnerr: str
    exit_status: int
    """0 in BACKOFF and FATAL whatever happened: the main log alone knows."""
    stdout_log: str | None
    stderr_log: str | None


@dataclass(frozen=True, slots=True)
class ProgramConfig:
    """One process of a program as the conf file says it, defaults filled in by supervisor."""

    supervisor: str
    group: str
    name: str
    command: str
    directory: str | None
    user: str | None
    autostart: bool
    autorestart: Literal["true", "false", "unexpected"]
    startsecs: float
    startretries: int
    exitcodes: tuple[int, ...]
    stopsignal: str
    stopwaitsecs: float
    stopasgroup: bool
    killasgroup: bool
    redirect_stderr: bool
    stdout_log: str | None
    stderr_log: str | None
    env: tuple[tuple[str, str], ...]
    """Allow-listed names only, masked."""
    section: str
    """The section's name in the file: `program:beat`."""
    file: str
    line: int
    """Line of the section's header, from 1; 0 where it was not found."""
    order: int
    """Place among all programs of the configuration."""
    lines: tuple[str, ...] = ()
    """The section as it stands in the file, header first, cleaned and masked. Where it stands
    several times it is the last one, whose options count, as are `file` and `line`."""
    numprocs: int = 1
    after: tuple[str, ...] | None = None
    """The line that follows these in the file; empty at its end, None where that is not known."""
    unended: bool = False
    """Whether the file ends with the last of these lines, and that without a newline."""
    variants: tuple[tuple[str, int], ...] = ()
    """Variables that are not allow-listed and tell programs of this conf apart: the name, and
    which of its values this one has, as a number."""
