"""What was done, by whom, to what end: one JSON line an event, never a secret."""

from __future__ import annotations

import json
import os
import pwd
import socket
import uuid
from contextlib import suppress
from pathlib import Path

from beattop.text import safe

MOST_BYTES = 5 * 1024 * 1024
"""Then the file becomes journal.jsonl.1, and the one that bore this name before is gone."""


def default_path(environ: os._Environ[str] | dict[str, str] = os.environ) -> Path:
    """`$XDG_STATE_HOME/beattop/journal.jsonl`, ~/.local/state by default (XDG base directories)."""
    base = environ.get("XDG_STATE_HOME", "")
    # The specification wants a relative path ignored.
    folder = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return folder / "beattop" / "journal.jsonl"


class Journal:
    """Appends to one file, which is made with its folder at the first line."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._who = _who()
        self.trouble = ""
        """Why a line of this action could not be written, in words; "" while all is well."""

    def begin(self) -> str:
        """A name for one action: all its lines carry it as `action`."""
        self.trouble = ""
        return uuid.uuid4().hex[:12]

    def write(self, action: str, event: str, at: float, fields: dict[str, object]) -> None:
        """Append one line. A failure is kept in `trouble` and never stops an action."""
        line = {"at": round(at, 3), "action": action, "event": event, **self._who, **fields}
        data = json.dumps(_clean(line), ensure_ascii=False).encode() + b"\n"
        try:
            path = self._path or default_path()
            self._append(path, data)
        except (OSError, RuntimeError) as why:  # RuntimeError: Path.home() of a user without one
            reason = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
            self.trouble = f"the journal could not be written: {reason}"

    def _append(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path, flags, 0o600)
        try:
            if os.fstat(handle).st_size + len(data) > MOST_BYTES:
                os.replace(path, path.with_name(path.name + ".1"))
                os.close(handle)
                handle = os.open(path, flags, 0o600)
            # One write a line: O_APPEND keeps two beattops from mixing theirs.
            written = os.write(handle, data)
        finally:
            os.close(handle)
        if written != len(data):
            raise OSError(28, "the disk is full")


def _clean(value: object) -> object:
    """Every text in it cleaned and masked."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


def _who() -> dict[str, object]:
    """Who acts, on which host and terminal; SUDO_USER tells who became root."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = None
    tty = None
    for handle in (0, 1, 2):
        with suppress(OSError):
            tty = os.ttyname(handle)
            break
    sudo = os.environ.get("SUDO_USER")
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "uid": uid,
        "user": user,
        "sudo_user": sudo,
        "tty": tty,
    }
