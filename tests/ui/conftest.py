"""Running the live screen without a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.keys import _character_to_key

from beattop.model.frame import Frame
from beattop.settings import Settings
from beattop.ui.app import BeattopApp
from tests.ui.doubles import FakeExecutor, Refusing, ScriptedFeed
from tests.ui.frames import AT

SIZES = ((200, 50), (120, 40), (80, 24), (80, 10), (40, 8))


@pytest.fixture(autouse=True)
def own_world(monkeypatch, tmp_path):
    """UTC, a terminal of 256 colours, a home and a folder of its own."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLORFGBG", raising=False)
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Screen:
    """A running app, with what tests ask of it."""

    def __init__(self, app: BeattopApp, feed: ScriptedFeed, pilot) -> None:
        self.app, self.feed, self.pilot = app, feed, pilot

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each until it is worked off."""
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 else key
            character = (
                key if len(key) == 1 else {"space": " ", "tab": "\t", "enter": "\r"}.get(key)
            )
            self.app.post_message(events.Key(name, character))
            await self.settle()

    async def push(self, *frames: Frame) -> None:
        """Hand frames over, one after the other."""
        for frame in frames:
            self.feed.push(frame)
            await self.settle()

    async def settle(self) -> None:
        """Until no message waits anywhere and everything is drawn; no clock is waited for."""
        for _ in range(50):
            quiet = 0
            while quiet < 4:
                await asyncio.sleep(0)
                pumps = [
                    self.app,
                    *(n for s in self.app.screen_stack for n in s.walk_children(with_self=True)),
                ]
                quiet = 0 if any(pump.message_queue_size for pump in pumps) else quiet + 1
            screen = self.app.screen
            if not (screen._dirty_widgets or screen._layout_required or screen._repaint_required):
                return
            with screen._context():
                screen._on_timer_update()
        # Textual's own busy signs never rest: they are as drawn as they will be.

    async def until(self, true: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait for a condition."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited in vain; the screen shows\n{self.text}"
            await asyncio.sleep(0.01)
            await self.settle()

    @property
    def lines(self) -> list[str]:
        """The screen as the terminal would show it."""
        from textual._compositor import LayoutUpdate

        update = self.app.screen._compositor.render_update(
            full=True, screen_stack=self.app._background_screens
        )
        assert isinstance(update, LayoutUpdate)
        return [
            "".join(segment.text for strip in row for segment in strip) for row in update.strips
        ]

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    @property
    def main(self):
        return self.app.screen_stack[0]

    @property
    def table(self):
        return self.main.table


@asynccontextmanager
async def running(
    *frames: Frame,
    size: tuple[int, int] = (120, 40),
    feed: ScriptedFeed | None = None,
    executor: FakeExecutor | Refusing | None = None,
    now: float | None = None,
    **settings,
) -> AsyncIterator[Screen]:
    """The app over a scripted feed, its first frames drawn."""
    feed = feed if feed is not None else ScriptedFeed()
    doer = executor if executor is not None else FakeExecutor()
    clock = lambda: now if now is not None else (feed.heartbeat() or AT)  # noqa: E731
    app = BeattopApp(feed, doer, Settings(**settings), now=clock)
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, feed, pilot)
        await pilot.pause()
        await screen.push(*frames)
        yield screen
