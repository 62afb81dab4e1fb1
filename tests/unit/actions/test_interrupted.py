"""A beattop that was killed in the middle of an action: the next one tells, once."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from beattop.actions import journal as journals
from beattop.actions.interrupted import interrupted
from beattop.actions.journal import Journal
from beattop.model.plan import Plan
from tests.unit.actions.fake import World
from tests.unit.actions.scene import AT

PID = 4_000_077


def written(world: World, *more: dict[str, Any], **facts: Any) -> None:
    plan = {"event": "plan", "title": "Stop beat2", "at": AT - 60}
    usual = {"action": "a1", "host": socket.gethostname(), "pid": PID, "at": AT - 50}
    with world.journal.open("a") as file:
        for line in (plan, *more):
            file.write(json.dumps({**usual, **line, **facts}) + "\n")


CALL = {"event": "call", "call": 'supervisor.stopProcess("beat2")', "result": "accepted"}
CHECK = {"event": "check", "label": "is stopped", "detail": "STOPPED at 12:00:00"}
RESULT = {"event": "result", "status": "done"}


def told(world: World) -> str:
    return interrupted(Journal(world.journal), world.proc, world.clock)


def test_what_it_was_at_is_told_once(world: World) -> None:
    written(world, CALL, CHECK)
    words = told(world)
    assert f"a beattop (pid {PID}) was killed in the middle of 'Stop beat2' at 0" in words
    assert "the last of it was: is stopped: STOPPED at 12:00:00. Look at what it left" in words
    assert told(world) == ""
    last = json.loads(world.journal.read_text().splitlines()[-1])
    assert (last["action"], last["event"], last["status"]) == ("a1", "result", "interrupted")
    assert last["summary"] == "its beattop was killed"
    assert last["pid"] == os.getpid()


@pytest.mark.parametrize(
    "last",
    [{**CALL, "result": "EVIL"}, {**CALL, "call": "EVIL"}, {**CHECK, "detail": "EVIL"},
     {**CHECK, "label": "EVIL"}, CHECK],
)  # fmt: skip
def test_what_somebody_wrote_into_the_journal_is_cleaned_and_masked(
    world: World, last: dict[str, Any]
) -> None:
    evil = "\x1b[2Jowned redis://:hunter2@h/0"
    last = {key: evil if word == "EVIL" else word for key, word in last.items()}
    written(world, last, **({"title": evil} if last == CHECK else {}))
    words = told(world)
    assert "owned" in words
    assert "hunter2" not in words and "x1b" not in words and "\x1b" not in words


def test_a_beattop_that_was_a_containers_first_process_counts(world: World) -> None:
    written(world, CALL, pid=1)
    assert "(pid 1) was killed in the middle of 'Stop beat2'" in told(world)


def test_a_box_whose_clock_starts_in_1970_counts(world: World) -> None:
    written(world, CALL, at=1)
    assert "Stop beat2" in told(world)


def test_a_call_may_be_the_last_of_it(world: World) -> None:
    written(world, CALL)
    assert 'the last of it was: supervisor.stopProcess("beat2"): accepted' in told(world)


def test_or_nothing_at_all(world: World) -> None:
    written(world)
    assert "nothing of it is known" in told(world)


def test_what_came_to_an_end_is_no_news(world: World) -> None:
    assert told(world) == ""
    written(world, CALL, RESULT)
    assert told(world) == ""
    assert len(world.journal.read_text().splitlines()) == 3


def test_one_that_is_still_at_work_is_left_alone(world: World) -> None:
    written(world, CALL)
    world.proc.add(PID)
    world.proc.born[PID] = world.clock.monotonic() - 100
    assert told(world) == ""
    world.proc.born[PID] = world.clock.monotonic() - 59  # the journal's clock and /proc's differ
    assert told(world) == ""
    world.proc.born[PID] = world.clock.monotonic() - 58.5  # another process of that pid
    assert told(world) != ""


def test_a_zombie_is_at_work_no_more(world: World) -> None:
    written(world, CALL)
    world.proc.add(PID, state="Z")
    world.proc.born[PID] = world.clock.monotonic() - 100
    assert told(world) != ""


def test_another_hosts_is_its_own_matter(world: World) -> None:
    written(world, CALL, host="elsewhere")
    assert told(world) == ""


ODD = (
    '{"event": "plan"}',
    '{"event": "check", "action": "b"}',
    '{"event": "result", "action": "b"}',
    '{"event": "plan", "action": "b", "host": "HOST", "pid": "7", "at": 1, "title": "x"}',
    '{"event": "plan", "action": "b", "host": "HOST", "pid": 4000077, "at": "1", "title": "x"}',
    '{"event": "plan", "action": "b", "host": "HOST", "pid": 4000077, "at": 1}',
)


@pytest.mark.parametrize("line", ["{", "[1]", "null", "\\udcff", "\udcff", "[" * 9000, *ODD])
def test_a_line_may_be_anything(world: World, line: str) -> None:
    odd = line.replace("HOST", socket.gethostname()).encode(errors="surrogateescape") + b"\n"
    world.journal.write_bytes(odd)
    written(world, CALL)
    world.journal.write_bytes(world.journal.read_bytes() + odd)
    assert "Stop beat2" in told(world)


def test_only_the_end_of_a_long_journal_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(world, CALL)
    monkeypatch.setattr(journals, "RECENT_BYTES", 40)
    assert told(world) == ""


@pytest.mark.parametrize(("more", "known"), [(0, True), (1, False)])
def test_that_end_is_a_quarter_of_a_megabyte(world: World, more: int, known: bool) -> None:
    written(world)
    size = world.journal.stat().st_size
    with world.journal.open("a") as file:
        file.write("x" * (256 * 1024 - size + more - 1) + "\n")
    assert (told(world) != "") is known


def test_a_journal_that_is_none_is_no_trouble(world: World, tmp_path: Path) -> None:
    world.journal.unlink(missing_ok=True)
    os.mkfifo(world.journal)
    assert told(world) == ""


def test_the_executor_knows_it_but_for_a_confined_one(world: World) -> None:
    written(world, CALL)
    world.confined = frozenset()
    assert world.executor.before == ""
    world.confined, world._executor = None, None
    assert "was killed in the middle of" in world.executor.before


def test_its_own_action_has_an_end(world: World, plan: Plan) -> None:
    world.do(plan)
    assert told(world) == ""


@pytest.mark.parametrize(
    "damaged",
    [
        {"at": float("nan")},
        {"at": 1e300},
        {"at": -1e20},
        {"at": None},
        {"at": 0},
        {"at": 1 << 40},
        {"pid": -1},
        {"pid": 0},
        {"pid": 1 << 31},
        {"pid": 1 << 90},
    ],
)
def test_a_damaged_line_is_no_plan(world: World, damaged: dict[str, Any]) -> None:
    written(world, **damaged)
    assert told(world) == ""
