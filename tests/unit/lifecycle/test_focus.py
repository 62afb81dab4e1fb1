"""Listening closely to newborns: at once in a storm, now and then where far hears them as well."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from beattop.sources.lifecycle import ear as module
from beattop.sources.lifecycle.connector import Connector
from beattop.sources.lifecycle.ear import Ear


class Channel:
    """A socket on which nothing is heard."""

    def __init__(self) -> None:
        self.overflows, self.capacity, self.filters = 0, 5000, 0

    def attach(self, program) -> None:
        self.filters += 1

    def read(self) -> list[bytes]:
        return []

    def dropped(self) -> int:
        return 0

    def close(self) -> None:
        pass


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    monkeypatch.setattr(module, "Channel", Channel)
    return Ear(Connector()._procfs, 0.0)


def test_a_newborn_is_listened_to_at_once_in_a_storm_only(ear: Ear, monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0)
    ear.focus([1], 100.0)
    assert ear.rest_s(100.0) == module._FOCUS_CALM_S
    assert ear.focus([1, 2], 100.1) == frozenset()
    assert ear.late([1, 2])
    ear._storm.raging = True
    assert ear.focus([1, 2], 100.0 + module._FOCUS_CALM_S) == {2}
    assert ear.rest_s(100.0) <= module._FOCUS_MOST_S


def test_who_is_to_be_listened_to_is_not_reckoned_while_that_is_put_off(ear: Ear, monkeypatch):
    source = Connector()
    source._ear = ear
    asked: list[Collection[int]] = []
    monkeypatch.setattr(source._watched, "by_promise", lambda room: asked.append(()) or [7])
    source._watched.lives[7] = None  # type: ignore[assignment]
    for _ in range(5):
        source._hear()
    assert len(asked) == 1
    source._watched.lives.clear()
