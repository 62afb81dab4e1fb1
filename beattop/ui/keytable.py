"""The key table of the README, made from the table that the screen uses.

python -m beattop.ui.keytable [README.md]     prints it, or writes it between its markers
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from beattop.ui.commands import COMMANDS, GROUPS, Command
from beattop.ui.keymap import display

BEGIN, END = "<!-- keys -->", "<!-- /keys -->"
_PLACES = {"app": "everywhere", "main": "table", "page": "pages", "plan": "plan"}


def _row(command: Command) -> str:
    keys = " ".join(f"`{display(key)}`" for key in command.keys).replace("|", "\\|")
    text = command.help.replace("|", "\\|")
    return f"| {keys} | {text} | {_PLACES[command.where]} | `{command.id}` |"


def markdown() -> Iterator[str]:
    """The table, line by line: keys, what they do, where, and the name for `[keys]`."""
    for group in GROUPS:
        found = [c for c in COMMANDS if c.group == group]
        if found:
            yield f"| **{group}** | | | |" if group != GROUPS[0] else "| keys | do | where | name |"
            if group == GROUPS[0]:
                yield "|---|---|---|---|"
                yield f"| **{group}** | | | |"
            yield from (_row(command) for command in found)


def put(text: str) -> str:
    """`text` with the table between its markers; ValueError where they are missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} and {END} in it")
    return "\n".join([head + BEGIN, *markdown(), END]) + tail


def main(words: list[str]) -> None:
    """Print the table, or write it into the file named."""
    if words:
        path = Path(words[0])
        path.write_text(put(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print("\n".join(markdown()))


if __name__ == "__main__":
    main(sys.argv[1:])
