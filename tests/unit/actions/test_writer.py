"""The writing client: two calls that change something, each sent once."""

from __future__ import annotations

import http.client
import xmlrpc.client
from typing import Any

import pytest

from beattop.actions.guard import judge, release
from beattop.actions.writer import WRITE_METHODS, NoAnswer, Refused, WriteClient
from beattop.sources.supervisor.client import READ_METHODS
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.transport import Unreadable
from tests.unit.actions.scene import URL, config


class Sent:
    """A wire that keeps what was sent and gives `answer`, or raises it."""

    def __init__(self, answer: object = True) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.answer = answer

    def __call__(self, method: str, params: tuple[Any, ...]) -> object:
        self.calls.append((method, params))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def client(sent: Sent, notes: list[tuple[str, str]] | None = None) -> WriteClient:
    kept = notes if notes is not None else []
    server = Server(URL, "ops", "hunter2")
    return WriteClient(server, URL, lambda call, result: kept.append((call, result)), sent)


def test_never_more_than_stop_and_start() -> None:
    assert {"supervisor.startProcess", "supervisor.stopProcess"} == WRITE_METHODS
    assert not WRITE_METHODS & READ_METHODS


def test_stop_and_start_do_not_wait() -> None:
    sent, notes = Sent(), []  # type: ignore[var-annotated]
    client(sent, notes).stop("jobs:beat")
    client(sent, notes).start("jobs:beat")
    assert sent.calls == [
        ("supervisor.stopProcess", ("jobs:beat", False)),
        ("supervisor.startProcess", ("jobs:beat", False)),
    ]
    assert notes == [
        ('supervisor.stopProcess("jobs:beat", wait=False)', "accepted"),
        ('supervisor.startProcess("jobs:beat", wait=False)', "accepted"),
    ]


@pytest.mark.parametrize("name", ["", "jobs:", "jobs:*"])
def test_never_a_whole_group(name: str) -> None:
    sent = Sent()
    for act in (client(sent).stop, client(sent).start):
        with pytest.raises(ValueError, match="does not name one program"):
            act(name)
    assert sent.calls == []


def test_a_fault_is_refused_with_its_code_and_noted() -> None:
    sent, notes = Sent(xmlrpc.client.Fault(70, "NOT_RUNNING: beat\x1b[2J")), []  # type: ignore[var-annotated]
    with pytest.raises(Refused) as caught:
        client(sent, notes).stop("beat")
    assert caught.value.code == 70
    assert "\x1b" not in str(caught.value)
    assert len(sent.calls) == 1
    assert notes[0][1] == "fault 70: NOT_RUNNING: beat"


@pytest.mark.parametrize(
    ("error", "words", "unsure"),
    [
        (TimeoutError("timed out"), "it does not answer in time", True),
        (ConnectionResetError(104, "reset"), "it closed the connection", True),
        (BrokenPipeError(32, "pipe"), "it closed the connection", True),
        (http.client.IncompleteRead(b""), "what answers there does not speak HTTP", True),
        (Unreadable("no XML-RPC"), "what answers there does not speak supervisord's", True),
        (ConnectionRefusedError(111, "refused"), "nobody listens there", False),
        (FileNotFoundError(2, "none"), "the socket does not exist", False),
        (PermissionError(13, "denied"), "no permission for /run/supervisor.sock: ", False),
        (
            xmlrpc.client.ProtocolError(URL, 401, "Unauthorized", {}),
            "it does not take this user name and password",
            False,
        ),
    ],
)
def test_whether_a_call_may_still_be_carried_out(
    error: Exception, words: str, unsure: bool
) -> None:
    sent, notes = Sent(error), []  # type: ignore[var-annotated]
    with pytest.raises(NoAnswer, match=f"^{words}") as caught:
        client(sent, notes).stop("beat")
    assert caught.value.sent == unsure
    assert len(sent.calls) == 1
    assert notes[0][1] == str(caught.value)
    assert "hunter2" not in str(notes)


def test_what_a_supervisord_says_is_cut() -> None:
    assert len(client(Sent("4" * 500)).version()) == 40
    with pytest.raises(Refused) as caught:
        client(Sent(xmlrpc.client.Fault(1, "x" * 500))).stop("beat")
    assert len(str(caught.value)) == len("fault 1: ") + 200


@pytest.mark.parametrize("answer", [True, [], "RUNNING", {"group": "g"}, None])
def test_an_answer_that_is_no_program(answer: object) -> None:
    with pytest.raises(NoAnswer):
        client(Sent(answer)).state("beat")


def test_a_state() -> None:
    state = client(Sent({"name": "b", "group": "g", "state": 30, "pid": 0})).state("g:b")
    assert (state.group, state.name, state.state, state.supervisor) == ("g", "b", "BACKOFF", URL)


def test_a_programs_own_config_entry() -> None:
    entries = [{"group": "x", "name": "b"}, {"group": "g", "name": "b", "killasgroup": False}]
    assert client(Sent(entries)).config("g", "b")["killasgroup"] is False
    assert client(Sent(entries)).config("g", "c") == {}
    with pytest.raises(NoAnswer):
        client(Sent("none")).config("g", "b")


def test_releases() -> None:
    assert release("4.2.1") == (4, 2, 1)
    assert release("4.2") == (4, 2, 0)
    assert release("3.4.0.dev0") == (3, 4, 0)
    assert release("unknown") == ()


def test_the_guard_by_what_is_known() -> None:
    off, on = config("b", stopasgroup=False), config("b", stopasgroup=True)
    assert judge("4.2.1", {}, on).stands
    assert judge("4.2.1", {"killasgroup": True}, None).stands
    assert judge("4.2.1", {"killasgroup": 0}, None).stands, "only a plain False proves it"
    assert not judge("4.2.1", {"killasgroup": False}, on).stands
    assert not judge("3.0", {}, off).stands
    assert not judge("4.2.2", {}, on).stands
    assert not judge("10.0.0", {}, None).stands
