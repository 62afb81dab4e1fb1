"""Pidfiles, schedules and logs, byte by byte."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from beattop.model.process import Process
from beattop.sources.celery import words
from beattop.sources.celery.holder import Hidden, Holders
from beattop.sources.celery.pidfile import parse, read_pidfile
from beattop.sources.celery.schedule import is_schedule, read_schedule
from beattop.sources.celery.words import DeniedError, Logs, ProgramLog, tail
from beattop.sources.rooted import inside
from tests.unit.supervisor.people import process

BEAT = process(42, "celery -A proj beat")


class Someone:
    """Stands in for Holders."""

    def __init__(self, found: Process | None = None, hidden: bool = False) -> None:
        self.found, self.hidden = found, hidden

    def find(self, pid: int, pid_ns: int | None) -> Process | None:
        if self.hidden:
            raise Hidden
        return self.found if self.found and self.found.pid == pid else None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"42\n", ("ok", 42)),
        (b" 42 \nmore", ("ok", 42)),
        (b"42", ("garbage", 42)),  # "Partial or invalid pidfile", celery.platforms
        (b"", ("garbage", None)),
        (b"\n", ("garbage", None)),
        (b"-1\n", ("garbage", None)),
        (b"0\n", ("garbage", None)),
        (b"99999999999999999999\n", ("garbage", None)),
        (b"\xff\x00\n", ("garbage", None)),
        ("４２\n".encode(), ("garbage", None)),
    ],
)
def test_pidfile_bytes(raw: bytes, expected: tuple[str, int | None]):
    assert parse(raw) == expected


def test_a_pidfile_and_its_holder(tmp_path: Path):
    path = tmp_path / "beat.pid"
    path.write_text("42\n")
    told = read_pidfile(str(path), ["/srv/beat.pid"], None, Someone(BEAT))
    assert (told.status, told.pid, told.holder) == ("ok", 42, BEAT.key)
    assert (told.holder_argv, told.holder_user) == (BEAT.argv, "ops")
    assert told.holder_started_at == BEAT.started_at
    assert told.named == ("/srv/beat.pid",)
    assert told.mtime_at == path.stat().st_mtime


def test_a_pidfile_of_nobody(tmp_path: Path):
    path = tmp_path / "beat.pid"
    path.write_text("43\n")
    told = read_pidfile(str(path), [], None, Someone(BEAT))
    assert (told.status, told.pid, told.holder, told.holder_argv) == ("ok", 43, None, ())


def test_a_hidden_holder_is_not_nobody(tmp_path: Path):
    path = tmp_path / "beat.pid"
    path.write_text("43\n")
    assert read_pidfile(str(path), [], None, Someone(hidden=True)).status == "denied"


def test_odd_pidfiles(tmp_path: Path):
    assert read_pidfile(str(tmp_path / "no.pid"), [], None, Someone()).status == "absent"
    os.mkfifo(tmp_path / "fifo.pid")
    began = time.monotonic()
    assert read_pidfile(str(tmp_path / "fifo.pid"), [], None, Someone()).status == "garbage"
    assert time.monotonic() - began < 1
    assert read_pidfile(str(tmp_path), [], None, Someone()).status == "garbage"
    (tmp_path / "real.pid").write_text("42\n")
    os.symlink("real.pid", tmp_path / "link.pid")
    assert read_pidfile(str(tmp_path / "link.pid"), [], None, Someone()).pid == 42


def test_holders_of_this_namespace():
    me = os.getpid()
    found = Holders([]).find(me, None)
    assert found is not None and found.pid == me
    assert Holders([]).find(2**22 - 1, None) is None
    assert Holders([]).find(0, None) is None
    # A watched process of that pid that has ended meanwhile is not believed.
    stale = process(me, "celery beat")
    found = Holders([stale]).find(me, None)
    assert found is not None and found.key != stale.key


def test_a_threads_number_is_its_process():
    import threading

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        found = Holders([]).find(thread.native_id or 0, None)
        assert found is not None and found.pid == os.getpid()
    finally:
        stop.set()
        thread.join()


def test_schedules(tmp_path: Path):
    base = str(tmp_path / "sched")
    assert read_schedule(base, []).status == "absent"
    Path(base + ".dat").write_text("12345")
    os.utime(base + ".dat", (1000, 1000))
    Path(base + ".dir").write_text("x")
    os.utime(base + ".dir", (2000, 2000))
    told = read_schedule(base, ["/srv/sched"])
    assert (told.status, told.mtime_at, told.size) == ("ok", 2000, 5)
    assert told.inode == os.stat(base + ".dat").st_ino
    assert told.named == ("/srv/sched",)


@pytest.mark.parametrize(
    ("link", "expected"),
    [("/a/s", True), ("/a/s.db", True), ("/a/s-wal", True), ("/a/s2", False), ("/b/s", False)],
)
def test_is_schedule(link: str, expected: bool):
    assert is_schedule(link, "/a/s") is expected


def log(tmp_path: Path, **more: str | None) -> ProgramLog:
    return ProgramLog("sup", "beat", "beat", more.get("stdout"), more.get("stderr"))


def test_words_are_cleaned_and_masked(tmp_path: Path):
    path = tmp_path / "o.log"
    path.write_bytes(b"\x1b[31mred\x1b[0m\r\n\n  \nredis://:hunter2@h:1\n" + b"\xff\n")
    told = Logs().read(log(tmp_path, stdout=str(path)))
    assert told is not None
    assert told.lines == ("red", "redis://:**@h:1", "\ufffd")
    assert (told.sent_at, told.path) == (None, str(path))


def test_when_a_beat_last_sent(tmp_path: Path):
    path = tmp_path / "o.log"
    lines = [
        "[2025-01-02 03:04:05,678: INFO/MainProcess] Scheduler: Sending due task a (p.a)",
        "[2025-01-02 03:04:06,000: INFO/MainProcess] other",
    ]
    path.write_text("\n".join(lines) + "\n")
    written = time.mktime((2025, 1, 2, 3, 4, 6, 0, 0, -1))
    os.utime(path, (written, written))
    logs = Logs()
    told = logs.read(log(tmp_path, stderr=str(path)))
    at = time.mktime((2025, 1, 2, 3, 4, 5, 0, 0, -1)) + 0.678
    assert told is not None and told.sent_at == pytest.approx(at)
    # It scrolled out of the tail: what was seen stays known.
    with path.open("a") as file:
        file.write("x" * 20000 + "\n")
    told = logs.read(log(tmp_path, stderr=str(path)))
    assert told is not None and told.sent_at == pytest.approx(at)


@pytest.mark.parametrize("hours", [0, 5.5, -8, 5.75])
def test_a_log_in_another_time_zone(tmp_path: Path, hours: float):
    """Django sets its TIME_ZONE, and the stamps are in it."""
    path = tmp_path / "o.log"
    path.write_text(
        "[2025-01-02 03:04:05,000: INFO/MainProcess] Scheduler: Sending due task a (p.a)\n"
        "[2025-01-02 03:04:15,000: INFO/MainProcess] other\n"
    )
    written = time.mktime((2025, 1, 2, 3, 4, 15, 0, 0, -1)) - 3600 * hours
    os.utime(path, (written, written))
    told = Logs().read(log(tmp_path, stderr=str(path)))
    assert told is not None and told.sent_at == pytest.approx(written - 10)


def test_without_a_stamp_the_files_time_counts_for_its_last_line(tmp_path: Path):
    path = tmp_path / "o.log"
    path.write_text("Scheduler: Sending due task a (p.a)\n")
    os.utime(path, (5000, 5000))
    told = Logs().read(log(tmp_path, stdout=str(path)))
    assert told is not None and told.sent_at == 5000
    path.write_text("Scheduler: Sending due task a (p.a)\nother\n")
    told = Logs().read(log(tmp_path, stdout=str(path)))
    assert told is not None and told.sent_at is None


def test_which_of_two_logs(tmp_path: Path):
    out, err = tmp_path / "o", tmp_path / "e"
    out.write_text("out\n")
    err.write_text("")
    both = log(tmp_path, stdout=str(out), stderr=str(err))
    assert Logs().read(both).lines == ("out",)
    err.write_text("err\n")
    assert Logs().read(both).lines == ("err",)
    os.utime(err, (1000, 1000))  # what it said long ago explains nothing
    assert Logs().read(both).lines == ("out",)


def test_a_log_just_rotated(tmp_path: Path):
    (tmp_path / "o.1").write_text("before\n")
    (tmp_path / "o").write_text("after\n")
    assert tail(str(tmp_path / "o")).raw == b"before\nafter\n"


def test_logs_that_are_none(tmp_path: Path):
    os.mkfifo(tmp_path / "f")
    assert Logs().read(log(tmp_path, stdout=str(tmp_path / "f"))) is None
    assert Logs().read(log(tmp_path, stdout=str(tmp_path / "no"))) is None


def test_a_log_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def denied(path: str) -> int:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "o").write_text("x\n")
    monkeypatch.setattr(words, "open_regular", denied)
    with pytest.raises(DeniedError, match="/o"):
        Logs().read(log(tmp_path, stdout=str(tmp_path / "o")))


def test_links_stay_inside_their_root(tmp_path: Path):
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    (root / "var").mkdir()
    os.symlink("/run", root / "var/run")
    os.symlink("../../../../../etc", root / "var/up")
    assert inside(str(root), "/var/run/s") == f"{root}/run/s"
    assert inside(str(root), "/var/up/passwd") == f"{root}/etc/passwd"
    assert inside(str(root), "/a/../../b/./c") == f"{root}/b/c"
    os.symlink("/loop", root / "loop")
    assert inside(str(root), "/loop/x").startswith(str(root))
    assert inside("", str(root / "var")) == os.path.realpath(root / "var")
