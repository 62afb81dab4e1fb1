"""Replies recorded from releases that do not run on today's Python, replayed by a local server.

They come from supervisor 3.3.5 on Python 2.7, 4.0.4 on 3.6, 4.1.0 on 3.7, 4.2.0 and 4.2.5 on 3.8.
Each file is one session: beat and beat2 RUNNING with stopasgroup=true, fatal FATAL, back in
BACKOFF, once EXITED with 73; then beat2 is stopped, stopped again, started, started again.
"""

from __future__ import annotations

import json
import threading
import xmlrpc.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from beattop.actions.guard import judge
from beattop.actions.writer import Refused, WriteClient, wire
from beattop.sources.supervisor.client import ReadClient
from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.rpcconfig import program_configs
from beattop.sources.supervisor.server import Server

FOLDER = Path(__file__).parent / "replies"
VERSIONS = sorted(path.stem for path in FOLDER.glob("*.json"))


class Replay(HTTPServer):
    """Answers each call with the next recorded reply to it; the last one stays."""

    def __init__(self, version: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.version = version
        self.recorded = json.loads((FOLDER / f"{version}.json").read_text())

    @property
    def server(self) -> Server:
        return Server(f"http://127.0.0.1:{self.server_port}")

    def reply(self, method: str, params: list[object]) -> str:
        fits = [r for r in self.recorded if (r["method"], r["params"]) == (method, params)]
        assert fits, f"{method}{params} was not recorded"
        if len(fits) > 1:
            self.recorded.remove(fits[0])
        return str(fits[0]["reply"])


class Answer(BaseHTTPRequestHandler):
    server: Replay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        params, method = xmlrpc.client.loads(body)
        reply = self.server.reply(str(method), list(params)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(params=VERSIONS)
def replay(request: pytest.FixtureRequest) -> Iterator[Replay]:
    with Replay(request.param) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join(5)


def test_five_releases_are_here() -> None:
    assert VERSIONS == ["3.3.5", "4.0.4", "4.1.0", "4.2.0", "4.2.5"]


def test_a_look(replay: Replay) -> None:
    client = ReadClient(replay.server)
    assert client.version() == replay.version
    states = {p.name: p for p in client.read_programs("s")}
    assert {name: p.state for name, p in states.items()} == {
        "beat": "RUNNING",
        "beat2": "RUNNING",
        "fatal": "FATAL",
        "back": "BACKOFF",
        "once": "EXITED",
    }
    assert states["beat"].pid > 1 and states["fatal"].pid == 0
    assert states["once"].exit_status == 73
    assert states["back"].exit_status == 0, "the main log alone knows"
    assert states["fatal"].spawnerr.startswith("Exited too quickly")
    assert states["beat"].start_at > 1_700_000_000 and states["beat"].stop_at == 0
    assert states["beat"].stdout_log == "/srv/log/beat.log"


def test_its_configuration_is_as_thin_as_the_release(replay: Replay) -> None:
    told = ReadClient(replay.server).configs()
    assert [entry["name"] for entry in told] == ["back", "beat", "beat2", "fatal", "once"]
    made = {c.name: c for c in program_configs(replay.server, "s", 5.0)}
    if replay.version == "3.3.5":
        assert "startsecs" not in told[0] and "killasgroup" not in told[0]
        assert made == {}
    else:
        assert made["back"].startsecs == 2 and made["back"].startretries == 1000
        assert made["beat"].killasgroup and not made["back"].killasgroup
        assert made["once"].stopwaitsecs == 5


def test_a_stop_and_a_start(replay: Replay) -> None:
    noted: list[tuple[str, str]] = []
    told = lambda call, result: noted.append((call, result))  # noqa: E731
    client = WriteClient(replay.server, "s", told, wire(replay.server))
    assert client.state("beat2").state == "RUNNING"
    client.stop("beat2")
    assert client.state("beat2").state in ("STOPPING", "STOPPED")
    stopped = client.state("beat2")
    assert (stopped.state, stopped.pid) == ("STOPPED", 0)
    with pytest.raises(Refused) as again:
        client.stop("beat2")
    assert again.value.code == 70
    client.start("beat2")
    with pytest.raises(Refused) as twice:
        client.start("beat2")
    assert twice.value.code == 60
    assert client.state("beat2").state in ("STARTING", "RUNNING")
    with pytest.raises(Refused) as between:
        client.stop("once")
    assert between.value.code == 70
    with pytest.raises(Refused) as unknown:
        client.state("nope")
    assert unknown.value.code == 10
    assert [result for _, result in noted][:3] == [
        "accepted",
        "fault 70: NOT_RUNNING: beat2",
        "accepted",
    ]


def test_the_guard_by_what_it_tells(replay: Replay) -> None:
    """Without a readable conf: 3.3 never tells, 4.0 to 4.2.1 tell by killasgroup."""
    client = WriteClient(replay.server, "s", lambda call, result: None, wire(replay.server))
    version = client.version()
    stands = {n: judge(version, client.config(n, n), None).stands for n in ("beat2", "back")}
    assert stands == {
        "3.3.5": {"beat2": True, "back": True},
        "4.2.5": {"beat2": False, "back": False},
    }.get(version, {"beat2": True, "back": False})


def test_an_unknown_method_in_words(replay: Replay) -> None:
    link = xmlrpc.client.ServerProxy(replay.server.url or "")
    with pytest.raises(xmlrpc.client.Fault) as fault:
        link.supervisor.signalProcess2("x")
    assert explain(fault.value, replay.server.url or "", None)[1]
