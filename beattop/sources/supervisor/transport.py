"""XML-RPC over a unix socket or HTTP that cannot hang, be flooded or stay poisoned.

xmlrpc.client's and supervisor's own transports have no timeout, keep a broken connection after an
error, may send one request twice, and fail on a control byte in a log line.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import socket
import time
import xmlrpc.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

if TYPE_CHECKING:
    from _typeshed import SizedBuffer, WriteableBuffer

MOST_BYTES = 16 * 1024 * 1024
"""Longest answer that is read: 500 programs' getAllProcessInfo is about 1 MB."""
UNIX_PATH_MOST = 107
"""Bytes of a unix socket's path that fit into sun_path, unix(7)."""
CALL_ERRORS = (OSError, http.client.HTTPException, xmlrpc.client.Error)
"""All that a call over this transport may raise; `errors.explain` has words for each."""

_ANSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
# What XML 1.0 does not allow as a character; readLog hands over whatever a program printed.
# Named one by one: as the complement of what is allowed it takes ten times as long to compile.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Unreadable(xmlrpc.client.ResponseError):
    """The answer is no XML-RPC, or longer than any supervisord's."""


class _DeadlineSocket(socket.socket):
    """A socket whose reads together end by `deadline` (monotonic), however slowly bytes drip in."""

    deadline: float = 0.0

    def arm(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.settimeout(left)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        self.arm()
        return super().recv_into(buffer, nbytes, flags)


class _Connection(http.client.HTTPConnection):
    """One request to one server, over whichever socket its URL names."""

    def __init__(self, url: str, seconds: float) -> None:
        parts = urlsplit(url)
        self._path = url[len("unix://") :] if parts.scheme == "unix" else None
        super().__init__("localhost" if self._path else parts.hostname or "", parts.port or 80)
        self._deadline = time.monotonic() + seconds

    def connect(self) -> None:
        if self._path is not None:
            self.sock = self._unix(self._path)
            return
        failure: OSError = OSError(f"no address for {self.host}")
        for family, kind, proto, _, address in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            sock = _DeadlineSocket(family, kind, proto)
            try:
                self._connect(sock, address)
                self.sock = sock
                return
            except OSError as error:
                sock.close()
                failure = error
        raise failure

    def _unix(self, path: str) -> _DeadlineSocket:
        sock = _DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        handle = -1
        try:
            if len(os.fsencode(path)) > UNIX_PATH_MOST:
                # A path-only descriptor of the socket itself is a short name for it.
                handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
                path = f"/proc/self/fd/{handle}"
            self._connect(sock, path)
        except BaseException:
            sock.close()
            raise
        finally:
            if handle >= 0:
                os.close(handle)
        return sock

    def _connect(self, sock: _DeadlineSocket, address: object) -> None:
        sock.deadline = self._deadline
        sock.arm()
        try:
            sock.connect(address)  # type: ignore[arg-type]  # str or what getaddrinfo gave
        except BlockingIOError:
            # A full backlog: nobody has accepted for a long time, connect(2) on unix sockets.
            raise TimeoutError("its queue of connections is full") from None


class Transport(xmlrpc.client.Transport):
    """One connection a call, so nothing is shared between calls or threads."""

    user_agent = "beattop"

    def __init__(
        self, url: str, username: str | None, password: str | None, timeout: float
    ) -> None:
        super().__init__()
        self._url = url
        self._timeout = timeout
        self._auth = None
        if username is not None or password is not None:
            pair = f"{username or ''}:{password or ''}".encode()
            self._auth = "Basic " + base64.b64encode(pair).decode("ascii")

    def request(
        self, host: object, handler: str, request_body: SizedBuffer, verbose: bool = False
    ) -> tuple[xmlrpc.client._Marshallable, ...]:
        """Send one call once; raises one of CALL_ERRORS."""
        return self.receive(self.send(handler, request_body))

    def send(self, handler: str, request_body: SizedBuffer) -> http.client.HTTPConnection:
        """Send one call; its answer is read by `receive`. Raises one of CALL_ERRORS."""
        connection = _Connection(self._url, self._timeout)
        headers = {"Content-Type": "text/xml", "User-Agent": self.user_agent, "Connection": "close"}
        if self._auth:
            headers["Authorization"] = self._auth
        try:
            connection.request("POST", handler, bytes(request_body), headers)
        except BaseException:
            connection.close()
            raise
        return connection

    def receive(
        self, connection: http.client.HTTPConnection
    ) -> tuple[xmlrpc.client._Marshallable, ...]:
        """The answer to a call that was sent; raises one of CALL_ERRORS."""
        try:
            # The response holds the socket too: both are to be closed.
            with connection.getresponse() as answer:
                if answer.status != http.client.OK:
                    raise xmlrpc.client.ProtocolError(self._url, answer.status, answer.reason, {})
                body = answer.read(MOST_BYTES + 1)
        finally:
            connection.close()
        return parse(body)


def parse(body: bytes) -> tuple[xmlrpc.client._Marshallable, ...]:
    """The values in an XML-RPC answer, control bytes made harmless; raises Fault or Unreadable."""
    if len(body) > MOST_BYTES:
        raise Unreadable(f"the answer is longer than {MOST_BYTES} bytes")
    text = _NOT_XML.sub("\ufffd", _ANSI.sub(b"", body).decode("utf-8", "replace"))
    if "<!" in text.replace("<![CDATA[", ""):
        raise Unreadable("the answer declares XML entities")
    parser, target = xmlrpc.client.getparser()
    try:
        parser.feed(text.encode())
        parser.close()
        return target.close()
    except (ExpatError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as why:
        # The stock unmarshaller trips over its own stack where tags do not nest as they should.
        raise Unreadable(f"the answer is no XML-RPC ({why})") from why


def transport(
    url: str, username: str | None = None, password: str | None = None, timeout: float = 1.5
) -> Transport:
    """A transport for `unix:///path` or `http://host:port` (no credentials in it).

    `timeout` is seconds for a whole call, connecting, sending and reading included; only the
    resolution of a host name is not bounded by it. Use it as
    `xmlrpc.client.ServerProxy("http://localhost", transport=transport(...))`. A call is never sent
    a second time. Safe to share between threads. Raises ValueError for another scheme or no port.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("unix", "http") or (parts.scheme == "http" and parts.port == 0):
        raise ValueError(f"{url}: a supervisord is reached by unix:///path or http://host:port")
    return Transport(url, username, password, timeout)
