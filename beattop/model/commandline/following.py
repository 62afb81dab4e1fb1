"""Where a runner's own words end and the command that it runs begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from beattop.model.commandline.runners import Runner
from beattop.model.commandline.shell import ASSIGNMENT, commands


class Following(NamedTuple):
    """What a runner runs: a command, or shell text of which `words` are `$0`, `$1`, …."""

    words: Sequence[str]
    texts: tuple[str, ...] = ()


class _Option(NamedTuple):
    """One option with the word that it takes, if it takes one."""

    names: frozenset[str]
    value: str
    after: int
    """Index behind that word."""

    def fits(self, names: frozenset[str]) -> bool:
        return not self.names.isdisjoint(names)


def following(runner: Runner, name: str, args: Sequence[str]) -> Following | None:
    """What the runner `name` runs by its arguments; None where it runs nothing."""
    program: list[str] = []
    verb = not runner.verbs
    skip = _skipped(runner, name, args)
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        if word[:1] == "-" and word not in {"-", "--"}:
            option = _option(args, index)
            index = option.after if option.fits(runner.valued | runner.program) else index + 1
            if option.fits(runner.shell):
                return _shell_text(option.value, args[option.after :], name)
            if option.fits(runner.module) and verb:
                return Following(["python", "-m", *args[index:]])
            if option.fits(runner.program):
                program = [option.value]
                if runner.raw and not runner.skip:
                    break
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
    return _command(runner, program, args[index:])


def _skipped(runner: Runner, name: str, args: Sequence[str]) -> int:
    if name == "runuser" and any(word == "-u" or word.startswith("--user") for word in args):
        # With -u a command follows; without it, runuser takes what su takes (runuser(1)).
        return 0
    return runner.skip


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


def _shell_text(text: str, rest: Sequence[str], name: str) -> Following:
    """Shell text after an option; `env -S "python -u" script` goes on with the words behind."""
    if name == "env":
        return Following([*next(commands(text), []), *rest])
    return Following(rest, (text,))


def _command(runner: Runner, program: list[str], words: Sequence[str]) -> Following | None:
    if program or not words:
        return Following([*program, *words]) if program else None
    if not runner.text:
        return Following(words)
    if any(blank in words[0] for blank in " \t\n"):
        return Following((), tuple(words))
    return Following((), (" ".join(words),))
