"""`stop-duplicates`: what it prints and the exit statuses of the public contract."""

from __future__ import annotations

import io
import subprocess
import sys
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.contract import Executor
from beattop.actions.duplicates import run
from beattop.actions.refuse import RefusingExecutor
from beattop.model.finding import Finding, LastingFix
from beattop.model.plan import Check, Outcome
from beattop.model.snapshot import Snapshot
from beattop.model.source import SourceStatus
from tests.unit import approved
from tests.unit.actions.fake import World
from tests.unit.actions.scene import (
    URL,
    frame,
    looping_pair,
    outsider,
    snapshot,
    supervisord,
)

pytestmark = pytest.mark.usefixtures("approved_outcomes")


class Ran:
    """One call, and what it printed."""

    def __init__(
        self,
        shot: Snapshot,
        findings: Sequence[Finding],
        executor: Executor,
        *,
        yes: bool = False,
        only: Sequence[str] = (),
    ) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.status = run(frame(shot, findings), executor, only, yes, out, err)
        self.out, self.err = out.getvalue(), err.getvalue()
        approved.said.append(f"exit {self.status}\n{self.out}{self.err}")


REFUSING = RefusingExecutor("read-only (BEATTOP_READ_ONLY is set)")


def test_without_yes_it_is_only_the_plan(world: World) -> None:
    ran = Ran(*_pair(), world.executor)
    assert ran.status == 0
    assert world.server.calls == []
    assert ran.out.splitlines() == [
        "Stop the duplicate beat beat2",
        "  keep    beat (pid 201): holds the pidfile",
        "  stop    beat2: surplus",
        f'          supervisor.stopProcess("beat2", wait=False)  {URL}',
        "          the same by hand: supervisorctl -c /etc/supervisord.conf stop beat2",
        "  note    beat2 comes back when supervisord restarts (autostart), but for the lasting fix",
        "  for good: remove [program:beat2]",
    ]
    assert "--yes" in ran.err


def _pair() -> tuple[Snapshot, list[Finding]]:
    shot, found = looping_pair()
    return shot, [found]


def test_the_change_that_lasts_is_shown_as_a_diff(world: World) -> None:
    shot, (found,) = _pair()
    fix = replace(found.lasting, diff="-autostart=true\n+autostart=false\n")
    other = replace(found, kind="orphan", lasting=replace(fix, text="other", diff="x"))
    ran = Ran(shot, [replace(found, lasting=fix), other], world.executor)
    assert ran.out.endswith(
        "  for good: remove [program:beat2]\n    -autostart=true\n    +autostart=false\n"
    )


def test_with_yes_one_line_a_step(world: World) -> None:
    ran = Ran(*_pair(), world.executor, yes=True)
    assert ran.status == 0
    told = [line for line in ran.out.splitlines() if line.startswith(("  done", "  skipped"))]
    assert [line.split(":")[0].split(None, 1)[1] for line in told][:3] == [
        "asked to stop",
        "is stopped",
        "stays stopped",
    ]
    assert ran.out.splitlines()[-1] == "done: beat2 is stopped"
    assert world.server.programs["beat2"]["statename"] == "STOPPED"


def test_nothing_to_do(world: World) -> None:
    for yes in (False, True):
        ran = Ran(world.shot, [], world.executor, yes=yes)
        assert ran.status == 0
        assert ran.out == "No duplicate beat to stop\n"


def test_a_failed_step_is_1(world: World) -> None:
    world.server.on_stop = [xmlrpc.client.Fault(30, "FAILED")]
    ran = Ran(*_pair(), world.executor, yes=True)
    assert ran.status == 1
    assert "failed  asked to stop" in ran.out


def test_a_change_since_the_look_is_1(world: World) -> None:
    world.proc.remove(201)
    ran = Ran(*_pair(), world.executor, yes=True)
    assert ran.status == 1
    assert "changed:" in ran.out


