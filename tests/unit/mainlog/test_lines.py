"""Each line that supervisord writes, of 3.x and 4.x, and what others wrote into its log."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supervisor.loggers import LevelsByName, LogRecord

from beattop.model.logevents import LogEvent
from beattop.sources.mainlog.clock import Clock
from beattop.sources.mainlog.lines import MAX_LINE, parse, parse_lines
from tests.unit.mainlog import written

STAMP = "2026-01-31 04:12:33,123"
AT = time.mktime((2026, 1, 31, 4, 12, 33, 0, 0, -1)) + 0.123


def read(message: str | bytes, level: str = "INFO") -> LogEvent | None:
    head = f"{STAMP} {level} "
    line = head.encode() + message if isinstance(message, bytes) else head + message
    return parse(line, "s", Clock())


def event(kind, name="", **more) -> LogEvent:
    return LogEvent(AT, "s", kind, name, **more)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("spawned: 'beat2' with pid 4711", event("spawned", "beat2", pid=4711)),
        ("spawned: 'a b:c' with pid 1", event("spawned", "a b:c", pid=1)),
        ("spawned: 'it's' with pid 1", event("spawned", "it's", pid=1)),
        ("spawned: \"it's\" with pid 1", event("spawned", "it's", pid=1)),
        ("spawned: 'bücher' with pid 1", event("spawned", "bücher", pid=1)),
        (r"spawned: u'b\xfccher' with pid 1", event("spawned", "bücher", pid=1)),
        (r"spawned: u'\u2603\U0001f600' with pid 1", event("spawned", "☃😀", pid=1)),
        (r"spawned: 'b\xc3\xbccher' with pid 1", event("spawned", "bücher", pid=1)),
        (r"spawned: 'back\slash' with pid 1", event("spawned", r"back\slash", pid=1)),
        (
            "success: beat entered RUNNING state, process has stayed up for > than 1 seconds "
            "(startsecs)",
            event("running", "beat"),
        ),
        (
            "exited: beat2 (exit status 73; not expected)",
            event("exited", "beat2", status=73, expected=False),
        ),
        ("exited: cron (exit status 0; expected)", event("exited", "cron", status=0, expected=True)),
        (
            "exited: a (b) c (terminated by SIGKILL; not expected)",
            event("exited", "a (b) c", signal="SIGKILL", expected=False),
        ),
        (
            "exited: a (terminated by SIGSEGV (core dumped); not expected)",
            event("exited", "a", signal="SIGSEGV", expected=False, text="core dumped"),
        ),
        (
            "exited: a (terminated by signal 35; not expected)",
            event("exited", "a", signal="signal 35", expected=False),
        ),
        (
            "exited: a (unknown termination cause 0x00ff; not expected)",
            event("exited", "a", expected=False, text="unknown termination cause 0x00ff"),
        ),
        ("stopped: a (exit status 0)", event("stopped", "a", status=0)),
        ("stopped: a (terminated by SIGTERM)", event("stopped", "a", signal="SIGTERM")),
        (
            "gave up: a entered FATAL state, too many start retries too quickly",
            event("fatal", "a", text="too many start retries too quickly"),
        ),
        (
            "spawnerr: can't find command '/x --password=hunter2'",
            event("spawn-error", text="can't find command '/x --password=**'"),
        ),
        (
            "spawnerr: unknown error during fork for 'a b': ENOMEM",
            event("spawn-error", "a b", text="unknown error during fork for 'a b': ENOMEM"),
        ),
        (
            "spawnerr: too many open files to spawn 'a'",
            event("spawn-error", "a", text="too many open files to spawn 'a'"),
        ),
        ("waiting for a to stop", event("stopping", "a", text="waiting for a to stop")),
        ("waiting for a, b to die", event("server-stopping", text="waiting for a, b to die")),
        ("killing 'a' (12) with SIGKILL", event("killing", "a", pid=12, signal="SIGKILL")),
        (
            "killing a (pid 12) process group with signal SIGTERM",
            event(
                "stopping", "a", pid=12, signal="SIGTERM",
                text="killing a (pid 12) process group with signal SIGTERM",
            ),
        ),
        (
            "Attempted to kill a, which is in BACKOFF state.",
            event("stopping", "a", text="Attempted to kill a, which is in BACKOFF state."),
        ),
        ("reaped unknown pid 33)", event("reaped-unknown", pid=33, text="reaped unknown pid 33)")),
        (
            "reaped unknown pid 33 (terminated by SIGTERM)",
            event(
                "reaped-unknown", pid=33, signal="SIGTERM",
                text="reaped unknown pid 33 (terminated by SIGTERM)",
            ),
        ),
        (
            "supervisord started with pid 77",
            event("server-started", pid=77, text="supervisord started with pid 77"),
        ),
        (
            "could not write pidfile /run/s.pid",
            event("server-started", text="could not write pidfile /run/s.pid"),
        ),
        (
            "received SIGTERM indicating exit request",
            event(
                "server-stopping", signal="SIGTERM",
                text="received SIGTERM indicating exit request",
            ),
        ),
        (
            "received SIGHUP indicating restart request",
            event(
                "server-stopping", signal="SIGHUP",
                text="received SIGHUP indicating restart request",
            ),
        ),
    ],
)  # fmt: skip
def test_wordings(message, expected):
    assert read(message) == expected
    assert read(message.encode(), "WARN") == expected
    assert read(message + "\n", "DEBG") == expected


@pytest.mark.parametrize(
    "message",
    [
        "ignored SIGHUP indicating restart request (shutdown in progress)",
        "received SIGUSR2 indicating log reopen request",
        "received SIGCHLD indicating a child quit",
        "RPC interface 'supervisor' initialized",
        "daemonizing the supervisord process",
        "'beat' stdout output:",
        "process 'a' already running",
        "fd 7 closed, stopped monitoring <POutputDispatcher at 1 for <Subprocess>>",
        "exited: a",
        "exited: a (exit status 73; not expe",
        "exited: (exit status 73; not expected)",
        "spawned: 'a' with pid ",
        "spawned: 'a' with pid 12345678901",
        "spawned: a with pid 1",
        "",
    ],
)
def test_other_lines_tell_nothing(message):
    assert read(message) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "Traceback (most recent call last):",
        "[2026-01-31 04:12:33,123: INFO/MainProcess] beat: Starting...",
        f" {STAMP} INFO exited: a (exit status 1; expected)",
        f"{STAMP} INFO",
        "2026-13-31 04:12:33,123 INFO exited: a (exit status 1; expected)",
        "2026-02-30 04:12:33,123 INFO exited: a (exit status 1; expected)",
        "0000-01-01 04:12:33,123 INFO exited: a (exit status 1; expected)",
        "2026-01-31 04:12:73,123 INFO exited: a (exit status 1; expected)",
        "2026-01-31T04:12:33,123 INFO exited: a (exit status 1; expected)",
        "26-01-31 04:12:33,123 INFO exited: a (exit status 1; expected)",
        "٢٠٢٦-01-31 04:12:33,123 INFO exited: a (exit status 1; expected)",
    ],
)
def test_what_is_no_line_tells_nothing(line):
    assert parse(line, "s", Clock()) is None


def test_hostile_bytes_are_made_harmless():
    got = read(b"exited: a\x1b[31m\x00\xff\xe2\x80\xae (exit status 1; expected)")
    assert got is not None
    assert got.name == "a\ufffd\ufffd\ufffd"


def test_endless_lines_and_names_are_bounded():
    assert read("exited: " + "x" * MAX_LINE + " (exit status 1; expected)") is None
    got = read("exited: " + "x" * 5000 + " (exit status 1; expected)")
    assert got is not None
    assert len(got.name) == 200


@pytest.mark.timeout(20)  # trying every quote with every other would take minutes
def test_many_quotes_cost_no_time():
    read("spawnerr: too many open files to spawn " + "'" * 8000 + "!")
    read("spawned: " + "'" * 8000)
    assert read("exited: " + " (exit status 1" * 500) is None


def test_a_stamp_as_supervisor_makes_it(monkeypatch):
    at = 1_795_402_549.2
    monkeypatch.setattr("supervisor.loggers.time.time", lambda: at)
    record = LogRecord(LevelsByName.WARN, "exited: beat (exit status 73; not expected)")
    line = "{asctime} {levelname} {message}\n".format(**record.asdict())
    got = parse(line, "s", Clock())
    assert got is not None
    assert abs(got.at - at) <= 0.0011, "it cuts milliseconds off"


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")),
    min_size=1,
    max_size=30,
).filter(lambda name: name.strip() == name and not name.startswith('"') and "\\" not in name)


@given(written.histories(names=("beat", "a b", "it's", "x:y", "bücher", "exited: a (")))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read(events):
    lines = written.log(events).splitlines(keepends=True)
    got = [parse(line, "s", Clock()) for line in lines]
    assert [e and round(e.at * 1000) for e in got] == [round(e.at * 1000) for e in events]
    assert [e and (e.kind, e.name, e.pid, e.status, e.signal, e.expected) for e in got] == [
        (e.kind, e.name, e.pid, e.status, e.signal, e.expected) for e in events
    ]


@given(NAMES, st.integers(0, 4_194_304))
@settings(deadline=None)
def test_any_name_is_read_back(name, pid):
    spawned, exited = written.spawned(AT, pid, name), written.exited(AT, name=name)
    data = written.log([spawned, exited])
    assert [e.name for e in parse_lines(data.splitlines(), "s", Clock(), 2**40)] == [name] * 2


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_bytes_break_it(data):
    parse(data, "s", Clock())
    read(data)
