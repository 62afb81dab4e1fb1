"""The client of questions only."""

from __future__ import annotations

import xmlrpc.client

import pytest

from beattop.sources.supervisor import client as module
from beattop.sources.supervisor.client import READ_METHODS, NotARead, ReadClient, program_state
from beattop.sources.supervisor.rpcconfig import program_configs
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import Unreadable

ENTRY = {
    "name": "beat\x1b[2J",
    "group": "g",
    "start": 5,
    "stop": 0,
    "now": 9,
    "state": 30,
    "statename": "BACKOFF",
    "spawnerr": "can't exec --password=hunter2\nx",
    "exitstatus": 0,
    "logfile": "",
    "stdout_logfile": "/var/log/o.log",
    "stderr_logfile": "",
    "pid": 0,
    "description": "",
}


class Wire:
    """Stands in for the transport and writes down what would be sent."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.sent: list[str] = []

    def __call__(self, *_: object) -> Wire:
        return self

    def request(self, host: str, handler: str, body: bytes) -> tuple[object, ...]:
        _, method = xmlrpc.client.loads(body)
        self.sent.append(method or "")
        return (self.answer,)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire([ENTRY])
    monkeypatch.setattr(module, "transport", made)
    return made


@pytest.mark.parametrize(
    "method",
    [
        "supervisor.stopProcess",
        "supervisor.startProcess",
        "supervisor.reloadConfig",
        "supervisor.clearLog",
        "supervisor.clearProcessLogs",
        "supervisor.shutdown",
        "supervisor.restart",
        "supervisor.sendProcessStdin",
        "supervisor.signalProcess",
        "supervisor.removeProcessGroup",
        "system.multicall",
        "supervisor.getState\n",
        "",
    ],
)
def test_a_writer_is_never_sent(wire: Wire, method: str):
    with pytest.raises(NotARead):
        ReadClient(Server("unix:///s")).call(method, "beat")
    assert wire.sent == []


def test_no_name_on_the_list_writes():
    words = ("stop", "start", "clear", "reload", "send", "signal", "add", "remove", "shut", "multi")
    for method in READ_METHODS:
        verb = method.rpartition(".")[2].lower()
        assert not verb.startswith(words), method
        assert verb.startswith(("get", "read", "tail", "list")), method


def test_programs_are_cleaned(wire: Wire):
    (told,) = ReadClient(Server("unix:///s")).read_programs("id")
    assert wire.sent == ["supervisor.getAllProcessInfo"]
    assert (told.supervisor, told.group, told.name, told.state) == ("id", "g", "beat", "BACKOFF")
    assert told.spawnerr == "can't exec --password=** x"
    assert (told.stdout_log, told.stderr_log, told.start_at) == ("/var/log/o.log", None, 5.0)


@pytest.mark.parametrize("answer", ["x", 1, [1], [{"name": "a"}], {"name": "a"}])
def test_other_answers(wire: Wire, answer: object):
    wire.answer = answer
    with pytest.raises(Unreadable):
        ReadClient(Server("unix:///s")).read_programs("id")


def test_odd_values_do_not_break_a_program():
    told = program_state({**ENTRY, "pid": "x", "state": 77, "start": -4, "stop": None}, "id", 1.0)
    assert (told.pid, told.state, told.start_at, told.stop_at) == (0, "UNKNOWN", 0.0, 0.0)


def test_a_server_without_an_address():
    with pytest.raises(ValueError, match="conf:/c"):
        ReadClient(Server(None, conf="/c"))


def test_configs_by_rpc(wire: Wire):
    wire.answer = [
        {
            "name": "beat",
            "group": "beat",
            "command": "celery beat -b redis://:pw@h",
            "inuse": True,
            "autostart": True,
            "killasgroup": False,
            "startsecs": 0,
            "stopsignal": 2,
            "directory": "none",
            "stdout_logfile": "auto",
        },
        {"name": "idle", "group": "idle", "command": "x", "inuse": False},
        {"name": "old", "group": "old", "inuse": True},  # supervisor 3.x has no command there
    ]
    (told,) = program_configs(Server("unix:///s"), "id", 1.0)
    assert told.command == "celery beat -b redis://:**@h"
    assert (told.startsecs, told.stopsignal, told.directory) == (0, "SIGINT", None)
    assert (told.stopasgroup, told.file, told.stdout_log) == (False, "", None)


def test_calls_in_one_breath_are_sent_before_the_first_answer_is_read(
    monkeypatch: pytest.MonkeyPatch,
):
    happened: list[str] = []

    class Link:
        def __init__(self, *_: object) -> None:
            pass

        def send(self, handler: str, body: bytes) -> Open:
            _, method = xmlrpc.client.loads(body)
            happened.append(f"sent {method}")
            return Open(method or "")

        def receive(self, open_: Open) -> tuple[object, ...]:
            happened.append(f"read {open_.method}")
            return (open_.method,)

    class Open:
        def __init__(self, method: str) -> None:
            self.method = method

        def close(self) -> None:
            happened.append("closed")

    monkeypatch.setattr(module, "transport", Link)
    methods = ("supervisor.getPID", "supervisor.getState")
    assert ReadClient(Server("unix:///s")).calls(*methods) == list(methods)
    assert happened[:4] == [f"{did} {method}" for did in ("sent", "read") for method in methods]
    assert happened[4:] == ["closed", "closed"]
    with pytest.raises(NotARead):
        ReadClient(Server("unix:///s")).calls("supervisor.getPID", "supervisor.shutdown")
    assert len(happened) == 6


def test_a_short_queue_of_connections_is_asked_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
):
    class Link:
        def __init__(self, *_: object) -> None:
            self.open = 0

        def send(self, handler: str, body: bytes) -> Link:
            if self.open:
                raise TimeoutError
            self.open += 1
            return self

        def receive(self, link: Link) -> tuple[object, ...]:
            return ("first",)

        def request(self, host: str, handler: str, body: bytes) -> tuple[object, ...]:
            return ("later",)

        def close(self) -> None:
            pass

    monkeypatch.setattr(module, "transport", Link)
    answers = ReadClient(Server("unix:///s")).calls("supervisor.getPID", "supervisor.getState")
    assert answers == ["first", "later"]