def test_not_yet_verified_is_1(world: World) -> None:
    class Slow:
        writable, reason, before = True, "", "a beattop was killed"

        def execute(self, plan, on_check, cancelled=lambda: False):  # type: ignore[no-untyped-def]
            checks = (Check("gone", "is gone", "done"), Check("stopped", "is stopped", "pending"))
            return Outcome("unverified", checks, "stopped, not yet verified")

        def undo_plan(self) -> None:
            return None

        def close(self) -> None:
            pass

    ran = Ran(*_pair(), Slow(), yes=True)
    assert ran.status == 1
    assert "  open    is stopped\nunverified: stopped, not yet verified" in ran.out
    assert "is gone" not in ran.out, "told when it was ticked"
    assert ran.err.startswith("a beattop was killed\n")


def test_only_advice_is_1_when_it_was_to_be_done(world: World) -> None:
    shot, (found,) = _pair()
    advice = replace(found, stop=(outsider(77, "advice", "a systemd unit"),))
    assert Ran(shot, [advice], world.executor, yes=True).status == 1
    ran = Ran(shot, [advice], world.executor)
    assert ran.status == 0
    assert "  advice  pid 77: a systemd unit – by hand: kill -TERM 77" in ran.out


def test_a_stale_pidfile_is_told_and_left(world: World) -> None:
    shot, (found,) = _pair()
    words = LastingFix("Now: rm /run/beat.pid (never touch pid 77).")
    stale = replace(found, kind="stale-pidfile", summary="beat2 dies: stale.", stop=(), keep=())
    stale = replace(stale, lasting=words, programs=(shot.programs[1].id,))
    ran = Ran(shot, [stale], world.executor, yes=True)
    assert ran.status == 1
    assert "  advice  beat2 dies: stale. Now: rm /run/beat.pid (never touch pid 77)." in ran.out
    assert world.server.calls == []
    assert Ran(shot, [stale], world.executor).status == 0
    assert Ran(shot, [stale], world.executor, only=["beat"], yes=True).status == 0
    both = Ran(shot, [found, stale], world.executor, yes=True)
    assert both.status == 0, "the duplicate is ended; that was asked for"


def test_some_done_some_advised_is_1(world: World) -> None:
    shot, (found,) = _pair()
    mixed = replace(found, stop=(*found.stop, outsider(77, "advice", "a systemd unit")))
    ran = Ran(shot, [mixed], world.executor, yes=True)
    assert ran.status == 1
    assert "done: beat2 is stopped" in ran.out


@pytest.mark.parametrize("status", ["timeout", "denied", "down"])
@pytest.mark.parametrize("yes", [False, True])
def test_too_blind_to_decide_is_3(world: World, status: str, yes: bool) -> None:
    word = SourceStatus("supervisor", URL, status, "it hangs")  # type: ignore[arg-type]
    ran = Ran(snapshot([], sources=[word]), [], world.executor, yes=yes)
    assert ran.status == 3
    assert f"not seen: supervisor {URL}: it hangs" in ran.err


def test_a_duplicate_behind_a_hung_supervisord_is_3(world: World) -> None:
    shot, findings = _pair()
    word = SourceStatus("supervisor", URL, "timeout", "it hangs")
    shot = replace(shot, sources=(word,), supervisords=(supervisord(answers=False),))
    ran = Ran(shot, findings, world.executor, yes=True)
    assert ran.status == 3
    assert "does not answer" in ran.out
    assert world.server.calls == []


def test_one_behind_a_hung_supervisord_beside_one_for_a_person_is_3(world: World) -> None:
    shot, (found,) = _pair()
    word = SourceStatus("supervisor", URL, "timeout", "it hangs")
    shot = replace(shot, sources=(word,), supervisords=(supervisord(answers=False),))
    mixed = replace(found, stop=(*found.stop, outsider(77, "advice", "a systemd unit")))
    assert Ran(shot, [mixed], world.executor, yes=True).status == 3


def test_hung_when_it_comes_to_it_is_3(world: World) -> None:
    world.server.hung = True
    assert Ran(*_pair(), world.executor, yes=True).status == 3


