"""The one line that tells why."""

from __future__ import annotations

import pytest

from beattop.model.words import last_error

HEAD = "[2025-11-23 06:54:12,345: {}/MainProcess] "


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], None),
        (["", "  "], None),
        (["one", "two", ""], "two"),
        (
            [
                "celery beat v5.7.0 (singularity) is starting.",
                "ERROR: Pidfile (/run/beat.pid) already exists.",
                "Seems we're already running? (pid: 30748)",
            ],
            "ERROR: Pidfile (/run/beat.pid) already exists.",
        ),
        (
            [
                "Traceback (most recent call last):",
                '  File "/srv/v/bin/celery", line 8, in <module>',
                "    sys.exit(main())",
                "ModuleNotFoundError: No module named 'foo'",
            ],
            "ModuleNotFoundError: No module named 'foo'",
        ),
        (
            ["    lock()", "celery.platforms.LockFailed: [Errno 17] File exists: 'beat.pid'"],
            "celery.platforms.LockFailed: [Errno 17] File exists: 'beat.pid'",
        ),
        (["    raise Oops()", "proj.Oops: bad"], "proj.Oops: bad"),
        (["    assert x", "AssertionError"], "AssertionError"),
        (
            [
                "Usage: celery [OPTIONS] COMMAND [ARGS]...",
                "Try 'celery --help' for help.",
                "",
                "Error: Invalid value for '-A' / '--app': ",
                "Unable to load celery application.",
                "The module nosuch was not found.",
            ],
            "Unable to load celery application. The module nosuch was not found.",
        ),
        (["Usage: celery beat", "", "Error: No such option: -A"], "Error: No such option: -A"),
        (
            ["celery: error: unrecognized arguments: --foo"] * 2,
            "celery: error: unrecognized arguments: --foo",
        ),
        (["sh: 1: celery: not found"], "sh: 1: celery: not found"),
        (
            ["bash: line 1: celery: command not found", ""],
            "bash: line 1: celery: command not found",
        ),
        (["working", "Killed", "bye"], "Killed"),
        (
            [
                HEAD.format("CRITICAL") + "Unrecoverable error: ValueError('x')",
                HEAD.format("INFO") + "shutting down",
            ],
            "Unrecoverable error: ValueError('x')",
        ),
        (
            [HEAD.format("INFO") + "beat: Starting...", HEAD.format("INFO") + "bye"],
            "bye",
        ),
        (
            # The cause of the last death, not of an earlier one.
            ["ERROR: Pidfile (a.pid) already exists.", "    import x", "ImportError: no x"],
            "ImportError: no x",
        ),
        (
            ["PermissionError: [Errno 13] Permission denied: '/x'"],
            "PermissionError: [Errno 13] Permission denied: '/x'",
        ),
    ],
)
def test_last_error(lines: list[str], expected: str | None):
    assert last_error(lines) == expected
