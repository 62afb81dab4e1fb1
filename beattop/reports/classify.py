"""`beattop classify`: JSON lines of command lines in, JSON lines of what they are out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, TextIO

from beattop.model.commandline import CommandLine, classify
from beattop.text import MASK, mask

_FIELDS: Final = ("app", "broker", "pidfile", "schedule", "scheduler", "queues", "hostname")
# kombu takes "user:password@host" without a scheme too.
_BARE_PASSWORD: Final = re.compile(r"^(?P<head>[^/@:]*:).+@", re.S)
_SHOWN: Final = 60


class BadLine(ValueError):
    """A line that is no command line; its text says why."""


def run(lines: Iterable[str], out: TextIO) -> int:
    """Writes one line to `out` for each of `lines`, in order and as they come.

    Values stand as typed, None as null, but a broker's password is `**`. A line that holds no
    command line gives `{"error": …}`. Returns the exit status: 2 if there was such a line, else 0.
    """
    status = 0
    for line in lines:
        try:
            answer = _answer(_argv(line))
        except BadLine as error:
            answer, status = {"error": str(error)}, 2
        # ASCII only: neither a control character nor a lone surrogate leaves as itself.
        out.write(json.dumps(answer) + "\n")
        out.flush()
    return status


def _argv(line: str) -> list[str]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {str(error)[:_SHOWN]}") from None
    if not isinstance(said, dict):
        raise BadLine("not a JSON object")
    argv = said.get("argv")
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
        raise BadLine("argv is not a list of strings")
    if not isinstance(said.get("cwd"), str | None):
        raise BadLine("cwd is neither a string nor null")
    return argv


def _answer(argv: list[str]) -> dict[str, object]:
    line = classify(argv)
    return {"role": line.role, **{name: _value(line, name) for name in _FIELDS}}


def _value(line: CommandLine, name: str) -> object:
    value = getattr(line, name)
    if name == "queues":
        return list(value)
    if name == "broker" and value is not None:
        if "://" not in value:
            return _BARE_PASSWORD.sub(rf"\g<head>{MASK}@", value)
        return mask(value, value=True)
    return value
