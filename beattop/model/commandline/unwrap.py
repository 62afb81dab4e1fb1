"""The Celery command line inside a wrapper's: shells, runners, entry-point scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from beattop.model.commandline.line import CommandLine
from beattop.model.commandline.programs import celery, is_celery, project
from beattop.model.commandline.quiet import is_quiet
from beattop.model.commandline.reading import read
from beattop.model.commandline.runners import MODULES, RUNNERS, SHELLS, Runner
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
    if not _JOINTS.isdisjoint(argv):
        # A conf's `cd x && celery …`: nothing can start it, but it says what was meant.
        return _commands(_split(argv), depth + 1)
    target = locate(argv)
    if target is None or target.kind == "code":
        return None
    name = target.name.lstrip("-") if target.kind == "program" else target.name
    if target.kind == "module":
        name = MODULES.get(name, name.partition(".")[0])
    if name in SHELLS and target.kind != "module":
        return _shell(name, target.args, depth + 1)
    if name in {"watchfiles", "watchgod"} and _CELERY_MAIN & set(target.args):
        return _watched(target.args)
    runner = RUNNERS.get(name)
    if runner is not None:
        return _run(runner, name, target.args, depth + 1)
    if is_quiet(name):
        return None
    return _unknown(target, depth + 1)


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
    script = args[index]
    return _unknown(Target("program", script, basename(script), args[index + 1 :]), depth, True)


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


def _run(runner: Runner, name: str, args: Sequence[str], depth: int) -> Inner | None:
    """A known runner's command."""
    program: list[str] = []
    verb = not runner.verbs
    skip = 0 if name == "runuser" and not {"-u", "--user"}.isdisjoint(args) else runner.skip
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        if word[:1] == "-" and word not in {"-", "--"}:
            option = _option(args, index)
            if option.fits(runner.shell):
                return _with_rest(option.value, args[option.after :], name, depth)
            if option.fits(runner.module) and verb:
                return unwrap(["python", "-m", *args[index + 1 :]], depth)
            if option.fits(runner.program):
                program = [option.value]
                index = option.after
            else:
                index = option.after if option.fits(runner.valued) else index + 1
            continue
        index += 1
        if word == "--" and (verb or word in runner.verbs):
            break
        if not verb:
            verb = word in runner.verbs
            if not verb and word not in runner.through:
                return None
        elif skip:
            skip -= 1
            if not skip and runner.raw:
                break
        elif word not in runner.through and not ASSIGNMENT.match(word):
            index -= 1
            break
    return _command(runner, program, args[index:], depth)


class _Option(NamedTuple):
    """One option of a runner with the word that it takes, if it takes one."""

    names: frozenset[str]
    value: str
    after: int
    """Index behind that word."""

    def fits(self, names: frozenset[str]) -> bool:
        return not self.names.isdisjoint(names)


def _option(args: Sequence[str], index: int) -> _Option:
    word = args[index]
    if word[:2] == "--":
        name, equals, value = word.partition("=")
        if equals:
            return _Option(frozenset({name}), value, index + 1)
        names = {name}
    else:
        # The last letter of a cluster may take the next word: `-lc`, `-dmS`.
        names = {word, "-" + word[-1]} if word[1:].isalpha() else {word}
    value = args[index + 1] if index + 1 < len(args) else ""
    return _Option(frozenset(names), value, index + 2)


def _with_rest(text: str, rest: Sequence[str], name: str, depth: int) -> Inner | None:
    """Shell text after an option; `env -S "python -u" script` goes on with the words behind."""
    if name == "env":
        first = next(commands(text), [])
        return unwrap([*first, *rest], depth) if first else None
    return _text(text, rest, depth)


def _command(runner: Runner, program: list[str], words: Sequence[str], depth: int) -> Inner | None:
    if program:
        return unwrap([*program, *words], depth)
    if not words:
        return None
    if not runner.text:
        return unwrap(words, depth)
    if any(blank in words[0] for blank in " \t\n"):
        return next(filter(None, (_text(word, (), depth) for word in words[:_SCANNED])), None)
    return _text(" ".join(words), (), depth)


def _unknown(target: Target, depth: int, shell: bool = False) -> Inner | None:
    """A program that nobody knows: a script that runs its arguments, an exporter, a test.

    It wraps Celery where a whole Celery command line follows: first, after `--`, or with options
    that only Celery has.
    """
    args = target.args
    if not args:
        return None
    is_script = shell or bool(_SCRIPT.fullmatch(target.name))
    head = args[0]
    if basename(head) in RUNNERS or basename(head) in SHELLS:
        found = unwrap(args, depth) if is_script or target.kind != "program" else None
        if found is not None:
            return found
    for index, certain in _candidates(args):
        words = args[index:]
        if certain:
            found = unwrap(words, depth)
        else:
            line = direct(words)
            found = Inner(tuple(words), line) if line is not None else None
            if found is not None and not _evident(words) and not (index == 0 and is_script):
                found = None
        if found is not None:
            return found
    return _passed_on(args) if is_script else None


def _candidates(args: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """Where a command may begin; True where the wrapper itself says so with `--`."""
    for index, word in enumerate(args[:_SCANNED]):
        if word == "--" and index + 1 < len(args):
            yield index + 1, True
            return
        name = basename(word)
        if is_celery(name, word) or is_python(word) or (index == 0 and name[:6] == "celery"):
            yield index, False


def _evident(words: Sequence[str]) -> bool:
    """Whether options stand with it that tell a command line from mere words."""
    target = locate(words)
    return target is not None and read(target.args).known > 0


def _passed_on(args: Sequence[str]) -> Inner | None:
    """A script that gives its arguments to `celery "$@"`: `worker.sh --app=proj worker -l info`."""
    found = read(args)
    if "app" in found.values and found.role in {"worker", "worker+beat", "beat", "flower"}:
        argv = ("celery", *args)
        line = direct(argv)
        return Inner(argv, line) if line is not None else None
    return None
