"""The README tells the truth: keys, commands, pictures."""

from __future__ import annotations

import re
from pathlib import Path

from beattop.cli import beattop
from beattop.ui.keytable import put

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


def test_pictures_are_there_and_current_in_structure():
    from tests.screenshots import NAMES, shown

    for link in re.findall(r"\]\((screenshots/[^)]*)\)", README):
        assert (ROOT / link).is_file(), link
    signs = {
        "incident": ("dies every", "RESPAWNING", "churn", "stop beat2", "LAST EXIT"),
        "plan": ("stopProcess", "keep", "Cancel", "for good"),
        "stopped": ("asked to stop", "stays stopped", "is stopped", "undo"),
        "read-only": ("supervisorctl", "read-only"),
        "pane-80x10": ("beat2", "RESPAWN", "73"),
    }
    for name in NAMES:
        text = shown((ROOT / "screenshots" / f"{name}.svg").read_text(encoding="utf-8"))
        for sign in signs.get(name, ("beattop",)):
            assert sign in text, f"{name}.svg lacks {sign!r}: run make screenshots"
