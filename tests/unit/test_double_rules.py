"""Living beats that send one schedule, rule by rule; and the order in which findings are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis import diagnose
from beattop.diagnosis.double_scheduling import double_scheduling
from beattop.model.commandline import CommandLine
from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, BeatKey, LastExit, Program, Snapshot, Unmanaged
from beattop.model.source import SourceStatus
from tests.unit import approved
from tests.unit.actions.scene import AT, URL, beat, member, program, snapshot, supervisord

pytestmark = pytest.mark.usefixtures("approved_words")

A, B, C = program("a", 201), program("b", 202), program("c", 203)
OLD = AT - 5000.0


def living(of: Program, **facts: Any) -> Beat:
    return replace(beat(of), **{"started_at": OLD, "since_at": OLD, **facts})


def logged(of: Program, *entries: str, ago: float = 5.0, sent: bool = True) -> Program:
    lines = tuple(f"Scheduler: Sending due task {e}" for e in entries)
    at = AT - ago if sent else None
    return replace(of, last_words=LastWords(URL, of.id.name, of.id.name, lines, AT, at, None))


def found_in(shot: Snapshot) -> list[Finding]:
    found = list(double_scheduling(shot))
    approved.note(found, AT)
    return found


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
        told = f"but pid {pid} has sent nothing yet: it may be a standby (celery-redbeat)"
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


# Clusters, and bridges between what is known to be apart

PROD, STAGING = {"broker_full": "redis://prod"}, {"broker_full": "redis://staging"}


def of_three(*facts: dict[str, Any], programs: tuple[Program, ...] = (A, B, C)) -> list[Finding]:
    beats = [living(p, **f) for p, f in zip(programs, facts, strict=True)]
    return found_in(snapshot(programs, beats))


def pids(found: Finding) -> set[int]:
    return {*found.pids, *(k.pid for k in found.keep if k.pid)}


def test_three_of_one_schedule_are_one_finding() -> None:
    (found,) = of_three({}, {}, {})
    assert pids(found) == {201, 202, 203} and "3 times" in found.summary
    (found,) = of_three({"pidfile": "/b"}, {"pidfile": "/b"}, {})
    assert found.certainty == "certain"
    (found,) = of_three({}, {"pidfile": "/b"}, {"pidfile": "/b"})
    assert found.certainty == "certain"


def test_two_pairs_are_two_findings() -> None:
    d = program("d", 204)
    other = {"key": BeatKey("other", "/o", None)}
    found = of_three({}, other, {}, other, programs=(A, B, C, d))
    assert [pids(f) for f in found] == [{201, 203}, {202, 204}]
    assert all("other" not in line for line in found[0].evidence)
    # Of the merely possible too.
    x, y = {"key": BeatKey("x", "/x", None)}, {"key": BeatKey("x", "/y", None)}
    found = of_three({}, x, ELSEWHERE, y, programs=(A, B, C, d))
    assert [(f.certainty, pids(f)) for f in found] == [
        ("possible", {201, 203}), ("possible", {202, 204}),
    ]  # fmt: skip
    assert all("/x and /y" not in line for line in found[0].evidence[:1])


def test_one_in_doubt_joins_no_two_that_are_apart() -> None:
    for order in ((PROD, {}, STAGING), ({}, PROD, STAGING), (PROD, STAGING, {})):
        (found,) = of_three(*order)
        assert (found.severity, found.certainty, found.stop) == ("info", "possible", ())
        assert any(line.endswith("redis://prod:6379/0 and redis://staging:6379/0")
                   or line.endswith("redis://staging:6379/0 and redis://prod:6379/0")
                   for line in found.evidence)  # fmt: skip


def test_two_of_prod_stay_two_of_prod_beside_one_of_staging() -> None:
    prod, staging = of_three(PROD, PROD, {**STAGING}), None
    assert staging is None and [pids(f) for f in prod] == [{201, 202}]
    assert prod[0].certainty == "likely"


def test_certain_ones_stay_certain_beside_what_is_apart() -> None:
    found = of_three({**PROD, "pidfile": "/b"}, {"pidfile": "/b"}, STAGING)
    assert found[0].certainty == "certain" and pids(found[0]) == {201, 202}


def test_what_is_certain_is_no_bridge() -> None:
    """One file that both have open outweighs their brokers; of the third nothing is in doubt."""
    held = {"handles": Handles(ProcessKey(1, 1), ("/s",), (), ((1, 7),), (), True)}
    (found,) = of_three({**PROD, **held}, {**STAGING, **held}, {})
    assert found.certainty == "certain" and pids(found) == {201, 202, 203}
    x, y = {"key": BeatKey("z.x", "/x", None)}, {"key": BeatKey("z.y", "/y", None)}
    (found,) = of_three({**x, **held}, y, {**y, **held}, programs=(logged(A, *X), logged(B, *Y), C))
    assert found.certainty == "certain" and pids(found) == {201, 202, 203}


def test_two_that_nothing_sets_apart_are_joined_by_a_third() -> None:
    there = {"key": BeatKey("proj", "/b", None), "env": (("PYTHONPATH", "/a:/c"),)}
    a, c = {"key": BeatKey("proj", "/a", None)}, {"key": BeatKey("proj", "/c", None)}
    for programs in (
        (A, B, C), (logged(A, *X), B, logged(C, *X)), (logged(A, *X), B, C), (A, B, logged(C, *X)),
    ):  # fmt: skip
        (found,) = of_three(a, there, c, programs=programs)
        assert found.certainty == "likely" and pids(found) == {201, 202, 203}


def test_only_what_is_near_for_sure_casts_a_doubt() -> None:
    found = of_three({}, {**ELSEWHERE, **STAGING}, PROD)
    assert [(f.certainty, pids(f)) for f in found] == [
        ("likely", {201, 203}), ("possible", {201, 202}),
    ]  # fmt: skip


def test_what_they_send_keeps_two_apart_too() -> None:
    found = of_three({}, {}, {}, programs=(logged(A, *X), B, logged(C, *Y)))
    assert {f.certainty for f in found} == {"possible"}


def test_a_possible_link_within_a_certain_cluster_is_not_told_apart() -> None:
    c = {"schedule": "/s", "line": CommandLine("beat", schedule="/s")}
    a, b = {"pidfile": "/b"}, {"pidfile": "/b", **c, **ELSEWHERE}
    (found,) = of_three(a, b, {**c, "key": BeatKey("proj", "/y", None)})
    assert found.certainty == "certain" and pids(found) == {201, 202, 203}
    # But one that leads out of it is.
    found = of_three(a, {"pidfile": "/b"}, ELSEWHERE)
    assert [f.certainty for f in found] == ["certain", "possible"]
    found = of_three(ELSEWHERE, a, {"pidfile": "/b"})
    assert [f.certainty for f in found] == ["certain", "possible"]


def test_an_embedded_one_and_a_stranger_among_them() -> None:
    shot = snapshot([A], [living(A), replace(beat(None, 9), started_at=AT - 50, since_at=AT - 50)])
    (found,) = found_in(shot)
    assert (found.programs, found.pids) == ((), (9,))
    assert [t.via for t in found.stop] == ["signal"]


# All findings together

FATAL = replace(program("down", None, state="FATAL", role="worker"), last_error="x")


def loop(name: str, pid: int, churn: float | None) -> Program:
    made = replace(program(name, pid, role="worker", respawning=True), churn_pct=churn)
    return replace(made, last_exit=LastExit(1, None, AT, "x"))


def kinds(shot: Snapshot) -> list[tuple[str, str]]:
    found = diagnose(shot)
    approved.note(found, AT)
    return [(f.severity, f.kind) for f in found]


def test_the_worst_first_then_what_burns_most() -> None:
    shot = snapshot(
        [FATAL, loop("little", 301, 30.0), loop("much", 302, 90.0), loop("none", 303, None), A, B],
        [living(A), living(B)],
        supervisords=[supervisord(), supervisord("unix:///h", key=ProcessKey(8, 8), answers=False, conf="/h")],
        sources=[SourceStatus("supervisor", "unix:///h", "timeout")],
    )  # fmt: skip
    assert kinds(shot) == [
        ("critical", "supervisor-not-answering"),
        ("critical", "duplicate-beat"),
        ("critical", "respawn-loop"),
        ("critical", "respawn-loop"),
        ("warning", "respawn-loop"),
        ("warning", "program-down"),
    ]
    assert [f.short.partition(" ")[0] for f in diagnose(shot)][2:4] == ["much", "little"]


def test_of_two_alike_the_names_decide() -> None:
    first, second = loop("b", 301, 30.0), loop("a", 302, 30.0)
    assert [f.programs[0].name for f in diagnose(snapshot([first, second]))] == ["a", "b"]
    unmeasured = [loop("b", 301, 0.5), loop("a", 302, None), loop("c", 303, 0.0)]
    assert [f.programs[0].name for f in diagnose(snapshot(unmeasured))] == ["b", "a", "c"]


def test_two_supervisords_of_one_conf_explain_their_beats_standing_twice() -> None:
    other = supervisord("unix:///2", key=ProcessKey(9, 9000))
    twin = program("a", 202, url="unix:///2")
    beats = [living(A), living(twin)]
    shot = snapshot([A, twin], beats, supervisords=[supervisord(), other])
    assert kinds(shot) == [("critical", "double-supervisor")]
    older = replace(shot, beats=(living(A), living(twin, started_at=OLD - 9)))
    assert kinds(older) == [("critical", "double-supervisor")]
    # A duplicate of somebody else is told beside it.
    x, y = program("x", 301, url="unix:///3"), program("y", 302, url="unix:///3")
    third = supervisord("unix:///3", key=ProcessKey(10, 9000), conf="/third")
    key = BeatKey("third", "/third", None)
    shot = replace(
        shot,
        programs=(A, twin, x, y),
        beats=(*beats, living(x, key=key), living(y, key=key)),
        supervisords=(supervisord(), other, third),
    )
    assert kinds(shot) == [("critical", "double-supervisor"), ("critical", "duplicate-beat")]
    loops = replace(shot, programs=(A, loop("a", 202, 50.0)), beats=(),
                    supervisords=(supervisord(), replace(other, id=URL + "2")))  # fmt: skip
    assert ("critical", "respawn-loop") in kinds(loops)


REFUSED = replace(
    program("b", 202, respawning=True), last_exit=LastExit(73, None, AT, "x"),
    last_words=LastWords(URL, "b", "b", ("Pidfile (/b) already exists.",), AT, None, None),
)  # fmt: skip
SLEEP = Pidfile("/b", "ok", 77, AT - 90, ProcessKey(77, 7), ("/bin/sleep",), None, AT - 10)


def test_a_cause_is_told_once_under_its_most_specific_kind() -> None:
    mine = replace(beat(REFUSED, health="respawning", pidfile="/b"))
    assert kinds(snapshot([REFUSED], [mine], pidfiles=[SLEEP])) == [("critical", "stale-pidfile")]
    holder = living(A, pidfile="/b", holds_pidfile=True)
    file = replace(SLEEP, pid=201, holder=ProcessKey(201, 2010), holder_started_at=None,
                   holder_argv=("celery",))  # fmt: skip
    assert kinds(snapshot([A, REFUSED], [holder, mine], pidfiles=[file])) == [
        ("critical", "duplicate-beat")
    ]
    assert kinds(snapshot([REFUSED], [mine])) == [("warning", "respawn-loop")]
    given_up = replace(REFUSED, respawning=False, state="FATAL", pid=None, members=())
    down = replace(mine, health="down", pid=None)
    assert kinds(snapshot([given_up], [down], pidfiles=[SLEEP])) == [("critical", "stale-pidfile")]
    assert kinds(snapshot([given_up], [down])) == [("critical", "beat-down")]
    # A worker may have written the file: beside a living beat of its own it is a duplicate.
    worker = replace(file, pid=77, holder=ProcessKey(77, 770))
    beside = living(A, pidfile=None)
    assert kinds(snapshot([A, REFUSED], [beside, mine], pidfiles=[worker])) == [
        ("critical", "duplicate-beat")
    ]


def test_what_a_surplus_supervisord_runs_is_told_with_it() -> None:
    servers = [supervisord(), supervisord("unix:///2", key=ProcessKey(9, 9000))]
    theirs = replace(REFUSED, id=program("b", url="unix:///2").id)
    mine = beat(theirs, health="respawning", pidfile="/b")
    told = [("critical", "double-supervisor")]
    assert kinds(snapshot([theirs], [mine], supervisords=servers, pidfiles=[SLEEP])) == told
    gone = replace(theirs, respawning=False, state="FATAL", pid=None, members=(), last_words=None)
    down = replace(mine, health="down", pid=None)
    assert kinds(snapshot([gone], [down], supervisords=servers)) == told
    assert kinds(snapshot([replace(gone, role="worker")], supervisords=servers))[0] == told[0]


def orphan(pid: int) -> Unmanaged:
    return Unmanaged(member(pid, "beat", ppid=1), "beat", "orphan", "a", 0.0, 1, (), URL)


def left_over(**facts: Any) -> Beat:
    made = replace(
        beat(None, 9), origin="orphan", was="a", was_supervisor=URL, started_at=OLD, since_at=OLD
    )
    return replace(made, **facts)


def test_a_left_over_is_no_second_finding_where_it_is_the_duplicate() -> None:
    shot = replace(snapshot([A], [living(A), left_over()]), unmanaged=(orphan(9),))
    assert kinds(shot) == [("critical", "duplicate-beat")]
    # Nor where it is the one that is kept.
    mine = replace(beat(REFUSED, health="respawning", pidfile="/b"))
    held = left_over(pidfile="/b", holds_pidfile=True)
    shot = replace(snapshot([REFUSED], [mine, held]), unmanaged=(orphan(9),))
    assert kinds(shot) == [("critical", "duplicate-beat")]
    # But where the duplicate is only possible, it is.
    shot = replace(snapshot([A], [living(A), left_over(**ELSEWHERE)]), unmanaged=(orphan(9),))
    assert kinds(shot) == [("warning", "orphan"), ("info", "duplicate-beat")]
    kept = left_over(**ELSEWHERE, holds_pidfile=True)
    shot = replace(snapshot([A], [living(A), kept]), unmanaged=(orphan(9),))
    assert diagnose(shot)[1].keep[0].pid == 9
    assert kinds(shot) == [("warning", "orphan"), ("info", "duplicate-beat")]


def test_a_silent_beat_that_is_kept_beside_a_duplicate_is_told_as_silent() -> None:
    silent = living(A, health="silent", pidfile="/b", holds_pidfile=True)
    mine = replace(beat(REFUSED, health="respawning", pidfile="/b"))
    shot = snapshot([A, REFUSED], [silent, mine])
    assert kinds(shot) == [("critical", "duplicate-beat"), ("warning", "beat-silent")]
    # The surplus one is not told twice, unless it is only possible.
    assert kinds(snapshot([A, B], [living(A), living(B, health="silent")])) == [
        ("critical", "duplicate-beat")
    ]
    elsewhere = living(B, health="silent", **ELSEWHERE)
    assert kinds(snapshot([A, B], [living(A), elsewhere])) == [
        ("warning", "beat-silent"), ("info", "duplicate-beat"),
    ]  # fmt: skip


# With --supervisor

HERE, THERE = (URL,), ("unix:///x",)
FREE = {"program": None, "supervisor": None, "namespec": None, "unmanaged": True}
LIMITED = (
    ([living(A), living(B)], HERE, 1),
    ([living(A), living(B)], THERE, 0),
    ([living(A), living(B, **FREE)], HERE, 1),
    ([living(A, **FREE), living(B)], HERE, 1),
    ([living(A, **FREE), living(B, **FREE)], HERE, 0),
    ([living(A), living(B, **FREE, **ELSEWHERE)], HERE, 0),
    ([living(A), living(B, **ELSEWHERE)], HERE, 1),
    ([living(A, health="silent")], HERE, 1),
    ([living(A, health="silent", **FREE)], HERE, 0),
    ([living(A, health="silent", **FREE)], (), 1),
)


@pytest.mark.parametrize(("beats", "limits", "told"), LIMITED)
def test_strangers_count_only_beside_its_programs(
    beats: list[Beat], limits: tuple[str, ...], told: int
) -> None:
    assert len(diagnose(replace(snapshot([A, B], beats), limited_to=limits))) == told


def test_other_kinds_are_told_whoever_is_named() -> None:
    assert len(diagnose(replace(snapshot([FATAL]), limited_to=THERE))) == 1
