"""The files of an incident: a Celery project and the supervisord.conf that runs it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template

_APP = Template('''\
"""The Celery application of `$name`."""

import os
import time
from pathlib import Path

from celery import Celery


def heavy_import(cpu_s):
    """Burn CPU as the imports of a grown Django project do, before Celery's own code runs."""
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


def come_second(pidfile, schedule):
    """Let the other beat be the first one ever to take the pidfile, for at most 15 s."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if pidfile.exists() or any(schedule.parent.glob(schedule.name + "*")):
            return
        time.sleep(0.05)


heavy_import(float(os.environ.get("IMPORT_CPU_S", "$import_cpu_s")))
if os.environ.get("SUPERVISOR_PROCESS_NAME") in $second:
    come_second(Path($pidfile), Path($schedule))

app = Celery("$name")
app.conf.update(
    broker_url=$broker_url,
    broker_transport_options=$broker_options,
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    beat_schedule={"count-stock": {"task": "$name.count_stock", "schedule": $every_s}},
)


@app.task(name="$name.count_stock")
def count_stock():
    """A little work every few seconds."""
    return sum(range(1000))
''')


def app_module(
    name: str,
    *,
    root: Path,
    import_cpu_s: float,
    every_s: float,
    second: tuple[str, ...] = (),
    pidfile: str = "run/beat.pid",
    schedule: str = "run/beat-schedule",
    broker: str = "broker",
    broker_url: str | None = None,
    more: str = "",
) -> str:
    """The text of a module `name` that defines the app `name`.

    import_cpu_s: CPU seconds that importing it costs (IMPORT_CPU_S in the environment overrides).
    every_s: seconds between two sendings of its one task. second: supervisor programs that at the
    first start wait for another to hold `pidfile`. broker: the folder of kombu's file system
    transport under `root`, which needs `messages` and `control` in it (unless `broker_url`).
    """
    messages = str(root / broker / "messages")
    folders = {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(root / broker / "control"),
    }
    text = _APP.substitute(
        name=name,
        import_cpu_s=import_cpu_s,
        every_s=every_s,
        second=repr(second),
        pidfile=repr(str(root / pidfile)),
        schedule=repr(str(root / schedule)),
        broker_url=repr(broker_url or "filesystem://"),
        broker_options=repr({} if broker_url else folders),
    )
    return text + more


def value(text: str) -> str:
    """`text` as a supervisord.conf holds it: % begins an expansion there."""
    return text.replace("%", "%%")


def command(*words: object) -> str:
    """A command line as a supervisord.conf holds it."""
    return value(shlex.join([str(word) for word in words]))


def section(name: str, entries: Mapping[str, object]) -> str:
    """One section of a conf file; entries that are None are left out."""
    lines = [f"{key}={entry}" for key, entry in entries.items() if entry is not None]
    return "\n".join([f"[{name}]", *lines, ""])
