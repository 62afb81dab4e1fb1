"""Variables and files that tell one instance of a project from another."""

from __future__ import annotations

import pytest

from beattop.model.commandline.environment import env_file, selections, selects

SELECT = (
    "TENANT",
    "SHOP_TENANT",
    "CELERY_PREFIX",
    "APP_TENANT_ID",
    "SENTRY_ENVIRONMENT",
    "SITE_NAME",
)
TELL_NOTHING = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "NPM_CONFIG_PREFIX", "PREFIXES", "shop_env"),
    *("LOG_PREFIX", "STATSD_PREFIX", "METRICS_NAMESPACE", "OTEL_SERVICE_NAMESPACE", "DD_ENV"),
    *("SITE_SECRET", "TENANT_API_KEY", "REGION_PASSWORD", "HOME", "PATH", "IMPORT_CPU_S", ""),
)  # fmt: skip


@pytest.mark.parametrize("name", SELECT)
def test_a_name_that_selects(name: str) -> None:
    assert selects(name)


@pytest.mark.parametrize("name", TELL_NOTHING)
def test_a_name_that_does_not(name: str) -> None:
    assert not selects(name)


def test_a_path_tells_only_where_the_name_is_known() -> None:
    env = {
        "TENANT": "a/b",
        "SHOP_PREFIX": "/srv/releases/7",
        "SHOP_SITE": "de",
        "STAGE": "",
        "X": "y",
    }
    assert selections(env) == (("SHOP_SITE", "de"), ("TENANT", "a/b"))


FILES = (
    ("dotenv -f red.env run -- celery beat", "red.env"),
    ("sh -c '. /etc/shop/red.env; exec celery beat'", "red.env"),
    ("x --env-file=.env.production", ".env.production"),
    ("x -e b.env -e a.env -e a.env", "a.env,b.env"),
    ("dotenv run celery beat", None),
    ("dotenv -f .env run celery beat", None),
    ("/usr/bin/env python /srv/my.env/bin/celery beat", None),
    ("", None),
)


@pytest.mark.parametrize(("command", "name"), FILES)
def test_the_file_of_an_environment(command: str, name: str | None) -> None:
    assert env_file(command) == name
