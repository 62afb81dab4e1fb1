"""For the tests of diagnosis: what their boxes make beattop say is compared with what was approved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit import approved, world


@pytest.fixture
def approved_words(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The last look at each box that the test made up."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    made: list[world.World] = []
    monkeypatch.setattr(world, "made", made)
    monkeypatch.setattr(approved, "said", [])
    yield
    text = "".join([*(approved.shown(w.findings, w.now) for w in made), *approved.said])
    approved.check(Path(request.node.path).stem, request.node.name, text)
    monkeypatch.undo()
    time.tzset()
