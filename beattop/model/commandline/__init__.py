"""What a command line is to Celery: `classify(argv)`.

Knows Celery 3.1 to 5.x in every form met on real boxes: the console scripts, `python -m celery`,
Django's and other projects' commands, titles rewritten by setproctitle, and shells and runners
around them. Pure: a table of options and of programs, about ten microseconds a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from beattop.model.commandline.environment import filled
from beattop.model.commandline.line import OTHER, CommandLine
from beattop.model.commandline.title import read_title, text_of
from beattop.model.commandline.unwrap import direct, inside

__all__ = ["CommandLine", "classify"]

# Every form names one of these somewhere; what names none is not looked at any further. Searching
# for each is several times faster than one regular expression.
_MARKS: Final = (
    *("cele", "CELE", "flower", "airflow", "sentry", "superset", "caravel", "camqadm", "billiard"),
    *(".pex", ".pyz", ".par", ".xar", "/unzipped_pexes/", "/pex"),
)


def classify(
    argv: Sequence[str], cwd: str | None = None, env: Mapping[str, str] | None = None
) -> CommandLine:
    """The command line `argv` as Celery reads it; never raises.

    `cwd` is taken for the sake of callers who have one: nothing is resolved against it. `env` is
    the process's environment: what Celery 5 takes from it where the command line is silent fills
    the fields; without it the fields say exactly what the command line says.
    """
    joined = " ".join(argv)
    if not any(mark in joined for mark in _MARKS):
        return OTHER
    words = list(argv)
    title = text_of(words)
    line = read_title(title) if title is not None else direct(words) or _wrapper(words)
    return filled(line, env) if env is not None else line


def _wrapper(words: list[str]) -> CommandLine:
    if " " in words[0] and not any(words[1:]):
        # A title of one word: psutil splits it at blanks, /proc does not.
        split = words[0].split()
        return direct(split) or OTHER
    found = inside(words)
    if found is None:
        return OTHER
    return replace(
        OTHER, role="wrapper", inner=found.argv, inner_role=found.line.role, workdir=found.workdir
    )
