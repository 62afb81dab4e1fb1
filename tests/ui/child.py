"""The live screen over made-up frames, as a program of its own: for tests with a real terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path

from textual import events
from textual._context import visible_screen_stack
from textual.binding import Binding

from beattop.settings import Settings
from beattop.ui import app
from beattop.ui.app import run_screen
from beattop.ui.widgets import note
from tests.ui import frames
from tests.ui.doubles import FakeExecutor, ScriptedFeed


class Ticking(ScriptedFeed):
    """A frame a tick, from a thread, as the real feed does."""

    def __init__(self, period_s: float, extra: int, kind: str) -> None:
        super().__init__()
        self._period_s = period_s
        self.breaks = False
        make = {
            "incident": lambda n: frames.incident(n, extra=extra),
            "calm": lambda n: frames.calm(tick=n),
            "many": lambda n: frames.many(tick=n),
            "hostile": frames.hostile,
            "nothing": lambda n: frames.no_supervisord(),
        }[kind]
        self._made = [make(n) for n in range(60 if period_s < 60 else 1)]

    def start(self, on_frame) -> None:
        self.on_frame = on_frame
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        number = 0
        while not self.stopped:
            if self.breaks and number == 3:
                self.on_frame("no frame at all")
                time.sleep(self._period_s)
            self.frames = [self._made[number % len(self._made)]]
            self.on_frame(self.frames[0])
            number += 1
            time.sleep(self._period_s)

    def heartbeat(self) -> float:
        return time.time()


class Marked(app.BeattopApp):
    """F11 is Escape three times: from a terminal each takes its time to be told from Alt.

    F12 counts up the terminal's title once every key before it is worked off and drawn: the
    terminal then has all of the picture that went before, and the file PICTURE has it as text."""

    marks = 0

    CSS_PATH = Path(app.__file__).with_name("app.tcss")
    BINDINGS = (  # type: ignore[assignment]
        *app.BeattopApp.BINDINGS,
        Binding("f11", "escapes", priority=True),
        Binding("f12", "mark", priority=True),
    )

    def action_escapes(self) -> None:
        for _ in range(3):
            self.post_message(events.Key("escape", "\x1b"))

    def action_mark(self) -> None:
        self.marking = asyncio.get_running_loop().create_task(self._mark())

    async def _mark(self) -> None:
        quiet = 0
        while quiet < 4:
            await asyncio.sleep(0)
            pumps = [self, *(n for s in self.screen_stack for n in s.walk_children(with_self=True))]
            screen = self.screen
            busy = screen._dirty_widgets or screen._layout_required or screen._repaint_required
            quiet = 0 if busy or any(pump.message_queue_size for pump in pumps) else quiet + 1
        self.marks += 1
        if "PICTURE" in os.environ:
            Path(os.environ["PICTURE"]).write_text("\n".join(self.picture()))
        if self._driver is not None:
            self._driver.write(f"\x1b]2;mark {self.marks}\x07")
            self._driver.flush()

    def picture(self) -> list[str]:
        """What Textual means the terminal to show, trailing blanks cut."""
        token = visible_screen_stack.set(self._background_screens)
        try:
            strips = self.screen._compositor.render_strips()
        finally:
            visible_screen_stack.reset(token)
        return [strip.text.rstrip() for strip in strips]


if __name__ == "__main__":
    app.BeattopApp = Marked  # type: ignore[misc]
    wanted = json.loads(os.environ.get("CHILD", "{}"))
    period_s, extra = wanted.pop("period_s", 0.2), wanted.pop("extra", 0)
    note._STAYS_S = wanted.pop("note_s", note._STAYS_S)  # type: ignore[misc]
    feed = Ticking(period_s, extra, wanted.pop("kind", "incident"))
    feed.breaks = wanted.pop("breaks", False)
    sys.exit(run_screen(feed, FakeExecutor(), Settings(**wanted)))
