"""Which living beats stand in one finding, and who is no bridge between two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.double_scheduling import double_scheduling
from beattop.model.commandline import CommandLine
from beattop.model.files import Handles
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import BeatKey, Program, Snapshot
from tests.unit import approved
from tests.unit.actions.scene import AT, beat, program, snapshot
from tests.unit.test_double_rules import ELSEWHERE, A, B, C, X, Y, living, logged

pytestmark = pytest.mark.usefixtures("approved_words")


def found_in(shot: Snapshot) -> list[Finding]:
    found = list(double_scheduling(shot))
    approved.note(found, AT)
    return found


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
