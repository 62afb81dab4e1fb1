"""What a face may ask of whoever carries plans out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from beattop.model.plan import Check, Outcome, Plan


class Executor(Protocol):
    """Carries a plan out, or refuses: in read-only mode only the refusing one exists."""

    writable: bool
    reason: str
    """Why it refuses, in words; "" where it does not."""

    before: str
    """What an earlier beattop was killed in the middle of, in words; "" for nothing."""

    def execute(
        self,
        plan: Plan,
        on_check: Callable[[Check], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Carry `plan` out; blocks, so call it in a thread. `on_check` hears of each tick."""

    def undo_plan(self) -> Plan | None:
        """The plan that takes the last action of this run back; None where there is none."""

    def close(self, tell: Callable[[str], None] = ...) -> None:
        """Beattop ends: what is under way goes no further; `tell` hears of a wait for it."""
