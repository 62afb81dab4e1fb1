"""The plan against a stale pidfile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.actions.plan import owner, plan_pidfile
from beattop.model.files import Pidfile
from beattop.model.process import ProcessKey
from tests.unit.actions.scene import (
    AT,
    beat,
    finding,
    pid_of,
    program,
    snapshot,
)
from tests.unit.actions.test_steps import PATH

pytestmark = pytest.mark.usefixtures("approved_plans")


HELD = Pidfile(PATH, "ok", 55, AT - 900, ProcessKey(55, 550), ("sleep", "9"), "joe", AT - 100)

KEPT = beat(None, 55, pidfile=PATH)

STALE: dict[str, tuple[Pidfile, dict[str, Any], tuple[Any, ...], bool]] = {
    "as usual": (HELD, {}, (), True),
    "gone": (replace(HELD, status="absent"), {}, (), False),
    "not readable": (replace(HELD, status="denied"), {}, (), False),
    "no number in it": (replace(HELD, status="garbage", pid=None, holder=None), {}, (), True),
    "of nobody": (replace(HELD, holder=None), {}, (KEPT,), True),
    "of another path": (replace(HELD, path="/x"), {}, (), False),
    "likely": (HELD, {"certainty": "likely"}, (), False),
    "of another kind": (HELD, {"kind": "beat-down"}, (), False),
    "a beat holds it": (HELD, {}, (KEPT,), False),
    "a worker of that pid holds it": (
        HELD, {}, (replace(beat(None, 56, pidfile=PATH), main_pid=55),), False,
    ),
    "a beat with another pidfile": (HELD, {}, (beat(None, 55, pidfile="/x"),), True),
    "a beat with another pidfile, older than the file": (
        replace(HELD, holder_started_at=AT - 2000), {}, (beat(None, 55, pidfile="/x"),), False,
    ),
    "… born 2 s after it": (
        replace(HELD, holder_started_at=AT - 898), {}, (beat(None, 55, pidfile="/x"),), False,
    ),
    "… of unknown age": (
        replace(HELD, holder_started_at=None), {}, (beat(None, 55, pidfile="/x"),), False,
    ),
    "… written nobody knows when": (
        replace(HELD, mtime_at=None), {}, (beat(None, 55, pidfile="/x"),), False,
    ),
    "a beat of another pid": (HELD, {}, (beat(None, 66, pidfile=PATH),), True),
    "… born 2.5 s after it": (
        replace(HELD, holder_started_at=AT - 897.5), {}, (beat(None, 55, pidfile="/x"),), True,
    ),
    "a worker's beat of that process holds it": (HELD, {}, (replace(KEPT, main_pid=54),), False),
}  # fmt: skip


@pytest.mark.parametrize("about", STALE)
def test_a_stale_pidfile(about: str) -> None:
    file, facts, beats, removed = STALE[about]
    loop = program("b", 202, respawning=True)
    made = finding(
        [], **{"kind": "stale-pidfile", "pidfile": PATH, "programs": (loop.id,), **facts}
    )
    other = replace(HELD, path="/y")
    told = plan_pidfile(made, snapshot([loop], beats, pidfiles=[other, file]))
    assert [s.verb for s in told.steps] == (["remove-pidfile"] if removed else [])
    assert told.undo == ()
    assert told.title.startswith("Remove" if removed else "No pidfile")


def test_a_stale_pidfile_of_a_program_that_is_not_known() -> None:
    made = finding([], kind="stale-pidfile", pidfile=PATH, programs=(pid_of("gone"),))
    told = plan_pidfile(made, snapshot(pidfiles=[HELD]))
    assert told.steps[0].heir is None


OWNERS = (
    (replace(HELD, pid=None), f"{PATH} holds no pid"),
    (replace(HELD, holder=None), f"{PATH} names pid 55, which does not exist any more"),
    (HELD, f"{PATH} names pid 55, which now is sleep 9 of joe, no beat"),
    (replace(HELD, holder_user=None), f"{PATH} names pid 55, which now is sleep 9, no beat"),
    (replace(HELD, holder_argv=(), holder_user=None),
     f"{PATH} names pid 55, which now is a process without a command line, no beat"),
    (replace(HELD, holder_argv=("x" * 100,), holder_user=None),
     f"{PATH} names pid 55, which now is {'x' * 80}, no beat"),
)  # fmt: skip


@pytest.mark.parametrize(("file", "words"), OWNERS)
def test_whose_pid_a_file_holds(file: Pidfile, words: str) -> None:
    assert owner(file) == words
