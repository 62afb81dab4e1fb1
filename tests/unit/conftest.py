"""For the tests of diagnosis: what their boxes make beattop say is compared with what was approved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beattop.model.plan import Outcome, Plan
from tests.unit import approved
from tests.unit import world as world_of
from tests.unit.actions import scene


@pytest.fixture
def world() -> world_of.World:
    """One supervisord on a made-up box."""
    made = world_of.World()
    made.supervisord()
    return made


@pytest.fixture
def approved_words(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The last look at each box that the test made up."""
    named = "tmp_path" in request.fixturenames
    folder = str(request.getfixturevalue("tmp_path")) if named else ""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    made: list[world_of.World] = []
    monkeypatch.setattr(world_of, "made", made)
    monkeypatch.setattr(approved, "said", [])
    yield
    text = "".join([*(approved.shown(w.findings, w.now) for w in made), *approved.said])
    if folder:
        text = text.replace(folder, "/tmp")
    approved.check(Path(request.node.path).stem, request.node.name, text)
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def approved_plans(approved_words: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every plan that is made, each once."""
    yield from _listen(Plan, monkeypatch)


@pytest.fixture
def approved_outcomes(approved_words: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every outcome of carrying one out, each once."""
    yield from _listen(Outcome, monkeypatch)


def _listen(kind: type, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: dict[str, None] = {}
    build = kind.__init__

    def init(self: object, *args: object, **more: object) -> None:
        build(self, *args, **more)
        made.setdefault(approved.shown([self], scene.AT))

    monkeypatch.setattr(kind, "__init__", init)
    yield
    approved.said.extend(made)
