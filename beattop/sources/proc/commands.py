"""Command lines as /proc tells them, and which of them are worth a closer look."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os.path import basename

# What a command line of Celery or supervisord holds somewhere, in any spelling. Cheap enough to
# run over every process of the box; the predicate after it decides.
_HINT = re.compile(rb"celery|beat|supervisor|flower|worker|manage\.py|django-admin", re.IGNORECASE)

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*$")
_SUPERVISORD = frozenset({"supervisord", "supervisord.py"})
# Options of python that take the next word (python(1)).
_WITH_VALUE = frozenset({"-W", "-X", "-Q"})


def hinted(raw: bytes) -> bool:
    """Whether a raw command line may be Celery's or supervisord's."""
    return _HINT.search(raw) is not None


def split(raw: bytes) -> list[str]:
    """The words of a raw command line, not yet cleaned.

    setproctitle leaves one word and a trail of NULs, which are no arguments; in any other command
    line an empty last word was typed (`--pidfile ""`) and stays.
    """
    words = raw.decode("utf-8", "replace").split("\0")
    if len(words) > 1:
        words.pop()  # every word ends in a NUL
    if not any(words[1:]):
        del words[1:]
    return words if words != [""] else []


def is_supervisord(argv: Sequence[str]) -> bool:
    """`.../supervisord`, `python .../supervisord`, `python -m supervisor.supervisord`."""
    if not argv:
        return False
    if basename(argv[0]) in _SUPERVISORD:
        return True
    if not _PYTHON.match(basename(argv[0])):
        return False
    words = iter(argv[1:])
    for word in words:
        if word == "-m":
            return next(words, "") == "supervisor.supervisord"
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return basename(word) in _SUPERVISORD
    return False
