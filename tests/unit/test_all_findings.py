"""All findings together: their order, one kind for each cause, and what --supervisor leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis import diagnose
from beattop.model.files import LastWords, Pidfile
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, BeatKey, LastExit, Program, Snapshot, Unmanaged
from beattop.model.source import SourceStatus
from tests.unit import approved
from tests.unit.actions.scene import AT, URL, beat, member, program, snapshot, supervisord
from tests.unit.test_double_rules import ELSEWHERE, OLD, A, B, living

pytestmark = pytest.mark.usefixtures("approved_words")


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
