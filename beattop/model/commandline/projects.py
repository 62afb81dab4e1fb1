"""Programs that call Celery in their own process: manage.py, Airflow, Sentry and the like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from beattop.model.commandline.line import CommandLine
from beattop.model.commandline.options import AIRFLOW, SENTRY, table
from beattop.model.commandline.programs import NAMED, is_service_verb, line_of
from beattop.model.commandline.quiet import is_keeper, is_quiet
from beattop.model.commandline.reading import Arguments, read, read_with
from beattop.model.commandline.runners import RUNNERS
from beattop.model.commandline.target import Target, is_zipapp

# Commands that django-celery and its like add to a project's own program.
DJANGO: Final = frozenset({"celery", *NAMED} - {"flower"})
_MANAGE: Final = re.compile(
    r"(?:[\w.-]*[-_.])?manage(?:\.pyc?)?|manager(?:\.pyc?)?|django(?:-admin)?(?:\.py)?"
)
# Open edX's manage.py takes the system first.
_SYSTEMS: Final = frozenset({"lms", "cms", "studio"})
# Programs whose `celery` command hands the rest to Celery's own; a project's main script.
_HANDS_ON: Final = frozenset(
    {
        *("flask", "indico", "invenio", "inveniomanage", "nautobot-server", "hypothesis"),
        *("director", "mytardis.py", "run.py", "app.py", "main.py", "cli.py"),
    }
)
_AIRFLOW: Final = table(AIRFLOW)
_SENTRY: Final = table(SENTRY)
_SENTRY_RUNS: Final = {"worker": "worker", "cron": "beat", "beat": "beat"}


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
    args = target.args
    index = 0
    while index < len(args) and args[index].startswith("-"):
        index += 2 if args[index] in {"--config", "-c"} else 1
    group, verb, rest = args[index : index + 1], args[index + 1 : index + 2], args[index + 2 :]
    if list(group) == ["celery"]:
        return line_of(read(args[index + 1 :]), target.path, dated=True)
    if list(group) != ["run"] or not verb or verb[0] not in _SENTRY_RUNS:
        return None
    return line_of(read_with(rest, _SENTRY_RUNS[verb[0]], _SENTRY), target.path, dated=True)


def _paster(target: Target) -> CommandLine | None:
    """`paster [--plugin=ckan] celeryd [INI] …`: CKAN's and Pylons' command; -c is its own."""
    for index, word in enumerate(target.args[:4]):
        if word in NAMED:
            rest = ["--config" if x == "-c" else x for x in target.args[index + 1 :]]
            return line_of(read(rest, NAMED[word]), target.path, dated=True)
    return None


def _django(target: Target) -> CommandLine | None:
    """A project's own program with one of django-celery's commands, or `celery` itself.

    Of a program that is not known to have them, `restart.py celery beat`, the words alone tell
    nothing: an option of Celery's must stand with them.
    """
    name = target.name
    if target.kind == "module":
        name = name if name.endswith(".manage") else name.partition(".")[0]
    manage = bool(_MANAGE.fullmatch(name))
    known = manage or name in _HANDS_ON
    if not known and (
        name in RUNNERS
        or is_quiet(name)
        or is_keeper(name)
        or (target.kind == "program" and not name.endswith((".py", "-server")))
    ):
        return None
    args = target.args
    index = _leading(args, manage) if known else 0
    if index >= len(args) or args[index] not in DJANGO:
        return None
    command, rest = args[index], args[index + 1 :]
    if command == "celery" and not manage and rest[:1] and rest[0].startswith("-"):
        # `run.py celery -A proj beat` quotes a command line; a Django command has no -A before.
        return None
    subcommand = NAMED.get(command)
    if subcommand and is_service_verb(subcommand, rest):
        return None
    found = read(rest, subcommand)
    if not known and not found.known:
        return None
    return line_of(found, target.path, dated=manage or subcommand is not None)


def _leading(args: Sequence[str], manage: bool) -> int:
    """Index of the command after a project program's own options and their words."""
    index = int(manage and bool(args) and args[0] in _SYSTEMS)
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
    `runcelery.py worker -l info`, `-m proj.celery_app beat -s …`, but not `celery_utils.py beat`;
    of a program in one file, an application.
    """
    zipapp = is_zipapp(target.path)
    name = target.name.rpartition(".")[2] if target.kind == "module" else target.name
    if not zipapp and (
        "celery" not in name.lower()
        or is_keeper(name)
        or (target.kind == "program" and not name.endswith(".py"))
    ):
        return None
    found = read(target.args)
    told = "app" in found.values if zipapp else found.known > 0
    if told and found.role in {"worker", "worker+beat", "beat", "flower", "events"}:
        return line_of(found, target.path)
    return None
