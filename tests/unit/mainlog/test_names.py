"""The names that rotation gives to older logs."""

from __future__ import annotations

import gzip

import pytest

from beattop.sources.mainlog import tally
from beattop.sources.mainlog.follow import MainLog
from tests.unit.mainlog.test_history import whole


@pytest.mark.parametrize(
    "names",
    [
        ("supervisord.log.0", "supervisord.log.1", "supervisord.log.2"),
        ("supervisord.log-2026-01-03", "supervisord.log-2026-01-02", "supervisord.log-2026-01-01"),
        ("supervisord.log.2026010323", "supervisord.log.2026010322", "supervisord.log.2026010321"),
        ("supervisord-20260103.log", "supervisord-20260102.log", "supervisord-20260101.log"),
    ],
)
def test_names_that_rotation_gives(shelf, names):
    for n, name in enumerate(names, start=1):
        shelf.with_name(f"supervisord.log.{n}").rename(shelf.with_name(name))
    main = MainLog("s", str(shelf))
    told = main.history().read()
    past = whole(main, told)["beat2"]
    assert (past.spawns, past.loop_exits, past.complete) == (1000, 1000, True), told.detail


def test_a_file_by_date_that_is_being_packed_is_read_once(shelf):
    for n in (1, 2, 3):
        old = shelf.with_name(f"supervisord.log.{n}")
        old.rename(shelf.with_name(f"supervisord.log-2026010{4 - n}"))
    shelf.with_name("supervisord.log-20260103.gz").write_bytes(b"not whole yet")
    main = MainLog("s", str(shelf))
    past = whole(main, main.history().read())["beat2"]
    assert (past.spawns, past.complete) == (1000, True)


def test_a_log_put_aside_is_told(shelf):
    shelf.with_name("supervisord.log.old").touch()
    told = MainLog("s", str(shelf)).history().read()
    assert "supervisord.log.old is not read" in told.detail
    assert not any(past.complete for past in told.pasts)


def test_recent_events_of_a_packed_log_are_the_last_ones(shelf, monkeypatch):
    monkeypatch.setattr(tally, "_MOST_LINES", 100)
    path = shelf.with_name("supervisord.log.1")
    shelf.with_name("supervisord.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    plain = {p.name: p.recent for p in MainLog("s", str(shelf)).history().read().pasts}
    path.unlink()
    packed = {p.name: p.recent for p in MainLog("s", str(shelf)).history().read().pasts}
    assert packed["beat2"] == plain["beat2"]
