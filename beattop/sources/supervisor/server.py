"""Where a supervisord is asked: the address and credentials, or the conf file that holds them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from beattop.text import safe

_FORMS = (
    "give unix:///path/to/supervisor.sock, http://USER:PASSWORD@HOST:PORT or a supervisord.conf"
)
_CONF_MOST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """One supervisord's server as the user, a conf file or a child's environment names it."""

    url: str | None
    """`unix:///path` or `http://host:port`, no credentials; None while only a conf is known."""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    conf: str | None = None
    """Path of the conf file it was named by; None where a URL named it."""

    @property
    def name(self) -> str:
        """The URL, or `conf:/path`: what to call it before more is known."""
        return self.url or f"conf:{self.conf}"


def parse(text: str, username: str | None = None, password: str | None = None) -> Server:
    """What `--supervisor` or a `[[supervisor]]` entry of the config names.

    Takes `unix:///path`, `http://user:pw@host:port` or the path of a conf file; relative paths are
    taken from the working directory. `username` and `password` stand in for those a URL lacks. A
    server that does not run or a conf that may not be read is no error here. Raises ValueError with
    one line that says what to give instead, without any password.
    """
    text = text.strip()
    if not text:
        raise ValueError(f"is empty: {_FORMS}")
    scheme, mark, _ = text.partition("://")
    if mark and "/" not in scheme:
        if scheme.lower() == "unix":
            return _unix(text, username, password)
        if scheme.lower() == "http":
            return _http(text, username, password)
        hint = ""
        if scheme.lower() == "https":
            hint = "supervisord itself speaks no TLS; "
        _refuse(text, f"{hint}{_FORMS}")
    if text.startswith("unix:"):
        _refuse(text, "a socket is given as unix:///path, with three slashes")
    return _conf(text, username, password)


def _refuse(text: str, why: str) -> NoReturn:
    raise ValueError(f"{safe(text)}: {why}")


def _unix(text: str, username: str | None, password: str | None) -> Server:
    path = text[len("unix://") :]
    head, at, tail = path.partition("@/")
    if at and ":" in head and "/" not in head:
        path = "/" + tail
        user, _, secret = head.partition(":")
        username, password = unquote(user), unquote(secret)
    if not path.strip("/") or "\0" in path:
        _refuse(text, "name the socket: unix:///path/to/supervisor.sock")
    path = os.path.abspath(path)
    if os.path.isdir(path):
        _refuse(text, "that is a folder: name the socket in it")
    return Server(f"unix://{path}", username, password)


def _http(text: str, username: str | None, password: str | None) -> Server:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        _refuse(
            text,
            "the address cannot be read: give http://USER:PASSWORD@HOST:PORT, "
            "with / : @ in the password written as %2F %3A %40",
        )
    if not parts.hostname or port == 0:
        _refuse(text, "name host and port: http://127.0.0.1:9001")
    if parts.path.rstrip("/") not in ("", "/RPC2") or parts.query or parts.fragment:
        _refuse(text, "leave out all that follows the port: http://127.0.0.1:9001")
    if parts.username is not None:
        username = unquote(parts.username)
        password = unquote(parts.password or "")
    return Server(_bare(parts), username, password)


def _bare(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{parts.port or 80}"


def bare(url: str) -> str:
    """`url` without credentials and trailing path, spelled as `parse` would; "" if it is none."""
    try:
        return parse(url).url or ""
    except ValueError:
        return ""


def _conf(text: str, username: str | None, password: str | None) -> Server:
    path = os.path.abspath(os.path.expanduser(text))
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            _refuse(text, "that is a folder: name the conf file in it")
        if stat.S_ISSOCK(found.st_mode):
            _refuse(text, f"that is a socket: give unix://{path}")
        if not stat.S_ISREG(found.st_mode) or found.st_size > _CONF_MOST:
            _refuse(text, f"that is no conf file: {_FORMS}")
        with open(path, "rb") as file:
            sections = {line.split(b"]")[0] for line in file if line.startswith(b"[")}
    except PermissionError:
        return Server(None, username, password, path)
    except FileNotFoundError:
        _refuse(text, f"there is no such file: {_FORMS}")
    except OSError as error:
        _refuse(text, f"it cannot be read ({error.strerror}): {_FORMS}")
    if sections & {b"[supervisord", b"[include"}:
        return Server(None, username, password, path)
    if any(section.startswith((b"[program:", b"[group:")) for section in sections):
        _refuse(text, "it has no [supervisord] section: give the conf file that includes this one")
    _refuse(text, f"that is no supervisord.conf (no [supervisord] section): {_FORMS}")
