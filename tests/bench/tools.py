"""beattop and its peers, each started as it comes, with a second between two pictures."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import beattop

SIZE = (120, 40)
_SOURCE = str(Path(beattop.__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class Tool:
    """How to run one in a terminal."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    mark: str
    """What stands in its first picture."""


@contextmanager
def home() -> Iterator[dict[str, str]]:
    """An environment whose home is empty and private."""
    with TemporaryDirectory(prefix="beattop-bench-") as folder:
        config = Path(folder, ".config", "btop")
        config.mkdir(parents=True)
        (config / "btop.conf").write_text("update_ms = 1000\n")
        yield {"HOME": folder, "PATH": os.environ["PATH"], "PYTHONPATH": _SOURCE}


def beattop_tool(env: Mapping[str, str], mark: str, *words: str) -> Tool:
    """The live screen; it can change nothing."""
    argv = (sys.executable, "-m", "beattop", "--read-only", *words)
    return Tool("beattop", argv, env, mark)


def peers(env: Mapping[str, str]) -> list[Tool]:
    """Those that are installed."""
    known = (
        Tool("htop", ("htop", "-d", "10"), env, "PID"),
        Tool("top", ("top", "-d", "1"), env, "PID"),
        Tool("btop", ("btop", "--utf-force"), env, "Pid:"),
        Tool("glances", ("glances", "-t", "1", "--disable-check-update"), env, "PID"),
    )
    return [tool for tool in known if shutil.which(tool.argv[0], path=env["PATH"])]
