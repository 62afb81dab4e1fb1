"""Every key of every place at every size: no traceback, no torn frame, nothing wider than the pane."""

from __future__ import annotations

import pytest

from beattop.ui.commands import COMMANDS
from beattop.ui.line import cells
from tests.ui import frames
from tests.ui.conftest import SIZES, running
from tests.ui.doubles import Refusing, ScriptedReplay

LEAVING = {"quit", "quit_main", "suspend"}
OPENERS = {
    "main": (), "details": ("enter",), "findings": ("v",), "log": ("l",), "events": ("e",), "history": ("y",),
    "help": ("?",), "plan": ("d",), "stop": ("S",), "sort": (">",), "search": ("/",), "filter": ("\\",),
}  # fmt: skip


def keys(where: str) -> list[str]:
    return [
        k for c in COMMANDS if c.where in {where, "app"} and c.id not in LEAVING for k in c.keys
    ]


def check(screen, size) -> None:
    lines = screen.lines
    assert len(lines) == size[1]
    assert {cells(line) for line in lines} == {size[0]}, [
        line for line in lines if cells(line) != size[0]
    ]


EVERYWHERE = [("incident", size) for size in SIZES]
ONCE = [
    ("hostile", (120, 40)),
    ("hostile", (40, 8)),
    *((k, (80, 24)) for k in ("calm", "nothing", "empty", "bare")),
]


@pytest.mark.parametrize(("kind", "size"), EVERYWHERE + ONCE, ids=str)
async def test_main_keys(kind, size):
    make = {
        "incident": frames.incident, "calm": lambda n: frames.calm(tick=n), "hostile": frames.hostile,
        "nothing": lambda n: None, "bare": lambda n: frames.bare(), "empty": lambda n: frames.no_supervisord(),
    }[kind]  # fmt: skip
    first = [f for f in (make(0), make(1)) if f is not None]
    async with running(*first, size=size) as screen:
        check(screen, size)
        for number, key in enumerate(keys("main")):
            await screen.press(key)
            check(screen, size)
            frame = make(2 + number)
            if frame is not None:
                await screen.push(frame)
            while len(screen.app.screen_stack) > 1 or screen.main.prompt.is_open:
                await screen.press("escape")
            assert screen.app.is_running


@pytest.mark.parametrize("size", [(120, 40), (40, 8)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("opener", [o for o in OPENERS if o != "main"])
async def test_keys_of_pages_and_dialogs(size, opener):
    where = "plan" if opener in {"plan", "stop"} else "page"
    async with running(
        frames.incident(0), frames.hostile(1), frames.incident(2), size=size
    ) as screen:
        for number, key in enumerate(keys(where)):
            if len(screen.app.screen_stack) == 1 and not screen.main.prompt.is_open:
                await screen.press(*OPENERS[opener])
            await screen.press(key)
            await screen.push(frames.incident(3 + number))
            check(screen, size)
            if key in {"/", "\\", "f3", "f4", "ctrl+p"}:
                await screen.press("x", "escape")
            assert screen.app.is_running


@pytest.mark.parametrize("size", [(120, 40), (40, 8)], ids="{0[0]}x{0[1]}".format)
async def test_replay_and_read_only_keys(size):
    feed = ScriptedReplay(*[frames.incident(n) for n in range(20)])
    async with running(feed=feed, size=size, executor=Refusing(), read_only=True) as screen:
        for key in keys("main"):
            await screen.press(key)
            check(screen, size)
            while len(screen.app.screen_stack) > 1 or screen.main.prompt.is_open:
                await screen.press("escape")
        assert screen.app.is_running
