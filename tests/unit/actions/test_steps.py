"""Plans where something is not known or not as usual: what they hold, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.actions import steps
from beattop.actions.guard import judge, needs_config, release
from beattop.actions.plan import plan_duplicates
from beattop.model.files import Pidfile
from beattop.model.finding import Finding, Keep, Target
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program, Snapshot
from tests.unit.actions.scene import (
    AT,
    URL,
    beat,
    config,
    finding,
    keep,
    looping_pair,
    member,
    outsider,
    pid_of,
    program,
    snapshot,
    supervisord,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_plans")

PATH = "/run/b.pid"


# Pieces of steps

SERVERS = (
    (supervisord(), None),
    (supervisord(answers=None), None),
    (supervisord(answers=False), "its supervisord does not answer"),
    (supervisord(writable=False), "its supervisord does not take calls from this user"),
    (replace(supervisord(), url=None),
     "its supervisord has no server to talk to ([unix_http_server] in its conf)"),
    (replace(supervisord(), id="other"), "its supervisord is not known any more"),
)  # fmt: skip


@pytest.mark.parametrize(("server", "why"), SERVERS)
def test_who_can_be_told_to_stop_a_program(server: Any, why: str | None) -> None:
    other = supervisord("unix:///x", answers=False)
    assert steps.mute(snapshot(supervisords=[other, server]), URL) == why


def test_the_call_as_it_is_shown() -> None:
    assert steps.call("stop", "b:é") == 'supervisor.stopProcess("b:é", wait=False)'
    assert steps.call("restart", "b") == (
        'supervisor.stopProcess("b", wait=False), then supervisor.startProcess("b", wait=False)'
    )


def test_the_line_that_does_the_same() -> None:
    line = "supervisorctl -c /etc/supervisord.conf start b"
    assert steps.command(snapshot(), "start", pid_of("b")) == line
    assert steps.command(snapshot(supervisords=[]), "start", pid_of("b")) is None
    bare = snapshot(supervisords=[supervisord(ctl=())])
    assert steps.command(bare, "start", pid_of("b")) is None


def test_who_starts_what_belongs_to_a_supervisord_that_does_not_run() -> None:
    gone = supervisord(answers=False, key=None)
    line = "supervisord -c /etc/supervisord.conf"
    assert steps.command(snapshot(supervisords=[gone]), "start", pid_of("b")) == line
    assert steps.command(snapshot(supervisords=[gone]), "stop", pid_of("b")) is None
    nameless = snapshot(supervisords=[replace(gone, conf=None)])
    assert "supervisorctl" in (steps.command(nameless, "start", pid_of("b")) or "")
    elsewhere = supervisord(key=None)  # it answers, but no process of it is seen from here
    assert "supervisorctl" in (
        steps.command(snapshot(supervisords=[elsewhere]), "start", pid_of("b")) or ""
    )


B = program("b", 201)


def test_a_start_waits_for_what_its_own_program_left_over() -> None:
    start = steps.start_again(snapshot([B]), steps.rpc_step(snapshot([B]), "stop", target(B)))
    assert (start.verb, start.target.why, start.target.pid) == ("start", "", None)
    left = []
    for number, owner in ((7, B.id), (8, pid_of("other"))):
        key = ProcessKey(number, 10 * number)
        left.append(steps.signal_step(steps.process_target(key, "left over", owner), key))
    assert steps.waiting(start, left).after == (ProcessKey(7, 70),)


def test_a_step_names_the_leader_that_supervisord_knows() -> None:
    behind = replace(target(B), pid=209, process=ProcessKey(209, 2090))
    step = steps.rpc_step(snapshot([B]), "stop", behind)
    assert (step.target.pid, step.target.process) == (201, ProcessKey(201, 2010))
    assert (step.server, step.respawning) == (URL, False)
    # Between two lives it names none, and where nothing is known it leaves things as told.
    none = replace(target(B), pid=None, process=None)
    assert steps.rpc_step(snapshot([B]), "stop", none).target == none
    gone = steps.rpc_step(snapshot([program("b")]), "stop", behind)
    assert gone.target == behind
    unknown = steps.rpc_step(snapshot(supervisords=[]), "stop", behind)
    assert (unknown.target, unknown.server, unknown.respawning) == (behind, URL, False)
    assert steps.rpc_step(snapshot([replace(B, respawning=True)]), "stop", behind).respawning
    # Of two supervisords on one address the second goes by its conf.
    second = replace(supervisord(), id="conf:/b")
    theirs = replace(behind, supervisor="conf:/b")
    assert steps.rpc_step(snapshot(supervisords=[second]), "stop", theirs).server == URL
    nameless = replace(behind, namespec=None)
    assert 'stopProcess("", ' in steps.rpc_step(snapshot([B]), "stop", nameless).call


UNDONE = (("stop", "start", False), ("start", "stop", True))


@pytest.mark.parametrize(("verb", "back", "respawning"), UNDONE)
def test_what_takes_a_step_back(verb: Any, back: str, respawning: bool) -> None:
    shot = snapshot([B])
    undo = steps.undo_step(shot, steps.rpc_step(shot, verb, target(B)))
    assert undo is not None
    assert (undo.verb, undo.respawning) == (back, respawning)
    assert undo.command == f"supervisorctl -c /etc/supervisord.conf {back} b"
    assert (undo.target.pid, undo.target.process, undo.target.why) == (None, None, "")
    loop = replace(B, respawning=True)
    undo = steps.undo_step(snapshot([loop]), steps.rpc_step(snapshot([loop]), verb, target(loop)))
    assert undo is not None and undo.respawning


def test_what_nothing_takes_back() -> None:
    shot = snapshot([B])
    assert steps.undo_step(shot, steps.rpc_step(shot, "restart", target(B))) is None
    lost = replace(target(B), program=None)
    assert steps.undo_step(shot, steps.rpc_step(shot, "stop", lost)) is None
    term = steps.signal_step(outsider(7), ProcessKey(7, 70))
    assert steps.undo_step(shot, term) is None


def test_names_in_sentences() -> None:
    assert steps.called(target(B)) == "b"
    assert steps.called(outsider(7)) == "pid 7"
    assert steps.called(replace(outsider(7), pid=None)) == "started by hand"
    file = Pidfile(PATH, "ok", 5, AT, None)
    removal = steps.pidfile_step(file, None, "why")
    assert steps.named(removal) == "the stale pidfile /run/b.pid"
    assert steps.named(replace(removal, pidfile=None)) == "why"
    assert steps.named(replace(removal, verb="stop")) == "why"
    assert steps.keeper(keep(beat(B))) == "b (pid 201)"
    assert steps.keeper(Keep(None, None, None)) == "the beat"
    assert steps.advised(outsider(7)) == "pid 7: started by hand – by hand: kill -TERM 7"
    assert steps.advised(outsider(7), "so") == "pid 7: so – by hand: kill -TERM 7"
    assert steps.advised(replace(outsider(7), why="", command=None)) == "pid 7"


def test_a_path_with_a_quote_is_removed_as_it_is() -> None:
    step = steps.pidfile_step(Pidfile("/run/a b'é", "ok", 5, AT, None), pid_of("b"), "why")
    assert step.command == """rm -- '/run/a b'"'"'é'"""
    assert step.call == 'unlink("/run/a b\'é")'
    assert (step.heir, step.server, step.target.via) == (pid_of("b"), None, "signal")


def test_a_process_that_is_left_over() -> None:
    for owner in (pid_of("b"), None):
        found = steps.process_target(ProcessKey(7, 70), "left over", owner)
        assert found == Target(
            owner and URL, None, 7, "signal", "kill -TERM 7", owner, ProcessKey(7, 70), "left over"
        )


def test_a_finding_without_a_lasting_fix_leaves_no_empty_line() -> None:
    made = steps.Parts.empty().plan("Stop", snapshot(), lasting=("", "exec", "exec"))
    assert made.lasting == ("exec",)


# Against duplicates


def plan(shot: Snapshot, *found: Finding, only: tuple[str, ...] = ()) -> Plan:
    return plan_duplicates(found, shot, only)


def test_what_cannot_be_stopped_is_advice_without_its_command() -> None:
    shot, found = looping_pair()
    gone = replace(found.stop[0], program=None)
    no_pid = replace(outsider(77), process=None)
    for bad, why in (
        (gone, "its supervisord does not know it"),
        (no_pid, "its process is not known"),
    ):
        made = plan(shot, replace(found, stop=(bad,)))
        assert made.empty and made.advice[0].endswith(f"not stopped, {why}")


def test_a_target_of_two_findings_is_stopped_once() -> None:
    shot, found = looping_pair()
    made = plan(shot, found, replace(found, lasting=replace(found.lasting, text="twice")))
    assert len(made.steps) == 1 and made.lasting == ("remove [program:beat2]",)


def test_what_is_only_advice_brings_no_keeper_and_no_lasting_fix() -> None:
    shot, found = looping_pair()
    made = plan(shot, replace(found, stop=(replace(found.stop[0], via="advice"),)))
    assert (made.keep, made.lasting, made.steps) == ((), (), ())
    assert made.title == "No duplicate beat to stop"


def test_a_double_supervisor_is_a_duplicate_too() -> None:
    shot, found = looping_pair()
    assert len(plan(shot, replace(found, kind="double-supervisor")).steps) == 1


@pytest.mark.parametrize("word", ["g:*", "g:n", "nope", "n", "g", "h:*", "h:n", "*"])
def test_programs_are_named_as_supervisorctl_does(word: str) -> None:
    one, two = program("n", 201, group="g"), program("h", 202)
    kept = beat(program("k", 203))
    shot = snapshot([one, two], [beat(one), beat(two), kept])
    found = finding([target(one), target(two)], [keep(kept)])
    chosen = {"g:*": ["g:n"], "g:n": ["g:n"], "h:*": ["h"]}.get(word)
    if chosen is None:
        with pytest.raises(ValueError, match=r"no program is called .*: there is g:n and h"):
            plan(shot, found, only=(word,))
    else:
        assert [s.target.namespec for s in plan(shot, found, only=(word,)).steps] == chosen
    assert plan(shot, found, only=("h:h",)).steps[0].target.namespec == "h"
    with pytest.raises(ValueError, match=r"no program is called x: no supervisord with programs"):
        plan(replace(shot, programs=()), found, only=("x",))


def shell(**facts: Any) -> Program:
    made = program("b2", 202, members=[member(202, "wrapper"), member(203, "beat", ppid=202)])
    return replace(made, **facts)


SHELLS: dict[str, tuple[Program, int]] = {
    "as usual": (shell(), 2),
    "no conf": (shell(config=None), 2),
    "it stops its group": (shell(config=config("b2", stopasgroup=True)), 1),
    "it loops": (shell(respawning=True), 1),
    "between two lives": (shell(members=()), 1),
    "no shell": (shell(members=(member(202), member(203))), 1),
}


@pytest.mark.parametrize("about", SHELLS)
def test_a_beat_behind_a_shell(about: str) -> None:
    found, number = SHELLS[about]
    kept = beat(B)
    beats = [kept, beat(found, 203), beat(found, 202), replace(beat(found, 204), process=None)]
    shot = snapshot([B, found], beats)
    made = plan(shot, finding([target(found)], [keep(kept)]))
    assert len(made.steps) == number
    assert made.title == "Stop the duplicate beat b2"
    if number == 2:
        assert (made.steps[1].target.pid, made.steps[1].if_left) == (203, True)


def test_a_signal_and_a_program_that_is_not_known_have_no_shell_to_outlive() -> None:
    kept = beat(B)
    found = shell()
    shot = snapshot([B, found], [kept, beat(found, 203)])
    term = replace(outsider(202), program=found.id)
    assert len(plan(shot, finding([term], [keep(kept)])).steps) == 1
    gone = target(program("gone", 9))
    made = plan(shot, finding([gone], [keep(kept)]))
    assert [s.verb for s in made.steps] == ["stop"]
    assert made.warnings == ("gone may come back when supervisord restarts: see the lasting fix",)


def test_two_shells_are_two_duplicates() -> None:
    other = replace(shell(), id=pid_of("b3"))
    kept = beat(B)
    shot = snapshot([B, shell(), other], [kept, beat(shell(), 203), beat(other, 205)])
    made = plan(shot, finding([target(shell()), target(other)], [keep(kept)]))
    assert made.title == "Stop 2 duplicate beats" and len(made.steps) == 4


def test_of_many_names_some_are_told() -> None:
    shot = snapshot([program(f"p{n}", 201 + n) for n in range(10)])
    with pytest.raises(ValueError, match=r"there is p0, p1, p2, p3, p4, p5, p6 and 3 more$"):
        plan(shot, only=("x",))


# The guard of supervisors below 4.2.2

RELEASES = (
    ("4.2.1", (4, 2, 1)),
    ("4.2", (4, 2, 0)),
    ("10.0.12-dev", (10, 0, 12)),
    ("x", ()),
    ("", ()),
)


@pytest.mark.parametrize(("version", "parts"), RELEASES)
def test_a_version_read(version: str, parts: tuple[int, ...]) -> None:
    assert release(version) == parts


@pytest.mark.parametrize(
    ("version", "old"),
    [("4.2.2", False), ("4.2.1", True), ("4.3.0", False), ("3.4.0", True), ("", True)],
)
def test_which_versions_are_not_asked_twice(version: str, old: bool) -> None:
    assert needs_config(version) is old
    assert judge(version, {}, None).stands is old
    assert (judge(version, {}, None).why == "") is not old


@pytest.mark.parametrize(
    ("told", "conf", "stands", "why"),
    [
        ({"killasgroup": False}, None, False, ""),
        ({"killasgroup": True}, None, True, "that may have"),
        ({}, config("b"), False, ""),
        ({}, config("b", stopasgroup=True), True, "with"),
        ({"killasgroup": False}, config("b", stopasgroup=True), False, ""),
    ],
)
def test_what_is_known_of_the_group(told: Any, conf: Any, stands: bool, why: str) -> None:
    for version in ("4.2.1", ""):
        guard = judge(version, told, conf)
        assert guard.stands is stands
        words = f"supervisor {version or '?'} can die of a stop (upstream #1387) that meets a program {why} stopasgroup=true between two lives"
        assert guard.why == (words if why else "")
