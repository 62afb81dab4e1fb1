"""What Celery takes from the environment where the command line is silent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from beattop.model.commandline.line import CommandLine

# celery.bin.celery of 5.x: `envvar="APP"` and `envvar="BROKER_URL"` on the group, and
# `auto_envvar_prefix="CELERY"`, by which click derives CELERY_APP and CELERY_BEAT_PIDFILE; an
# empty variable counts as none. CELERY_APP also holds for 3.1 and 4.x (celery.bin.base), and
# every version's settings prefer CELERY_BROKER_URL (celery.app.utils.Settings.broker_url).
# CELERY_WORKER_BEAT is read, but turns no beat on (5.7 with click 8.5).
_GLOBAL: Final = {
    "app": ("APP", "CELERY_APP"),
    "broker": ("BROKER_URL", "CELERY_BROKER", "CELERY_BROKER_URL"),
    "workdir": ("CELERY_WORKDIR",),
    "config": ("CONFIG_MODULE", "CELERY_CONFIG", "CELERY_CONFIG_MODULE"),
}
_OF_ALL: Final = {
    "app": ("CELERY_APP",),
    "broker": ("CELERY_BROKER_URL",),
    "config": ("CELERY_CONFIG_MODULE",),
}
_WORKER: Final = {
    "pidfile": "CELERY_WORKER_PIDFILE",
    "schedule": "CELERY_WORKER_SCHEDULE_FILENAME",
    "scheduler": "CELERY_WORKER_SCHEDULER",
    "hostname": "CELERY_WORKER_HOSTNAME",
    "queues": "CELERY_WORKER_QUEUES",
}
_OWN: Final = {
    "worker": _WORKER,
    "worker+beat": _WORKER,
    "beat": {
        "pidfile": "CELERY_BEAT_PIDFILE",
        "schedule": "CELERY_BEAT_SCHEDULE",
        "scheduler": "CELERY_BEAT_SCHEDULER",
        "hostname": "CELERY_BEAT_HOSTNAME",
    },
    "events": {"pidfile": "CELERY_EVENTS_PIDFILE"},
}
NAMES: Final = frozenset(
    [name for names in _GLOBAL.values() for name in names]
    + [name for own in _OWN.values() for name in own.values()]
)
"""Every variable that is read here."""
SELECTORS: Final = (
    "CELERY_CONFIG_MODULE",
    "DJANGO_CONFIGURATION",
    "DJANGO_SETTINGS_MODULE",
    "ENV_FILE",
    "ENV_FOR_DYNACONF",
    *("APP_ENV", "APP_SETTINGS", "DEPLOY_ENV", "DJANGO_ENV", "ENV", "ENVIRONMENT", "FLASK_ENV"),
    *("FLASK_CONFIG", "INSTANCE", "SETTINGS_MODULE", "SITE", "STAGE", "TENANT", "TENANT_ID"),
    *("AMQP_URL", "CLOUDAMQP_URL", "RABBITMQ_URL", "REDIS_URL"),
)
"""What projects commonly tell their instances apart by: staging from prod, one tenant from another.
The URLs are those of brokers where a project's settings read them from there."""
# SHOP_TENANT, CELERY_PREFIX, SENTRY_ENVIRONMENT, TENANT_SLUG; but not VIRTUAL_ENV, CONDA_PREFIX and
# others that say where tools live, nor what only names a program's own logs and figures.
_SELECTOR: Final = re.compile(
    r"(?!(?:VIRTUAL|CONDA|MAMBA|NPM|NVM|PIP|PIPENV|PIPX|POETRY|PYENV|PYTHON|PDM|UV|HOMEBREW|XDG|TOX"
    r"|LOG|LOGGER|LOGGING|SYSLOG|STATSD|METRICS?|GRAPHITE|PROMETHEUS|OTEL|DD|NEW_RELIC)_)"
    r"(?:[A-Z0-9]+_){0,4}(?:TENANT|PREFIX|NAMESPACE|INSTANCE|SITE|STAGE|ENV|ENVIRONMENT|CUSTOMER"
    r"|BRAND|SHARD|REALM|REGION|COUNTRY|MARKET)(?:_(?:ID|NAME|SLUG|CODE))?"
)


def selects(name: str) -> bool:
    """Whether a variable commonly tells one instance of a project from another."""
    return name in SELECTORS or _SELECTOR.fullmatch(name) is not None


def selections(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What of `env` tells this instance from others, by name.

    A path in a variable of no known name does not: each release has its own.
    """
    return tuple(
        (name, value)
        for name, value in sorted(env.items())
        if value and (name in SELECTORS or ("/" not in value and selects(name)))
    )


_ENV_FILE: Final = re.compile(
    r"(?<![\w.-])(?:[\w./-]*/)?(\.env\.[\w.-]+|[\w-]+(?:\.[\w-]+)*\.env)(?![\w./-])"
)


@lru_cache(1024)
def env_file(command: str) -> str | None:
    """The file that a command takes its environment from, by name: `dotenv -f red.env run …`.

    Its folder tells nothing: each release has its own. So does a bare `.env`.
    """
    return ",".join(sorted(set(_ENV_FILE.findall(command)))) or None


def filled(line: CommandLine, env: Mapping[str, str]) -> CommandLine:
    """`line` with its absent values taken from `env`, as Celery would take them."""
    if line.role in {"other", "wrapper", "pool"} or line.child:
        return line
    modern = not line.old_order and not line.dated
    new: dict[str, Any] = {}
    for field, names in (_GLOBAL if modern else _OF_ALL).items():
        if getattr(line, field) is None:
            value = next(filter(None, map(env.get, names)), None)
            if value is not None:
                new[field] = value
    if modern:
        for field, name in _OWN.get(line.role, {}).items():
            value = env.get(name)
            if value and field != "queues" and getattr(line, field) is None:
                new[field] = value
        queues = env.get(_WORKER["queues"], "") if line.role in {"worker", "worker+beat"} else ""
        if queues and not line.queues:
            new["queues"] = tuple(filter(None, queues.split(",")))
    return replace(line, **new) if new else line
