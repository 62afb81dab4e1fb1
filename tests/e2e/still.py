"""The live screen in a real tmux, over one frame that stands still: any difference is a torn one."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from beattop.ui.commands import COMMANDS
from beattop.ui.line import cells
from tests.e2e.tmux import Pane

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((200, 50), (120, 40), (80, 24), (80, 10), (40, 8))
PAGES = ("enter", "v", "l", "e", "y", "?")
DIALOGS = ("d", "S", "R", "s", ">", "/", "\\", "ctrl+p")
LEAVING = {"quit", "quit_main", "suspend", "redraw"}
IN_TMUX = [
    pytest.mark.needs_tmux,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]


def at(*sizes: tuple[int, int]) -> pytest.MarkDecorator:
    """A test at each of these panes."""
    return pytest.mark.parametrize("size", sizes, ids=lambda s: f"{s[0]}x{s[1]}")


class Still(Pane):
    """A pane that runs `tests.ui.child`; it is whole when the block begins."""

    def __init__(
        self, size: tuple[int, int], folder: Path, *, TERM: str = "tmux-256color", **wanted: object
    ) -> None:
        self._marks = 0
        self._picture = folder / "picture"
        env = {
            "PICTURE": str(self._picture),
            "CHILD": json.dumps({"period_s": 3600, "note_s": 3600, **wanted}),
            "ESCDELAY": "20", "PYTHONPATH": str(ROOT), "HOME": str(folder), "TERM": TERM, "COLORTERM": "truecolor" if "256" in TERM else "",
        }  # fmt: skip
        super().__init__([sys.executable, "-m", "tests.ui.child"], folder, *size, env)

    def __enter__(self) -> Still:
        self.until(lambda t: "q Quit" in t, what="the footer")
        self.whole()
        return self

    def pressed(self, *keys: str) -> str:
        """What it shows once these keys are worked off."""
        for key in keys:
            self.press(key)
            if key == "escape":
                time.sleep(0.04)  # longer than ESCDELAY: else it is the next key's Alt
        self.press("f12")
        self._marks += 1
        self.until(lambda _: self.title == f"mark {self._marks}", 20, f"{keys} worked off")
        return self.text

    def whole(self, *keys: str) -> str:
        """The same; fails where that is not what the program means to show.

        A picture that moves on by itself between the two is looked at again, as is one whose size
        tmux has yet to tell (it gathers several for 0.25 s): a torn one stays.
        """
        end = time.monotonic() + 5
        shown, meant = self.pressed(*keys), self._picture.read_text()
        while shown != meant and time.monotonic() < end:
            shown, meant = self.pressed(), self._picture.read_text()
        assert shown == meant, f"{keys}: torn"
        proper(self, shown)
        return shown

    def back(self) -> None:
        """Back on the table: at most a palette or a prompt on a page is open."""
        self.press("f11")


def proper(pane: Pane, text: str) -> None:
    wide = [line for line in text.split("\n") if cells(line) > pane.size[0]]
    assert not wide, wide
    assert "Traceback" not in text, text
    assert pane.alive, text


def keys(where: str, *, all_of_them: bool = True) -> list[str]:
    found = [c for c in COMMANDS if c.where in {where, "app"} and c.id not in LEAVING]
    return [key for c in found for key in (c.keys if all_of_them else c.keys[:1])]
