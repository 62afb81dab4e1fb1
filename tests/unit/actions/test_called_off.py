"""What is said of a plan that was called off on its way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates, plan_program
from tests.unit.actions.fake import World
from tests.unit.actions.scene import beat, config, finding, keep, looping_pair, program, snapshot
from tests.unit.actions.scene import target as of

pytestmark = pytest.mark.usefixtures("approved_outcomes")


def test_what_was_asked_is_told_and_nothing_else(tmp_path: Path) -> None:
    kept, *rest = (program(name, 201 + n) for n, name in enumerate(("b", "down", "one", "two")))
    shot = snapshot([kept, *rest], [beat(p) for p in (kept, *rest)])
    world = World(tmp_path, shot)
    world.server.finish_stop("down")
    world.cancelled = lambda: bool(world.server.writes)
    outcome = world.do(plan_duplicates([finding([of(p) for p in rest], [keep(beat(kept))])], shot))
    assert outcome.status == "cancelled"
    assert outcome.summary == "called off; asked already, not proven: one"


def test_what_has_ended_is_told(tmp_path: Path) -> None:
    pair = [program("one", 201, role="other"), program("two", 202, role="other")]
    world = World(tmp_path, snapshot(pair))
    plan = plan_program("restart", pair, world.shot)
    # One that is down already is not asked to stop, only started.
    world.server.finish_stop("one")
    world.cancelled = lambda: bool(world.server.writes)
    assert world.do(plan).summary == "called off; asked already, not proven: one"
    world.server.finish_stop("one")
    world.cancelled = lambda: any((c.name, c.tick) == ("runs", "done") for c in world.checks)
    outcome = world.do(plan)
    assert world.server.writes == [("startProcess", "one", False)] * 2
    assert outcome.summary == "called off; one is restarted"


def test_where_nothing_tells_the_journal_does(tmp_path: Path) -> None:
    shot, found = looping_pair((0.3, 0.4))
    looping = replace(shot.programs[1], config=config("beat2", stopasgroup=True))
    shot = replace(shot, programs=(shot.programs[0], looping))
    world = World(tmp_path, shot, "3.3.5")
    world.cancelled = lambda: world.clock.t > 1
    outcome = world.do(plan_duplicates([found], shot))
    assert world.server.writes == []
    assert outcome.summary == "called off; see the journal for what was asked"
