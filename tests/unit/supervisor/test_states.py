"""A stop in every state, on replies recorded from releases that do not run on today's Python.

The executor itself was recorded on supervisor 3.3.5 and 3.4.0 on Python 2.7, 4.0.4 on 3.6, 4.1.0 on
3.7, 4.2.0, 4.2.1 and 4.2.5 on 3.8: for each state that it met, what was asked and answered, repeated
reads left out. EXITED is a loop between two lives, STOPPING somebody else's stop.
"""

from __future__ import annotations

import json
import xmlrpc.client
from pathlib import Path
from typing import Any

import pytest

from beattop.actions.plan import plan_duplicates
from beattop.model.snapshot import Program
from beattop.sources.supervisor.server import Server
from tests.unit.actions.fake import FakeProc, World, ticks
from tests.unit.actions.scene import beat, finding, keep, program, snapshot, target

FOLDER = Path(__file__).parent / "states"
VERSIONS = ["3.3.5", "3.4.0", "4.0.4", "4.1.0", "4.2.0", "4.2.1", "4.2.5"]
STATES = ["RUNNING", "STARTING", "BACKOFF", "EXITED", "STOPPING"]
LOOPS = ("BACKOFF", "EXITED")


class Tape:
    """Answers as recorded, in that order; the process of each answer lives as long as it is told."""

    def __init__(self, proc: FakeProc, version: str, calls: list[dict[str, Any]]) -> None:
        self.proc, self.version, self.calls = proc, version, calls
        self.stops = 0
        self._pid = 0

    def wire(self, server: Server) -> Any:
        return self.send

    def send(self, method: str, params: tuple[Any, ...]) -> Any:
        call = method.partition(".")[2]
        if call == "getSupervisorVersion":
            return self.version
        if call == "getAllConfigInfo":
            return []
        assert params == (("beat2", False) if call == "stopProcess" else ("beat2",))
        fits = [told for told in self.calls if told["call"] == call]
        assert fits, f"{call} was not asked when it was recorded"
        if call == "stopProcess" or len(fits) > 1:
            # What was read before this stop is over.
            at = self.calls.index(fits[0])
            self.calls = [c for i, c in enumerate(self.calls) if i > at]
        self.stops += call == "stopProcess"
        if "fault" in fits[0]:
            raise xmlrpc.client.Fault(*fits[0]["fault"])
        if call == "getProcessInfo":
            self._lives(fits[0]["reply"]["pid"])
        return fits[0]["reply"]

    def _lives(self, pid: int) -> None:
        if self._pid and self._pid != pid:
            self.proc.remove(self._pid)
        if pid and pid not in self.proc.found:
            self.proc.add(pid)
        self._pid = pid


def recorded(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{version}.json").read_text())
    return found


def second(state: str, pid: int | None) -> Program:
    loops = state in LOOPS
    return program("beat2", pid, state=state, respawning=loops, lives=(0.1, 0.2) if loops else ())


def test_all_are_here() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == VERSIONS
    for version in VERSIONS:
        assert [*recorded(version)] == ["version", *STATES]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("state", STATES)
def test_a_stop(tmp_path: Path, version: str, state: str) -> None:
    told = recorded(version)
    calls = told[state]
    assert calls[0]["reply"]["statename"] == state
    first = program("beat", 201)
    other = second(state, calls[0]["reply"]["pid"] or None)
    kept = beat(first)
    shot = snapshot([first, other], [kept, beat(other, health="respawning")])
    world = World(tmp_path, shot)
    tape = Tape(world.proc, told["version"], calls)
    world.server.wire = tape.wire  # type: ignore[method-assign]
    outcome = world.do(plan_duplicates([finding([target(other)], [keep(kept)])], shot))
    assert outcome.status == "done", outcome
    assert outcome.summary == "beat2 is stopped"
    assert tape.stops == (2 if state == "EXITED" else 1)
    checks = ticks(outcome)
    ours = state != "STOPPING"
    assert checks["asked"] == ("done" if ours else "skipped")
    assert {checks[n] for n in ("stopped", "stays-stopped", "survivors", "no-new-spawn")} == {
        "done"
    }
    assert (world.executor.undo_plan() is not None) is ours
