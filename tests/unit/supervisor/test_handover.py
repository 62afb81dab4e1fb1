"""A named supervisord that ends or begins: its programs do not vanish while nobody has asked anew."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from beattop.model.process import ProcessKey
from beattop.model.supervisor import Supervisord
from beattop.sources.supervisor import reader
from beattop.sources.supervisor.reader import SupervisorSource
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.word import Word
from tests.unit.supervisor.people import state

SOCK = Server("unix:///run/s.sock")


def follower(key: ProcessKey | None, told: bool = True) -> SimpleNamespace:
    server = Supervisord("s", key, "/c", "", None, None, None, None, None, (), key is not None)
    word = Word(server, (state("beat", "beat"),), (), ()) if told else None
    return SimpleNamespace(word=word, trouble=lambda: None, looked=told)


@pytest.fixture
def now(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(reader, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def seen(source: SupervisorSource) -> list[tuple[int | None, int]]:
    told = source.latest()
    return [(s.key.pid if s.key else None, len(told.programs)) for s in told.supervisords]


def test_from_a_process_to_its_name_and_back(now):
    source = SupervisorSource((SOCK,))
    source._by_process = {ProcessKey(1, 1): follower(ProcessKey(1, 1))}
    assert seen(source) == [(1, 1)]
    source._by_process, source._by_name = {}, [follower(None, told=False)]
    assert seen(source) == [(1, 1)], "between two words the last one counts"
    source._by_name = [follower(None)]
    assert seen(source) == [(None, 1)]
    source._by_name = [follower(None, told=False)]
    source._by_process = {ProcessKey(2, 9): follower(None, told=False)}
    assert seen(source) == [(None, 1)]
    source._by_process = {ProcessKey(2, 9): follower(ProcessKey(2, 9))}
    assert seen(source) == [(2, 1)]


def test_a_word_that_nobody_renews_is_no_word(now):
    source = SupervisorSource((SOCK,))
    source._by_process = {ProcessKey(1, 1): follower(ProcessKey(1, 1))}
    assert seen(source) == [(1, 1)]
    source._by_process = {}
    now.now += reader._HANDED_OVER_S + 0.1
    assert seen(source) == []


def test_what_was_found_by_itself_is_not_held(now):
    source = SupervisorSource()
    source._by_process = {ProcessKey(1, 1): follower(ProcessKey(1, 1))}
    assert seen(source) == [(1, 1)]
    source._by_process = {}
    assert seen(source) == []
