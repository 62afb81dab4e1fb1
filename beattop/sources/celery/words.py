"""The end of each program's own log."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace

from beattop.model.files import LastWords
from beattop.sources.rooted import inside, open_regular
from beattop.text import safe

TAIL_BYTES = 16384
_LINES = 12
_LONGEST = 500
_ROTATED_UNDER = 2048
_SENDING = b"Scheduler: Sending due task"
_STAMP = re.compile(r"^\W{0,3}(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[,.](\d{3})")
_STALE_S = 60.0
_QUARTER_S = 900.0


@dataclass(frozen=True, slots=True)
class ProgramLog:
    """Where one program's words go."""

    supervisor: str
    group: str
    name: str
    stdout: str | None
    """Absolute in its own root; None for no file."""
    stderr: str | None
    root: str = ""
    troubled: bool = False
    """It dies or died lately: its words matter."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Supervisor, group and name."""
        return self.supervisor, self.group, self.name

    def reached(self) -> ProgramLog:
        """The same with its paths as they are reached from here; follows links on the disk."""
        paths = [inside(self.root, p) if p else None for p in (self.stdout, self.stderr)]
        return replace(self, stdout=paths[0], stderr=paths[1], root="")


@dataclass(frozen=True, slots=True)
class Tail:
    """The last bytes of one log file."""

    path: str
    raw: bytes
    mtime_at: float | None


@dataclass(frozen=True, slots=True)
class _Known:
    stamps: tuple[object, ...]
    words: LastWords


class DeniedError(Exception):
    """No log of the program may be read; the text is its path."""


class Logs:
    """Reads the tails of logs that changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], _Known] = {}

    def read(self, log: ProgramLog) -> LastWords | None:
        """A program's last words; None where it has no log file; raises DeniedError."""
        key = log.key
        stamps = tuple(_stamp(path) for path in (log.stderr, log.stdout) if path)
        known = self._known.get(key)
        if known is not None and known.stamps == stamps:
            return known.words
        told = self._tail(log)
        if told is None:
            return None
        words = last_words(log, told, known.words.sent_at if known else None)
        self._known[key] = _Known(stamps, words)
        return words

    def keep(self, keys: set[tuple[str, str, str]]) -> None:
        """Forget all other programs."""
        self._known = {key: known for key, known in self._known.items() if key in keys}

    def _tail(self, log: ProgramLog) -> Tail | None:
        found: list[Tail] = []
        denied: str | None = None
        for path in (log.stderr, log.stdout):
            if not path:
                continue
            try:
                found.append(tail(path))
            except PermissionError:
                denied = path
            except OSError:
                continue
        spoken = [one for one in found if one.raw.strip()]
        if not spoken:
            if denied is not None:
                raise DeniedError(denied)
            return found[0] if found else None
        # Tracebacks and refusals go to stderr, unless that has been silent for long.
        newest = max(one.mtime_at or 0.0 for one in spoken)
        return next(one for one in spoken if (one.mtime_at or 0.0) >= newest - _STALE_S)


def tail(path: str, most: int = TAIL_BYTES) -> Tail:
    """The end of a log, and of its predecessor where it was just rotated; raises OSError."""
    handle = open_regular(path)
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        file.seek(max(0, found.st_size - most))
        raw = file.read(most)
    mtime_at = found.st_mtime
    if found.st_size < _ROTATED_UNDER:
        try:
            before = open_regular(f"{path}.1")  # supervisor.loggers.RotatingFileHandler
        except OSError:
            return Tail(path, raw, mtime_at)
        with open(before, "rb") as file:
            old = os.fstat(before)
            file.seek(max(0, old.st_size - most))
            raw = file.read(most) + raw
        mtime_at = max(mtime_at, old.st_mtime) if raw else mtime_at
    return Tail(path, raw, mtime_at)


def last_words(log: ProgramLog, told: Tail, sent_before: float | None) -> LastWords:
    """The last lines of a tail, cleaned and masked, and when a beat last sent."""
    rows = [row for row in told.raw.split(b"\n") if row.strip()]
    shown = [safe(row.decode("utf-8", "replace").rstrip("\r")) for row in rows[-_LINES:]]
    return LastWords(
        supervisor=log.supervisor,
        group=log.group,
        name=log.name,
        lines=tuple(line[:_LONGEST].rstrip() for line in shown),
        mtime_at=told.mtime_at,
        sent_at=_sent(rows, told.mtime_at) or sent_before,
        path=safe(told.path),
    )


def _sent(rows: list[bytes], mtime_at: float | None) -> float | None:
    """When the last `Sending due task` line was written."""
    for row in reversed(rows):
        if _SENDING not in row:
            continue
        at = _stamped(row)
        if at is not None:
            return at + _shift(rows, mtime_at)
        return mtime_at if row is rows[-1] else None
    return None


def _shift(rows: list[bytes], mtime_at: float | None) -> float:
    """Seconds between our zone and the log's: a Django project's is its TIME_ZONE.

    Its last line was written when the file was; zones differ by quarters of an hour.
    """
    last = next((at for row in reversed(rows) if (at := _stamped(row)) is not None), None)
    if last is None or mtime_at is None:
        return 0.0
    quarters = round((mtime_at - last) / _QUARTER_S)
    near = abs(mtime_at - last - quarters * _QUARTER_S) < _STALE_S
    return quarters * _QUARTER_S if near else 0.0


def _stamped(row: bytes) -> float | None:
    match = _STAMP.match(safe(row.decode("utf-8", "replace")))
    return _local(match[1], match[2]) if match else None


def _local(text: str, milliseconds: str) -> float | None:
    """Celery's logs are in local time (logging.Formatter)."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S")) + int(milliseconds) / 1000
    except (ValueError, OverflowError):
        return None


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        return -(error.errno or 1), 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
