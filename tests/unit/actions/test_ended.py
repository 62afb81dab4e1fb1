"""The screen is left, or its terminal closed, while a plan is under way."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from beattop.actions.plan import plan_program
from tests.unit.actions.fake import World
from tests.unit.actions.scene import program, snapshot

pytestmark = pytest.mark.usefixtures("approved_outcomes")


class TestEndOfBeattop:
    """The screen is left, or its terminal closed, while a plan is under way."""

    def test_a_restart_is_brought_to_its_end(self, tmp_path: Path) -> None:
        world = World(tmp_path, snapshot([program("web", 201, role="other")]))
        world.cancelled = lambda: bool(world.server.writes)
        outcome = world.do(plan_program("restart", world.shot.programs, world.shot))
        assert [c[0] for c in world.server.writes] == ["stopProcess", "startProcess"]
        assert (outcome.status, outcome.summary) == ("done", "web is restarted")

    def test_a_second_restart_is_not_begun(self, tmp_path: Path) -> None:
        pair = [program("one", 201, role="other"), program("two", 202, role="other")]
        world = World(tmp_path, snapshot(pair))
        world.cancelled = lambda: bool(world.server.writes)
        world.do(plan_program("restart", pair, world.shot))
        assert {c[1] for c in world.server.writes} == {"one"}

    def test_the_journal_tells_that_it_was_ended(self, tmp_path: Path) -> None:
        world = World(tmp_path, snapshot([program("web", 201, role="other")]))
        world.clock.after(0.2, world.executor._closing.set)
        outcome = world.do(plan_program("stop", world.shot.programs, world.shot))
        assert outcome.status == "cancelled"
        assert outcome.summary.endswith("asked already, not proven: web")
        last = json.loads(world.journal.read_text().splitlines()[-1])
        assert (last["event"], last["status"]) == ("result", "cancelled")
        assert last["summary"].startswith("beattop was ended: called off; ")

    def test_what_hangs_is_journalled_as_interrupted(self, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setattr("beattop.actions.executor.CLOSE_S", 0.05)
        world = World(tmp_path, snapshot([program("web", 201, role="other")]))
        told: list[str] = []
        world.server.on_stop = [lambda name: world.executor.close(told.append)]
        world.do(plan_program("stop", world.shot.programs, world.shot))
        assert told[0].startswith("Stop web: waiting at most 0 s for its end (Ctrl-C leaves now)")
        assert told[1] == "Stop web: not over, look at it"
        lines = [json.loads(line) for line in world.journal.read_text().splitlines()]
        told = next(e for e in lines if e["event"] == "result")
        assert (told["status"], told["summary"]) == ("interrupted", "beattop was ended")

    def test_nothing_under_way_is_not_waited_for(self, world: World) -> None:
        told: list[str] = []
        world.executor.close(told.append)
        assert not world.journal.exists() and not told

    def test_what_ends_while_it_is_waited_for_was_not_interrupted(
        self,
        tmp_path: Path,
        monkeypatch,  # type: ignore[no-untyped-def]
    ) -> None:
        monkeypatch.setattr("beattop.actions.executor.QUIET_S", 0.0)
        world = World(tmp_path, snapshot([program("web", 201, role="other")]))
        plan = plan_program("stop", world.shot.programs, world.shot)
        asked, go_on = threading.Event(), threading.Event()
        world.server.on_stop = [lambda name: asked.set() or (go_on.wait(10) and None)]  # type: ignore[func-returns-value]
        acting = threading.Thread(target=world.do, args=(plan,))
        acting.start()
        assert asked.wait(10)
        told: list[str] = []
        world.executor.close(lambda words: told.append(words) or go_on.set())  # type: ignore[func-returns-value]
        acting.join(10)
        assert len(told) == 1
        results = [json.loads(line) for line in world.journal.read_text().splitlines()]
        assert [e["status"] for e in results if e["event"] == "result"] == ["cancelled"]
        assert world.do(plan).status == "cancelled", "nothing is under way any more"

    def test_a_wait_that_is_broken_off_is_journalled(self, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setattr("beattop.actions.executor.QUIET_S", 0.0)
        world = World(tmp_path, snapshot([program("web", 201, role="other")]))

        def leave(words: str) -> None:
            raise SystemExit(130)  # Ctrl-C, as the main thread hears it

        def end(name: str) -> None:
            with pytest.raises(SystemExit):
                world.executor.close(leave)

        world.server.on_stop = [end]
        world.do(plan_program("stop", world.shot.programs, world.shot))
        lines = [json.loads(line) for line in world.journal.read_text().splitlines()]
        assert next(e["status"] for e in lines if e["event"] == "result") == "interrupted"
