"""A run that is confined to a tree of its own touches nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beattop.actions.plan import plan_program
from beattop.actions.steps import pidfile_step, signal_step
from beattop.model.files import Pidfile
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from tests.unit.actions.fake import World
from tests.unit.actions.scene import (
    URL,
    outsider,
    program,
    snapshot,
    supervisord,
)
from tests.unit.actions.test_edges import of

pytestmark = pytest.mark.usefixtures("approved_outcomes")


CONFINED: dict[str, tuple[dict[str, Any], bool]] = {
    "a child of supervisord": ({"ppid": 100}, True),
    "one that fell out of its tree": ({"ppid": 1, "env": URL}, True),
    "one of another supervisord": ({"ppid": 1, "env": "unix:///x"}, False),
    "a stranger": ({"ppid": 1}, False),
}


@pytest.mark.parametrize("about", CONFINED)
def test_a_confined_run_signals_its_own_only(world: World, about: str) -> None:
    facts, may = CONFINED[about]
    world.confined = frozenset({URL, "unix:///none"})
    other = supervisord("unix:///x", key=ProcessKey(1, 1))
    world.shot = replace(
        world.shot,
        supervisords=(supervisord("unix:///none", key=None), other, *world.shot.supervisords),
    )
    world.proc.add(1, ppid=0, start=1)
    world.proc.add(4_000_077, ppid=facts["ppid"])
    world.proc.env[4_000_077] = {"SUPERVISOR_SERVER_URL": facts["env"]} if "env" in facts else {}
    key = ProcessKey(4_000_077, 40_000_770)
    outcome = world.do(of(signal_step(outsider(4_000_077), key)))
    # It does not exist, so that nothing but the bounds is tried.
    assert (outcome.status == "refused") is not may


def test_a_confined_run_removes_its_own_pidfiles_only(world: World, tmp_path: Path) -> None:
    world.confined = frozenset({URL})
    file = Pidfile(str(tmp_path / "b.pid"), "ok", 5, None, None)
    for heir, may in (
        (None, False),
        (replace_supervisor(world, "unix:///x"), False),
        (world.shot.programs[1].id, True),
    ):
        outcome = world.do(of(pidfile_step(file, heir, "stale")))
        assert (outcome.status == "refused") is not may


def replace_supervisor(world: World, url: str):
    return world.shot.programs[1].id._replace(supervisor=url)


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_confined_run_starts_its_own(tmp_path: Path, verb: Any) -> None:
    mine = program("web", None, role="other", state="EXITED")
    world = World(tmp_path, snapshot([mine]))
    world.server.put("web", "STOPPED")
    world.confined = frozenset({URL})
    assert world.do(plan_program(verb, [mine], world.shot)).status == "done"


@pytest.mark.parametrize("verb", ["stop", "start", "restart"])
def test_a_confined_run_leaves_other_supervisords_alone(tmp_path: Path, verb: Any) -> None:
    other = program("web", 201, role="other", url="unix:///x", state="EXITED")
    world = World(tmp_path, snapshot([other], supervisords=[supervisord("unix:///x")]))
    world.confined = frozenset({URL})
    made = plan_program(verb, [other], world.shot)
    assert made.steps and world.do(made).status == "refused"
    assert world.server.calls == []


def test_a_confined_run_stops_no_nameless_program(world: World, plan: Plan) -> None:
    world.confined = frozenset({URL})
    lost = replace(plan.steps[0], target=replace(plan.steps[0].target, program=None))
    assert world.do(of(lost)).status == "refused"
    free = replace(
        signal_step(outsider(77), ProcessKey(77, 770)), target=replace(outsider(77), process=None)
    )
    assert world.do(of(free)).status == "refused"
