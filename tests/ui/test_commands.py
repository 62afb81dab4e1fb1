"""The one table: contract's keys, twins, keymaps, and what is made from it."""

from __future__ import annotations

import pytest

from beattop.ui.commands import BY_ID, COMMANDS, GROUPS, bindings, footer
from beattop.ui.footer import footer_line
from beattop.ui.keymap import Keymap, display
from beattop.ui.keytable import markdown
from beattop.ui.line import plain, width
from beattop.ui.screens.main import MainScreen
from beattop.ui.screens.page import PageScreen
from beattop.ui.screens.plan import PlanDialog

CONTRACT = {
    "q": "quit_main", "f10": "quit_main", "?": "help", "h": "help", "f1": "help", "/": "search", "f3": "search",
    "n": "match_next", "N": "match_previous", "\\": "filter", "f4": "filter", "t": "tree", "f5": "tree",
    ">": "sort", ".": "sort", "f6": "sort", "I": "invert", "P": "sort_cpu", "M": "sort_memory", "T": "sort_time",
    "Z": "pause", "space": "tag", "up": "up", "down": "down", "left": "left", "right": "right",
    "pageup": "page_up", "pagedown": "page_down", "home": "top", "end": "bottom", "+": "unfold", "-": "fold",
    "*": "fold_all", "k": "up", "j": "down", "l": "log", "e": "events", "u": "undo", "s": "start", "enter": "details",
    "g": "group", "y": "history", "d": "duplicates", "S": "stop", "R": "restart", "w": "save", "c": "copy",
    "ctrl+p": "command_palette", "escape": "escape", "ctrl+c": "quit", "ctrl+z": "suspend",
}  # fmt: skip


@pytest.mark.parametrize(("key", "command"), CONTRACT.items())
def test_the_contracts_keys(key, command):
    here = [c.id for c in COMMANDS if c.where in {"main", "app"} and key in c.keys]
    assert here == [command]


def test_every_function_key_has_a_letter_twin():
    for command in COMMANDS:
        functions = [k for k in command.keys if k[0] == "f" and k[1:].isdigit()]
        letters = [k for k in command.keys if len(k) == 1 or k in {"space", "escape"}]
        assert not functions or letters, command.id


def test_every_command_has_an_action_and_words():
    owners = {"main": MainScreen, "page": PageScreen, "plan": PlanDialog}
    for command in COMMANDS:
        assert command.help and command.label
        if command.where != "app":
            assert callable(getattr(owners[command.where], f"action_{command.id}"))
    assert len(BY_ID) == len(COMMANDS)


def test_bare_letters_that_write_are_marked():
    writing = {c.id for c in COMMANDS if c.writes}
    assert writing == {
        "duplicates",
        "stop",
        "restart",
        "start",
        "undo",
        "plan_confirm",
        "plan_undo",
        "plan_instead",
    }


def test_a_users_key_replaces_the_default():
    keymap = Keymap({"stop": "X", "slower": "ctrl+x", "restart": "f7, ctrl+r"})
    assert keymap.keys("stop") == ("X",)
    assert keymap.keys("restart") == ("f7", "ctrl+r")
    assert keymap.shown("restart") == "F7"
    assert keymap.changed == {"stop": "X", "slower": "ctrl+x", "restart": "f7,ctrl+r"}


def test_keys_may_be_swapped():
    assert Keymap({"stop": "R", "restart": "S"}).keys("stop") == ("R",)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"stpo": "X"}, "no command is called 'stpo'"),
        ({"stop": "q"}, "q is both"),
        ({"stop": "hyper+q"}, "'hyper+q' is no key"),
        ({"stop": ""}, "at least one key"),
        ({"page_copy": "escape"}, "Esc is both"),
        ({"stop": "ctrl+c"}, "Ctrl+C is both"),
    ],
)
def test_a_bad_keymap_is_told_in_words(keys, words):
    with pytest.raises(ValueError, match=r"^\[keys\]: ") as error:
        Keymap(keys)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_keys_are_shown_as_people_write_them():
    assert [display(k) for k in ("d", "f10", "ctrl+p", "space", "up", "+", "shift+left")] == [
        "d", "F10", "Ctrl+P", "Space", "↑", "+", "Shift+←",
    ]  # fmt: skip


def test_the_readmes_table_has_every_command_once():
    table = "\n".join(markdown())
    for command in COMMANDS:
        assert table.count(f"| {command.help} |") >= 1
        assert table.count(f"| `{command.id}` |") == 1
    assert len(table.splitlines()) == len(COMMANDS) + len(GROUPS) + 2


@pytest.mark.parametrize("size", [200, 120, 80, 40, 10])
def test_the_footer_fits_and_keeps_the_important(size):
    line = footer_line("main", Keymap(), size)
    assert width(line) <= size
    first = footer("main")[0]
    assert (first.label in plain([line])) == (size >= 40)


def test_bindings_carry_ids_for_remapping():
    assert {b.id for b in bindings("main")} == {c.id for c in COMMANDS if c.where == "main"}
