"""The checklist that fills in while a plan is carried out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from beattop.actions.clock import Clock
from beattop.model.plan import Check, Tick


class Checklist:
    """Checks in the order in which they were announced; each change is told at once.

    `name` and `step` together identify a check. `step` is the place of its step in the plan, or
    of the kept beat in the plan's `keep` for the checks whose names begin with `keeper-`.
    """

    def __init__(self, on_check: Callable[[Check], None], clock: Clock) -> None:
        self._on_check = on_check
        self._clock = clock
        self._checks: dict[tuple[int, str], Check] = {}

    def expect(self, step: int, name: str, label: str) -> None:
        """Announce a check that is still open."""
        self._put(Check(name, label, "pending", step=step))

    def tick(self, step: int, name: str, tick: Tick, detail: str) -> None:
        """Set an announced check; `detail` names the reading."""
        old = self._checks[step, name]
        if (old.tick, old.detail) != (tick, detail):
            self._put(Check(name, old.label, tick, detail, self._clock.now(), step))

    def skip_open(self, step: int, why: str) -> None:
        """What can no longer be looked at, because its step ended before."""
        for (index, name), check in tuple(self._checks.items()):
            if index == step and check.tick == "pending" and not name.startswith("keeper-"):
                self.tick(index, name, "skipped", why)

    def skip_keepers(self, why: str) -> None:
        """The kept beats are not looked at where nothing was done."""
        for check in self.open():
            if check.name.startswith("keeper-"):
                self.tick(check.step, check.name, "skipped", why)

    def open(self) -> list[Check]:
        """Those without a result."""
        return [check for check in self._checks.values() if check.tick == "pending"]

    def failed(self) -> list[Check]:
        """Those that turned out badly."""
        return [check for check in self._checks.values() if check.tick == "failed"]

    def all(self) -> tuple[Check, ...]:
        """All, in the order in which they were announced."""
        return tuple(self._checks.values())

    def _put(self, check: Check) -> None:
        self._checks[check.step, check.name] = check
        # A face that broke must not leave an action half done.
        with suppress(Exception):
            self._on_check(check)
