"""Every key in a real tmux: nothing torn, nothing wider than the pane, the verdict in sight."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from beattop.ui.commands import COMMANDS
from beattop.ui.line import cells
from tests.e2e.terminal import beattop
from tests.e2e.tmux import Pane

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((200, 50), (120, 40), (80, 24), (80, 10), (40, 8))
LEAVING = {"quit", "quit_main", "suspend", "redraw"}
PAGES = ("enter", "v", "l", "e", "y", "?")
DIALOGS = ("d", "S", "R", "s", ">", "/", "\\", "ctrl+p")
pytestmark = [
    pytest.mark.needs_tmux,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]
sized = pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")


class Still(Pane):
    """The live screen over one frame that stands still, so that any difference is a torn one."""

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

        A picture that moves on by itself between the two is looked at again: a torn one stays.
        """
        for again in range(5):
            shown = self.pressed(*(() if again else keys))
            meant = self._picture.read_text()
            if shown == meant:
                break
        assert shown == meant, f"{keys}: torn"
        proper(self, shown)
        return shown

    def back(self) -> None:
        """Back on the table: at most a palette or a prompt on a page is open."""
        self.pressed("escape", "escape", "escape")


def proper(pane: Pane, text: str) -> None:
    wide = [line for line in text.split("\n") if cells(line) > pane.size[0]]
    assert not wide, wide
    assert "Traceback" not in text, text
    assert pane.alive, text


def keys(where: str, *, all_of_them: bool = True) -> list[str]:
    found = [c for c in COMMANDS if c.where in {where, "app"} and c.id not in LEAVING]
    return [key for c in found for key in (c.keys if all_of_them else c.keys[:1])]


def test_openers_at_80x24(tmp_path):
    with Still((80, 24), tmp_path) as pane:
        pane.until(lambda t: "stop beat2" in t, what="the verdict")
        home = pane.whole()
        for key in ("d", "?", "l", "\\"):
            assert pane.whole(key) != home
            pane.back()
        pane.press("q")
        pane.until(lambda _: pane.status == 0, what="its end")


@pytest.mark.long
@sized
@pytest.mark.parametrize("kind", ["incident", "calm", "hostile", "many"])
def test_every_key_of_the_table(tmp_path, size, kind):
    with Still(size, tmp_path, kind=kind) as pane:
        pane.until(lambda t: "q Quit" in t, what="the footer")
        pane.whole()
        for key in keys("main", all_of_them=kind == "incident"):
            pane.whole(key)
            pane.back()


@pytest.mark.long
@sized
@pytest.mark.parametrize("opener", [*PAGES, *DIALOGS])
def test_every_key_of_pages_and_dialogs(tmp_path, size, opener):
    with Still(size, tmp_path) as pane:
        pane.until(lambda t: "q Quit" in t, what="the footer")
        pane.whole()
        where = "page" if opener in PAGES else "plan"
        for key in keys(where, all_of_them=False):
            pane.pressed(opener)
            pane.whole(key)
            pane.back()


COLOUR = re.compile(r"\x1b\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m")


@pytest.mark.long
@pytest.mark.parametrize("size", [(120, 40), (40, 8)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("kind", ["incident", "hostile", "calm", "nothing"])
def test_ascii_and_no_color_everywhere(tmp_path, size, kind):
    with Still(size, tmp_path, kind=kind, ascii=True, no_color=True) as pane:
        pane.until(lambda t: "q Quit" in t, what="the footer")
        pane.whole()
        for key in ("f13", *PAGES, *DIALOGS, "g", "*", "Z"):
            text = pane.pressed(key)
            assert text.isascii(), (key, sorted({c for c in text if not c.isascii()}), text)
            assert not COLOUR.search(pane.inked), (key, COLOUR.search(pane.inked))
            proper(pane, text)
            pane.back()


@pytest.mark.long
@pytest.mark.parametrize("term", ["xterm", "screen", "linux", "xterm-256color", "dumb", "vt100"])
@pytest.mark.parametrize("theme", ["auto", "light", "ansi"])
def test_any_terminal_and_theme(tmp_path, term, theme):
    with Still((80, 24), tmp_path, theme=theme, TERM=term) as pane:
        pane.until(lambda t: "q Quit" in t, what="the footer")
        pane.whole()
        for key in ("d", "?", "enter", "ctrl+p"):
            pane.whole(key)
            pane.back()


@pytest.mark.long
def test_resizing_in_haste(tmp_path):
    sizes = [*SIZES, (30, 6), (20, 4), (10, 3), (1, 1), (300, 90), (80, 24)]
    with Still((80, 24), tmp_path) as pane:
        pane.until(lambda t: "stop beat2" in t, what="the verdict")
        pane.whole()
        for key in ("escape", *PAGES, *DIALOGS):
            pane.pressed(key)
            for size in sizes:
                pane.resize(*size)
            pane.resized()
            pane.whole()
            for size in sizes:
                pane.resize(*size)
                pane.resized()
                proper(pane, pane.pressed())
            pane.back()


@pytest.mark.long
@sized
def test_every_key_on_a_real_incident(tmp_path, size):
    """The demo: its supervisord, its Celery; nothing is confirmed."""
    env = {"ESCDELAY": "20", "HOME": str(tmp_path)}
    with Pane(beattop("demo"), tmp_path, *size, env) as pane:
        pane.until(lambda t: re.search(r"beat2\b", t) and "stop" in t, 90, "the verdict")
        first = pane.lines[:3]
        assert "beat2" in " ".join(first[1:]), first
        assert re.search(r"\bd  stop", first[2]), first
        seen = set()
        for key in keys("main"):
            pane.press(key)
            time.sleep(0.2)  # the box never stands still: there is nothing to wait for
            seen.add(pane.lines[0][:9])
            proper(pane, pane.text)
            for _ in range(2):
                pane.press("escape")
                time.sleep(0.1)
        assert len(seen) >= 5, "pages were opened"
        proper(pane, pane.text)
        for _ in range(5):
            pane.press("q")
            with contextlib.suppress(AssertionError):
                pane.until(lambda _: not pane.alive, 15, "its end")
                break
        assert pane.status == 0, pane.text
