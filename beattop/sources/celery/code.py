"""What a process's code tells where its command line does not: its script, its packages."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from glob import escape, glob
from typing import Final

from beattop.model.commandline.target import locate
from beattop.model.paths import absolute
from beattop.model.process import Process
from beattop.sources.rooted import inside, open_regular

# app.Beat(...).run(), app.start(["beat", ...]), celery.bin.beat, celery.apps.beat. Bounded: a
# script may be anybody's, and other threads wait while it is searched.
_STARTS: Final = re.compile(
    rb"^[^#\n]*(?:\.Beat\s{0,9}\(|\.start\s{0,9}\([^)]{0,200}['\"]beat['\"]"
    rb"|\bcelery\.(?:apps|bin)\b.{0,200}\bbeat\b)",
    re.M,
)
_MOST_BYTES: Final = 262144
_WAITING: Final = ("redbeat", "beatx")
"""Packages whose schedulers wait for a lock that another beat holds."""
_NO_FOLDERS: Final = frozenset({"distutils-precedence.pth", "_virtualenv.pth"})
"""Files of setuptools and virtualenv that add no folder to Python's path."""


def places(process: Process, root: str) -> list[str]:
    """A path in each folder that is looked into here: its disk may hang."""
    folders = [process.cwd or "", *_prefixes(process), *_shared(process)]
    return [f"{root}{folder}/lib" for folder in folders if folder.startswith("/")]


def _shared(process: Process) -> list[str]:
    return (process.env or {}).get("PYTHONPATH", "").split(":")


def starts_beat(process: Process, root: str) -> bool:
    """Whether the Python script that it runs calls Celery's beat; False where it may not be read.

    `root` is how its files are reached.
    """
    target = locate(process.argv)
    if target is None or target.kind == "program":
        return False
    if target.kind == "code":
        return _STARTS.search(target.path.encode()) is not None
    name = target.path
    names: tuple[str, ...] = (name,)
    if target.kind == "module":
        folder = name.replace(".", "/")
        names = (f"{folder}.py", f"{folder}/__main__.py")
    found = (absolute(name, process.cwd) for name in names)
    return any(_STARTS.search(_text(inside(root, path))) for path in found if path)


def _text(path: str) -> bytes:
    try:
        with open(open_regular(path), "rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def may_stand_by(process: Process, root: str) -> bool | None:
    """Whether a scheduler that waits for a lock is installed beside its Celery.

    None where its Celery is not found, or more may be installed elsewhere.
    """
    own = [process.cwd, *_shared(process)]
    for prefix in _prefixes(process):
        folders = _packages(f"{root}{prefix}")
        if not any(_holds(folder, ["celery"]) for folder in folders):
            continue
        near = [f"{root}{folder}" for folder in own if folder and folder.startswith("/")]
        if any(_holds(folder, _WAITING) for folder in (*folders, *near)):
            return True
        return None if _borrows(f"{root}{prefix}") or any(map(_points, folders)) else False
    return None


def _prefixes(process: Process) -> Iterator[str]:
    """Of `/srv/v/bin/python` it is `/srv/v`."""
    for word in process.argv[:2]:
        folder = posixpath.dirname(word)
        if folder.startswith("/") and posixpath.basename(folder) == "bin":
            yield posixpath.dirname(folder)


def _packages(prefix: str) -> list[str]:
    return glob(f"{escape(prefix)}/lib*/python*/*-packages")


def _holds(folder: str, names: Iterable[str]) -> bool:
    return any(os.path.isdir(f"{folder}/{name}") for name in names)


def _points(folder: str) -> bool:
    """Whether it sends Python to further folders, as an editable install does (site.py)."""
    found = glob(f"{escape(folder)}/*.pth") + glob(f"{escape(folder)}/*.egg-link")
    return any(posixpath.basename(name) not in _NO_FOLDERS for name in found)


def _borrows(prefix: str) -> bool:
    """Whether it is a system's Python, or a virtual environment that sees the system's packages."""
    text = _text(f"{prefix}/pyvenv.cfg").lower()
    if not text:
        return posixpath.basename(prefix) in ("usr", "")
    return re.search(rb"include-system-site-packages\s*=\s*true", text) is not None
