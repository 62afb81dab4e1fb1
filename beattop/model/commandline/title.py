"""Titles that Celery's processes write over their command line with setproctitle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from beattop.model.commandline.line import OTHER, CommandLine
from beattop.model.commandline.options import COMMANDS
from beattop.model.commandline.programs import NAMED, line_of
from beattop.model.commandline.reading import Arguments, read

# celery.platforms.set_mp_process_title: "[celeryd: HOST:PROCESS] STATE (ARGUMENTS)"; 3.0 has an
# @ for the colon and blank. A title may be cut off where the argument area ends.
_WORKER: Final = re.compile(r"\[celeryd(?:(?::\s*|@)(?P<node>[^\]]*))?(?:\]\s*(?P<info>.*))?", re.S)
# celery.apps.beat and celery.beat ("celery beat"), 3.0 "celerybeat".
_BEAT: Final = re.compile(r"\[celery ?beat\](?P<info>.*)", re.S)
# celery.bin.events: "celery events:dump|cam|top", 3.0 "celeryev:dump".
_EVENTS: Final = re.compile(r"\[celery ?(?:events|ev)(?::\w+)?\](?P<info>.*)", re.S)
PREFIX: Final = "[celery"


def text_of(argv: Sequence[str]) -> str | None:
    """The title in `argv`, which may be one word, padded with empty ones or split at blanks."""
    if not argv[0].startswith(PREFIX):
        return None
    end = len(argv)
    while end > 1 and not argv[end - 1]:
        end -= 1
    return " ".join(argv[:end]).strip()


def read_title(text: str) -> CommandLine:
    """What a title says; `other` where it is none of Celery's."""
    found = _BEAT.fullmatch(text)
    if found:
        return _beat(found["info"].strip())
    found = _WORKER.fullmatch(text)
    if found:
        return _worker(found["node"] or "", found["info"])
    found = _EVENTS.fullmatch(text)
    if found:
        return _line(found["info"].strip(), "events") or OTHER
    return OTHER


def _beat(info: str) -> CommandLine:
    line = _line(info, "beat") if info else None
    # Nothing but the name is the child of a `worker -B` (celery.beat.Service.start); so is, alas,
    # a `celerybeat` or `manage.py celerybeat` without arguments.
    return line or CommandLine("beat", title=True, child=not info, subcommand="beat")


def _worker(node: str, info: str | None) -> CommandLine:
    process = node.rpartition(":")[2]
    if info is None:
        # Cut off: the process name tells, as far as it is there.
        main = not process or "MainProcess".startswith(process)
        role = "worker" if main else "pool"
        return CommandLine("worker" if role == "worker" else "pool", title=True, child=not main)
    if not info:
        if process in {"MainProcess", ""}:
            return CommandLine("worker", title=True, subcommand="worker")
        return CommandLine("pool", title=True, child=True)
    _, opening, words = info.partition("(")
    words = words.removesuffix(")") if opening else ""
    line = _line(words, "worker")
    return line or CommandLine("worker", title=True, subcommand="worker")


def _line(info: str, subcommand: str) -> CommandLine | None:
    """The arguments in a title: `-A proj worker -B`, `worker -B`, `celery worker`, `-A proj -B`."""
    words = info.split(" ") if info else []
    while words and (words[0] in {"celery", "run"} or NAMED.get(words[0]) == subcommand):
        del words[0]
    found = _umbrella(words, subcommand) or read(words, subcommand)
    # Who has a title runs: 4.4.7 starts a beat with --help.
    found.flags.discard("help")
    line = line_of(found, None, title=True)
    return line and replace(line, subcommand=subcommand)


def _umbrella(words: Sequence[str], subcommand: str) -> Arguments | None:
    """The umbrella command's reading, if it comes to `subcommand`."""
    found = read(words)
    if found.subcommand == subcommand:
        return found
    # celery.platforms.strargv drops the first argument where the path holds "manage", so that
    # /srv/manager/bin/celery -A proj beat becomes "proj beat".
    first = found.subcommand
    if first and first not in COMMANDS and words[0] == first:
        found = read(words[1:])
        if found.subcommand == subcommand:
            if first[:1] != "/":
                found.values.setdefault("app", first)
            return found
    return None
