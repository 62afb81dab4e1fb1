"""Where a main log lies, and the older files that rotation left beside it."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace

from beattop.sources.rooted import inside

_MOST_LINKS = 40
_STREAM = re.compile(r"/dev/(?:std(?:out|err|in)|fd/\d+|tty\w*|console)|/proc/[^/]+/fd/\d+")
_NUMBERED = re.compile(r"\.(\d{1,6})(\.gz)?")
_DATED = re.compile(r"[-._](\d{4}-?\d{2}-?\d{2}(?:[-_T]?\d+)?)(\.gz)?")
_PACKED = (".xz", ".bz2", ".zst", ".lz4", ".Z")
_PUT_ASIDE = (".old", ".bak", ".prev", ".save")


class NoLogError(Exception):
    """There is no file to read; the text says why and what would mend it."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """An older log."""

    path: str
    number: int
    """1 is the newest; counted along where the names carry dates."""
    packed: bool
    """Compressed with gzip."""


def locate(path: str | None, root: str) -> str:
    """The path under which this process reaches the log; raises NoLogError where it is no file."""
    name = (path or "").strip()
    if not name or name.lower() in ("none", "off", "syslog", "auto"):
        where = "syslog" if name.lower() == "syslog" else "no file"
        raise NoLogError(f"supervisord logs to {where}: set logfile= in [supervisord]")
    if not name.startswith("/"):
        raise NoLogError(f"the log's path is relative ({name}) and its directory is not known")
    # A link to /dev/stdout would lead to our own standard output.
    step = name
    for _ in range(_MOST_LINKS):
        if _STREAM.fullmatch(os.path.normpath(step)):
            raise NoLogError(f"supervisord logs to {step}: set logfile= to a file in [supervisord]")
        try:
            target = os.readlink(root + step)
        except OSError:
            break
        step = os.path.join(os.path.dirname(step), target)
    return inside(root, name)


def open_regular(path: str) -> int:
    """A descriptor of a regular file, opened without waiting.

    Raises OSError, and NoLogError for another kind of file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NoLogError(f"{path} is no regular file: set logfile= to one in [supervisord]")
    return fd


def rotated(path: str) -> tuple[list[Rotated], str]:
    """Older logs beside `path`, newest first, and words for what there is but cannot be read.

    supervisord numbers them `.1`, `.2` ... (supervisor/loggers.py, RotatingFileHandler), logrotate
    likewise, also from `.0`, or by date, at the end or before the extension; compressed or not.
    """
    base = os.path.basename(path)
    try:
        names = os.listdir(os.path.dirname(path))
    except OSError:
        return [], ""
    numbered: dict[int, Rotated] = {}
    dated: dict[tuple[str, str], tuple[str, bool]] = {}
    words = ""
    for name in sorted(names):  # while one is being compressed the plain one, which is whole, first
        full = os.path.join(os.path.dirname(path), name)
        rest = _rest(name, base)
        if match := _NUMBERED.fullmatch(rest):
            number = int(match[1])
            numbered.setdefault(number, Rotated(full, number, bool(match[2])))
        elif match := _DATED.fullmatch(rest):
            date = re.sub(r"\D", "", match[1])
            dated.setdefault((date, full.removesuffix(".gz")), (full, bool(match[2])))
        elif rest.endswith(_PACKED):
            words = f"{full} is compressed in a way that is not read here"
        elif rest in _PUT_ASIDE:
            words = f"{full} is not read: its name does not tell when it was the log"
    if 0 in numbered:  # logrotate's start 0
        numbered = {n + 1: replace(file, number=n + 1) for n, file in numbered.items()}
    first = max(numbered, default=0) + 1
    found = [
        Rotated(full, first + i, packed)
        for i, (_, (full, packed)) in enumerate(sorted(dated.items(), reverse=True))
    ]
    return [numbered[n] for n in sorted(numbered)] + found, words


def _rest(name: str, base: str) -> str:
    """What rotation added to the log's name, at its end or before its extension; "" for nothing."""
    if name.startswith(base):
        return name[len(base) :]
    stem, extension = os.path.splitext(base)
    plain = name.removesuffix(".gz")
    if not extension or not name.startswith(stem) or not plain.endswith(extension):
        return ""
    return plain[len(stem) : -len(extension)] + name[len(plain) :]


def missing(files: list[Rotated]) -> bool:
    """Whether a number between the first and the last is not there."""
    numbers = {file.number for file in files}
    return bool(numbers) and numbers != set(range(1, max(numbers) + 1))
