"""Labelled command lines in `lines/*.txt`: `role field=value … | command line`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LINES = Path(__file__).parent / "lines"
FIELDS = ("app", "broker", "pidfile", "schedule", "scheduler", "hostname", "workdir", "config")
FLAGS = {"old": "old_order", "detach": "detach", "child": "child"}


@dataclass(frozen=True)
class Labelled:
    where: str
    argv: list[str]
    role: str
    inner_role: str | None
    values: dict[str, str | None]
    queues: tuple[str, ...]
    flags: set[str] = field(default_factory=set)
    inner: tuple[str, ...] | None = None


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Lines, those with an open quote joined to the next."""
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not pending and (not line.strip() or line.startswith("#")):
            continue
        pending, start = (f"{pending}\n{line}", start) if pending else (line, number)
        try:
            shlex.split(pending)
        except ValueError:
            continue
        yield start, pending
        pending = ""


def labelled(name: str) -> list[Labelled]:
    out = []
    for number, entry in _entries((LINES / f"{name}.txt").read_text()):
        left, _, right = entry.partition(" | ")
        role, *said = shlex.split(left)
        role, _, inner_role = role.partition(">")
        pairs = dict(word.partition("=")[::2] for word in said)
        queues = tuple(filter(None, pairs.pop("queues", "").split(",")))
        inner = pairs.pop("inner", None)
        flags = {FLAGS[word] for word in FLAGS if pairs.pop(word, None) == "yes"}
        values = {name: pairs.pop(name, None) for name in FIELDS}
        assert not pairs, (name, number, pairs)
        argv = [right] if name == "titles" else shlex.split(right)
        out.append(
            Labelled(
                f"{name}.txt:{number}",
                argv,
                role,
                inner_role or None,
                values,
                queues,
                flags,
                tuple(shlex.split(inner)) if inner else None,
            )
        )
    return out
