"""Programs that are Celery, and programs that start it in their own process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from beattop.model.commandline.line import CommandLine
from beattop.model.commandline.options import AIRFLOW, SENTRY, table
from beattop.model.commandline.quiet import is_quiet
from beattop.model.commandline.reading import Arguments, read, read_with
from beattop.model.commandline.runners import RUNNERS
from beattop.model.commandline.target import Target

# `celery-3`, `celery-3.9`: distributions that install several side by side.
_CELERY: Final = re.compile(r"celery(?:-?[23](?:\.\d+)?)?")
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
_SERVED: Final = frozenset({"worker", "beat"})
# Commands that django-celery and its like add to a project's own program.
DJANGO: Final = frozenset({"celery", *NAMED} - {"flower"})
_PROJECT: Final = re.compile(
    r"(?:[\w.-]*manage[\w-]*|django-admin|[\w.-]+)\.py"
    r"|[\w.-]*manage|manager|django(?:-admin)?|[\w.-]+-server|flask|indico|invenio(?:manage)?"
)
_PROJECT_CERTAIN: Final = re.compile(r"[\w.-]*manager?(?:\.py)?|django(?:-admin)?(?:\.py)?")
_AIRFLOW: Final = table(AIRFLOW)
_SENTRY: Final = table(SENTRY)


def line_of(
    found: Arguments, program: str | None, *, title: bool = False, dated: bool = False
) -> CommandLine | None:
    """The CommandLine of Celery's own arguments; None where they start nothing of Celery's.

    `dated`: a form that no Celery 5 knows, so the order of options says nothing.
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
            (subcommand in _SERVED and target.args[:1] and target.args[0] in _SERVICE_VERBS)
            or "/init.d/" in path
            or "/rc.d/" in path
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


def project(target: Target) -> CommandLine | None:
    """Programs that call Celery in their own process: manage.py, Airflow, Sentry and the like."""
    name = target.name
    if target.kind == "module":
        name = name.partition(".")[0]
    args = target.args
    if name == "airflow":
        return _airflow(target)
    if name == "sentry":
        return _sentry(target)
    if name in {"superset", "caravel"} and args[:1] and args[0] in {"worker", "flower"}:
        return line_of(Arguments(args[0]), target.path)
    if name in {"pcelery", "pceleryd", "pcelerybeat"}:
        # pyramid_celery 1.x: the ini file comes first.
        rest = args[1:] if args[:1] and args[0].endswith(".ini") else args
        subcommand = NAMED.get(name[1:])
        return line_of(read(rest, subcommand), target.path, dated=True)
    if name == "paster":
        return _paster(target)
    return _django(target) or _own_script(target)


def _airflow(target: Target) -> CommandLine | None:
    """Airflow 1.10 `airflow worker|flower`, 2 and 3 `airflow celery worker|flower|stop`."""
    args = list(target.args)
    if args[:1] == ["celery"]:
        del args[0]
    if args[:1] == ["worker"]:
        return line_of(read_with(args[1:], "worker", _AIRFLOW), target.path, dated=True)
    if args[:1] == ["flower"]:
        return line_of(Arguments("flower"), target.path)
    return None


def _sentry(target: Target) -> CommandLine | None:
    """`sentry run worker|cron`, before that `sentry celery worker|beat` (sentry.runner)."""
    words = [word for word in target.args if not word.startswith("-")]
    for verb, subcommand in (("worker", "worker"), ("cron", "beat"), ("beat", "beat")):
        for first in ("run", "celery"):
            if first in words[:2] and verb in words[1:3]:
                rest = target.args[list(target.args).index(verb) + 1 :]
                found = read_with(rest, subcommand, _SENTRY)
                if first == "celery":
                    found = read(rest, subcommand)
                return line_of(found, target.path, dated=True)
    return None


def _paster(target: Target) -> CommandLine | None:
    """`paster [--plugin=ckan] celeryd [INI] …`: CKAN's and Pylons' command; -c is its own."""
    for index, word in enumerate(target.args[:4]):
        if word in NAMED:
            rest = ["--config" if x == "-c" else x for x in target.args[index + 1 :]]
            return line_of(read(rest, NAMED[word]), target.path, dated=True)
    return None


def _django(target: Target) -> CommandLine | None:
    """A project's own program with one of django-celery's commands, or `celery` itself."""
    args = target.args
    certain = bool(_PROJECT_CERTAIN.fullmatch(target.name)) or target.name == "django"
    if not certain:
        name = target.name.partition(".")[0] if target.kind == "module" else target.name
        if name in RUNNERS or is_quiet(name):
            return None
        if target.kind == "program" and not _PROJECT.fullmatch(name):
            return None
    index = 0
    if certain or target.name.endswith("-server"):
        index = _leading(args)
    if index >= len(args) or args[index] not in DJANGO:
        return None
    command, rest = args[index], args[index + 1 :]
    if command != "celery":
        if rest[:1] and rest[0] in _SERVICE_VERBS and NAMED[command] in _SERVED:
            return None
        return line_of(read(rest, NAMED[command]), target.path, dated=True)
    found = read(rest)
    if not certain and rest[:1] and rest[0].startswith("-"):
        # `run.py celery -A proj beat` quotes a command line; a Django command has no -A before.
        return None
    return line_of(found, target.path, dated=True)


def _leading(args: Sequence[str]) -> int:
    """Index of the command after a project program's own options and their words."""
    index = 0
    while index < len(args) and args[index].startswith("-"):
        word = args[index]
        index += 1
        if "=" not in word and index < len(args):
            following = args[index]
            if following not in DJANGO and not following.startswith("-"):
                index += 1
    return index


def _own_script(target: Target) -> CommandLine | None:
    """A script or module named after Celery that hands its arguments to `app.start()`.

    Its arguments tell only where they begin with a subcommand and hold an option of Celery's:
    `runcelery.py worker -l info`, `-m proj.celery_app beat -s …`, but not `celery_utils.py beat`.
    """
    if target.kind == "module":
        name = target.name.rpartition(".")[2]
    elif target.name.endswith(".py"):
        name = target.name
    else:
        return None
    if "celery" not in name.lower():
        return None
    found = read(target.args)
    if found.known and found.role in {"worker", "worker+beat", "beat", "flower", "events"}:
        return line_of(found, target.path)
    return None
