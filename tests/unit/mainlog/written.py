"""Main logs as supervisord would write them, and hypothesis's ways to think them up."""

from __future__ import annotations

import time

from hypothesis import strategies as st

from beattop.model.logevents import LogEvent

NAME = "beat2"
BASE = 1_790_000_000


def stamp(at: float) -> str:
    """As supervisor.loggers.LogRecord.asdict, but rounded, since `at` is whole milliseconds."""
    whole = round(at * 1000)
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(whole // 1000))
    return f"{local},{whole % 1000:03d}"


def ended(event: LogEvent) -> str:
    if event.signal:
        core = f" ({event.text})" if event.text else ""
        return f"terminated by {event.signal}{core}"
    return event.text or f"exit status {event.status}"


def message(event: LogEvent) -> str:
    """As supervisor 4.3's process.py and supervisord.py write it."""
    name, pid = event.name, event.pid
    if event.kind == "spawned":
        return f"INFO spawned: '{name}' with pid {pid}"
    if event.kind == "running":
        return (
            f"INFO success: {name} entered RUNNING state, process has stayed up for > than 1 "
            "seconds (startsecs)"
        )
    if event.kind == "exited":
        level, word = ("INFO", "expected") if event.expected else ("WARN", "not expected")
        return f"{level} exited: {name} ({ended(event)}; {word})"
    if event.kind == "stopped":
        return f"WARN stopped: {name} ({ended(event)})"
    if event.kind == "fatal":
        return f"INFO gave up: {name} entered FATAL state, {event.text}"
    if event.kind == "killing":
        return f"WARN killing '{name}' ({pid}) with {event.signal}"
    if event.kind == "spawn-error":
        return f"INFO spawnerr: {event.text}"
    if event.kind == "server-started":
        return f"INFO {event.text}"
    if event.kind == "server-stopping":
        return f"WARN {event.text}"
    if event.kind in ("stopping", "reaped-unknown"):
        return f"INFO {event.text}"
    raise AssertionError(event.kind)


def line(event: LogEvent) -> str:
    return f"{stamp(event.at)} {message(event)}\n"


def log(events: list[LogEvent]) -> bytes:
    return "".join(map(line, events)).encode()


def spawned(at: float, pid: int = 7, name: str = NAME) -> LogEvent:
    return LogEvent(at, "s", "spawned", name, pid)


def exited(at: float, status: int | None = 73, name: str = NAME, **more) -> LogEvent:
    more.setdefault("expected", False)
    return LogEvent(at, "s", "exited", name, None, status, **more)


def stopped(at: float, name: str = NAME) -> LogEvent:
    return LogEvent(at, "s", "stopped", name, None, None, "SIGTERM")


def fatal(at: float, name: str = NAME) -> LogEvent:
    return LogEvent(at, "s", "fatal", name, text="too many start retries too quickly")


def running(at: float, name: str = NAME) -> LogEvent:
    return LogEvent(at, "s", "running", name)


def started(at: float) -> LogEvent:
    return LogEvent(at, "s", "server-started", "", 1, text="supervisord started with pid 1")


def gap(at: float) -> LogEvent:
    return LogEvent(at, "s", "gap", "")


_LIMITS = (300_000, 900_000, 3_600_000, 80_000_000)
STEPS = st.one_of(
    st.sampled_from([0, 1, 1000, 2500, 60_000, -1000, 290_000, 850_000]),
    st.builds(int.__add__, st.sampled_from(_LIMITS), st.integers(-3000, 3000)),
    st.integers(0, 5_000_000),
)
"""Milliseconds between events, many around the limits of beattop.model.streak."""


NEXT = "next"
"""A spawn after an exit and an exit after a spawn: what a log mostly holds."""


@st.composite
def histories(
    draw, names=(NAME,), make=(spawned, exited, stopped, fatal, running, started), most=40
):
    """Events in the order of a log, their times whole milliseconds."""
    at = BASE * 1000 + draw(st.integers(0, 999))
    out = []
    alive: set[str] = set()
    which = st.one_of(st.just(NEXT), st.just(NEXT), st.just(NEXT), st.sampled_from(make))
    step = st.tuples(STEPS, which, st.sampled_from(names), st.integers(0, 2))
    for passed, kind, name, n in draw(st.lists(step, max_size=most)):
        at = max(BASE * 1000, at + passed)
        build = kind
        if kind is NEXT:
            build = exited if name in alive else spawned
        if build in (started, gap):
            out.append(build(at / 1000))
        elif build is exited:
            ways = (
                {"status": 73},
                {"status": 0, "expected": True},
                {"status": None, "signal": "SIGKILL"},
            )
            out.append(exited(at / 1000, name=name, **ways[n]))
            alive.discard(name)
        elif build is spawned:
            out.append(spawned(at / 1000, 100 + n, name))
            alive.add(name)
        else:
            out.append(build(at / 1000, name))
    return out


def looping(count: int, at: float, name: str = "beat2", life: float = 2.0) -> list:
    out = []
    for i in range(count):
        out += [spawned(at, 100 + i, name), running(at + 1, name), exited(at + life, name=name)]
        at += life + 0.5
    return out
