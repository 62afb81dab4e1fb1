"""How a step ends when it does not end well."""

from __future__ import annotations

from typing import Literal

Status = Literal["failed", "changed", "unverified", "blind", "cancelled"]
WORST: tuple[Status, ...] = ("failed", "changed", "blind", "unverified")
"""Which of several endings a whole plan gets, worst first; a cancellation ends it at once."""


class Ended(Exception):
    """A step did not come to its good end; the words say why and what is now."""

    status: Status = "failed"

    def __init__(self, words: str, command: str | None = None) -> None:
        super().__init__(f"{words} – by hand: {command}" if command else words)
        self.words = str(self)


class Failed(Ended):
    """The call was refused, or the box did not follow it in time."""


class Changed(Ended):
    """Since the look the box has changed: nothing was done."""

    status: Status = "changed"


class Blind(Ended):
    """It cannot be seen whether the step is right, so nothing was done."""

    status: Status = "blind"


class Unverified(Ended):
    """It was done, but the proof did not come in time."""

    status: Status = "unverified"


class Cancelled(Ended):
    """The user called it off."""

    status: Status = "cancelled"
