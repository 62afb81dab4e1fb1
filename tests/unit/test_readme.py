"""The README tells the truth: keys, commands, pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from beattop.cli import beattop
from beattop.ui.columns import COLUMNS
from beattop.ui.commands import footer
from beattop.ui.keymap import display
from beattop.ui.keytable import put
from tests.screenshots import NAMES, SMALL, WIDE, rows, shown, size

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_key_table_is_the_screens():
    assert put(README) == README, "run: python -m beattop.ui.keytable README.md"


def test_every_command_and_option_is_told():
    for name, command in beattop.commands.items():
        assert f"`beattop {name}" in README
        for option in command.params:
            for word in option.opts:
                if word.startswith("--") and word not in ("--observe", "--once", "--json"):
                    assert word in README, f"{name} {word}"


SIGNS = {
    "incident": ("dies every", "RESPAWNING", "churn", "stop beat2", "LAST EXIT"),
    "plan": ("stopProcess", "keep", "Cancel", "for good"),
    "stopped": ("asked to stop", "stays stopped", "is stopped", "undo"),
    "read-only": ("supervisorctl", "read-only"),
    "pane-80x10": ("beat2", "RESPAWN", "73"),
}
PAGES = ("details", "log", "events", "history", "help")


def test_the_readme_shows_each_picture():
    links = re.findall(r"\]\(screenshots/([^)]*)\.svg\)", README)
    assert sorted(links) == sorted(NAMES)
    kept = {path.stem for path in (ROOT / "screenshots").iterdir()}
    assert kept == set(NAMES), "run make screenshots"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_current_in_structure(name):
    svg = (ROOT / "screenshots" / f"{name}.svg").read_text(encoding="utf-8")
    lines = rows(svg)
    assert size(svg) == (SMALL if "80x10" in name else WIDE)
    text = shown(svg)
    for sign in SIGNS.get(name, ("beattop",)):
        assert sign in text, f"{name}.svg lacks {sign!r}: run make screenshots"
    where = "page" if name in PAGES else "main"
    left = " ".join(lines[-1].split())
    for command in footer(where, replay=name == "replay"):
        left = left.replace(f"{display(command.keys[0])} {command.label}", "", 1)
    left = re.sub(r"^d (plan: )?(stop beat2|Plan|Stop)", "", left.strip())
    left = re.sub(r"\bo (Days|Hours|stdout|stderr)\b", "", left)
    assert not left.strip(), f"{name}.svg shows keys of another day ({left}): run make screenshots"
    if name in ("incident", "calm", "pane-80x10", "replay"):
        known = {column.title for column in COLUMNS}
        heading = next(line for line in lines if "PROGRAM" in line)
        assert {"ROLE", "STATE", "CPU%", "LAST EXIT"} <= {t for t in known if t in heading}
