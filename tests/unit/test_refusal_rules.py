"""A beat that finds a pidfile taken, rule by rule: refused or not, by which file, by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.refusal import (
    Refusal,
    barred,
    holder,
    proven_stale,
    refusal,
    turned_away,
)
from beattop.model.files import Handles, LastWords, Pidfile
from beattop.model.lives import Life
from beattop.model.process import ProcessKey
from beattop.model.role import Role
from beattop.model.snapshot import Beat, BeatKey, LastExit, Program, Snapshot, Unmanaged
from tests.unit.actions.scene import AT, URL, beat, config, member, program, snapshot

PATH = "/run/beat.pid"
TAKEN = f"ERROR: Pidfile ({PATH}) already exists."
HELD = "Seems we're already running? (pid: 201)"
LOCKED = "celery.platforms.LockFailed: x"
EXISTS = "OSError: [Errno 17] File exists: 'x'"
SENT = "Scheduler: Sending due task a (a)"


def words(*lines: str, mtime_at: float | None = AT - 1) -> LastWords:
    return LastWords(URL, "b", "b", lines, mtime_at, None, None)


def left(status: int | None = 73, signal: str | None = None) -> LastExit:
    return LastExit(status, signal, AT - 2, "cannot create")


def file(**facts: Any) -> Pidfile:
    found = Pidfile(PATH, "ok", 201, AT - 499, ProcessKey(201, 2010), ("celery", "beat"))
    return replace(found, **facts)


HOLDER = program("holder", 201)
KEPT = replace(beat(HOLDER, pidfile=PATH), holds_pidfile=True, started_at=AT - 500)
B = replace(
    program("b", 202, respawning=True, state="STARTING"),
    last_exit=left(),
    last_words=words(TAKEN, HELD),
    uptime_s=1.0,
)


def look(
    made: Program = B, *others: Beat, files: Sequence[Pidfile] = (), mine: Beat | None = None
) -> Snapshot:
    return snapshot([HOLDER, made], [*others, *([mine] if mine else ())], pidfiles=files)


# Its last word

WORDS = (
    ((TAKEN, HELD), TAKEN, PATH, 201),
    ((TAKEN,), TAKEN, PATH, None),
    ((HELD,), None, None, 201),
    (
        ("Pidfile (/old) already exists", "already running?   (pid: 9)", TAKEN, HELD),
        TAKEN,
        PATH,
        201,
    ),
    ((LOCKED,), LOCKED, None, None),
    ((EXISTS,), EXISTS, None, None),
    ((EXISTS, LOCKED), LOCKED, None, None),
    ((TAKEN, LOCKED), TAKEN, PATH, None),
    (("File exists", "x"), None, None, None),
    ((), None, None, None),
)


@pytest.mark.parametrize(("lines", "told", "path", "pid"), WORDS)
def test_the_last_words_tell_the_file_and_the_pid(
    lines: tuple[str, ...], told: str | None, path: str | None, pid: int | None
) -> None:
    made = replace(B, last_words=words(*lines))
    assert refusal(made, look(made)) == Refusal(path, None, pid, told)


EXITS = (
    (left(), ("nothing",), True),
    (left(1), (TAKEN,), True),
    (left(1), (LOCKED,), True),
    (None, (TAKEN,), True),
    (left(1), ("nothing",), False),
    (None, ("nothing",), False),
    (left(None, "SIGKILL"), (TAKEN,), False),
    (left(1), (TAKEN, "a", "b", "c"), True),
    (left(1), (TAKEN, "a", "b", "c", "d"), False),
)


@pytest.mark.parametrize(("ended", "lines", "is_refused"), EXITS)
def test_exit_73_or_a_log_that_ends_so(
    ended: LastExit | None, lines: tuple[str, ...], is_refused: bool
) -> None:
    made = replace(B, last_exit=ended, last_words=words(*lines))
    assert (refusal(made, look(made)) is not None) == is_refused


FREE = (
    ({}, {"holder": None}, True),
    ({}, {"status": "garbage", "holder": None}, True),
    ({}, {}, False),
    ({}, {"status": "denied", "holder": None}, False),
    ({"respawning": False, "state": "FATAL"}, {"holder": None}, False),
    # A shell's or --detach's own status: what became of the beat behind it is not known.
    ({"last_exit": left(0)}, {"holder": None}, False),
    ({"last_exit": None}, {"holder": None}, False),
)


@pytest.mark.parametrize(("facts", "now", "freed"), FREE)
def test_only_a_loop_that_exits_73_by_a_file_of_nobody_is_let_in_next(
    facts: dict[str, Any], now: dict[str, Any], freed: bool
) -> None:
    made = replace(B, **facts)
    found = refusal(made, look(made, files=[file(**now)]))
    assert found is not None and found.freed is freed


def _in(cwd: str | None) -> Program:
    found = member(202)
    return replace(B, members=(replace(found, process=replace(found.process, cwd=cwd)),))


RELATIVE = words("Pidfile (celerybeat.pid) already exists")
PLACES = (
    (_in("/leader"), beat(B, 202, cwd="/beat"), "/beat/celerybeat.pid"),
    (_in("/leader"), None, "/leader/celerybeat.pid"),
    (_in("/leader"), beat(HOLDER, 201, cwd="/beat"), "/leader/celerybeat.pid"),
    (_in("/leader"), replace(beat(B, 202), key=BeatKey("p", None, None)), "/leader/celerybeat.pid"),
    (_in(None), None, "/srv/proj/celerybeat.pid"),
    (replace(B, members=()), None, "/srv/proj/celerybeat.pid"),
    (replace(B, members=(), config=None), None, None),
    (replace(B, members=(), config=None), replace(beat(B, 202, pidfile="/own"), key=BeatKey("p", None, None)), "/own"),
)  # fmt: skip


@pytest.mark.parametrize(("made", "mine", "path"), PLACES)
def test_a_relative_path_is_placed_where_the_beat_runs(
    made: Program, mine: Beat | None, path: str | None
) -> None:
    made = replace(made, last_words=RELATIVE)
    found = refusal(made, look(made, *([mine] if mine else ())))
    assert found is not None and found.path == path


def test_a_path_that_is_configured_through_a_link_is_the_files_own() -> None:
    made = replace(B, last_words=words("Pidfile (/link) already exists"))
    other = file(path="/other", named=("/x",))
    found = refusal(made, look(made, files=[other, file(named=("/link",))]))
    assert found is not None and found.fact is not None
    assert found.path == found.fact.path == PATH
    silent = replace(B, last_words=None)
    found = refusal(silent, look(silent, files=[other], mine=beat(B, pidfile=PATH)))
    assert found is not None and (found.path, found.fact) == (PATH, None)


def test_who_holds_the_file_is_not_refused_unless_it_respawns() -> None:
    mine = file(holder=ProcessKey(202, 2020))
    calm = replace(B, respawning=False)
    assert refusal(calm, look(calm, files=[mine])) is None
    assert refusal(B, look(B, files=[mine])) is None
    later = replace(mine, holder_started_at=AT - 490)
    assert refusal(B, look(B, files=[later])) is not None
    assert refusal(calm, look(calm, files=[later])) is None
    assert refusal(calm, look(calm, files=[file()])) is not None


# Who holds it


def refused(
    fact: Pidfile | None = None, pid: int | None = None, path: str | None = None
) -> Refusal:
    return Refusal(path, fact, pid, None)


RIVAL = replace(beat(program("rival", 301), pidfile=PATH), main_pid=300)
HOLDERS = (
    (refused(file()), [RIVAL, KEPT], 201),
    (refused(file(holder=ProcessKey(300, 1))), [KEPT, RIVAL], 301),
    (refused(file(holder=ProcessKey(9, 1)), 201, PATH), [KEPT], None),
    (refused(file(holder=None), 201, PATH), [KEPT], None),
    (refused(file(status="denied", holder=None), 301, PATH), [KEPT, RIVAL], 301),
    (refused(None, 300, PATH), [KEPT, RIVAL], 301),
    (refused(None, 9, PATH), [KEPT], 201),
    (refused(None, 9, None), [KEPT], None),
    (refused(None, None, PATH), [KEPT, RIVAL], 201),
    (refused(None, None, "/x"), [KEPT], None),
    (refused(None, None, None), [replace(KEPT, pidfile=None)], None),
    (refused(None, None, PATH), [replace(KEPT, pid=None)], None),
    (refused(None, None, "/x"), [replace(KEPT, main_pid=None)], None),
    (refused(None, 202, PATH), [beat(B, pidfile=PATH)], None),
)


@pytest.mark.parametrize(("by", "beats", "pid"), HOLDERS)
def test_who_holds_a_taken_pidfile(by: Refusal, beats: list[Beat], pid: int | None) -> None:
    found = holder(by, B, look(B, *beats))
    assert (found.pid if found else "nobody") == (pid or "nobody")


# Whether the main log is silent and its own log tells it


def life(ended_at: float | None) -> Life:
    return Life(9, AT - 60, ended_at)


TWICE = words(TAKEN, HELD, TAKEN, HELD)
CALM = replace(B, respawning=False, last_words=TWICE, state="STARTING", last_exit=None)
AWAY = (
    ({}, True),
    ({"last_words": None}, False),
    ({"last_words": words(TAKEN, HELD)}, False),
    ({"last_words": words(TAKEN, TAKEN, TAKEN)}, True),
    ({"last_words": words(TAKEN, TAKEN, SENT, SENT, SENT, SENT)}, False),
    ({"last_words": replace(TWICE, mtime_at=None)}, False),
    ({"last_words": replace(TWICE, mtime_at=AT - 60)}, True),
    ({"last_words": replace(TWICE, mtime_at=AT - 61)}, False),
    ({"last_words": replace(TWICE, mtime_at=AT - 40)}, True),
    ({"uptime_s": None}, True),
    ({"uptime_s": 60.0}, True),
    ({"uptime_s": 61.0}, False),
    ({"state": "RUNNING"}, True),
    ({"state": "BACKOFF"}, True),
    ({"state": "FATAL"}, False),
    ({"state": "STOPPED"}, False),
    ({"state": None}, False),
    # The look begins 2 s ago: exits before it were judged by the main log.
    ({"lives": (life(None),)}, True),
    ({"lives": (life(AT - 1.0),)}, True),
    ({"lives": (life(AT - 2.0),)}, True),
    ({"lives": (life(AT - 3.0),)}, False),
    ({"lives": (life(AT - 1.5), life(AT - 1.0))}, False),
    ({"lives": (life(AT - 3.0),), "periodic": True}, True),
    ({"state": "EXITED", "config": None}, False),
    ({"state": "EXITED", "config": config("b", autorestart="true")}, True),
    ({"state": "EXITED", "config": config("b", autorestart="false")}, False),
    ({"state": "EXITED", "config": config("b", autorestart="unexpected")}, True),
    ({"state": "EXITED", "config": config("b", autorestart="unexpected", exitcodes=(0, 73))}, False),
    ({"state": "EXITED", "config": config("b", autorestart="true", exitcodes=(73,))}, True),
)  # fmt: skip


@pytest.mark.parametrize(("facts", "is_refused"), AWAY)
def test_its_own_log_tells_of_refusals(facts: dict[str, Any], is_refused: bool) -> None:
    made = replace(CALM, **facts)
    assert turned_away(made, look(made)) is is_refused


# One that has just begun, and will be refused once its imports are done

NEW = replace(beat(B, pidfile=PATH), started_at=AT - 5, pidfile_fact=file())
OPEN = Handles(ProcessKey(1, 1), ("/s",), (), (), (), True)
DENIED = file(status="denied", holder=None, mtime_at=None)
BARRED = (
    ({}, KEPT, True),
    ({"embedded": True}, KEPT, False),
    ({"started_at": None}, KEPT, False),
    ({"started_at": AT - 120}, KEPT, True),
    ({"started_at": AT - 121}, KEPT, False),
    ({"started_at": AT - 70}, KEPT, True),
    ({"handles": OPEN}, KEPT, False),
    ({"handles": replace(OPEN, schedules=())}, KEPT, True),
    ({}, replace(KEPT, holds_pidfile=None), False),
    ({}, replace(KEPT, pid=9, main_pid=201), True),
    ({}, replace(KEPT, pid=9, main_pid=9), False),
    ({}, replace(KEPT, pid=None, main_pid=201), False),
    # Nobody's yet: it takes the file, or its pid is hidden from here.
    ({"pidfile_fact": file(holder=None)}, KEPT, True),
    ({"pidfile_fact": file(holder=None), "started_at": AT - 30}, KEPT, True),
    ({"pidfile_fact": file(holder=None), "started_at": AT - 31}, KEPT, False),
    ({"pidfile_fact": file(holder=None), "started_at": AT - 16}, KEPT, True),
    ({"pidfile_fact": file(status="absent", holder=None), "started_at": AT - 31}, KEPT, False),
    ({"pidfile_fact": DENIED, "pidfile": None, "started_at": AT - 5}, KEPT, False),
    ({"pidfile_fact": file(mtime_at=None)}, KEPT, False),
    ({"pidfile_fact": file(mtime_at=AT - 5)}, KEPT, False),
    ({"pidfile_fact": file(mtime_at=AT - 4)}, KEPT, False),
    ({"pidfile_fact": None, "pidfile": None}, KEPT, False),
    # Not readable: whoever was told to hold it and began first is taken to.
    ({"pidfile_fact": None}, KEPT, True),
    ({"pidfile_fact": DENIED}, KEPT, True),
    ({"pidfile_fact": replace(DENIED, status="garbage")}, KEPT, True),
    ({"pidfile_fact": None}, replace(KEPT, pidfile="/other"), False),
    ({"pidfile_fact": None}, replace(KEPT, started_at=AT - 5), False),
    ({"pidfile_fact": None}, replace(KEPT, started_at=AT - 4), False),
    ({"pidfile_fact": None}, replace(KEPT, started_at=None), False),
    ({"pidfile_fact": None}, replace(KEPT, pid=None), False),
    ({"pidfile_fact": DENIED, "pidfile": None}, replace(KEPT, pidfile=None), False),
)  # fmt: skip


@pytest.mark.parametrize(("facts", "other", "is_barred"), BARRED)
def test_a_beat_in_its_imports_beside_the_holder(
    facts: dict[str, Any], other: Beat, is_barred: bool
) -> None:
    new = replace(NEW, **facts)
    assert barred(new, look(B, other, new)) is is_barred


def test_the_holder_itself_is_not_barred() -> None:
    young = replace(KEPT, started_at=AT - 5, pidfile_fact=file(mtime_at=AT - 9))
    assert not barred(young, look(B, young))


# A file whose pid is no beat


def unmanaged(pid: int, role: Role, *children: Role) -> Unmanaged:
    below = tuple(member(pid + 1 + i, role) for i, role in enumerate(children))
    return Unmanaged(member(pid, role), role, "foreign", None, 0.0, 1, below)


def of(pid: int, **facts: Any) -> Pidfile:
    return file(holder=ProcessKey(pid, 1), holder_argv=("/bin/x",), **facts)


STALE = (
    (None, False),
    (of(9, status="denied"), False),
    (file(holder=None), False),
    (of(9), True),
    (of(9, holder_started_at=AT - 600), True),
    (file(holder=ProcessKey(9, 1), holder_argv=()), False),
    (file(holder=ProcessKey(9, 1), holder_argv=("python", "/v/celery", "x")), False),
    # It began after the file was written, so it did not write it, whatever it is.
    (file(holder_started_at=AT - 490), True),
    (file(holder_started_at=AT - 496.5), True),
    (file(holder_started_at=AT - 497), False),
    (file(holder_started_at=AT - 490, mtime_at=None), False),
    (file(), False),
    (file(holder=ProcessKey(300, 1), holder_argv=("x",)), False),
    # What a look knows of the process, as a program's, a stranger's or a stranger's child.
    (of(401), True),
    (of(402), False),
    (of(403), False),
    (of(404), False),
    (of(405), False),
    (of(406), True),
    (of(501), False),
    (of(502), True),
    (of(503), False),
    (of(601), True),
)  # fmt: skip
ROLES: tuple[Role, ...] = ("other", "worker", "multi", "beat", "worker+beat", "flower")


@pytest.mark.parametrize(("fact", "is_stale"), STALE)
def test_a_pidfile_is_proven_stale(fact: Pidfile | None, is_stale: bool) -> None:
    many = program("many", members=[member(401 + i, role) for i, role in enumerate(ROLES)])
    strangers = (unmanaged(501, "worker", "pool", "worker"), unmanaged(601, "flower"))
    shot = replace(snapshot([HOLDER, many], [KEPT, RIVAL]), unmanaged=strangers)
    assert proven_stale(fact, shot) is is_stale
