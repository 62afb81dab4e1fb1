"""The executor of read-only mode: it has nothing with which it could change anything."""

from __future__ import annotations

from collections.abc import Callable

from beattop.model.plan import Check, Outcome, Plan


class RefusingExecutor:
    """Says why it does nothing."""

    writable = False
    before = ""

    def __init__(self, reason: str) -> None:
        """`reason` in words: "read-only (BEATTOP_READ_ONLY is set)"."""
        self.reason = reason

    def execute(
        self,
        plan: Plan,
        on_check: Callable[[Check], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Refuse."""
        return Outcome("refused", (), f"nothing was done: {self.reason}")

    def undo_plan(self) -> None:
        """Nothing was done, so nothing is taken back."""
        return None

    def close(self, tell: Callable[[str], None] = lambda words: None) -> None:
        """Nothing is under way."""
