"""The live screen over made-up frames, as a program of its own: for tests with a real terminal."""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from beattop.settings import Settings
from beattop.ui.app import run_screen
from tests.ui import frames
from tests.ui.doubles import FakeExecutor, ScriptedFeed


class Ticking(ScriptedFeed):
    """A frame a tick, from a thread, as the real feed does."""

    def __init__(self, period_s: float, extra: int) -> None:
        super().__init__()
        self._period_s = period_s
        self.breaks = False
        self._made = [frames.incident(n, extra=extra) for n in range(60)]

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


if __name__ == "__main__":
    wanted = json.loads(os.environ.get("CHILD", "{}"))
    feed = Ticking(wanted.pop("period_s", 0.2), wanted.pop("extra", 0))
    feed.breaks = wanted.pop("breaks", False)
    sys.exit(run_screen(feed, FakeExecutor(), Settings(**wanted)))
