"""`--supervisor`: what is taken, what is refused, and what never shows."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from beattop.sources.supervisor.server import Server, bare, parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("unix:///run/supervisor.sock", "unix:///run/supervisor.sock"),
        ("unix:///run//x/../supervisor.sock", "unix:///run/supervisor.sock"),
        (" http://127.0.0.1:9001/ ", "http://127.0.0.1:9001"),
        ("http://box:9001/RPC2", "http://box:9001"),
        ("HTTP://Box:9001", "http://box:9001"),
        ("http://[::1]:9001", "http://[::1]:9001"),
        ("http://box", "http://box:80"),
    ],
)
def test_urls(text: str, url: str):
    assert parse(text) == Server(url)


def test_credentials_leave_the_url_and_the_repr():
    server = parse("http://ops:s3%40cr%2Fet@h:9001")
    assert (server.url, server.username, server.password) == ("http://h:9001", "ops", "s3@cr/et")
    assert "s3" not in repr(server) and "s3" not in server.name
    unix = parse("unix://ops:pw@/run/s.sock")
    assert (unix.url, unix.username, unix.password) == ("unix:///run/s.sock", "ops", "pw")


def test_credentials_beside_the_url():
    assert parse("http://h:1", "u", "p").password == "p"
    assert parse("http://a:b@h:1", "u", "p").username == "a"


def test_a_relative_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    assert parse("unix://run/s.sock").url == f"unix://{tmp_path}/run/s.sock"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://h:9001",
        "ftp://h",
        "unix:/run/s.sock",
        "unix://",
        "unix:///",
        "http://",
        "http://h:99999",
        "http://h:9001/path",
        "http://h:9001?x=1",
        "http://u:pa/ss@h:9001",
        "localhost:9001",
        "/no/such/file.conf",
    ],
)
def test_refused_in_one_line(text: str):
    with pytest.raises(ValueError) as caught:
        parse(text)
    words = str(caught.value)
    assert words.startswith((text.split("pa/ss", maxsplit=1)[0], "is empty"))
    assert "\n" not in words
    assert "pa/ss" not in words


def test_confs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    conf = tmp_path / "supervisord.conf"
    conf.write_text("; mine\n[supervisord]\n")
    assert parse(str(conf)) == Server(None, conf=str(conf))
    assert parse(str(conf)).name == f"conf:{conf}"
    monkeypatch.chdir(tmp_path)
    assert parse("supervisord.conf").conf == str(conf)


def test_what_is_no_conf(tmp_path: Path):
    part = tmp_path / "beat.conf"
    part.write_text("[program:beat]\ncommand=x\n")
    text = tmp_path / "notes.txt"
    text.write_text("hello\n")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s.sock"))
        for name, words in [
            ("", "folder"),
            ("beat.conf", "the conf file that includes this one"),
            ("notes.txt", "no [supervisord] section"),
            ("s.sock", "unix://"),
            ("none.conf", "no such file"),
        ]:
            with pytest.raises(ValueError, match=words.replace("[", r"\[")):
                parse(str(tmp_path / name))
    with pytest.raises(ValueError, match="folder"):
        parse(f"unix://{tmp_path}")


def test_bare():
    assert bare("http://u:p@127.0.0.1:9001/RPC2") == "http://127.0.0.1:9001"
    assert bare("nonsense:") == ""
