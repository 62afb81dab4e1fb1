"""Living beats that send one schedule, rule by rule; and the order in which findings are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.double_scheduling import double_scheduling
from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, BeatKey, LastExit, Program
from tests.unit.actions.scene import AT, URL, beat, program, snapshot

pytestmark = pytest.mark.usefixtures("approved_words")

A, B, C = program("a", 201), program("b", 202), program("c", 203)
OLD = AT - 5000.0


def living(of: Program, **facts: Any) -> Beat:
    return replace(beat(of), **{"started_at": OLD, "since_at": OLD, **facts})


def logged(of: Program, *entries: str, ago: float = 5.0, sent: bool = True) -> Program:
    lines = tuple(f"Scheduler: Sending due task {e}" for e in entries)
    at = AT - ago if sent else None
    return replace(of, last_words=LastWords(URL, of.id.name, of.id.name, lines, AT, at, None))


def both(a: dict[str, Any], b: dict[str, Any], *programs: Program) -> list[Finding]:
    one, two = programs or (A, B)
    return list(double_scheduling(snapshot([one, two], [living(one, **a), living(two, **b)])))


# Who sends

SENDERS = (
    ({}, True),
    ({"health": None}, True),
    ({"health": "silent"}, True),
    ({"pid": None}, False),
    ({"health": "respawning"}, False),
    ({"health": "standby"}, False),
    ({"health": "down"}, False),
    ({"state": "Z"}, False),
    ({"state": "X"}, False),
    ({"state": "T"}, True),
)


@pytest.mark.parametrize(("facts", "sends"), SENDERS)
def test_who_lives_and_sends(facts: dict[str, Any], sends: bool) -> None:
    assert len(both({}, facts)) == len(both(facts, {})) == sends


def test_one_on_its_way_out_or_about_to_be_refused_does_not_send() -> None:
    assert both({}, {}, A, replace(B, state="STOPPING")) == []
    file = Pidfile("/b", "ok", 201, AT - 90, ProcessKey(201, 2010))
    shared = {"pidfile": "/b", "pidfile_fact": file}
    new = {**shared, "started_at": AT - 20, "since_at": AT - 20}
    assert both({**shared, "holds_pidfile": True}, new) == []
    assert len(both(shared, new)) == 1


# A change of guard

AGES = (
    (5000.0, 5000.0, 1), (5000.0, 3.0, 0), (3.0, 5000.0, 0), (5000.0, 4.0, 1), (5000.0, 3.9, 0),
    (13.0, 3.5, 1), (13.5, 3.5, 1), (14.0, 3.5, 0), (1.0, 2.0, 1), (None, 9.0, 1), (None, 5000.0, 0),
    (5000.0, 7.0, 1), (9.0, 3.0, 1), (22.0, 3.0, 0),
)  # fmt: skip


@pytest.mark.parametrize(("one", "two", "told"), AGES)
def test_a_new_one_beside_an_old_one_has_four_seconds(
    one: float | None, two: float, told: int
) -> None:
    """Two that began together are no change of guard."""
    ages = [{"since_at": AT - age if age is not None else None} for age in (one, two)]
    assert len(both(*ages)) == len(both(*reversed(ages))) == told


def test_since_when_is_not_known_of_one() -> None:
    (found,) = both({}, {"started_at": None})
    assert found.since_at == AT


# What their logs say they send

X, Y = ("x", "x", "x"), ("y", "y", "y")
ELSEWHERE = {"key": BeatKey("proj", "/x", None)}
SENT = (
    (logged(A, *X), logged(B, *X), {}, "likely", "both send x"),
    (logged(A, "x", "z", "y"), logged(B, "z", "y", "q"), {}, "likely", "both send y"),
    (logged(A, *X), logged(B, *Y), {}, "possible", "but what they send differs: x and y"),
    (logged(A, *X, "a"), logged(B, *Y, "b"), {}, "possible", "what they send differs: a and b"),
    (logged(A, *X), logged(B, *Y), {"pidfile": "/b"}, "certain", ""),
    (logged(A, *X), logged(B, *X), {"pidfile": "/b"}, "certain", "both send x"),
    (logged(A, *X), logged(B, *Y), ELSEWHERE, "possible", "but what they send differs: x and y"),
    # Too little, too old or unknown: no word on it.
    (logged(A, *X), logged(B, "y", "y"), {}, "likely", ""),
    (logged(A, "x", "x"), logged(B, *Y), {}, "likely", ""),
    (logged(A, *X), logged(B, *Y, ago=121.0), {}, "likely", ""),
    (logged(A, *X), logged(B, *Y, ago=120.0), {}, "possible", "differs"),
    (logged(A, *X), logged(B, *Y, ago=70.0), {}, "possible", "differs"),
    (logged(A, *X), logged(B, *Y, sent=False), {}, "likely", ""),
    (logged(A, *X), B, {}, "likely", ""),
    (A, logged(B, *X), {}, "likely", ""),
    (logged(A, *X), B, ELSEWHERE, "possible", ""),
    (A, logged(B, *X), ELSEWHERE, "possible", ""),
)


@pytest.mark.parametrize(("one", "two", "more", "certainty", "told"), SENT)
def test_what_they_send_says_whether_they_are_one(
    one: Program, two: Program, more: dict[str, Any], certainty: str, told: str
) -> None:
    (found,) = both(more if more is not ELSEWHERE else {}, more, one, two)
    assert found.certainty == certainty
    last = [line for line in found.evidence if "send" in line]
    assert (told in last[0]) if told else last == []


def test_unlike_apps_that_send_alike_are_two() -> None:
    other = {"key": BeatKey("other", "/srv/proj", None)}
    assert both({}, other, logged(A, *X), logged(B, *X)) == []


def test_two_schedulers_that_send_alike_are_one_unless_their_brokers_are_two() -> None:
    """Different schedulers of one folder are only possible: what they send decides."""
    here, there = _peers("h:1"), _peers("h:2")
    other = {"scheduler": "x:Y"}
    for one, two, certainty in (
        ({}, other, "likely"),
        (here, other, "likely"),
        (other, here, "likely"),
        (here, {**other, **here}, "likely"),
        (here, {**other, **there}, "possible"),
        (here, there, "possible"),
    ):
        (found,) = both(one, two, logged(A, *X), logged(B, *X))
        assert found.certainty == certainty


def _peers(*peers: str) -> dict[str, Any]:
    return {"handles": Handles(ProcessKey(1, 1), (), (), (), peers, True)}


# A standby by a lock that only the settings name

WAITS = {"schedule_fact": ScheduleFile("/s", "ok", AT - 9000, 1, 1)}


def said(of: Program, line: str) -> Program:
    return replace(of, last_words=LastWords(URL, of.id.name, of.id.name, (line,), AT, None, None))


def waiting(of: Program) -> Program:
    return said(of, "[INFO] beat: Starting...")


def holding(of: Program) -> Program:
    return said(of, "beat: Acquired lock")


def test_one_that_has_sent_nothing_yet_may_be_a_standby() -> None:
    for a, b, programs, pid in (
        (WAITS, {}, (waiting(A), B), 201),
        ({}, WAITS, (A, waiting(B)), 202),
        (WAITS, WAITS, (waiting(A), waiting(B)), 201),
    ):
        (found,) = both(a, b, *programs)
        assert found.certainty == "possible"
        told = f"but nothing tells that pid {pid} sends: it may be a standby (celery-redbeat)"
        assert found.evidence[-2] == told


def test_one_that_waits_beside_one_that_holds_the_lock_is_no_duplicate() -> None:
    assert both(WAITS, {}, waiting(A), holding(B)) == []
    assert both({}, WAITS, holding(A), waiting(B)) == []
    # It held the lock before it was started anew.
    anew = replace(waiting(B), last_words=replace(
        waiting(B).last_words, lines=("beat: Acquired lock", "beat: Starting...")))  # fmt: skip
    for one, two in (((A, {}), (anew, WAITS)), ((anew, WAITS), (A, {}))):
        (found,) = both(one[1], two[1], one[0], two[0])
        assert found.certainty == "possible"
    (found,) = both({}, {}, holding(A), B)
    assert found.certainty == "likely"
    (found,) = both({}, {}, A, holding(B))
    assert found.certainty == "likely"


def test_waiting_is_no_excuse_for_one_file_and_no_news_of_two_projects() -> None:
    (found,) = both({**WAITS, "pidfile": "/b"}, {"pidfile": "/b"}, waiting(A), B)
    assert found.certainty == "certain"
    (found,) = both(WAITS, ELSEWHERE, waiting(A), B)
    assert found.certainty == "possible"
    assert not any("standby" in line for line in found.evidence)


# Who leaves beats behind


@pytest.mark.parametrize("status", [0, 1, None])
def test_only_who_is_seen_to_end_well_is_stopped_for_the_beats_it_left(status: int | None) -> None:
    """Of one whose exits are not known (None) nobody can say that it leaves more behind."""
    seen = None if status is None else LastExit(status, None, AT - 1, "")
    loop = replace(program("a"), respawning=True, last_exit=seen)
    left = {"origin": "orphan", "was": loop.namespec, "was_supervisor": URL}
    beats = [replace(living(b), program=None, unmanaged=True, **left) for b in (B, C)]
    (found,) = double_scheduling(snapshot([loop], beats))
    assert [t.namespec for t in found.stop if t.via == "xmlrpc"] == ["a"] * (status == 0)
