"""Celery's own arguments read as its parsers read them: optparse 3.1, argparse 4.x, click 5.x."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beattop.model.commandline.options import (
    ABBREVIABLE,
    ABBREVIABLE_EARLY,
    ANY,
    COMMANDS,
    CONTROL,
    GLOBALS,
    TABLES,
    Option,
)
from beattop.model.role import Role

ROLES: dict[str, Role] = {
    "worker": "worker",
    "beat": "beat",
    "flower": "flower",
    "events": "events",
    "multi": "multi",
    **dict.fromkeys(CONTROL, "control"),
}
"""Role of each subcommand; a worker with -B is `worker+beat`."""
# What Celery 5 does not refuse after any subcommand, and the ones that take anything.
_ANYWHERE = frozenset({"--help", "-h", "--version"})
_LENIENT = frozenset({"flower", "multi"})


@dataclass(slots=True)
class Arguments:
    """What the words after the program's name say."""

    subcommand: str | None
    values: dict[str, str] = field(default_factory=dict)
    """The last value of each field, raw."""
    flags: set[str] = field(default_factory=set)
    known: int = 0
    """Options recognised: evidence that these are Celery's words."""
    old_order: bool = False

    @property
    def role(self) -> Role:
        """The role that the subcommand means; `other` for none and for unknown ones.

        With --help or --version it prints that and ends, whatever it is.
        """
        role = ROLES.get(self.subcommand or "", "other")
        if "help" in self.flags and role != "other":
            return "control"
        return "worker+beat" if role == "worker" and "beat" in self.flags else role

    @property
    def queues(self) -> tuple[str, ...]:
        """Split at commas, as celery.utils.text.str_to_list does."""
        return tuple(filter(None, self.values.get("queues", "").split(",")))


class _Reader:
    """One pass over the words; the table changes when the subcommand is met."""

    def __init__(self, subcommand: str | None, table: Mapping[str, Option]) -> None:
        self.found = Arguments(subcommand)
        self.table = table
        self.fixed = subcommand is not None
        self.early: list[tuple[str, str | None]] = []
        self.moved: list[tuple[str, Option, str | None]] = []
        self.short_equals: list[tuple[str, str]] = []

    def read(self, words: Sequence[str]) -> Arguments:
        index, end = 0, len(words)
        while index < end:
            word = words[index]
            index += 1
            if word[:1] != "-" or word == "-":
                if self.found.subcommand is None:
                    self._command(word)
            elif word == "--":
                if self.found.subcommand is not None:
                    break
            elif word[1] == "-":
                index += self._long(word, words, index)
            else:
                index += self._cluster(word, words, index)
        for name, option, value in self.moved:
            self._note(name, option, value)
        self._strip_equals()
        return self.found

    def _command(self, word: str) -> None:
        """The first positional word is the subcommand; what stood before it gets its meaning.

        3.1 and 4.x move the subcommand's own options from before it to the end, where they win.
        """
        found = self.found
        found.subcommand = word
        self.table = TABLES.get(word, GLOBALS)
        for name, value in self.early:
            option = GLOBALS.get(name) or _early(name)
            if option is not None:
                self._note(name, option, value)
                continue
            option = self.table.get(name) or self._abbreviated(name)
            if option is not None:
                self.moved.append((name, option, value))
                found.old_order = True
        self.early = []

    def _long(self, word: str, words: Sequence[str], index: int) -> int:
        """One `--option`; how many of the following words it takes."""
        name, equals, value = word.partition("=")
        option = self.table.get(name) or self._abbreviated(name)
        if option is None:
            # A user's own option (bin.Option) or an abbreviation: before the subcommand it may
            # take a word.
            if self.found.subcommand is not None:
                return 0
            self.early.append((name, value if equals else None))
            following = "" if equals else next(iter(words[index : index + 1]), "")
            return int(following[:1] not in {"", "-"} and following not in COMMANDS)
        if not option.valued:
            self._keep(name, option, None)
            return 0
        if equals:
            self._keep(name, option, value)
            return 0
        if index < len(words):
            self._keep(name, option, words[index])
        return 1

    def _cluster(self, word: str, words: Sequence[str], index: int) -> int:
        """Short options in one word: `-EB`, `-c1`, `-Aproj`; how many words it takes besides."""
        whole = self.table.get(word)
        if whole is not None and len(word) > 2:
            return self._long(word, words, index)
        for at in range(1, len(word)):
            name = "-" + word[at]
            option = self.table.get(name)
            if word[at + 1 : at + 2] == ":" and self.found.subcommand == "multi":
                # -Q:1-3 images: one node's option (celery.bin.multi), it takes the next word.
                return int(index < len(words) and words[index][:1] != "-")
            if option is None:
                return 0
            if option.valued:
                value = word[at + 1 :]
                if value:
                    if value[0] == "=":
                        self.short_equals.append((name, option.field))
                    self._keep(name, option, value)
                    return 0
                if index < len(words):
                    self._keep(name, option, words[index])
                return 1
            self._keep(name, option, None)
        return 0

    def _keep(self, name: str, option: Option, value: str | None) -> None:
        if self.found.subcommand is None:
            self.early.append((name, value))
            return
        self._note(name, option, value)
        if not self.fixed and name in GLOBALS and name not in _ANYWHERE:
            self.found.old_order |= self.found.subcommand not in _LENIENT

    def _note(self, name: str, option: Option, value: str | None) -> None:
        self.found.known += 1
        if option.valued and value is not None:
            if option.field:
                self.found.values[option.field] = value
        elif option.field and not option.valued:
            self.found.flags.add(option.field)

    def _abbreviated(self, name: str) -> Option | None:
        """The one option that begins so, in 4.x or else in 3.1."""
        if len(name) < 3:
            return None
        if self.found.subcommand is None:
            return _early(name)
        for version in ABBREVIABLE:
            fits = [x for x in version.get(self.found.subcommand, ()) if x.startswith(name)]
            if len(fits) == 1:
                return self.table.get(fits[0])
        return None

    def _strip_equals(self) -> None:
        """`-A=proj` is `proj` to argparse (4.x) and `=proj` to optparse and click.

        No application and no broker begins so: where one does, or the order is the old one,
        it is 4.x that runs, and its reading holds for all.
        """
        found = self.found
        fields = [field for _, field in self.short_equals if field]
        if found.old_order or "app" in fields or "broker" in fields:
            for name in fields:
                value = found.values.get(name, "")
                if value.startswith("="):
                    found.values[name] = value[1:]


def _early(name: str) -> Option | None:
    """The one global option that begins so: before the subcommand 4.x reads these alone."""
    fits = [word for word in ABBREVIABLE_EARLY if word.startswith(name)] if len(name) > 2 else []
    return GLOBALS[fits[0]] if len(fits) == 1 else None


def read(words: Sequence[str], subcommand: str | None = None) -> Arguments:
    """`words` after the program's name; `subcommand` where the program's name says it."""
    return _Reader(subcommand, TABLES[subcommand] if subcommand else ANY).read(words)


def read_with(words: Sequence[str], subcommand: str, table: Mapping[str, Option]) -> Arguments:
    """`words` of another program that starts `subcommand` with options of its own."""
    return _Reader(subcommand, table).read(words)
