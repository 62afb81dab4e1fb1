"""`stop-duplicates` in corners: exit statuses, and lines where something is not known."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from beattop.actions.duplicates import described, run
from beattop.actions.steps import signal_step
from beattop.model.finding import Finding, Keep, LastingFix, Target
from beattop.model.plan import Check, Outcome, Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Snapshot
from beattop.model.source import SourceStatus
from tests.unit.actions.scene import (
    URL,
    frame,
    looping_pair,
    outsider,
    snapshot,
    supervisord,
)


class Fixed:
    """An executor that ends as it is told to."""

    writable, reason, before = True, "", ""

    def __init__(
        self, status: Any = "done", checks: Sequence[Check] = (), further: Plan | None = None
    ) -> None:
        self.checks, self.outcome = checks, Outcome(status, (), "so it ended", further)

    def execute(
        self, plan: Plan, on_check: Callable[[Check], None], cancelled: Any = lambda: False
    ) -> Outcome:
        for check in self.checks:
            on_check(check)
        return self.outcome

    def undo_plan(self) -> None:
        return None


def ran(
    executor: Fixed, *findings: Finding, shot: Snapshot | None = None, yes: bool = True,
    only: Sequence[str] = (),
) -> tuple[int, list[str], list[str]]:  # fmt: skip
    out, err = io.StringIO(), io.StringIO()
    status = run(frame(shot or SHOT, findings), executor, only, yes, out, err)
    return status, out.getvalue().splitlines(), err.getvalue().splitlines()


SHOT, FOUND = looping_pair()
ADVISED = replace(FOUND, stop=(*FOUND.stop, outsider(77, "advice", "a unit")))
STATUSES = {
    "done": 0,
    "failed": 1,
    "changed": 1,
    "unverified": 1,
    "cancelled": 1,
    "blind": 3,
    "refused": 4,
}


@pytest.mark.parametrize("word", STATUSES)
def test_exit_statuses(word: str) -> None:
    assert ran(Fixed(word), FOUND)[0] == STATUSES[word]
    assert ran(Fixed(word), FOUND)[1][-1] == f"{word}: so it ended"
    assert ran(Fixed(word), ADVISED)[0] == (STATUSES[word] or 1)


def test_only_results_are_lines() -> None:
    checks = [
        Check("a", "asked", "pending"),
        Check("a", "asked", "done"),
        Check("b", "gone", "failed", "pid 5"),
    ]
    lines = ran(Fixed(checks=checks), FOUND)[1]
    assert lines[-3:-1] == ["  done    asked", "  failed  gone: pid 5"]


def test_what_is_offered_next() -> None:
    step = signal_step(outsider(5), ProcessKey(5, 50))
    further = Plan("End more", (), (step, replace(step, command=None)), (), (), ())
    _, _, told = ran(Fixed("failed", further=further), FOUND)
    assert told == [
        "Next, if you want it: End more",
        "  kill -TERM 5",
        "  pidfd_send_signal(pid 5, SIGTERM)",
    ]


def test_a_plan_of_which_little_is_known() -> None:
    bare = signal_step(replace(outsider(5), why=""), ProcessKey(5, 50))
    plan = Plan("Some plan", (Keep(None, None, 7), Keep(None, None, 8, why="so")),
                (replace(bare, command=None),), ("left",), ("mind",), ("mend",))  # fmt: skip
    assert list(described(plan)) == [
        "Some plan",
        "  keep    the beat (pid 7)",
        "  keep    the beat (pid 8): so",
        "  signal  pid 5",
        "          pidfd_send_signal(pid 5, SIGTERM)",
        "  advice  left",
        "  note    mind",
        "  for good: mend",
    ]


UNSEEN = (
    (SourceStatus("supervisor", URL, "down", "gone"), f"not seen: supervisor {URL}: gone"),
    (SourceStatus("processes", "", "denied"), "not seen: processes: denied"),
    (SourceStatus("mainlog", "/x", "denied"), None),
    (SourceStatus("supervisor", URL, "degraded"), None),
)


@pytest.mark.parametrize(("source", "line"), UNSEEN)
def test_what_could_not_be_looked_at(source: SourceStatus, line: str | None) -> None:
    status, _, told = ran(Fixed(), shot=snapshot(sources=[source, source]))
    assert told == ([line] if line else [])
    assert status == (3 if line else 0)


def test_only_duplicates_that_are_possible_are_told_as_such() -> None:
    perhaps = replace(FOUND, certainty="possible")
    assert len(ran(Fixed(), perhaps)[2]) == 1
    assert ran(Fixed(), replace(perhaps, kind="orphan"))[2] == []


STALE = replace(
    FOUND, kind="stale-pidfile", summary="Stale.", stop=(), keep=(), lasting=LastingFix("Mend."),
    programs=(SHOT.programs[1].id,),
)  # fmt: skip


@pytest.mark.parametrize(
    ("only", "told"),
    [((), True), (("beat2",), True), (("beat",), False), (("beat", "beat2"), True)],
)
def test_a_stale_pidfile_is_told_of_the_named_programs(only: tuple[str, ...], told: bool) -> None:
    status, lines, _ = ran(Fixed(), STALE, only=only)
    assert lines[1:] == (["  advice  Stale. Mend."] if told else [])
    assert status == told


ADVICE = replace(FOUND, stop=(outsider(77, "advice", "a unit"),))
BLIND = SourceStatus("supervisor", "unix:///x", "denied", "no")


def behind(url: str) -> Finding:
    return replace(FOUND, stop=(Target(url, "x", None, "advice", None, why="hangs"),))


NOTHING = (
    # (findings, sources, servers, with --yes, without)
    ([], [], [supervisord()], 0, 0),
    ([ADVICE], [], [supervisord()], 1, 0),
    ([], [BLIND], [supervisord()], 3, 3),
    ([ADVICE], [BLIND], [supervisord()], 1, 0),
    ([behind(URL)], [BLIND], [supervisord()], 1, 0),
    ([behind(URL)], [BLIND], [supervisord(answers=False)], 3, 3),
    ([behind(URL)], [BLIND], [supervisord(writable=False)], 3, 3),
    ([behind(URL)], [BLIND], [supervisord(), supervisord("unix:///x", answers=False)], 1, 0),
    ([behind(URL)], [], [supervisord(answers=False)], 1, 0),
    ([ADVICE, replace(behind(URL), kind="orphan")], [BLIND], [supervisord(answers=False)], 1, 0),
)


@pytest.mark.parametrize(("findings", "sources", "servers", "yes", "no"), NOTHING)
def test_nothing_done_nothing_allowed_or_too_little_seen(
    findings: list, sources: list, servers: list, yes: int, no: int
) -> None:
    shot = snapshot(supervisords=servers, sources=sources)
    assert ran(Fixed(), *findings, shot=shot)[0] == yes
    assert ran(Fixed(), *findings, shot=shot, yes=False)[0] == no


class Pipe(io.StringIO):
    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left, self.tried, self.flushed = lines, 0, 0

    def write(self, text: str) -> int:
        self.tried += 1
        if self.tried > self.left:
            raise BrokenPipeError
        return super().write(text)

    def flush(self) -> None:
        self.flushed += 1


def test_each_line_is_out_at_once_and_none_is_tried_for_a_reader_who_left() -> None:
    out = Pipe(2)
    run(frame(SHOT, [FOUND]), Fixed(), (), True, out, io.StringIO())
    assert (out.tried, out.flushed) == (3, 2)
