"""The beat that a worker embeds, as a program of its own: -B goes, a section comes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from beattop.diagnosis.confdiff import Change, command_change, command_lines, diff, option, unlike
from beattop.model.commandline.options import OWN, TABLES
from beattop.model.supervisor import ProgramConfig

_EMBED = re.compile(r"\s--be(?:at?)?(?=[\s'\";&|)]|$)|(?P<flags>\s-[EDB]*B[EDB]*)(?=[\s'\";&|)]|$)")
_WORD = re.compile(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')+")
_COMMENT = re.compile(r"\s;.*")
_SAME = ("directory", "user", "environment", "umask", "autorestart")
"""Options that the new section takes over as they stand."""
_TAKEN_OVER = {"-l": "-l", "--loglevel": "--loglevel", "-s": "-s", "--schedule": "--schedule",
               "--schedule-filename": "--schedule", "--scheduler": "--scheduler"}  # fmt: skip
_OF_THE_PROCESS = frozenset({"--uid", "--gid", "--umask", "--executable"})


def without_flag(line: str) -> str:
    """A worker's command without -B, which may stand in a group of letters: -EB."""

    def cut(found: re.Match[str]) -> str:
        rest = (found["flags"] or "").replace("B", "")
        return rest if rest.strip(" \t-") else ""

    return _EMBED.sub(cut, line)


def apart(config: ProgramConfig, taken: Collection[str]) -> str:
    """A diff that takes -B out and adds a section for the beat; `taken` are all sections' names.

    "" where the beat's command cannot be told for sure: without it no beat would be left.
    """
    cut = command_change(config, without_flag)
    section = _section(config, taken)
    if cut is None or section is None or config.after is None:
        return ""
    last, added = len(config.lines) - 1, ("", *section)
    if cut.at == last:
        return diff(config, [Change(last, (*cut.new, *added))])
    return diff(config, [cut, Change(last, added, stays=True)])


def _section(config: ProgramConfig, taken: Collection[str]) -> list[str] | None:
    lines = command_lines(config)
    words = _beat(lines[0][1]) if len(lines) == 1 else None
    name = f"program:{config.section.partition(':')[2]}-beat"
    if words is None or name in taken:
        return None
    out = [f"[{name}]", f"command={' '.join(words)}"]
    for same in _SAME:
        own = option(config, same)
        if own is not None:
            rows = [row.rstrip("\r") for row in config.lines[own.begin : own.end]]
            out += [rows[0].lstrip(), *rows[1:]]
    return None if any(unlike(row) for row in out) else out


def _beat(line: str) -> list[str] | None:
    """The words of `celery … beat` for a line `command=celery … worker -B …`; None where unsure."""
    text = _COMMENT.sub("", re.split(r"[=:]", line, maxsplit=1)[1])
    words: list[str] = _WORD.findall(text)
    flag = _EMBED.search(text)
    if "worker" not in words or "multi" in words or re.search(r"[;&|<>`$\\]", text):
        return None
    at = words.index("worker")
    early = flag is None or len(_WORD.findall(text[: flag.start()])) <= at
    # Else it is a script's own word, or an option of 4.x before the subcommand.
    if early or "celery" not in map(posixpath.basename, words[:at]):
        return None
    try:
        return [*words[:at], "beat", *_options(words[at + 1 :])]
    except LookupError:
        return None


def _options(words: Sequence[str]) -> Iterator[str]:
    """Of a worker's options those that its beat needs; raises LookupError for an unknown one."""
    known, own = TABLES["worker"], OWN["worker"]
    rest = iter(words)
    for word in rest:
        name, mark, _ = word.partition("=")
        short = known.get(word[:2])
        if short and short.valued:
            name, mark = word[:2], word[2:]
        elif word.startswith("-") and all(f"-{letter}" in own for letter in word[1:]):
            continue  # flags of a worker
        if name in _OF_THE_PROCESS:
            raise LookupError(name)
        value = next(rest, "") if known[name].valued and not mark else None
        if value == "":
            raise LookupError(name)
        spelled = _TAKEN_OVER.get(name) if name in own else name
        if spelled is not None:
            yield spelled + word[len(name) :]
            if value is not None:
                yield value
