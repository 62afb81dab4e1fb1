"""Plans: what they hold, and what they never hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.actions.plan import (
    plan_duplicates,
    plan_finding_alternative,
    plan_pidfile,
    plan_program,
)
from beattop.model.files import Pidfile
from beattop.model.process import ProcessKey
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
    program,
    snapshot,
    supervisord,
    target,
)

pytestmark = pytest.mark.usefixtures("approved_plans")


def test_the_exact_call_the_server_and_the_same_by_hand() -> None:
    shot, found = looping_pair()
    plan = plan_duplicates([found], shot)
    (step,) = plan.steps
    assert plan.title == "Stop the duplicate beat beat2"
    assert step.verb == "stop"
    assert step.call == 'supervisor.stopProcess("beat2", wait=False)'
    assert step.server == URL
    assert step.command == "supervisorctl -c /etc/supervisord.conf stop beat2"
    assert step.respawning
    assert plan.keep == found.keep
    assert plan.lasting == ("remove [program:beat2]",)
    assert plan.advice == ()
    assert any("comes back when supervisord restarts" in line for line in plan.warnings)


def test_undo_starts_what_was_stopped_last_first() -> None:
    first, second, third = program("beat", 201), program("b2", 202), program("b3", 203)
    shot = snapshot([first, second, third], [beat(first), beat(second), beat(third)])
    found = finding([target(second), target(third)], [keep(beat(first))])
    undo = plan_duplicates([found], shot).undo
    assert [step.call for step in undo] == [
        'supervisor.startProcess("b3", wait=False)',
        'supervisor.startProcess("b2", wait=False)',
    ]
    assert undo[0].command == "supervisorctl -c /etc/supervisord.conf start b3"
    assert undo[0].target.process is None


def test_autostart_false_is_told_otherwise() -> None:
    shot, found = looping_pair()
    second = replace(shot.programs[1], config=config("beat2", autostart=False))
    plan = plan_duplicates([found], replace(shot, programs=(shot.programs[0], second)))
    assert any("stays stopped" in line for line in plan.warnings)
    unknown = replace(shot.programs[1], config=None)
    plan = plan_duplicates([found], replace(shot, programs=(shot.programs[0], unknown)))
    assert any("may come back" in line for line in plan.warnings)


def test_a_possible_duplicate_is_never_stopped() -> None:
    shot, found = looping_pair()
    assert plan_duplicates([replace(found, certainty="possible")], shot).steps == ()
    assert plan_duplicates([replace(found, certainty="likely")], shot).steps != ()


@pytest.mark.parametrize("kind", ["respawn-loop", "orphan", "beat-silent", "program-down"])
def test_other_findings_are_no_duplicates(kind: str) -> None:
    shot, found = looping_pair()
    assert plan_duplicates([replace(found, kind=kind)], shot).steps == ()  # type: ignore[arg-type]


def test_advice_becomes_a_line_with_its_command() -> None:
    shot, found = looping_pair()
    foreign = outsider(77, "advice", "it belongs to the systemd unit b.service")
    plan = plan_duplicates([replace(found, stop=(foreign,))], shot)
    assert plan.empty
    assert plan.advice == (
        "pid 77: it belongs to the systemd unit b.service – by hand: kill -TERM 77",
    )


def test_a_foreign_beat_gets_sigterm() -> None:
    shot, found = looping_pair()
    other = beat(None, 77)
    plan = plan_duplicates(
        [replace(found, stop=(outsider(77),))], replace(shot, beats=(*shot.beats, other))
    )
    (step,) = plan.steps
    assert (step.verb, step.call) == ("signal", "pidfd_send_signal(pid 77, SIGTERM)")
    assert step.command == "kill -TERM 77"
    assert step.server is None
    assert plan.undo == ()
    assert any("no undo" in line for line in plan.warnings)


class TestLastWorkingBeat:
    """It is never in a plan against duplicates, whatever a finding says."""

    def test_no_keeper_at_all(self) -> None:
        shot, found = looping_pair()
        plan = plan_duplicates([replace(found, keep=())], shot)
        assert plan.empty
        assert "no other beat" in plan.advice[0]
        assert "supervisorctl" not in plan.advice[0]

    def test_the_keeper_is_dead(self) -> None:
        shot, found = looping_pair()
        plan = plan_duplicates([found], replace(shot, beats=shot.beats[1:]))
        assert plan.empty

    @pytest.mark.parametrize("health", ["silent", "standby"])
    def test_the_keeper_sends_nothing(self, health: str) -> None:
        first, second = program("beat", 201), program("beat2", 202)
        kept = beat(first, health=health)
        shot = snapshot([first, second], [kept, beat(second)])
        plan = plan_duplicates([finding([target(second)], [keep(kept)])], shot)
        assert plan.empty
        assert "last working beat" in plan.advice[0]

    def test_a_silent_holder_is_enough_against_a_loop(self) -> None:
        shot, found = looping_pair()
        silent = replace(shot.beats[0], health="silent")
        plan = plan_duplicates([found], replace(shot, beats=(silent, shot.beats[1])))
        assert [s.target.namespec for s in plan.steps] == ["beat2"]

    @pytest.mark.parametrize("health", ["respawning", "down"])
    def test_the_keeper_respawns_itself(self, health: str) -> None:
        shot, found = looping_pair()
        kept = replace(shot.beats[0], health=health)  # type: ignore[arg-type]
        assert plan_duplicates([found], replace(shot, beats=(kept, shot.beats[1]))).empty

    def test_a_zombie_keeps_nothing(self) -> None:
        shot, found = looping_pair()
        zombie = replace(shot.beats[0], state="Z")
        assert plan_duplicates([found], replace(shot, beats=(zombie, shot.beats[1]))).empty

    def test_one_findings_keeper_is_anothers_target(self) -> None:
        one, two = program("one", 201), program("two", 202)
        shot = snapshot([one, two], [beat(one), beat(two)])
        findings = [
            finding([target(one)], [keep(beat(two))]),
            finding([target(two)], [keep(beat(one))]),
        ]
        plan = plan_duplicates(findings, shot)
        assert plan.empty
        assert len(plan.advice) == 2

    def test_a_possible_findings_keeper_is_spared_too(self) -> None:
        shot, found = looping_pair()
        spare = finding([], [keep(shot.beats[1])], certainty="possible")
        assert plan_duplicates([found, spare], shot).empty

    def test_a_worker_whose_beat_is_the_last(self) -> None:
        worker = program("worker", 301, role="worker+beat")
        embedded = beat(worker, 305, embedded=True, main_pid=301)
        shot = snapshot([worker], [embedded])
        plan = plan_duplicates([finding([target(worker)])], shot)
        assert plan.empty

    def test_what_is_no_beat_needs_no_keeper(self) -> None:
        shot, _ = looping_pair()
        other = program("flower", 400, role="flower")
        shot = replace(shot, programs=(*shot.programs, other))
        assert not plan_duplicates([finding([target(other)])], shot).empty


def test_a_mute_supervisord_leaves_advice() -> None:
    shot, found = looping_pair()
    for mute, words in (
        (supervisord(answers=False), "does not answer"),
        (supervisord(url=None), "unix_http_server"),
        (supervisord(writable=False), "does not take calls"),
    ):
        server = replace(mute, id=URL)
        plan = plan_duplicates([found], replace(shot, supervisords=(server,)))
        assert plan.empty
        assert words in plan.advice[0]


class TestOnly:
    def _scene(self):  # type: ignore[no-untyped-def]
        first = program("b_00", 201, group="b")
        others = [program(f"b_0{n}", 201 + n, group="b") for n in (1, 2)]
        shot = snapshot([first, *others], [beat(p) for p in (first, *others)])
        return shot, finding([target(p) for p in others], [keep(beat(first))])

    def test_limits_to_namespecs(self) -> None:
        shot, found = self._scene()
        plan = plan_duplicates([found], shot, ["b:b_02"])
        assert [s.target.namespec for s in plan.steps] == ["b:b_02"]

    def test_takes_a_whole_group(self) -> None:
        shot, found = self._scene()
        plan = plan_duplicates([found], shot, ["b:*"])
        assert [s.target.namespec for s in plan.steps] == ["b:b_01", "b:b_02"]
        assert plan.title == "Stop 2 duplicate beats"

    def test_a_program_that_is_no_duplicate_is_nothing_to_do(self) -> None:
        shot, found = self._scene()
        assert plan_duplicates([found], shot, ["b:b_00"]).empty

    def test_an_unknown_name_is_an_error_in_one_line(self) -> None:
        shot, found = self._scene()
        with pytest.raises(ValueError, match="no program is called nope: there is b:b_00"):
            plan_duplicates([found], shot, ["b:b_01", "nope"])

    def test_spares_those_outside(self) -> None:
        shot, found = self._scene()
        foreign = replace(found, stop=(*found.stop, outsider(77)))
        plan = plan_duplicates([foreign], shot, ["b:b_01"])
        assert [s.verb for s in plan.steps] == ["stop"]


def test_a_beat_behind_a_shell_gets_sigterm_if_it_is_left() -> None:
    first = program("beat", 201)
    shell = program("beat2", 202, members=[member(202, "wrapper"), member(203, "beat", ppid=202)])
    behind = beat(shell, 203)
    shot = snapshot([first, shell], [beat(first), behind])
    named = replace(target(shell), pid=203, process=ProcessKey(203, 2030))
    plan = plan_duplicates([finding([named], [keep(beat(first))])], shot)
    stop, term = plan.steps
    assert stop.target.process == ProcessKey(202, 2020)  # what supervisord knows
    assert (term.verb, term.target.process, term.if_left) == (
        "signal",
        ProcessKey(203, 2030),
        True,
    )
    assert plan.title == "Stop the duplicate beat beat2"
    as_group = replace(shell, config=config("beat2", stopasgroup=True))
    shot = replace(shot, programs=(first, as_group))
    assert len(plan_duplicates([finding([named], [keep(beat(first))])], shot).steps) == 1


class TestProgramPlan:
    def test_stop_names_its_losses(self) -> None:
        only = program("beat", 201)
        plan = plan_program("stop", [only], snapshot([only], [beat(only)]))
        assert [s.call for s in plan.steps] == ['supervisor.stopProcess("beat", wait=False)']
        assert any("last working beat" in line for line in plan.warnings)
        assert plan.undo[0].verb == "start"

    def test_the_last_beat_of_an_identity_only(self) -> None:
        one, two = program("one", 201), program("two", 202)
        shot = snapshot([one, two], [beat(one), beat(two)])
        assert not any("last" in line for line in plan_program("stop", [one], shot).warnings)
        both = plan_program("stop", [one, two], shot).warnings
        assert sum("last working beat" in line for line in both) == 2
        apart = snapshot([one, two], [beat(one), beat(two, app="other")])
        assert any("last" in line for line in plan_program("stop", [one], apart).warnings)

    def test_restart_says_until_when(self) -> None:
        only = program("beat", 201)
        plan = plan_program("restart", [only], snapshot([only], [beat(only)]))
        assert any("until it runs again" in line for line in plan.warnings)
        assert plan.steps[0].call == (
            'supervisor.stopProcess("beat", wait=False), '
            'then supervisor.startProcess("beat", wait=False)'
        )
        assert plan.undo == ()

    def test_start_of_a_second_beat_warns(self) -> None:
        one = program("beat", 201)
        two = program("beat2", state="STOPPED")
        shot = snapshot([one, two], [beat(one), beat(two, health="down")])
        plan = plan_program("start", [two], shot)
        assert any("becomes a second beat" in line for line in plan.warnings)
        assert plan.undo[0].verb == "stop"

    @pytest.mark.parametrize(
        ("verb", "state", "pid"), [("start", "RUNNING", 5), ("stop", "STOPPED", None)]
    )
    def test_nothing_to_do_is_left_out(self, verb, state, pid) -> None:  # type: ignore[no-untyped-def]
        found = program("web", pid, state=state, role="other")
        plan = plan_program(verb, [found], snapshot([found]))
        assert plan.empty
        assert "left out" in plan.warnings[0]

    def test_a_worker_has_running_tasks(self) -> None:
        found = program("worker", 300, role="worker")
        plan = plan_program("stop", [found], snapshot([found]))
        assert any("10 s (stopwaitsecs)" in line for line in plan.warnings)

    def test_beattop_under_supervisord(self) -> None:
        found = program("top", 300, role="other")
        plan = plan_program("stop", [found], snapshot([found], viewer_pid=300))
        assert any("beattop itself" in line for line in plan.warnings)

    def test_a_mute_supervisord(self) -> None:
        found = program("web", 5, role="other")
        shot = snapshot([found], supervisords=[supervisord(answers=False)])
        plan = plan_program("stop", [found], shot)
        assert plan.empty
        assert "does not answer" in plan.advice[0]


class TestHandOver:
    def _scene(self, **second):  # type: ignore[no-untyped-def]
        looping = program("beat", 202, **{"respawning": True, **second})
        foreign = beat(None, 77, pidfile="/run/beat.pid")
        fact = Pidfile("/run/beat.pid", "ok", 77, AT - 500, ProcessKey(77, 770))
        foreign = replace(foreign, pidfile_fact=fact)
        shot = snapshot([looping], [foreign, beat(looping, health="respawning")], pidfiles=[fact])
        found = finding([target(looping)], [keep(foreign)], alternatives=(outsider(77),))
        return shot, found

    def test_ends_the_foreign_one_and_names_the_heir(self) -> None:
        shot, found = self._scene()
        plan = plan_finding_alternative(found, shot)
        (step,) = plan.steps
        assert step.verb == "signal"
        assert step.heir == found.stop[0].program
        assert step.pidfile is not None
        assert step.pidfile.path == "/run/beat.pid"
        assert plan.title == "Hand the schedule over to beat"
        assert any("nothing is scheduled" in line for line in plan.warnings)

    def test_wakes_an_heir_that_was_given_up(self) -> None:
        shot, found = self._scene(respawning=False, state="FATAL")
        assert [s.verb for s in plan_finding_alternative(found, shot).steps] == ["signal", "start"]

    def test_not_without_an_heir(self) -> None:
        shot, found = self._scene()
        plan = plan_finding_alternative(replace(found, stop=(), programs=()), shot)
        assert plan.empty
        assert "no supervised beat would take over" in plan.advice[0]

    def test_not_for_a_possible_finding(self) -> None:
        shot, found = self._scene()
        assert plan_finding_alternative(replace(found, certainty="possible"), shot).empty

    def test_advice_stays_advice(self) -> None:
        shot, found = self._scene()
        only = replace(found, alternatives=(outsider(77, "advice", "a unit"),))
        assert plan_finding_alternative(only, shot).advice == (
            "pid 77: a unit – by hand: kill -TERM 77",
        )


class TestPidfile:
    fact = Pidfile("/run/b.pid", "ok", 55, AT - 900, ProcessKey(55, 550), ("sleep", "9"), "joe")

    def _scene(self, fact=fact, **more):  # type: ignore[no-untyped-def]
        looping = program("beat", 202, **{"respawning": True, **more.pop("program", {})})
        shot = snapshot([looping], [beat(looping, health="respawning")], pidfiles=[fact])
        return shot, finding(
            [], kind="stale-pidfile", pidfile="/run/b.pid", programs=(looping.id,), **more
        )

    def test_shows_whose_pid_it_is(self) -> None:
        shot, found = self._scene()
        plan = plan_pidfile(found, shot)
        (step,) = plan.steps
        assert (step.verb, step.call) == ("remove-pidfile", 'unlink("/run/b.pid")')
        assert step.command == "rm -- /run/b.pid"
        assert step.heir == shot.programs[0].id
        assert step.pidfile == self.fact
        assert any("sleep 9 of joe, no beat" in line for line in plan.warnings)

    def test_only_where_it_is_proven(self) -> None:
        shot, found = self._scene(certainty="likely")
        assert plan_pidfile(found, shot).empty
        shot, found = self._scene()
        assert plan_pidfile(replace(found, pidfile=None), shot).empty
        assert plan_pidfile(replace(found, kind="beat-down"), shot).empty

    def test_not_where_a_living_beat_holds_it(self) -> None:
        shot, found = self._scene()
        holder = beat(None, 55, pidfile="/run/b.pid")
        plan = plan_pidfile(found, replace(shot, beats=(*shot.beats, holder)))
        assert plan.empty
        assert "not proven stale" in plan.advice[0]

    def test_a_fatal_beat_is_started_afterwards(self) -> None:
        shot, found = self._scene(program={"respawning": False, "state": "FATAL"})
        assert [s.verb for s in plan_pidfile(found, shot).steps] == ["remove-pidfile", "start"]