def test_one_blind_eye_does_not_hide_what_was_done(world: World) -> None:
    shot, findings = _pair()
    word = SourceStatus("supervisor", "unix:///other.sock", "denied", "no permission")
    ran = Ran(replace(shot, sources=(word,)), findings, world.executor, yes=True)
    assert ran.status == 0
    assert "no permission" in ran.err


def test_a_missing_source_is_not_blindness(world: World) -> None:
    word = SourceStatus("supervisor", "", "absent", "no supervisord runs")
    assert Ran(snapshot([], sources=[word]), [], world.executor).status == 0


def test_read_only_prints_the_plan_and_refuses_with_4() -> None:
    ran = Ran(*_pair(), REFUSING, yes=True)
    assert ran.status == 4
    assert 'supervisor.stopProcess("beat2", wait=False)' in ran.out
    assert "BEATTOP_READ_ONLY is set" in ran.err
    assert Ran(*_pair(), REFUSING).status == 0


def test_an_unknown_name_is_for_the_caller(world: World) -> None:
    with pytest.raises(ValueError, match="no program is called nope"):
        Ran(*_pair(), world.executor, only=["nope"])


def test_only_the_named_one(world: World) -> None:
    assert Ran(*_pair(), world.executor, only=["beat"], yes=True).status == 0
    assert world.server.calls == []


def test_what_is_possible_only_is_told(world: World) -> None:
    shot, (found,) = _pair()
    ran = Ran(shot, [replace(found, certainty="possible")], world.executor, yes=True)
    assert ran.status == 0
    assert "possible only, so left alone: beat2 is a second beat of proj" in ran.err


def test_left_overs_are_offered_as_commands(world: World) -> None:
    world.proc.add(300, ppid=1, pgrp=202)
    ran = Ran(*_pair(), world.executor, yes=True)
    assert ran.status == 1
    assert "  kill -TERM 300" in ran.err


class Closed(io.StringIO):
    def __init__(self, why: Exception) -> None:
        super().__init__()
        self.why = why

    def write(self, text: str) -> int:
        raise self.why


@pytest.mark.parametrize("why", [BrokenPipeError(), ValueError("I/O operation on closed file")])
def test_a_reader_that_went_away_stops_no_deed(world: World, why: Exception) -> None:
    shot, findings = _pair()
    status = run(frame(shot, findings), world.executor, (), True, Closed(why), Closed(why))
    assert status == 0
    assert world.server.programs["beat2"]["statename"] == "STOPPED"


def test_a_refusal_touches_nothing() -> None:
    shot, (found,) = _pair()
    heard: list[object] = []
    from beattop.actions.plan import plan_duplicates

    outcome = REFUSING.execute(plan_duplicates([found], shot), heard.append)
    assert outcome.status == "refused"
    assert "BEATTOP_READ_ONLY" in outcome.summary
    assert heard == []
    assert REFUSING.undo_plan() is None
    assert not REFUSING.writable


def test_read_only_loads_nothing_that_could_write() -> None:
    """A process of its own, since here the writer is loaded already."""
    code = """
import io, sys
from beattop.actions.duplicates import run
from beattop.actions.plan import plan_duplicates, plan_program
from beattop.actions.refuse import RefusingExecutor
from tests.unit.actions.scene import frame, looping_pair
shot, found = looping_pair()
out = io.StringIO()
assert run(frame(shot, [found]), RefusingExecutor("no"), (), True, out, out) == 4
RefusingExecutor("no").execute(plan_duplicates([found], shot), print)
bad = [m for m in ("writer", "executor", "signals", "stop", "start", "pidfile", "journal", "run")
       if f"beattop.actions.{m}" in sys.modules]
bad += [m for m in ("textual", "rich", "celery", "xmlrpc.client") if m in sys.modules]
assert not bad, bad
"""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_hostile_words_do_not_reach_the_terminal(world: World) -> None:
    shot, (found,) = _pair()
    bad = replace(found.stop[0], why="\x1b]0;owned\x07 surplus\nstop everything")
    ran = Ran(shot, [replace(found, stop=(bad,))], world.executor)
    assert "\x1b" not in ran.out
    assert "surplus stop everything" in ran.out
