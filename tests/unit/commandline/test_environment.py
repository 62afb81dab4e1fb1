"""What the environment adds to a silent command line, and what it does not."""

from __future__ import annotations

import click
import pytest
from celery.bin.beat import beat
from celery.bin.events import events
from celery.bin.worker import worker

from beattop.model.commandline import classify
from beattop.model.commandline.environment import NAMES


def test_without_an_environment_the_line_alone_speaks() -> None:
    line = classify(["celery", "beat"])
    assert (line.app, line.broker, line.pidfile, line.schedule) == (None, None, None, None)


def test_the_environment_fills_what_is_absent() -> None:
    env = {
        "CELERY_APP": "shop",
        "CELERY_BROKER_URL": "redis://r",
        "CELERY_BEAT_PIDFILE": "/run/b.pid",
        "CELERY_BEAT_SCHEDULE": "/s",
        "CELERY_BEAT_SCHEDULER": "django",
        "CELERY_WORKER_PIDFILE": "/run/w.pid",
        "CELERY_WORKER_SCHEDULE_FILENAME": "/ws",
        "CELERY_WORKER_QUEUES": "a,b",
        "CELERY_WORKDIR": "/srv",
    }
    line = classify(["celery", "beat"], None, env)
    assert (line.app, line.broker, line.workdir) == ("shop", "redis://r", "/srv")
    assert (line.pidfile, line.schedule, line.scheduler) == ("/run/b.pid", "/s", "django")
    line = classify(["celery", "worker", "-B"], None, env)
    assert (line.pidfile, line.schedule, line.queues) == ("/run/w.pid", "/ws", ("a", "b"))


def test_the_command_line_wins_also_with_an_empty_value() -> None:
    env = {"CELERY_APP": "other", "CELERY_BEAT_PIDFILE": "/x", "CELERY_WORKER_QUEUES": "x"}
    assert classify(["celery", "-A", "shop", "beat", "--pidfile="], None, env).pidfile == ""
    assert classify(["celery", "-A", "shop", "beat"], None, env).app == "shop"
    assert classify(["celery", "worker", "-Q", "a"], None, env).queues == ("a",)


@pytest.mark.parametrize(
    ("env", "app"),
    [
        ({"APP": "a", "CELERY_APP": "b"}, "a"),
        ({"APP": "", "CELERY_APP": "b"}, "b"),
        ({"APP": "", "CELERY_APP": ""}, None),
    ],
)
def test_click_asks_the_option_s_own_variable_first(env: dict[str, str], app: str | None) -> None:
    assert classify(["celery", "beat"], None, env).app == app


def test_an_old_form_knows_only_the_old_variables() -> None:
    env = {"APP": "no", "CELERY_APP": "yes", "CELERY_BEAT_PIDFILE": "/no", "BROKER_URL": "no"}
    for argv in (
        ["celerybeat"],
        ["python", "manage.py", "celery", "beat"],
        ["celery", "beat", "-q"],
    ):
        line = classify(argv, None, env)
        assert (line.app, line.broker, line.pidfile) == ("yes", None, None)


def test_no_variable_turns_a_beat_on_or_reaches_what_is_not_celery() -> None:
    assert classify(["celery", "worker"], None, {"CELERY_WORKER_BEAT": "1"}).role == "worker"
    env = {"CELERY_APP": "shop"}
    assert classify(["sh", "-c", "celery beat"], None, env).app is None
    assert classify(["tail", "celery.log"], None, env).app is None
    assert classify(["[celeryd: w@h:ForkPoolWorker-1]"], None, env).app is None


@pytest.mark.parametrize("command", [worker, beat, events], ids=lambda x: x.name)
def test_every_variable_is_one_that_click_derives(command: click.Command) -> None:
    derived = {f"CELERY_{command.name}_{param.name}".upper() for param in command.params}
    mine = {name for name in NAMES if name.startswith(f"CELERY_{command.name}_".upper())}
    assert mine
    assert mine <= derived
