"""Loops with causes of their own, silent beats, left-overs, supervisords: said word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.cause import cause, remedy
from beattop.diagnosis.lone import orphans, silent_beats
from beattop.diagnosis.names import app_name, beat_name, server_of, subject
from beattop.diagnosis.respawn_loop import respawn_loops
from beattop.model.files import LastWords, Pidfile, ScheduleFile
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.role import Role
from beattop.model.snapshot import Beat, BeatKey, LastExit, Unmanaged
from tests.unit import approved
from tests.unit.actions.scene import AT, URL, beat, config, member, program, snapshot, supervisord

pytestmark = pytest.mark.usefixtures("approved_words")


def tell(found: list[Finding]) -> list[Finding]:
    approved.note(found, AT)
    return found


# A crash loop

LOOP = replace(
    program("w", 202, role="worker", respawning=True),
    last_exit=LastExit(1, None, AT - 2, "general error"),
    spawns_per_min=20.0,
    lifetime_median_s=2.2,
    loop_since_at=AT - 300,
    loop_exits=7,
    churn_pct=25.0,
)


def left(status: int | None, signal: str | None = None) -> LastExit:
    return LastExit(status, signal, AT - 2, "as told")


def aged(command: str) -> Any:
    return config("w", command=command)


OLD = "celery worker -A proj"
CAUSES = (
    (None, left(1), None, "unknown"),
    ("XX", left(1), None, "unknown"),
    (None, None, None, "unknown"),
    (None, left(None, "SIGKILL"), None, "killed"),
    ("ImportError", left(None, "SIGKILL"), None, "killed"),
    ("ImportError", left(None, "SIGSEGV"), None, "native crash"),
    (None, left(None, "SIGBUS"), None, "native crash"),
    (None, left(None, "SIGILL"), None, "native crash"),
    (None, left(None, "SIGFPE"), None, "native crash"),
    (None, left(None, "SIGABRT"), None, "native crash"),
    (None, left(None, "SIGTERM"), None, "killed"),
    (None, left(1), "flock -n /x celery", "lock taken"),
    (None, left(1), "/usr/bin/flock --nonblock /x celery", "lock taken"),
    (None, left(1), "sh -c 'flock --nb /x celery'", "unknown"),
    (None, left(1), "sh -c flock --nb /x celery", "lock taken"),
    (None, left(1), "flock /x celery", "unknown"),
    (None, left(1), "-n flock /x", "unknown"),
    (None, left(2), "flock -n /x celery", "unknown"),
    (None, None, "flock -n /x celery", "unknown"),
    ("ImportError", left(1), "flock -n /x celery", "import error"),
    ("supervisor: couldn't chdir to /x", left(127), None, "no such directory"),
    ("supervisor: couldn't setuid to 5", left(127), None, "user refused"),
    ("supervisor: couldn't exec /x: EACCES", left(127), None, "cannot be executed"),
    (None, left(127), None, "command not found"),
    (None, left(126), None, "unknown"),
    (None, left(0), None, "exits at once"),
    (None, left(2), OLD, "old option order"),
    (None, left(1), OLD, "unknown"),
    (None, None, OLD, "unknown"),
    (None, left(2), "celery -A proj worker", "unknown"),
    (None, left(2), "sleep 1", "unknown"),
    ("Error: No such option: -A", left(1), None, "old option order"),
    ("Error: no such option '--broker'", left(1), None, "old option order"),
    ("You are using `-A` as an option of the worker", left(1), None, "old option order"),
    ("You are using --app as an option of", left(1), None, "old option order"),
    ("Error: No such option: --frob", left(1), None, "bad option"),
    ("Error: no such option: --frob", left(1), None, "bad option"),
    ("Error: Got unexpected extra argument (x)", left(1), None, "bad option"),
    ("ModuleNotFoundError: x", left(1), None, "import error"),
    ("ImportError: x", left(1), None, "import error"),
    ("No module named x", left(1), None, "import error"),
    ("Error: Unable to load celery application", left(1), None, "app not found"),
    ("ERROR: Pidfile (/x) already exists.", left(1), None, "pidfile taken"),
    ("OSError: [Errno 98] Address already in use", left(1), None, "port taken"),
    ("PermissionError: Permission denied: x", left(1), None, "permission denied"),
    ("SyntaxError: x", left(1), None, "syntax error"),
    ("sh: x: command not found", left(1), None, "command not found"),
    ("Connection refused", left(1), None, "connection refused"),
    ("SyntaxError: x", left(127), None, "syntax error"),
    ("x", left(127), None, "command not found"),
)


@pytest.mark.parametrize(("error", "ended", "command", "effect"), CAUSES)
def test_the_cause_of_a_loop(
    error: str | None, ended: LastExit | None, command: str | None, effect: str
) -> None:
    made = replace(
        LOOP, last_error=error, last_exit=ended, config=aged(command) if command else None
    )
    assert cause(made)[0] == effect
    (found,) = tell(list(respawn_loops(snapshot([made]), ())))
    assert found.effect == effect


REMEDIES = (
    ({"spawnerr": "can't find command 'x'"}, "correct its command"),
    ({"spawnerr": "Exited too quickly (x)", "last_error": "SyntaxError"}, "mend the code it names"),
    (
        {"spawnerr": "Bad exit code -1", "last_exit": left(None, "SIGTERM")},
        "find who sends it SIGTERM",
    ),
    ({"last_error": "Traceback"}, "mend what its last words name"),
    ({}, "read its log (l) for its last words"),
    ({"last_exit": left(None, "SIGTERM")}, "find who sends it SIGTERM"),
)


@pytest.mark.parametrize(("facts", "words"), REMEDIES)
def test_what_to_do_before_it_is_started_again(facts: dict[str, Any], words: str) -> None:
    assert remedy(replace(LOOP, **facts)) == words


LOOPS: dict[str, tuple[dict[str, Any], str]] = {
    "a quarter of a core": ({}, "critical"),
    "less": ({"churn_pct": 24.9}, "warning"),
    "nothing measured": (
        {"churn_pct": None, "loop_exits": 0, "loop_since_at": None, "spawns_per_min": None,
         "lifetime_median_s": None, "pid": None, "members": (), "last_exit": None}, "warning",
    ),
    "since nobody knows when": ({"loop_since_at": None}, "critical"),
    "no exit counted": ({"loop_exits": 0}, "critical"),
    "a wrapper": ({"role": "wrapper"}, "critical"),
    "no Celery": ({"role": "other", "last_error": "bad."}, "critical"),
    "no conf": ({"config": None}, "critical"),
}  # fmt: skip


@pytest.mark.parametrize("about", LOOPS)
def test_a_loop(about: str) -> None:
    facts, severity = LOOPS[about]
    made = replace(LOOP, **facts)
    for servers in ([supervisord()], []):
        (found,) = tell(list(respawn_loops(snapshot([made], supervisords=servers), ())))
        assert found.severity == severity
    assert list(respawn_loops(snapshot([made]), {LOOP.id})) == []
    assert list(respawn_loops(snapshot([replace(made, respawning=False)]), ())) == []


# A beat that lives and sends nothing

B = program("b", 201)
QUIET = replace(beat(B, health="silent"), last_sent_at=AT - 900, started_at=AT - 5000)


def words(*lines: str) -> LastWords:
    return LastWords(URL, "b", "b", lines, AT - 1, None, None)


FILE = ScheduleFile("/run/schedule", "ok", AT - 700, 1, 1)
NO_BROKER = "[ERROR] beat: Connection error: refused. Trying again in 32.0 seconds..."
SILENT: dict[str, tuple[dict[str, Any], Any, str]] = {
    "nothing known": ({"last_sent_at": None}, None, "silent"),
    "its file is old": ({"schedule_fact": FILE}, None, "silent"),
    "its file was not read": ({"schedule_fact": replace(FILE, mtime_at=None)}, None, "silent"),
    "stopped": ({"state": "T"}, words("a", "b"), "stopped"),
    "traced": ({"state": "t"}, None, "stopped"),
    "stopped without a broker": ({"state": "T"}, words("a", NO_BROKER), "stopped"),
    "without a broker": ({}, words("first", "a", NO_BROKER), "no broker"),
    "a broker that came back": ({}, words(NO_BROKER, "b", "last"), "silent"),
    "an empty log": ({}, words(), "silent"),
    "of nobody": (
        {"program": None, "supervisor": None, "namespec": None, "unmanaged": True}, None, "silent",
    ),
    "between": ({"pid": None}, None, "silent"),
}  # fmt: skip


@pytest.mark.parametrize("about", SILENT)
def test_a_silent_beat(about: str) -> None:
    facts, said, effect = SILENT[about]
    shot = snapshot([replace(B, last_words=said)], [replace(QUIET, **facts)])
    (found,) = tell(list(silent_beats(shot, ())))
    assert (found.kind, found.effect) == ("beat-silent", effect)


def test_a_silent_beat_that_has_another_finding_is_not_told_again() -> None:
    shot = snapshot([B], [QUIET, replace(QUIET, pid=5, health="working")])
    assert list(silent_beats(shot, {201})) == []


# What a program left behind


def orphan(pid: int, was: str | None = "b", **facts: Any) -> Unmanaged:
    role: Role = facts.pop("role", "worker")
    found = member(pid, role, ppid=facts.pop("ppid", 1))
    process = replace(
        found.process, pgrp=facts.pop("pgrp", 5), started_at=AT - 400, **facts.pop("process", {})
    )
    below = tuple(member(c, "pool") for c in facts.pop("children", ()))
    made = Unmanaged(replace(found, process=process), role, "orphan", was, 0.0, 1, below, URL)
    return replace(made, **facts)


def remains(*roots: Unmanaged, claimed: tuple[int, ...] = (), **facts: Any) -> list[Finding]:
    shot = replace(snapshot([B], facts.pop("beats", ())), unmanaged=roots, **facts)
    return tell(list(orphans(shot, claimed)))


def test_left_overs_of_shells_are_a_finding_each() -> None:
    found = remains(orphan(7), orphan(8, process={"user": None, "uid": 1000}))
    assert [f.pids for f in found] == [(7,), (8,)]


def test_what_outlived_one_supervisord_is_one_finding() -> None:
    found = remains(
        orphan(7, pgrp=7), orphan(8, "c", pgrp=8), orphan(9, "d", pgrp=9, was_supervisor="x")
    )
    assert [f.pids for f in found] == [(7, 8), (9,)]
    (two,) = remains(orphan(7, pgrp=7), orphan(8, pgrp=8))
    assert two.summary.startswith("2 processes outlived their supervisord: b.")


def test_left_overs_that_are_told_elsewhere_or_are_none() -> None:
    assert remains(orphan(7), claimed=(7,)) == []
    assert remains(orphan(7, children=(8,)), claimed=(8,)) == []
    assert remains(orphan(7, origin="foreign")) == []
    kept = beat(B, 201, pidfile="/b")
    turned = replace(
        beat(None, 7, pidfile="/b"), started_at=AT - 5,
        pidfile_fact=Pidfile("/b", "ok", 201, AT - 50, ProcessKey(201, 2010)),
    )  # fmt: skip
    held = replace(kept, holds_pidfile=True, started_at=AT - 100)
    assert remains(orphan(7), beats=(held, turned)) == []
    assert len(remains(orphan(7), beats=(kept, turned))) == 1


@pytest.mark.parametrize(("limits", "told"), [((), 1), ((URL,), 1), (("unix:///x",), 0)])
def test_left_overs_of_other_supervisords_than_the_named(
    limits: tuple[str, ...], told: int
) -> None:
    assert len(remains(orphan(7), limited_to=limits)) == told


# In the words of a sentence

NAMES = (
    (beat(B), "b", "b (pid 201)"),
    (replace(beat(B), pid=None), "b", "b"),
    (beat(B, embedded=True), "b (worker -B)", "b (worker -B) (pid 201)"),
    (replace(beat(None, 7), supervisor="unix:///x"), "a beat of unix:///x (pid 7)", None),
    (beat(None, 7, origin="orphan", was="b"), "the beat left over from b (pid 7)", None),
    (beat(None, 7, unit="b.service"), "the beat of b.service (pid 7)", None),
    (beat(None, 7, container="docker 1"), "the beat of docker 1 (pid 7)", None),
    (beat(None, 7), "the unsupervised beat (pid 7)", None),
    (beat(None, 7, embedded=True), "the unsupervised worker -B (pid 7)", None),
)


@pytest.mark.parametrize(("who", "name", "with_pid"), NAMES)
def test_a_beat_by_name(who: Beat, name: str, with_pid: str | None) -> None:
    assert beat_name(who, snapshot([B])) == name
    assert subject(who, snapshot([B])) == (with_pid or name)
    other = program("b", url="unix:///x")
    if who.program:
        assert beat_name(who, snapshot([B, other])).startswith(f"b ({URL})")


def test_an_app_or_the_folder_by_name() -> None:
    assert app_name(beat(B)) == "app proj"
    assert app_name(replace(beat(B), key=BeatKey(None, "/x", None))) == "the project in /x"
    assert app_name(replace(beat(B), key=BeatKey(None, None, None))) == "the same project"


def test_a_supervisord_by_its_id() -> None:
    other = supervisord("unix:///x")
    shot = snapshot(supervisords=[other, supervisord()])
    assert server_of(shot, URL) == supervisord()
    assert server_of(shot, None) is None
