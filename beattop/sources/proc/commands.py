"""Command lines as /proc tells them, and which of them are worth a closer look."""

from __future__ import annotations

import re

# What a command line of Celery or supervisord holds somewhere, in any spelling. Cheap enough to
# run over every process of the box; the predicate after it decides.
_HINT = re.compile(
    rb"celery|beat|supervisor|flower|worker|billiard|camqadm|sentry|manage\.py|django-admin",
    re.IGNORECASE,
)


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
