"""What the incident's processes find around them: nothing of the caller's own set-up."""

from __future__ import annotations

import importlib.util
import os
import shutil
import site
import sys
import tempfile
from pathlib import Path

from beattop.demo.lifeline import NEEDED

SOCKET = "run/supervisor.sock"
PREFIX = "beattop-"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+@=,-")
_LONGEST = 107  # bytes of sun_path: unix(7)
_ROOM = 20 << 20  # bytes: logs, schedule and messages of six hours


class DemoError(Exception):
    """Why the demo cannot run here, in one line that says what to do."""


def base() -> Path:
    """The folder for temporary files: the system's own where a socket's path fits, else /tmp.

    supervisord binds FILE.PID and links it to FILE; a path that its conf file or a shell would
    read otherwise is passed over too. Raises DemoError.
    """
    try:
        own = Path(tempfile.gettempdir()).resolve()
    except (OSError, RuntimeError) as error:
        raise DemoError(
            "no folder for temporary files can be written: set TMPDIR to one"
        ) from error
    tail = f"/{PREFIX}12345678/{SOCKET}.4194304"
    for folder in (own, Path("/tmp")):
        fits = len(os.fsencode(folder)) + len(tail) <= _LONGEST and _PLAIN.issuperset(str(folder))
        if not fits or not os.access(folder, os.W_OK | os.X_OK):
            continue
        if shutil.disk_usage(folder).free < _ROOM:
            raise DemoError(f"less than 20 MB are free in {folder}: set TMPDIR to another folder")
        return folder
    raise DemoError(
        f"{own} is too long for a socket's path and /tmp cannot be written: "
        "set TMPDIR to a short folder"
    )


def clean(home: Path) -> dict[str, str]:
    """A whole environment for the incident, `home` being its home and temporary folder.

    Made from nothing, so that no SUPERVISOR_*, CELERY_*, DJANGO_* or PYTHON* of the caller counts.
    """
    mine = Path(sys.executable).parent
    env = {
        "PATH": f"{mine}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        **{name: os.environ[name] for name in NEEDED if name in os.environ},
    }
    if site.ENABLE_USER_SITE:
        # `pip install --user`: python would look for it under the new home.
        env["PYTHONUSERBASE"] = site.getuserbase()
    else:
        env["PYTHONNOUSERSITE"] = "1"
    return env


def program(package: str, script: str) -> list[str]:
    """How to run a package's program with this python: its installed script, else `-m`.

    A script counts only where its first line names this python: a moved or repaired venv may hold
    others. Raises DemoError where the package is not installed.
    """
    if not sys.executable:
        raise DemoError("python does not know its own path: run beattop from a virtual environment")
    if importlib.util.find_spec(package.partition(".")[0]) is None:
        name = package.partition(".")[0]
        raise DemoError(f"{name} is not installed: {sys.executable} -m pip install {name}")
    own = Path(sys.executable)
    path = own.with_name(script)
    try:
        with path.open("rb") as file:
            first = os.fsdecode(file.readline(4096).strip())
    except OSError:
        first = ""
    # pip may write python3 where python runs: the same one beside it.
    runs = Path(first.removeprefix("#!"))
    same = first.startswith("#!") and runs.parent == own.parent and runs.resolve() == own.resolve()
    if same and os.access(path, os.X_OK):
        return [str(path)]
    return [sys.executable, "-m", package]
