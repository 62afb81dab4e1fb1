"""Lines of supervisord's main log as events.

The wordings are those of supervisor 3.0 to 4.3 (process.py, supervisord.py, options.py). Since 4.0
a spawned name stands between plain single quotes, before it was Python 2's repr of it. Lines that
tell nothing of a program's lives, continuation lines and the output of children, which loglevel
debug writes into the same file, give None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from beattop.model.logevents import LogEvent, LogKind
from beattop.sources.mainlog.clock import Clock
from beattop.text import clean, mask

MAX_LINE = 8192
"""Bytes; a longer line is no line of supervisord's own."""
_MAX_NAME = 200
_MAX_TEXT = 300

_LINE = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:[0-5]\d,\d{3}) [A-Z]{4} (.*)")
_ENDED = (
    r"(?:exit status (?P<status>\d{1,5})"
    r"|terminated by (?P<signal>SIG\w+|signal \d+)(?P<core> \(core dumped\))?"
    r"|(?P<other>unknown termination cause 0x[0-9a-f]+))"
)
_QUOTED = r"(?P<name>u?'.*'|u?\".*\")"
_HIGH_BYTE = re.compile(r"\\x[89a-f][0-9a-f]")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[\\\\'\"nrt])")
_LAST_CODE = 0x10FFFF

Pattern = tuple[LogKind, "re.Pattern[str]"]


def _patterns(*pairs: tuple[LogKind, str]) -> tuple[Pattern, ...]:
    return tuple((kind, re.compile(pattern)) for kind, pattern in pairs)


_BY_FIRST_WORD: dict[bytes, tuple[Pattern, ...]] = {
    b"spawned:": _patterns(("spawned", rf"spawned: {_QUOTED} with pid (?P<pid>\d{{1,10}})")),
    b"success:": _patterns(
        ("running", r"success: (?P<name>.+) entered RUNNING state, process has stayed up .*")
    ),
    b"exited:": _patterns(
        ("exited", rf"exited: (?P<name>.+) \({_ENDED}; (?P<expected>expected|not expected)\)")
    ),
    b"stopped:": _patterns(("stopped", rf"stopped: (?P<name>.+) \({_ENDED}\)")),
    b"gave": _patterns(("fatal", r"gave up: (?P<name>.+) entered FATAL state, (?P<text>.*)")),
    b"spawnerr:": _patterns(
        (
            "spawn-error",
            r"spawnerr: (?P<text>(?:too many open files to spawn|unknown error making dispatchers "
            r"for|Too many processes in process table to spawn|unknown error during fork for) "
            rf"{_QUOTED}(?:: \w+)?)",
        ),
        ("spawn-error", r"spawnerr: (?P<text>.*)"),
    ),
    b"waiting": _patterns(
        ("stopping", r"(?P<text>waiting for (?P<name>.+) to stop)"),
        ("server-stopping", r"(?P<text>waiting for .* to die)"),
    ),
    b"killing": _patterns(
        ("killing", rf"killing {_QUOTED} \((?P<pid>\d{{1,10}})\) with (?P<signal>SIG\w+)"),
        # loglevel debug
        (
            "stopping",
            r"(?P<text>killing (?P<name>.+) \(pid (?P<pid>\d{1,10})\) (?:process group )?"
            r"with signal (?P<signal>SIG\w+|signal \d+))",
        ),
    ),
    # A stop in BACKOFF: at loglevel info it leaves no line at all.
    b"Attempted": _patterns(
        ("stopping", r"(?P<text>Attempted to kill (?P<name>.+), which is in BACKOFF state\.)")
    ),
    b"reaped": _patterns(
        (
            "reaped-unknown",
            rf"(?P<text>reaped unknown pid (?P<pid>\d{{1,10}})\)?(?: \({_ENDED}\))?)",
        )
    ),
    b"supervisord": _patterns(
        ("server-started", r"(?P<text>supervisord started with pid (?P<pid>\d{1,10}))")
    ),
    # Written in the same place when the pidfile cannot be: supervisord has started all the same.
    b"could": _patterns(("server-started", r"(?P<text>could not write pidfile .*)")),
    b"received": _patterns(
        (
            "server-stopping",
            r"(?P<text>received (?P<signal>SIG\w+) indicating (?:exit|restart) request)",
        )
    ),
}


def parse(line: bytes | str, supervisor: str, clock: Clock) -> LogEvent | None:
    """One line, with or without its newline; None where it is none of those that tell.

    A stamp that occurred twice is read as the first; see Clock.settle.
    """
    raw = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
    raw = raw.rstrip(b"\r\n")
    if len(raw) > MAX_LINE:
        return None
    match = _LINE.fullmatch(raw)
    if match is None:
        return None
    event = parse_message(match[2], supervisor)
    if event is None:
        return None
    at = clock.read(match[1])
    return None if at is None else stamped(event, at, event.pid)


def parse_lines(
    lines: Iterable[bytes], supervisor: str, clock: Clock, limit: float
) -> list[LogEvent]:
    """Events of one stretch of log that was written no later than `limit`."""
    events = [e for e in (parse(line, supervisor, clock) for line in lines) if e is not None]
    return clock.settle(events, limit)


def stamped(event: LogEvent, at: float, pid: int | None) -> LogEvent:
    """`event` at another time with another pid."""
    return LogEvent(
        at, event.supervisor, event.kind, event.name, pid,
        event.status, event.signal, event.expected, event.text,
    )  # fmt: skip


def parse_message(message: bytes, supervisor: str) -> LogEvent | None:
    """What stands after time and level, as an event at time 0; None as in `parse`."""
    patterns = _BY_FIRST_WORD.get(message.split(b" ", 1)[0])
    if patterns is None:
        return None
    text = clean(message.decode("utf-8", "replace"))
    for kind, pattern in patterns:
        match = pattern.fullmatch(text)
        if match is not None:
            return _event(kind, match.groupdict(), supervisor)
    return None


def _event(kind: LogKind, found: dict[str, str | None], supervisor: str) -> LogEvent:
    name = found.get("name") or ""
    if kind in ("spawned", "killing", "spawn-error"):
        name = _unquoted(name)
    pid, status, expected = found.get("pid"), found.get("status"), found.get("expected")
    text = found.get("text") or found.get("other") or (found.get("core") or "").strip(" ()")
    return LogEvent(
        0.0,
        supervisor,
        kind,
        name[:_MAX_NAME],
        int(pid) if pid else None,
        int(status) if status else None,
        found.get("signal"),
        expected == "expected" if expected else None,
        mask(text[:_MAX_TEXT]),
    )


def _unquoted(quoted: str) -> str:
    """The name within plain single quotes (4.x) or Python 2's repr of it (3.x)."""
    wide = quoted.startswith("u")
    name = quoted[2:-1] if wide else quoted[1:-1]
    if "\\" not in name:
        return name
    if wide:
        return clean(_ESCAPE.sub(lambda match: _character(match[1]), name))
    # repr never uses double quotes without need, and 4.x never; but a backslash between single
    # quotes may be the name's own: only bytes that spell UTF-8 are taken for escapes there.
    if not quoted.startswith('"') and not _HIGH_BYTE.search(name):
        return name
    spelt = _ESCAPE.sub(lambda match: _character(match[1]), name)
    try:
        return clean(spelt.encode("latin-1").decode("utf-8"))
    except UnicodeError:
        return name


def _character(escape: str) -> str:
    if escape[0] in "xuU":
        code = int(escape[1:], 16)
        return chr(code) if code <= _LAST_CODE else "\ufffd"
    return {"n": "\n", "r": "\r", "t": "\t"}.get(escape, escape)
