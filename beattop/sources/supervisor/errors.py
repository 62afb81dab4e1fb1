"""Every way in which asking a supervisord fails, as a status and words that say what mends it."""

from __future__ import annotations

import errno
import http.client
import socket
import xmlrpc.client

from beattop.model.source import Status
from beattop.sources.supervisor.transport import Unreadable
from beattop.text import safe

SHUTDOWN_STATE = 6
"""supervisor.xmlrpc.Faults: it is on its way out."""
UNKNOWN_METHOD = 1
_NO_INTERFACE = (
    "it answers, but its conf has no [rpcinterface:supervisor] section: add one with "
    "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface"
)
_HTTP: dict[int, tuple[Status, str]] = {
    404: ("down", "an HTTP server, but not supervisord's, answers there: check the address"),
    405: ("down", "an HTTP server, but not supervisord's, answers there: check the address"),
    500: ("degraded", "supervisord failed on the request itself: its main log tells why"),
    501: ("down", "an HTTP server, but not supervisord's, answers there: check the address"),
}
_OS: dict[int, tuple[Status, str]] = {
    errno.ENOENT: (
        "down",
        "the socket does not exist: supervisord does not run, or its socket file was removed",
    ),
    errno.ECONNREFUSED: (
        "down",
        "nobody listens there: supervisord does not run (a socket file may be left over)",
    ),
    errno.ENAMETOOLONG: ("down", "the socket's path is too long"),
    errno.ENOTDIR: ("down", "the socket's path leads through something that is no folder"),
    errno.ENOTSOCK: ("down", "the path is not a socket"),
    errno.EHOSTUNREACH: ("down", "the host cannot be reached"),
    errno.ENETUNREACH: ("down", "the network cannot be reached"),
}


def explain(error: BaseException, url: str, password: str | None = None) -> tuple[Status, str]:
    """(status, what is wrong and what would mend it) for whatever a call raised.

    `url` is the server's without credentials; `password` only tells whether one was sent and
    whether it is a hash: it never becomes part of the words.
    """
    if isinstance(error, xmlrpc.client.ProtocolError):
        return _protocol(error, password)
    if isinstance(error, xmlrpc.client.Fault):
        return _fault(error)
    if isinstance(error, Unreadable):
        return "down", f"what answers there does not speak supervisord's language: {_words(error)}"
    if isinstance(error, TimeoutError):  # before OSError, which it is
        return "timeout", (
            "it does not answer in time: supervisord hangs, is stopped (SIGSTOP) or is overloaded"
        )
    if isinstance(error, PermissionError):
        return "denied", _denied(url)
    if isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
        return "down", "it closed the connection without an answer: is it a supervisord at all?"
    if isinstance(error, http.client.HTTPException):
        return "down", "what answers there does not speak HTTP: check the address"
    if isinstance(error, socket.gaierror):
        return "down", "the host name is not known: check the address"
    if isinstance(error, OSError):
        known = _OS.get(error.errno or 0)
        return known or ("down", f"it cannot be reached: {error.strerror or _words(error)}")
    return "down", f"it cannot be asked: {_words(error)}"


def _words(error: BaseException) -> str:
    return safe(str(error))[:200] or type(error).__name__


def _denied(url: str) -> str:
    path = url[len("unix://") :] if url.startswith("unix://") else url
    return (
        f"no permission for {path}: run beattop as its owner or with sudo, or set chmod and chown "
        "in [unix_http_server]"
    )


def _protocol(error: xmlrpc.client.ProtocolError, password: str | None) -> tuple[Status, str]:
    if error.errcode == http.client.UNAUTHORIZED:
        if password is None:
            return "denied", (
                "it wants a user name and a password; give --supervisor "
                "http://USER:PASSWORD@HOST:PORT, a [[supervisor]] entry in the config, or a conf "
                "file you may read"
            )
        if password.startswith("{SHA}"):
            return "denied", (
                "the conf holds only the password's {SHA} hash: the clear one has to be given, "
                "with --supervisor or a [[supervisor]] entry in the config"
            )
        return "denied", "it does not take this user name and password; check both"
    known = _HTTP.get(error.errcode)
    return known or ("down", f"it answers with HTTP status {error.errcode}: check the address")


def _fault(error: xmlrpc.client.Fault) -> tuple[Status, str]:
    if error.faultCode == UNKNOWN_METHOD:
        return "absent", _NO_INTERFACE
    if error.faultCode == SHUTDOWN_STATE:
        return "degraded", "supervisord is shutting down or restarting"
    return "degraded", f"supervisord answered with fault {error.faultCode}: {_fault_text(error)}"


def _fault_text(error: xmlrpc.client.Fault) -> str:
    return safe(str(error.faultString))[:200]
