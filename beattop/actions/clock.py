"""Time as an action sees it, so that a test can stand in for it."""

from __future__ import annotations

import time

from beattop.text import moment


class Clock:
    """The real one."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only go forward: all deadlines are in these."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def words(self, at: float | None = None) -> str:
        """Local time of day of a Unix time, of now by default: 12:04:07."""
        return time.strftime("%H:%M:%S", time.localtime(self.now() if at is None else at))

    def moment(self, at: float) -> str:
        """Local date and time of a Unix time, as near as it has to be told."""
        return moment(at, self.now())
