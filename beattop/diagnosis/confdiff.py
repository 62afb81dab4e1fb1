"""Changes of one section of a conf as a unified diff that `patch` and `git apply` take.

Both take context that ends before it begins for the end of the file, so a change is shown with
the line above only where the line below is known too, or where there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from beattop.model.supervisor import ProgramConfig
from beattop.text import MASK

NO_NEWLINE = "\\ No newline at end of file"
_NAME = re.compile(r"\s*(?P<name>[^\s=:;#\[][^=:]*)[=:]")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a section: the line it begins on, and the first that is no more of it."""

    name: str
    begin: int
    end: int
    indent: str


@dataclass(frozen=True, slots=True)
class Change:
    """`new` for the section's line `at`, or after it where that line stays."""

    at: int
    new: tuple[str, ...]
    stays: bool = False


def options(lines: Sequence[str]) -> list[Option]:
    """The options of a section, its header first, as configparser tells them apart.

    A line that is further in than the option before it goes on with that, over blank lines and
    comments too.
    """
    found: list[Option] = []
    for number, line in enumerate(lines):
        words = line.strip()
        if not words or words.startswith((";", "#")):
            continue
        indent = line[: len(line) - len(line.lstrip())]
        if found and len(indent) > len(found[-1].indent):
            last = found[-1]
            found[-1] = Option(last.name, last.begin, number + 1, last.indent)
        elif match := _NAME.match(line):
            found.append(Option(match["name"].rstrip().lower(), number, number + 1, indent))
    return found


def option(config: ProgramConfig, name: str) -> Option | None:
    """The one of that name that counts: of several the last."""
    return next((o for o in reversed(options(config.lines)) if o.name == name), None)


def set_options(config: ProgramConfig, values: Mapping[str, str]) -> str:
    """A diff that sets options of a section; "" where its text is not known."""
    if not config.lines:
        return ""
    known = options(config.lines)
    changes: list[Change] = []
    added: list[str] = []
    for name, value in values.items():
        old = option(config, name)
        indent = old.indent if old else known[0].indent if known else ""
        text = f"{indent}{name}={value}"
        if old is None:
            added.append(text)
        elif old.end == old.begin + 1:
            changes.append(Change(old.begin, (text,)))
        else:
            return ""
    if added:
        changes.append(Change(_free(config, known), tuple(added), stays=True))
    return diff(config, changes)


def _free(config: ProgramConfig, known: Sequence[Option]) -> int:
    """The line after which one may be added: the header, or an option between two known lines."""
    places = [0, *(o.end - 1 for o in known)]
    return next((at for at in places if _near(config, at) and _near(config, at + 1)), 0)


def in_command(config: ProgramConfig, change: Callable[[str], str]) -> str:
    """A diff of the one line of `command=` that `change` makes another; "" where none."""
    found = command_change(config, change)
    return diff(config, [found]) if found else ""


def command_lines(config: ProgramConfig) -> list[tuple[int, str]]:
    """(number, text) of the lines of `command=`."""
    own = option(config, "command")
    return [(n, config.lines[n].rstrip("\r")) for n in range(own.begin, own.end)] if own else []


def command_change(config: ProgramConfig, change: Callable[[str], str]) -> Change | None:
    """The first line of `command=` that `change` makes another."""
    for number, line in command_lines(config):
        new = change(line)
        if new != line:
            return Change(number, (new,))
    return None


def diff(config: ProgramConfig, changes: Sequence[Change]) -> str:
    """The changes, in whatever order, as one diff; "" where a line of them is not known."""
    lines = config.lines
    if not config.line or any(unlike(lines[c.at]) for c in changes):
        return ""
    end = "\r" if lines[0].endswith("\r") else ""
    at = {c.at: _ended(config, c, end) for c in changes}
    out = [f"--- {config.file}", f"+++ {config.file}"]
    moved = 0
    for shown, changed in _hunks(config, at):
        rows = [row for number in shown or changed for row in _rows(config, at, number)]
        if not shown:
            rows = [row for row in rows if row[0] == "+"]
        old = sum(row[0] in " -" for row in rows)
        new = sum(row[0] in " +" for row in rows)
        # A hunk without old lines names the line that it follows.
        start = config.line + (shown or changed)[0]
        out.append(f"@@ -{start},{old} +{start + moved + (not old)},{new} @@")
        out += rows
        moved += new - old
    return "\n".join(out) + "\n"


def _ended(config: ProgramConfig, change: Change, end: str) -> Change:
    """It with the file's ends of lines; what follows a line without one makes that another."""
    new = tuple(f"{text}{end}" for text in change.new)
    if change.stays and _last(config, change.at) and config.unended:
        return Change(change.at, (f"{config.lines[change.at]}{end}", *new[:-1], change.new[-1]))
    return Change(change.at, new, change.stays)


def _hunks(
    config: ProgramConfig, at: Mapping[int, Change]
) -> Iterator[tuple[list[int], list[int]]]:
    """The numbers of the lines that each hunk shows, and of those that it changes."""
    shown: list[int] = []
    changed: list[int] = []
    for number in sorted(at):
        own = _context(config, at, number)
        if changed and not (shown and own and own[0] <= shown[-1] + 1):
            yield shown, changed
            shown, changed = [], []
        shown += [n for n in own if n not in shown]
        changed.append(number)
    yield shown, changed


def _context(config: ProgramConfig, at: Mapping[int, Change], number: int) -> list[int]:
    """A change's line and those around it, as far as they may be shown."""
    own = [number]
    # A line behind which one is added without context is shown by no other change either.
    below = _near(config, number + 1) and (
        number + 1 not in at or _context(config, at, number + 1) != []
    )
    if at[number].stays and not below and not _last(config, number):
        return []
    if not at[number].stays and _near(config, number - 1) and (below or _last(config, number)):
        own.insert(0, number - 1)
    return [*own, number + 1] if below else own


def _rows(config: ProgramConfig, at: Mapping[int, Change], number: int) -> Iterator[str]:
    change = at.get(number)
    text = (*config.lines, *(config.after or ()))[number]
    # Of such a line no change leaves it as it is: see _ended().
    unended = _last(config, number) and config.unended
    yield f"{'-' if change and not change.stays else ' '}{text}"
    if unended:
        yield NO_NEWLINE
    if change is not None:
        yield from (f"+{new}" for new in change.new)
        if unended:
            yield NO_NEWLINE


def _last(config: ProgramConfig, number: int) -> bool:
    """Whether it is the last line of the file."""
    return config.after == () and number == len(config.lines) - 1


def _near(config: ProgramConfig, number: int) -> bool:
    """Whether that line, of the section or the one after it, can be shown as context."""
    rows = (*config.lines, *(config.after or ()))
    return 0 <= number < len(rows) and not unlike(rows[number])


def unlike(line: str) -> bool:
    """Whether the file's own line is not known: a secret is masked, or a sign was cleaned away."""
    return MASK in line or "\ufffd" in line
