"""Programs that are Celery."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from beattop.model.commandline.line import CommandLine
from beattop.model.commandline.reading import Arguments, read
from beattop.model.commandline.target import Target

# `celery-3`, `celery-3.9`: distributions that install several side by side; in one file.
_CELERY: Final = re.compile(r"celery(?:-?[23](?:\.\d+)?)?(?:\.(?:pex|pyzw?|par|xar))?")
_CELERY_VARIABLE: Final = re.compile(
    r"\$\{?(?:[A-Z_]*_)?CELERY(?:_?(?:BIN|CMD|EXE|PATH|COMMAND|EXECUTABLE))?\b[^/]*"
    r"|(?:\$\(|`)\s*(?:which|command -v|type -p)\s+celery\s*[)`]"
)
NAMED: Final = {
    "celeryd": "worker",
    "celeryd_detach": "worker",
    "celeryd-detach": "worker",
    "celerybeat": "beat",
    "celeryev": "events",
    "celerycam": "events",
    "celerymon": "events",
    "djcelerymon": "events",
    "celeryctl": "control",
    "camqadm": "amqp",
    "celeryd-multi": "multi",
    "celeryd_multi": "multi",
    "flower": "flower",
}
"""Names that mean one subcommand: Celery to 3.1's scripts and django-celery's commands."""
_MODULES: Final = {
    "celery.bin.worker": "worker",
    "celery.bin.celeryd": "worker",
    "celery.bin.celeryd_detach": "worker",
    "celery.bin.beat": "beat",
    "celery.bin.celerybeat": "beat",
    "celery.bin.events": "events",
    "celery.bin.celeryev": "events",
    "celery.bin.multi": "multi",
    "celery.bin.celeryd_multi": "multi",
    "celery.bin.amqp": "amqp",
    "celery.bin.camqadm": "amqp",
    "celery.bin.control": "control",
    "flower": "flower",
    "flower.command": "flower",
}
_VERBS: Final = """start stop restart status reload force-reload condrestart try-restart kill check
dryrun create-paths graceful-restart health zap"""
_SERVICE_VERBS: Final = frozenset(_VERBS.split())
"""What Celery's init scripts take; its programs of the same name do not."""


def is_service_verb(subcommand: str, args: Sequence[str]) -> bool:
    """Whether `celeryd` or `celerybeat` is an init script here: `celerybeat start`."""
    return subcommand in {"worker", "beat"} and bool(args) and args[0] in _SERVICE_VERBS


def line_of(
    found: Arguments, program: str | None, *, title: bool = False, dated: bool = False
) -> CommandLine | None:
    """The CommandLine of Celery's own arguments; None where they start nothing of Celery's.

    `dated`: a form that Celery 5's console script does not know; the order says nothing then.
    """
    role = found.role
    if role == "other":
        return None
    get = found.values.get
    values = role in {"worker", "worker+beat", "beat", "multi", "events"}
    return CommandLine(
        role,
        get("app"),
        get("broker"),
        get("pidfile") if values else None,
        get("schedule") if values else None,
        get("scheduler") if values else None,
        found.queues if "queues" in found.values else (),
        get("hostname") if values else None,
        get("workdir"),
        get("config"),
        "detach" in found.flags,
        title,
        False,
        None,
        None,
        program,
        found.subcommand,
        found.old_order and not dated,
        dated,
        get("max_interval") if role == "beat" else None,
    )


def is_celery(name: str, path: str) -> bool:
    """Whether a program's name is that of Celery's umbrella command."""
    if name == "celery" or _CELERY.fullmatch(name):
        return True
    if name == "__main__.py":
        return path.endswith("/celery/__main__.py") or path == "celery/__main__.py"
    if path[:1] not in "$`" or "celery" not in path.lower():
        return False
    return bool(_CELERY_VARIABLE.fullmatch(path))


def celery(target: Target) -> CommandLine | None:
    """Celery's own programs: `celery`, `python -m celery`, `celerybeat`, `flower`, …"""
    name, path = target.name, target.path
    if target.kind == "code":
        return _code(target)
    if target.kind == "module":
        if name in {"celery", "celery.bin.celery"}:
            return line_of(read(target.args), path)
        subcommand = _MODULES.get(name)
    elif is_celery(name, path):
        return line_of(read(target.args), path)
    else:
        subcommand = NAMED.get(name)
        if subcommand and (
            is_service_verb(subcommand, target.args) or "/init.d/" in path or "/rc.d/" in path
        ):
            return None
    if subcommand is None:
        return None
    return line_of(read(target.args, subcommand), path, dated=subcommand != "flower")


def _code(target: Target) -> CommandLine | None:
    """`python -c`: a pool child that was spawned, not forked (billiard.spawn), or nothing."""
    code = target.path
    if "billiard" in code and any(x in code for x in ("spawn_main", "forking", "forkserver")):
        return CommandLine("pool", child=True)
    if "celery" in code and "main(" in code and "import" in code:
        return line_of(read(target.args), None)
    return None
