"""Which keys run which command: the defaults, and the config's `[keys]` checked against them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from beattop.text import listing
from beattop.ui.commands import BY_ID, COMMANDS, Command

_NAMED = (
    "enter escape space tab backspace insert delete home end pageup pagedown up down left right"
)
_KEY = re.compile(
    rf"(?:(?:ctrl|shift|alt)\+)*(?:[!-+\--~]|f(?:[1-9]|1\d|2[0-4])|{_NAMED.replace(' ', '|')})"
)
_SHOWN = {
    "enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab", "up": "↑", "down": "↓",
    "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End",
    "backspace": "Bksp", "insert": "Ins", "delete": "Del",
}  # fmt: skip


class Keymap:
    """The keys in force: the defaults overlaid with the user's.

    `keys` maps a command's id to its keys, several separated by commas or spaces. Raises
    ValueError, in words for the user, for an unknown id, an unknown key, and a clash.
    """

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        self._keys = {c.id: c.keys for c in COMMANDS}
        self.changed: dict[str, str] = {}
        """What `App.set_keymap` takes: id to comma-separated keys."""
        for name, text in (keys or {}).items():
            self._keys[name] = _checked(name, text)
            self.changed[name] = ",".join(self._keys[name])
        _no_clash(self._keys)

    def keys(self, command: Command | str) -> tuple[str, ...]:
        """The keys of a command."""
        return self._keys[command if isinstance(command, str) else command.id]

    def shown(self, command: Command | str) -> str:
        """Its first key as it stands on the screen: `d`, `F1`, `Ctrl+P`."""
        return display(self.keys(command)[0])


def display(key: str) -> str:
    """A key's name for people."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if not last:  # the key is "+" itself
        last = "+"
    name = _SHOWN.get(last) or (last.upper() if len(last) > 1 or modifiers else last)
    return "+".join([*(m.capitalize() for m in modifiers if m), name])


def _checked(name: str, text: str) -> tuple[str, ...]:
    if name not in BY_ID:
        near = [i for i in BY_ID if i.startswith(name[:3])] or list(BY_ID)
        raise ValueError(f"[keys]: no command is called {name!r}; there is {listing(near, 8)}")
    keys = tuple(k for k in re.split(r"[,\s]+", str(text).strip()) if k)
    if not keys:
        raise ValueError(f"[keys]: {name} needs at least one key")
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"[keys]: {name} = {text!r}: {key!r} is no key"
                f" (one character, f1 to f24, ctrl+x, {_NAMED})"
            )
    return keys


def _no_clash(keys: Mapping[str, tuple[str, ...]]) -> None:
    for where in ("main", "page", "plan"):
        taken: dict[str, str] = {}
        for c in COMMANDS:
            if c.where not in {where, "app"}:
                continue
            for key in keys[c.id]:
                if taken.setdefault(key, c.id) != c.id:
                    raise ValueError(
                        f"[keys]: {display(key)} is both {taken[key]} and {c.id}:"
                        " give one of them another key"
                    )
