"""The Celery command line inside a wrapper's: shells, runners, entry-point scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from beattop.model.commandline.following import following
from beattop.model.commandline.line import CommandLine
from beattop.model.commandline.programs import NAMED, celery, is_celery
from beattop.model.commandline.projects import project
from beattop.model.commandline.quiet import is_keeper, is_quiet
from beattop.model.commandline.reading import read
from beattop.model.commandline.runners import MODULES, RUNNERS, SHELLS
from beattop.model.commandline.shell import ASSIGNMENT, commands
from beattop.model.commandline.target import Target, basename, is_python, locate

_DEPTH: Final = 8
_SCANNED: Final = 64
# Shell options that take a word: -o pipefail, -O extglob, --rcfile FILE (bash(1)).
_SHELL_LONG_VALUED: Final = frozenset({"--rcfile", "--init-file"})
_JOINTS: Final = frozenset({"&&", "||", ";", "|", "&"})
_SCRIPT: Final = re.compile(
    r".*\.(?:sh|bash|zsh|ksh|rc)|.*(?:entry-?point|entrypoint|wait|run|start|wrap|exec|init|with).*"
)


# Interpreters of scripts that may be runners: nodemon, foreman.
_INTERPRETERS: Final = frozenset({"node", "nodejs", "bun", "ruby", "perl"})
_CELERY_MAIN: Final = frozenset({"celery.__main__.main", "celery.bin.celery.main"})


class Inner(NamedTuple):
    """What a wrapper leads to."""

    argv: tuple[str, ...]
    line: CommandLine
    workdir: str | None = None


def direct(argv: Sequence[str]) -> CommandLine | None:
    """`argv` itself as Celery's, or None."""
    target = locate(argv)
    return (celery(target) or project(target)) if target is not None else None


def unwrap(argv: Sequence[str], depth: int = 0) -> Inner | None:
    """The first Celery command line that `argv` runs, itself included."""
    line = direct(argv)
    if line is not None:
        return Inner(tuple(argv), line)
    return inside(argv, depth) if depth < _DEPTH else None


def inside(argv: Sequence[str], depth: int = 0) -> Inner | None:
    """The first Celery command line that the wrapper `argv` quotes."""
    if depth == 0 and not _JOINTS.isdisjoint(argv):
        # A conf's `cd x && celery …`: nothing can start it, but it says what was meant.
        return _commands(_split(argv), depth + 1)
    if ASSIGNMENT.match(argv[0] if argv else ""):
        return unwrap(argv[1:], depth + 1)
    target = locate(argv)
    if target is None or target.kind == "code":
        return None
    name = target.name.lstrip("-") if target.kind == "program" else target.name
    if target.kind == "module":
        name = MODULES.get(name, name.partition(".")[0])
    elif name in SHELLS:
        return _shell(name, target.args, depth + 1)
    return _run(target, name, depth + 1)


def _run(target: Target, name: str, depth: int, shell: bool = False) -> Inner | None:
    """What the program called `name` runs; `shell`: it is a shell's script."""
    if name in {"watchfiles", "watchgod"} and _CELERY_MAIN & set(target.args):
        return _watched(target.args)
    runner = RUNNERS.get(name)
    if runner is None:
        return None if is_quiet(name) else _unknown(target, depth, shell)
    found = following(runner, name, target.args)
    if found is None:
        return None
    if not found.texts:
        return unwrap(found.words, depth)
    texts = (_text(text, found.words, depth) for text in found.texts[:_SCANNED])
    return next(filter(None, texts), None)


def _watched(args: Sequence[str]) -> Inner | None:
    """`watchfiles celery.__main__.main --args '-A proj worker'`; watchgod's words stand apart."""
    words = list(args[args.index("--args") + 1 :]) if "--args" in args else []
    if words and " " in words[0]:
        words = next(commands(words[0]), [])
    argv = ("celery", *words)
    line = direct(argv)
    return Inner(argv, line) if line is not None else None


