"""Celery's options as data: spellings, arity and meaning, for 3.1, 4.x and 5.x.

One option a line: the versions that know these spellings (3 is 3.1, 4 is 4.x, 5 is 5.x), the
spellings, `=` if a value follows, and the field it fills, if one. tests/unit/commandline holds
each column against the release: 5 against the installed Celery's click objects, 3 and 4 against
tables frozen from 3.1.26 (optparse) and 4.4.7 (argparse).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Option(NamedTuple):
    """One spelling of one option."""

    valued: bool
    field: str
    """Field of CommandLine or flag (`beat`, `detach`, `help`); "" where it tells nothing."""
    versions: str


GLOBAL: Final = """
345 -A --app = app
345 -b --broker = broker
345 --loader =
345 --config = config
345 --workdir = workdir
345 -C --no-color
345 -q --quiet
45  --result-backend =
5   --skip-checks
345 --version help
345 --help help
34  -h help
"""
DAEMON: Final = """
345 -f --logfile =
345 --pidfile = pidfile
345 --uid =
345 --gid =
345 --umask =
345 --executable =
"""
WORKER: Final = f"""{DAEMON}
345 -n --hostname = hostname
345 -D --detach detach
345 -S --statedb =
345 -l --loglevel =
345 -O =
5   --optimization =
45  --prefetch-multiplier =
5   --disable-prefetch
345 -c --concurrency =
345 -P --pool =
345 -E --events
45  --task-events
345 --time-limit =
345 --soft-time-limit =
34  --maxtasksperchild =
45  --max-tasks-per-child =
45  --max-memory-per-child =
4   --maxmemperchild =
5   --pool-start-method =
345 --purge --discard
345 -Q --queues = queues
345 -X --exclude-queues =
345 -I --include =
345 --without-gossip --without-mingle --without-heartbeat
345 --heartbeat-interval =
345 --autoscale =
3   --autoreload --no-execv
345 -B --beat beat
345 -s --schedule = schedule
45  --schedule-filename = schedule
345 --scheduler = scheduler
"""
BEAT: Final = f"""{DAEMON}
345 --detach detach
345 -s --schedule = schedule
345 -S --scheduler = scheduler
345 --max-interval = max_interval
5   --enable-remote-control --no-enable-remote-control
5   -n --hostname = hostname
345 -l --loglevel =
"""
EVENTS: Final = f"""{DAEMON}
345 -d --dump
345 -c --camera =
345 --detach detach
345 -F --frequency --freq =
345 -r --maxrate =
345 -l --loglevel =
"""
# `celery purge` names queues as a worker does; -f is --force there, not the log file.
PURGE: Final = """
345 -f --force
45  -Q --queues = queues
45  -X --exclude-queues =
"""
# celery.bin.multi: the nodes' options, and -p for the pidfile.
MULTI: Final = f"""{WORKER}
345 -p = pidfile
345 --cmd --append --prefix --suffix --range-prefix --executable =
345 --nosplash --verbose
"""
# Airflow's own worker options (airflow.cli: `airflow worker` 1.10, `airflow celery worker` 2, 3).
AIRFLOW: Final = """
5 -q --queues = queues
5 -c --concurrency =
5 -cn -H --celery-hostname = hostname
5 --pid = pidfile
5 -D --daemon detach
5 --umask --stdout --stderr -l --log-file --autoscale -a =
5 -p --do-pickle -s --skip-serve-logs --without-mingle --without-gossip -v --verbose
5 -h --help help
"""
# sentry.runner: `sentry run worker`, `sentry run cron`.
SENTRY: Final = """
5 -n --hostname = hostname
5 -Q --queues = queues
5 -X --exclude-queues --logfile -f --loglevel -l -c --concurrency --max-tasks-per-child =
5 --pidfile = pidfile
5 --quiet -q --without-gossip --without-mingle --without-heartbeat --autoreload --no-color
5 --help help
"""

CONTROL: Final = (
    *("inspect", "control", "status", "purge", "call", "result", "list", "migrate", "report"),
    *("shell", "amqp", "graph", "logtool", "upgrade", "help"),
)
"""Subcommands that do something once and end."""


def table(*texts: str) -> dict[str, Option]:
    """Options by spelling; an earlier text wins."""
    out: dict[str, Option] = {}
    for text in texts:
        for words in map(str.split, text.strip().splitlines()):
            if not words:
                continue
            valued = "=" in words
            field = words[-1] if words[-1][0] not in "-=" else ""
            for word in words[1:]:
                if word.startswith("-"):
                    out.setdefault(word, Option(valued, field, words[0]))
    return out


TABLES: Final[dict[str, dict[str, Option]]] = {
    "worker": table(WORKER, GLOBAL),
    # Worker options given to beat are read as the worker would: real files do that.
    "beat": table(BEAT, GLOBAL, WORKER.replace("-B --beat beat", "-B --beat")),
    "events": table(EVENTS, GLOBAL),
    "multi": table(MULTI, GLOBAL),
    "purge": table(PURGE, GLOBAL),
    "flower": table(GLOBAL),
    **{word: table(GLOBAL) for word in CONTROL if word != "purge"},
}
"""What each subcommand takes, the global options included."""
GLOBALS: Final = table(GLOBAL)
ANY: Final = table(GLOBAL, WORKER, BEAT, EVENTS, "3 -d --destination -t --timeout =")
"""Options met before the subcommand, where 3.1 and 4.x allow them all; arity only."""
COMMANDS: Final = frozenset(TABLES)
OWN: Final = {"worker": table(WORKER), "beat": table(BEAT), "events": table(EVENTS)}
"""The subcommands' own options, without what is only tolerated."""


def _abbreviable(version: str) -> dict[str, tuple[str, ...]]:
    texts = {"worker": WORKER, "beat": BEAT, "events": EVENTS, "purge": PURGE}
    return {
        command: tuple(
            word
            for word, option in table(text, GLOBAL).items()
            if word.startswith("--") and version in option.versions
        )
        for command, text in texts.items()
    }


ABBREVIABLE: Final = tuple(_abbreviable(version) for version in "43")
"""Long options that a unique beginning stands for: argparse in 4.x, optparse in 3.1."""
ABBREVIABLE_EARLY: Final = tuple(
    word for word, option in GLOBALS.items() if word.startswith("--") and "4" in option.versions
)
"""The same before the subcommand, where 4.x knows the global options alone."""
