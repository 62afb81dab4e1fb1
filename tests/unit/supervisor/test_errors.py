"""Each failure says what would mend it, and none tells a password."""

from __future__ import annotations

import errno
import http.client
import socket
import xmlrpc.client

import pytest

from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.transport import Unreadable

URL = "unix:///run/supervisor.sock"


def http_error(code: int) -> xmlrpc.client.ProtocolError:
    return xmlrpc.client.ProtocolError(URL, code, "x", {})


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(errno.EACCES, "no"), "denied", "/run/supervisor.sock"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "down", "left over"),
        (FileNotFoundError(errno.ENOENT, "no"), "down", "does not exist"),
        (TimeoutError("timed out"), "timeout", "does not answer in time"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "down", "closed the connection"),
        (http.client.RemoteDisconnected("x"), "down", "closed the connection"),
        (http.client.BadStatusLine("SSH-2.0"), "down", "does not speak HTTP"),
        (socket.gaierror(-2, "x"), "down", "host name"),
        (OSError(errno.ENAMETOOLONG, "x"), "down", "too long"),
        (OSError("AF_UNIX path too long"), "down", "AF_UNIX path too long"),
        (Unreadable("the answer is no XML-RPC"), "down", "supervisord's language"),
        (http_error(501), "down", "not supervisord's"),
        (http_error(404), "down", "not supervisord's"),
        (http_error(500), "degraded", "main log"),
        (http_error(418), "down", "418"),
        (xmlrpc.client.Fault(1, "UNKNOWN_METHOD"), "absent", "[rpcinterface:supervisor]"),
        (xmlrpc.client.Fault(6, "SHUTDOWN_STATE"), "degraded", "shutting down"),
        (xmlrpc.client.Fault(10, "BAD_NAME: x\x1b[2J"), "degraded", "fault 10: BAD_NAME: x"),
        (ValueError("odd"), "down", "odd"),
    ],
)
def test_words(error: BaseException, status: str, words: str):
    told = explain(error, URL)
    assert told[0] == status
    assert words in told[1]
    assert "\x1b" not in told[1] and "\n" not in told[1]


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (None, "wants a user name and a password"),
        ("{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d", "only the password's {SHA} hash"),
        ("hunter2", "does not take this user name and password"),
    ],
)
def test_unauthorized(password: str | None, words: str):
    status, told = explain(http_error(401), "http://127.0.0.1:9001", password)
    assert status == "denied"
    assert words in told
    assert not password or password not in told
