"""The one line of a program's own log that tells why it died."""

from __future__ import annotations

import re
from collections.abc import Sequence

# `[2025-11-23 06:54:12,345: ERROR/MainProcess] `: Celery's own head of a line.
_HEAD = re.compile(r"^\[[\d-]{10} [\d:]{8}[,.]\d{3}: (?P<level>[A-Z]+)/[^\]]*\] ?")
_TRACEBACK = re.compile(r"^\s*Traceback \(most recent call last\)")
_EXCEPTION = re.compile(
    r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Failed|Failure|Fault|Timeout"
    r"|Found|Configured|Registered|Denied|Refused)\b(?::.*)?$"
)
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?::.*)?$")
_CAUSE = (
    # What Celery, click, a shell, Python itself and the kernel say before the end.
    re.compile(r"Pidfile \(.*\) already exists"),
    re.compile(r"LockFailed"),
    re.compile(r"Unable to load celery application"),
    re.compile(r"^(?:celery: |usage: )?[Ee]rror: (?:No such|Invalid|Missing|Got|Unknown|Option)"),
    re.compile(r"error: (?:unrecognized|argument|no such option|invalid)", re.I),
    re.compile(r"No such (?:command|option)"),
    re.compile(r"You are using `?\S+`? as an option of the \S+ sub-command"),
    re.compile(r"command not found|: not found$|: Permission denied$|No such file or directory"),
    re.compile(r"can't open file|No module named|cannot execute|Exec format error"),
    re.compile(r"\[Errno -?\d+\]"),
    re.compile(r"^Killed\b|Out of memory|MemoryError|Segmentation fault|Fatal Python error"),
    re.compile(r"Unrecoverable error|beat raised exception|Running a worker with superuser"),
    # supervisord's own child, before its exec (supervisor.process.Subprocess._spawn_as_child).
    re.compile(r"^supervisor: couldn't (?:setuid|chdir|exec)\b"),
    re.compile(r"^(?:CRITICAL|FATAL)\b|\bCRITICAL[:/]"),
)
_CALM = re.compile(r"Scheduler: Sending due task|beat: Starting|Waking up in")


def headless(line: str) -> str:
    """A line without Celery's head of time and level."""
    return _HEAD.sub("", line).rstrip()


def last_error(lines: Sequence[str]) -> str | None:
    """The line, oldest first, that names the cause of the last death; else the last that is
    not empty; None where there is none.

    A line's head of time and level is cut off. Where one sentence is spread over two lines
    (`Unable to load celery application.`, then the reason) both are given.
    """
    bare = [headless(line) for line in lines]
    found: int | None = None
    for index, line in enumerate(bare):
        if _raised(bare, index) or _causal(lines[index], line):
            found = index if found is None or not _follows(bare, found, index) else found
    if found is None:
        calm = (line.strip() for line in reversed(bare) if not _CALM.search(line))
        return next(filter(None, calm), None)
    line = bare[found].strip()
    after = bare[found + 1].strip() if found + 1 < len(bare) else ""
    if line.endswith("Unable to load celery application.") and after:
        return f"{line} {after}"
    if line.endswith(":") and after and not _EXCEPTION.match(line.rstrip(":")):
        return f"{line} {after}"
    return line


def _causal(whole: str, line: str) -> bool:
    if not line or line[0].isspace() or _CALM.search(line):
        return False
    head = _HEAD.match(whole)
    if head is not None and head["level"] in ("CRITICAL", "FATAL"):
        return True
    return any(cause.search(line) for cause in _CAUSE)


def _raised(bare: Sequence[str], index: int) -> bool:
    """Whether a line is the last one of a traceback: the exception itself."""
    line = bare[index]
    if not line or line[0].isspace() or _TRACEBACK.match(line):
        return False
    above = bare[index - 1] if index else ""
    return bool(
        _EXCEPTION.match(line) or (above.startswith("    ") and _RAISED.match(line) is not None)
    )


def _follows(bare: Sequence[str], first: int, second: int) -> bool:
    """Whether the second line only says more of the first: of a click error, of a refusal."""
    return second == first + 1 and bare[first].rstrip().endswith("application.")