def _shell(name: str, args: Sequence[str], depth: int) -> Inner | None:
    """`sh -c text [arguments]`, `sh script [arguments]`, `busybox applet …`."""
    if name in {"busybox", "toybox"}:
        return unwrap(args, depth)
    text_follows = False
    index = 0
    while index < len(args):
        word = args[index]
        if word[:1] not in {"-", "+"} or word in {"-", "+"}:
            break
        index += 1
        if word == "--":
            break
        if word[:2] == "--":
            index += word in _SHELL_LONG_VALUED
            continue
        text_follows |= "c" in word
        index += sum(letter in "oO" for letter in word[1:])
    if index >= len(args):
        return None
    if text_follows:
        return _text(args[index], args[index + 1 :], depth)
    script = Target("program", args[index], basename(args[index]), args[index + 1 :])
    return _run(script, script.name, depth, shell=True)


def _text(text: str, arguments: Sequence[str], depth: int) -> Inner | None:
    """Shell text: the first of its commands that leads to Celery."""
    return _commands(commands(text, arguments), depth)


def _split(argv: Sequence[str]) -> Iterator[list[str]]:
    """Words split at the shell's operators among them."""
    words: list[str] = []
    for word in (*argv, ";"):
        if word not in _JOINTS:
            words.append(word)
        elif words:
            yield words
            words = []


def _commands(several: Iterable[list[str]], depth: int) -> Inner | None:
    workdir = None
    for words in several:
        if words[0] == "cd" and len(words) > 1:
            workdir = words[-1]
            continue
        found = unwrap(words, depth)
        if found is not None:
            return found._replace(workdir=found.workdir or workdir)
    return None


def _unknown(target: Target, depth: int, shell: bool = False) -> Inner | None:
    """A program that nobody knows: a script that runs its arguments, an exporter, a test.

    It wraps Celery where a whole Celery command line follows: first, after `--`, or with options
    that only Celery has.
    """
    args = target.args
    if not args:
        return None
    is_script = shell or (bool(_SCRIPT.fullmatch(target.name)) and not is_keeper(target.name))
    interpreted = target.kind != "program" or target.name in _INTERPRETERS
    if is_script or (interpreted and basename(args[0]) in RUNNERS):
        found = unwrap(args, depth)
        if found is not None:
            return found
    for index, certain in _candidates(args):
        if certain:
            found = unwrap(args[index:], depth)
            if found is not None:
                return found
            continue
        words = args[index:]
        line = direct(words)
        if line is not None and ((index == 0 and is_script) or _evident(line, args, index)):
            return Inner(tuple(words), line)
    return _passed_on(args) if is_script else None


def _candidates(args: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """Where a command may begin; True where the wrapper itself says so with `--`."""
    for index, word in enumerate(args[:_SCANNED]):
        if word == "--" and index + 1 < len(args):
            yield index + 1, True
            return
        name = basename(word)
        if is_celery(name, word) or is_python(word) or (name in NAMED and name[:6] == "celery"):
            yield index, False


def _evident(line: CommandLine, args: Sequence[str], index: int) -> bool:
    """Whether options stand with it that tell a command line from mere words.

    Behind an option it may be that option's word (`--name celery`), so there an app must follow
    or a path name it.
    """
    if index and args[index - 1][:1] == "-" and line.app is None and "/" not in args[index]:
        return False
    target = locate(args[index:])
    return target is not None and read(target.args, NAMED.get(target.name)).known > 0


def _passed_on(args: Sequence[str]) -> Inner | None:
    """A script that gives its arguments to `celery "$@"`: `worker.sh --app=proj worker -l info`."""
    found = read(args)
    if "app" in found.values and found.role in {"worker", "worker+beat", "beat", "flower"}:
        argv = ("celery", *args)
        line = direct(argv)
        return Inner(argv, line) if line is not None else None
    return None
