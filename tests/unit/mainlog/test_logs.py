"""All main logs together: files followed, denied ones asked of supervisord, older ones behind."""

from __future__ import annotations

import threading
import time

from beattop.model.process import ProcessKey
from beattop.model.source import SourceStatus
from beattop.model.supervisor import Supervisord
from beattop.sources.mainlog import distant as far
from beattop.sources.mainlog import logs as module
from beattop.sources.mainlog.logs import Logs
from beattop.sources.supervisor.server import Server


def supervisord(path, answers=True, id="unix:///x"):
    return Supervisord(
        id, ProcessKey(1, 1), None, "", path, id, "4.3.0", "RUNNING", 1.0, (), answers
    )


def line(n, what):
    return f"2026-11-22 10:00:{n:02d},000 INFO {what}\n"


def until(done, what):
    deadline = time.monotonic() + 5
    pause = threading.Event()
    while not done():
        assert time.monotonic() < deadline, what
        pause.wait(0.01)


def test_a_log_gives_its_past_and_then_its_events(tmp_path):
    path = tmp_path / "supervisord.log"
    path.write_text(line(1, "spawned: 'beat' with pid 7"))
    logs = Logs()
    first = logs.poll([supervisord(str(path))])
    assert [p.name for p in first.pasts] == ["beat"] and first.events == ()
    with path.open("a") as file:
        file.write(line(2, "exited: beat (exit status 73; not expected)"))
    second = logs.poll([supervisord(str(path))])
    assert [(e.kind, e.status) for e in second.events] == [("exited", 73)]
    assert logs.poll([]).sources == ()
    logs.close()


def test_a_supervisord_without_a_log_is_said():
    (status,) = Logs().poll([supervisord(None)]).sources
    assert (status.name, status.status) == ("mainlog", "absent") and "logfile=" in status.detail


def test_older_files_are_read_behind_and_told(tmp_path):
    path = tmp_path / "supervisord.log"
    path.write_text(line(9, "spawned: 'beat' with pid 9"))
    (tmp_path / "supervisord.log.1").write_text(
        line(1, "spawned: 'beat' with pid 7")
        + line(2, "exited: beat (exit status 1; not expected)")
    )
    logs = Logs()
    assert not logs.poll([supervisord(str(path))]).pasts[0].complete
    until(lambda: logs.poll([supervisord(str(path))]).older, "the older log")
    (older,) = logs.poll([supervisord(str(path))]).older
    assert (older.spawns, older.exits) == (1, 1)
    told = []
    logs.history(told.append)()
    until(lambda: told[-1].done, "the end of reading")
    logs.close()


def test_large_logs_wait_until_they_are_asked_for(tmp_path):
    path = tmp_path / "supervisord.log"
    path.write_text(line(9, "spawned: 'beat' with pid 9"))
    (tmp_path / "supervisord.log.1").write_text(line(1, "spawned: 'beat' with pid 7"))
    logs = Logs(unasked_bytes=0)
    logs.poll([supervisord(str(path))])
    assert logs.poll([supervisord(str(path))]).older == ()
    told = []
    cancel = logs.history(told.append)
    until(lambda: told[-1].done, "the end of reading")
    assert told[-1].pasts[0].spawns == 1
    cancel()
    logs.close()


def test_a_denied_log_is_asked_of_supervisord_without_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(far, "EVERY_S", 0.01)
    text = [line(1, "spawned: 'beat' with pid 7")]
    asked = threading.Event()

    class Client:
        def __init__(self, server):
            assert server.url == "unix:///x"

        def main_log(self, offset, length):
            asked.set()
            return "".join(text)

        def read_programs(self, supervisor):
            return ()

    monkeypatch.setattr(module, "ReadClient", Client)
    denied = SourceStatus("mainlog", "x", "denied", "not yours")
    monkeypatch.setattr(module.MainLog, "status", lambda self: denied)
    logs = Logs(lambda id: Server("unix:///x"))
    log = [supervisord(str(tmp_path / "none"))]
    logs.poll(log)
    until(asked.is_set, "a question")
    until(lambda: logs.poll(log).pasts, "the past")
    assert logs.poll(log).sources[0].status == "degraded"
    text.append(line(2, "exited: beat (exit status 73; not expected)"))
    seen = []
    until(lambda: seen.extend(logs.poll(log).events) or seen, "the event")
    assert [(e.kind, e.status) for e in seen] == [("exited", 73)]
    logs.close()


def test_a_denied_log_of_a_silent_supervisord_stays_denied(tmp_path, monkeypatch):
    denied = SourceStatus("mainlog", "x", "denied", "not yours")
    monkeypatch.setattr(module.MainLog, "status", lambda self: denied)
    logs = Logs(lambda id: Server("unix:///x"))
    (status,) = logs.poll([supervisord(str(tmp_path / "none"), answers=None)]).sources
    assert status is denied


def test_a_log_whose_place_is_not_known_is_asked_of_supervisord(monkeypatch):
    """Its conf holds a password, so it may not be read; who knows the password may ask."""
    monkeypatch.setattr(far, "EVERY_S", 0.01)
    asked = []

    class Client:
        def __init__(self, server):
            assert server.url == "http://127.0.0.1:9001"

        def main_log(self, offset, length):
            asked.append(offset)
            return line(1, "spawned: 'beat' with pid 7")

        def read_programs(self, supervisor):
            return ()

    monkeypatch.setattr(module, "ReadClient", Client)
    logs = Logs(lambda id: Server("http://127.0.0.1:9001"))
    hidden = [supervisord(None)]
    assert logs.poll(hidden).sources[0].status == "absent"
    assert not asked, "its conf may just not have been read yet"
    until(lambda: logs.poll(hidden).pasts, "the past")
    (status,) = logs.poll(hidden).sources
    assert status.status == "degraded"
    assert "its conf may not be read" in status.detail
    assert logs.poll([supervisord("/nowhere")]).pasts == ()
    logs.poll(hidden)
    until(lambda: logs.poll(hidden).pasts, "the past")
    logs.close()
    assert logs.poll([]).pasts == ()


def test_one_that_does_not_answer_is_not_asked(monkeypatch):
    logs = Logs(lambda id: Server("http://127.0.0.1:9001"))
    silent = [supervisord(None, answers=False)]
    for _ in range(3):
        assert logs.poll(silent).sources[0].status == "absent"
    logs.close()
