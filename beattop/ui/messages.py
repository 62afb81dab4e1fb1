"""What threads tell the screen: they never touch a widget, they post one of these."""

from __future__ import annotations

from textual.message import Message

from beattop.model.frame import Frame, HistoryProgress
from beattop.model.plan import Check, Outcome
from beattop.ui.line import Line


class FrameArrived(Message):
    """A new frame; one that was not yet looked at is dropped for it."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame

    def can_replace(self, message: Message) -> bool:
        """Only the newest frame counts."""
        return isinstance(message, FrameArrived)


class CheckArrived(Message):
    """One line of the checklist changed."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self.check = check


class PlanEnded(Message):
    """The executor is through."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class LinesRead(Message):
    """A log file grew; `fresh` where it is read from the start again."""

    def __init__(self, lines: list[Line], *, fresh: bool = False, trouble: str = "") -> None:
        super().__init__()
        self.lines = lines
        self.fresh = fresh
        self.trouble = trouble


class HistoryRead(Message):
    """Old logs were read a bit further."""

    def __init__(self, progress: HistoryProgress) -> None:
        super().__init__()
        self.progress = progress

    def can_replace(self, message: Message) -> bool:
        """Only the newest counts."""
        return isinstance(message, HistoryRead)


class Saved(Message):
    """A recording was written, or not; words for the user."""

    def __init__(self, words: str, *, failed: bool = False) -> None:
        super().__init__()
        self.words = words
        self.failed = failed
