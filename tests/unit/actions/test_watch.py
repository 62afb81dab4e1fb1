"""Readings taken again and again: the end of each, and of the plan's whole time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from beattop.actions.run import Run
from beattop.actions.watch import Watch, follow
from beattop.model.plan import Tick
from tests.unit.actions.fake import FakeClock


class Reading:
    """A run of which only the clock counts; a reading is done `after` some seconds."""

    def __init__(self, after: float, until: float, whole: float) -> None:
        self.clock = FakeClock()
        self.after = after
        self.told: list[str] = []
        self.run = SimpleNamespace(
            clock=self.clock,
            checks=SimpleNamespace(tick=lambda step, name, tick, detail: self.told.append(tick)),
            late=lambda: self.clock.t >= whole,
            pause=self.clock.sleep,
        )
        self.watch = Watch(0, "x", self.read, self.clock.monotonic() + until)

    def read(self) -> tuple[Tick, str]:
        return ("done" if self.clock.t >= self.after else "pending"), ""

    def followed(self) -> bool:
        return follow(cast(Run, self.run), [self.watch])


READINGS = (
    ((1, 5, 9), True, "done", 1),
    ((5, 5, 9), True, "done", 5),  # at the last moment
    ((9, 5, 9), True, "failed", 5),
    ((9, 9, 5), False, "pending", 5),
    ((5, 9, 5), True, "done", 5),  # as the plan's time ends
)


@pytest.mark.parametrize(("times", "in_time", "tick", "at"), READINGS)
def test_how_a_reading_ends(times: Any, in_time: bool, tick: str, at: float) -> None:
    reading = Reading(*times)
    assert reading.followed() is in_time
    assert (reading.told[-1], reading.clock.t) == (tick, at)
    assert len(reading.told) == 4 * at + 1
