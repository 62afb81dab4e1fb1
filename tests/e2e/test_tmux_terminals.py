"""Terminals, themes and colours in a real tmux; every key on a real incident."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable

import pytest

from tests.e2e.still import DIALOGS, IN_TMUX, PAGES, SIZES, Still, at, keys, proper
from tests.e2e.terminal import beattop
from tests.e2e.tmux import Pane

pytestmark = IN_TMUX
COLOUR = re.compile(r"\x1b\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m")


@pytest.mark.long
@at((120, 40), (40, 8))
@pytest.mark.parametrize("kind", ["incident", "hostile", "calm", "nothing"])
def test_ascii_and_no_color_everywhere(tmp_path, size, kind):
    with Still(size, tmp_path, kind=kind, ascii=True, no_color=True) as pane:
        for key in ("home", *PAGES, *DIALOGS, "g", "*", "Z"):
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
        for key in ("d", "?", "enter", "ctrl+p"):
            pane.whole(key)
            pane.back()


def _again(pane: Pane, key: str, true: Callable[[str], bool]) -> None:
    """Wait for what a key does; pressed again where a stalled box took it for an Alt."""
    for _ in range(4):
        with contextlib.suppress(AssertionError):
            pane.until(true, 5, f"what {key} does")
            return
        pane.press(key)
    pane.until(true, 10, f"what {key} does")


@pytest.mark.long
@at(*SIZES)
def test_every_key_on_a_real_incident(tmp_path, size):
    """The demo: its supervisord, its Celery; nothing is confirmed."""
    env = {"ESCDELAY": "20", "HOME": str(tmp_path)}
    with Pane(beattop("demo"), tmp_path, *size, env) as pane:
        pane.until(lambda t: re.search(r"beat2\b", t) and "stop" in t, 90, "the verdict")
        first = pane.lines[:3]
        assert "beat2" in " ".join(first[1:]), first
        assert re.search(r"\bd  stop", first[2]), first
        for key in keys("main"):
            pane.press(key)
            if key in PAGES:
                _again(pane, key, lambda t: not t.startswith(" beattop"))
            proper(pane, pane.text)
            for _ in range(2):
                pane.press("escape")
                time.sleep(0.04)  # longer than ESCDELAY: else it is the next key's Alt
            if key in PAGES:
                _again(pane, "escape", lambda t: t.startswith(" beattop"))
        proper(pane, pane.text)
        for _ in range(5):
            pane.press("q")
            with contextlib.suppress(AssertionError):
                pane.until(lambda _: not pane.alive, 15, "its end")
                break
        assert pane.status == 0, pane.text
