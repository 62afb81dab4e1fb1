"""Ids, supervisorctl's words, and a conf that is not what runs."""

from __future__ import annotations

import pytest

from beattop.model.source import SourceStatus
from beattop.sources.supervisor.conf import ConfReading
from beattop.sources.supervisor.follower import Pace
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.word import Memory, Names, ctl, drift, word
from tests.unit.supervisor.people import SOMEONE, config, state

SOCK = Server("unix:///run/s.sock")


def test_an_id_is_the_url_and_only_one_has_it():
    names = Names()
    assert names.claim("a", "unix:///s", "/c", 1) == "unix:///s"
    assert names.claim("a", "unix:///s", "/c", 1) == "unix:///s"
    assert names.claim("b", "unix:///s", "/c", 2) == "conf:/c"
    assert names.claim("c", "unix:///s", "/c", 3) == "conf:/c#3"
    names.release("a")
    assert names.claim("b", "unix:///s", "/c", 2) == "unix:///s"
    assert names.claim("d", None, "/c", 4) == "conf:/c"


def test_an_id_stays_where_it_has_answered():
    names = Names()
    assert names.claim("a", "unix:///s", "/c", 1) == "unix:///s"
    assert names.claim("a", None, "/c", 1, settled=True) == "unix:///s"
    assert names.claim("a", None, "/c", 1, settled=False) == "conf:/c"


def test_the_retired_get_no_id():
    names = Names()
    names.claim("a", "unix:///s", "/c", 1)
    names.retire("a")
    names.claim("a", "unix:///s", "/c", 1)
    assert names.claim("b", "unix:///s", "/c", 2) == "unix:///s"


@pytest.mark.parametrize(
    ("reading", "root", "server", "expected"),
    [
        (ConfReading("/c", "ok", ctl=SOCK), "", SOCK, ("-c", "/c")),
        (ConfReading("/c", "ok", ctl=Server("http://localhost:9001")), "", SOCK, ("-s", SOCK.url)),
        (ConfReading("/c", "ok"), "", SOCK, ("-s", SOCK.url)),
        (ConfReading("/c", "denied"), "", SOCK, ("-c", "/c")),
        (ConfReading("/c", "ok", ctl=SOCK), "/proc/1/root", SOCK, ("-s", SOCK.url)),
        (ConfReading("/c", "ok", ctl=SOCK), "", None, None),
    ],
)
def test_supervisorctl(reading, root, server, expected):
    got = ctl(reading, "/c", root, server)
    assert got == (("supervisorctl", *expected) if expected else ())


def test_drift():
    configs = [config("a", "a"), config("g", "b")]
    assert drift(configs, [state("a", "a"), state("g", "b")]) == ""
    told = drift(configs, [state("a", "a"), state("old", "old")])
    assert "g:b is in the file, but not loaded" in told
    assert "old is loaded, but not in the file" in told


def test_a_word_on_one_that_hangs_keeps_what_it_said_last():
    memory = Memory(SOMEONE.key, conf="/c", programs=(state("a", "a"),), answered_at=5.0)
    told = word(memory, "unix:///s", SOCK, SourceStatus("supervisor", "unix:///s", "timeout", "x"))
    assert told.supervisord.answers is False and told.supervisord.answered_at == 5.0
    assert told.supervisord.server_state is None
    assert [p.name for p in told.programs] == ["a"]
    assert [s.name for s in told.sources] == ["supervisor", "conf"]


def test_a_word_on_one_that_has_no_server():
    memory = Memory(
        SOMEONE.key, conf="/c", reading=ConfReading("/c", "ok", programs=(config("a", "a"),))
    )
    status = SourceStatus("supervisor", "conf:/c", "absent", "no server section")
    told = word(memory, "conf:/c", None, status)
    assert told.supervisord.answers is None and not told.supervisord.writable
    assert told.configs[0].supervisor == "conf:/c"
    assert told.sources[1].status == "ok"


def test_pace():
    pace = Pace()
    assert pace.interval_s(None) == 10
    assert pace.interval_s(0.01) == 10
    assert pace.interval_s(0.271) == pytest.approx(27.1)
    pace.looping = True
    assert pace.interval_s(0.01) == 30
    assert pace.interval_s(0.5) == 50
