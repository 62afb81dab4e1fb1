"""Who is a supervisord, and where each is asked."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from beattop.model.process import Usage
from beattop.sources.supervisor import discovery, verdict
from beattop.sources.supervisor.conf import ConfReading
from beattop.sources.supervisor.discovery import (
    Place,
    candidates,
    child_urls,
    same_url,
    supervisords,
    with_credentials,
)
from beattop.sources.supervisor.invocation import invocation
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.verdict import Verdict, find
from tests.unit.supervisor.people import process

SHA = "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d"


def place(root: str = "", pid: int = 100) -> Place:
    one = process(pid, "supervisord -c /etc/s.conf")
    call = invocation(one.argv)
    assert call is not None
    return Place(one, call, root, "/etc/s.conf")


def reading(*servers: Server, ctl: Server | None = None) -> ConfReading:
    return ConfReading("/etc/s.conf", "ok", servers=servers, ctl=ctl)


def test_supervisords_among_others():
    one = process(100, "/usr/bin/python3 /usr/bin/supervisord -n")
    two = process(90, "supervisord -c /x")
    zombie = process(80, "supervisord -c /y")
    others = [process(5, "vim supervisord.conf"), process(6, "celery beat")]
    usage = [Usage(zombie.key, 1, 1, "Z", 0, 0, None)]
    found = supervisords([one, *others, two, zombie], usage, now=2000)
    assert [p.pid for p, _ in found] == [90, 100]


def test_a_child_before_its_exec_is_no_supervisord():
    one = process(100, "supervisord -c /x")
    child = process(101, "supervisord -c /x", ppid=100, started_at=1999.0)
    assert [p.pid for p, _ in supervisords([one, child], now=2000)] == [100]
    # One that stays is a supervisord of its own.
    assert [p.pid for p, _ in supervisords([one, child], now=2005)] == [100, 101]
    other = replace(child, argv=("supervisord", "-c", "/inner"))
    assert len(supervisords([one, other], now=2000)) == 2


def test_child_urls():
    one = process(7, "x", ppid=100, env={"SUPERVISOR_SERVER_URL": "unix:///s"})
    assert child_urls([one, process(8, "x", ppid=9)]) == {100: "unix:///s"}


def test_candidates_are_the_confs_then_the_childrens():
    found = candidates(
        place(),
        reading(Server("unix:///a.sock", "u", "p"), Server("http://localhost:9001")),
        "http://localhost:9001",
        [Server("http://127.0.0.1:9001", "ops", "secret")],
    )
    assert [s.url for s in found] == ["unix:///a.sock", "http://localhost:9001"]
    assert (found[0].username, found[1].username) == ("u", "ops")


def test_an_unreadable_conf_leaves_the_childrens_url():
    found = candidates(place(), ConfReading("/etc/s.conf", "denied"), "unix:///a.sock", [])
    assert [s.url for s in found] == ["unix:///a.sock"]


def test_another_root(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "var").mkdir()
    os.symlink("/run", tmp_path / "var/run")
    found = candidates(place(str(tmp_path)), reading(Server("unix:///var/run/s.sock")), None, [])
    assert [s.url for s in found] == [f"unix://{tmp_path}/run/s.sock"]


def test_a_hashed_password_is_looked_up():
    server = Server("http://localhost:9001", "u", SHA)
    clear = Server("http://127.0.0.1:9001", "u", "clear")
    assert with_credentials(server, [clear]).password == "clear"
    assert with_credentials(server, []).password == SHA
    assert with_credentials(Server("http://localhost:9001", "u", "own"), [clear]).password == "own"


def test_spellings_of_one_address():
    assert same_url("http://localhost:9001", "http://127.0.0.1:9001")
    assert not same_url("http://localhost:9001", "http://localhost:9002")
    assert not same_url("http://localhost:9001", None)
    assert not same_url("unix:///a", "unix:///b")


def finding(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Verdict]) -> Verdict:
    monkeypatch.setattr(verdict, "probe", lambda server, _: answers[server.url])
    monkeypatch.setattr(verdict, "same_network", lambda pid: True)
    return find(place(), [Server(url) for url in answers], 1.0)


def said(url: str, pid: int) -> Verdict:
    return Verdict("ok", "", Server(url), True, "4.3.0", pid)


def failed(url: str, status) -> Verdict:
    return Verdict(status, "words", Server(url))


def test_its_own_pid_decides(monkeypatch: pytest.MonkeyPatch):
    told = finding(
        monkeypatch, {"unix:///a": said("unix:///a", 7), "unix:///b": said("unix:///b", 100)}
    )
    assert told.verified and told.server == Server("unix:///b")


def test_one_that_hangs_is_likelier_than_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    told = finding(
        monkeypatch,
        {"unix:///a": failed("unix:///a", "down"), "unix:///b": failed("unix:///b", "timeout")},
    )
    assert (told.status, told.server) == ("timeout", Server("unix:///b"))


def test_an_address_taken_over(monkeypatch: pytest.MonkeyPatch):
    told = finding(monkeypatch, {"unix:///a": said("unix:///a", 7)})
    assert (told.status, told.server) == ("down", None)
    assert "unix:///a is answered by pid 7" in told.detail and "pid 100" in told.detail


def test_no_server_section():
    told = find(place(), [], 1.0)
    assert (told.status, told.server) == ("absent", None)
    assert "[unix_http_server]" in told.detail


def test_another_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verdict, "same_network", lambda pid: False)
    told = find(place(), [Server("http://localhost:9001")], 1.0)
    assert told.status == "absent" and "network namespace" in told.detail


def test_listening_of_a_stranger(monkeypatch: pytest.MonkeyPatch):
    assert discovery._listening(2**22 - 1) == []
