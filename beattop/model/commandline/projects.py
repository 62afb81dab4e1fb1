"""Programs that call Celery in their own process: manage.py, Airflow, Sentry and the like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from beattop.model.commandline.line import CommandLine
from beattop.model.commandline.options import AIRFLOW, SENTRY, table
from beattop.model.commandline.programs import NAMED, is_service_verb, line_of
from beattop.model.commandline.quiet import is_quiet
from beattop.model.commandline.reading import Arguments, read, read_with
from beattop.model.commandline.runners import RUNNERS
from beattop.model.commandline.target import Target

# Commands that django-celery and its like add to a project's own program.
DJANGO: Final = frozenset({"celery", *NAMED} - {"flower"})
_PROJECT: Final = re.compile(
    r"(?:[\w.-]*manage[\w-]*|django-admin|[\w.-]+)\.py"
    r"|[\w.-]*manage|manager|django(?:-admin)?|[\w.-]+-server|flask|indico|invenio(?:manage)?"
)
_PROJECT_CERTAIN: Final = re.compile(r"[\w.-]*manager?(?:\.py)?|django(?:-admin)?(?:\.py)?")
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
        if is_service_verb(NAMED[command], rest):
            return None
        return line_of(read(rest, NAMED[command]), target.path, dated=True)
    found = read(rest)
    if not certain and rest[:1] and rest[0].startswith("-"):
        # `run.py celery -A proj beat` quotes a command line; a Django command has no -A before.
        return None
    return line_of(found, target.path, dated=certain)


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
