"""Who keeps an identity alive, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from beattop.actions.plan import plan_duplicates
from beattop.actions.protect import Kept, beats_of, others, works
from beattop.model.finding import Finding, Keep
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat
from tests.unit.actions.scene import (
    AT,
    URL,
    beat,
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


def test_another_living_beat_is_not_the_kept_one() -> None:
    shot, found = looping_pair()
    stranger = beat(None, 66, app="other", cwd="/srv/other")
    shot = replace(shot, beats=(stranger, shot.beats[1]))
    assert plan_duplicates([found], shot).empty


def test_a_keeper_known_by_its_program_alone() -> None:
    shot, found = looping_pair()
    by_name = Keep(found.keep[0].supervisor, "beat", None, program=pid_of("beat"))
    assert not plan_duplicates([replace(found, keep=(by_name,))], shot).empty
    nameless = Keep(None, None, None)
    assert plan_duplicates([replace(found, keep=(nameless,))], shot).empty
    elsewhere = replace(by_name, process=ProcessKey(5, 5))
    assert plan_duplicates([replace(found, keep=(elsewhere,))], shot).empty


def test_what_is_kept_by_program_or_by_process() -> None:
    one = program("one", 201)
    by_program = Kept(frozenset({one.id}), frozenset())
    by_process = Kept(frozenset(), frozenset({ProcessKey(77, 770)}))
    assert by_program.holds(target(one))
    assert not by_program.holds(outsider(77))
    assert by_process.holds(outsider(77))
    assert not by_process.holds(target(one))


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        ({}, {}, True),
        ({}, {"app": "x"}, False),
        ({}, {"cwd": "/x"}, False),
        ({"pidfile": "/p"}, {"app": "x", "pidfile": "/p"}, True),
        ({"pidfile": "/p"}, {"app": "x", "pidfile": "/q"}, False),
        ({"schedule": "/s"}, {"app": "x", "schedule": "/s"}, True),
        ({"schedule": "/s"}, {"app": "x", "schedule": "/t"}, False),
        ({"app": None}, {"app": None}, False),
        ({"cwd": None}, {"cwd": None}, False),
        ({}, {"health": "silent"}, False),
        ({}, {"health": "respawning"}, False),
        ({}, {"health": None}, True),
    ],
)
def test_of_one_identity(own, other, same) -> None:  # type: ignore[no-untyped-def]
    one, two = program("one", 201), program("two", 202)
    mine, theirs = beat(one, **own), beat(two, **other)
    shot = snapshot([one, two], [mine, theirs])
    assert bool(others(shot, mine, frozenset())) is same
    assert not others(shot, mine, frozenset({two.id}))


def test_a_beat_on_its_way_out_keeps_nothing() -> None:
    one = program("one", 201)
    mine, zombie = beat(one), replace(beat(None, 66), state="Z")
    assert not others(snapshot([one], [mine, zombie]), mine, frozenset())


def test_a_supervisord_takes_its_beats_with_it() -> None:
    one = program("one", 201)
    server = supervisord()
    shot = snapshot([one], [beat(one)], supervisords=[server])
    assert server.key is not None
    whole = replace(outsider(100), process=server.key)
    found = finding([whole], [keep(beat(one))], kind="double-supervisor")
    plan = plan_duplicates([found], shot)
    assert plan.empty
    assert "no other beat" in plan.advice[0]
    assert shot.at == AT


def test_what_has_no_program_is_nobodys() -> None:
    """Neither a beat without a program nor one without a process is any target's or keeper's."""
    stray = replace(beat(None, 77), process=None, health="working")
    one = program("one", 201)
    shot = snapshot([one], [stray, beat(one)], supervisords=[supervisord(key=None)])
    assert beats_of(shot, replace(outsider(9), process=None)) == ()
    assert not works(stray)
    nobody = Keep(None, None, None)
    surplus = finding([target(one)], [nobody])
    assert plan_duplicates([surplus], shot).empty
    foreign = snapshot([one], [beat(None, 66), beat(one)])
    assert plan_duplicates([surplus], foreign).empty
    mine = beat(program("two", 202))
    assert others(snapshot([one], [beat(None, 66), mine]), mine, frozenset()) != ()
    assert Kept.of([finding([], [nobody])]).processes == frozenset()


def test_a_keeper_known_by_its_program_is_that_program() -> None:
    one, two, three = (program(name, 201 + n) for n, name in enumerate(("one", "two", "three")))
    by_name = Keep(URL, "two", None, program=two.id)
    surplus = finding([target(one)], [by_name])
    shot = snapshot([one, two, three], [beat(three, health="silent"), beat(one), beat(two)])
    assert not plan_duplicates([surplus], shot).empty
    lost = replace(beat(two), process=None)
    assert plan_duplicates([surplus], replace(shot, beats=(beat(one), lost))).empty


def test_what_is_only_advised_ends_no_keeper() -> None:
    """A second supervisord is left to a person: until then its beat keeps another's schedule."""
    url = "unix:///2"
    server = supervisord(url, key=ProcessKey(9, 90))
    kept, surplus = program("kept", 201, url=url), program("surplus", 202)
    shot = snapshot(
        [kept, surplus], [beat(kept), beat(surplus)], supervisords=[supervisord(), server]
    )
    whole = replace(outsider(9, "advice"), process=server.key)
    findings = [
        finding([whole], kind="double-supervisor"),
        finding([target(surplus)], [keep(beat(kept))]),
    ]
    assert [s.target.namespec for s in plan_duplicates(findings, shot).steps] == ["surplus"]
    there = replace(whole, via="signal")
    assert plan_duplicates([finding([there], kind="double-supervisor"), findings[1]], shot).empty


def test_what_another_finding_keeps_keeps_a_third() -> None:
    one, two, three = (program(name, 201 + n) for n, name in enumerate(("one", "two", "three")))
    shot = snapshot([one, two, three], [beat(one), beat(two), beat(three)])
    findings = [
        finding([target(one)], [keep(beat(two))]),
        finding([target(three)], [keep(beat(one))]),
    ]
    plan = plan_duplicates(findings, shot)
    assert [s.target.namespec for s in plan.steps] == ["three"]
    assert plan.advice == ("one: not stopped, it is the beat that another finding keeps",)


@pytest.mark.parametrize("health", ["working", "silent"])
def test_a_loops_keeper_that_another_finding_stops_hands_on(health: str) -> None:
    """A loop on beat's pidfile beside a worker -B: one plan ends both, if the worker's works."""
    first, looping = program("beat", 201), program("beat2", 202, respawning=True, lives=(1.0, 1.4))
    worker = program("worker", 203, role="worker+beat")
    embedded = beat(worker, embedded=True, health=health)
    shot = snapshot(
        [first, looping, worker], [beat(first), beat(looping, health="respawning"), embedded]
    )
    findings = [
        finding([target(looping)], [keep(beat(first))]),
        finding([target(first)], [keep(embedded)]),
    ]
    plan = plan_duplicates(findings, shot)
    stops = [s.target.namespec for s in plan.steps]
    if health == "working":
        assert (stops, plan.advice) == (["beat2", "beat"], ())
        assert [k.namespec for k in plan.keep] == ["worker"]
    else:
        assert stops == ["beat2"]
        assert [k.namespec for k in plan.keep] == ["beat"]
    chosen = plan_duplicates(findings, shot, only=["beat2"])
    assert [s.target.namespec for s in chosen.steps] == ["beat2"]
    assert [k.namespec for k in chosen.keep] == ["beat"]


FIRST = program("beat", 201)
LOOPING = program("beat2", 202, respawning=True, lives=(1.0, 1.4))
WORKER = program("worker", 203, role="worker+beat")
EMBEDDED = beat(WORKER, embedded=True)
LOOP = finding([target(LOOPING)], [keep(beat(FIRST))])
BY_NAME = Keep(URL, "beat", None, program=FIRST.id)


def carried(*findings: Finding, also: Sequence[Beat] = ()) -> tuple[list[str], list[str]]:
    """(what is stopped, what is kept) by one plan against all of them."""
    beats = [beat(FIRST), beat(LOOPING, health="respawning"), EMBEDDED, *also]
    plan = plan_duplicates(findings, snapshot([FIRST, LOOPING, WORKER], beats))
    stops = [s.target.namespec or f"pid {s.target.pid}" for s in plan.steps]
    return stops, [k.namespec or f"pid {k.pid}" for k in plan.keep]


def test_a_loops_keeper_stays_where_another_finding_stops_something_else() -> None:
    other = beat(None, 77, app="other", cwd="/srv/other")
    kept = beat(None, 78, app="other", cwd="/srv/other")
    foreign = finding([outsider(77)], [keep(kept)])
    third = finding([target(program("third", 79))], [keep(kept)])
    for mine in (LOOP, replace(LOOP, keep=(BY_NAME,))):
        assert carried(mine, foreign, also=[other, kept]) == (
            ["beat2", "pid 77"],
            ["beat", "pid 78"],
        )
        assert carried(mine, third, also=[kept])[1][0] == "beat"


def test_a_loops_keeper_stays_where_its_stop_is_only_advised() -> None:
    advised = finding([target(FIRST, via="advice")], [keep(EMBEDDED)])
    assert carried(LOOP, advised) == (["beat2"], ["beat"])


def test_a_loops_keeper_known_by_its_program_alone_hands_on_too() -> None:
    surplus = finding([target(FIRST)], [keep(EMBEDDED)])
    both = (["beat2", "beat"], ["worker"])
    assert carried(replace(LOOP, keep=(BY_NAME,)), surplus) == both
    unseen = replace(target(FIRST), process=None)
    assert carried(LOOP, replace(surplus, stop=(unseen,))) == both


def test_the_end_of_an_orphan_is_not_the_end_of_its_programs_beat() -> None:
    orphan = replace(outsider(77), program=FIRST.id)
    old = finding([orphan], [keep(EMBEDDED)])
    assert carried(LOOP, old, also=[beat(None, 77)]) == (["beat2"], ["beat"])


def test_a_keeper_that_is_nobody_hands_on_to_nobody() -> None:
    nobody = replace(LOOP, keep=(Keep(None, None, None),))
    foreign = finding([outsider(77)], [keep(EMBEDDED)])
    assert carried(nobody, foreign, also=[beat(None, 77)]) == (["pid 77"], ["worker"])


def test_a_finding_that_ends_a_working_beat_too_keeps_its_own() -> None:
    second = program("second", 204)
    mixed = replace(LOOP, stop=(target(LOOPING), target(second)))
    surplus = finding([target(FIRST)], [keep(EMBEDDED)])
    assert carried(mixed, surplus, also=[beat(second)]) == (["beat2", "second"], ["beat"])


def test_it_hands_on_where_one_of_several_works() -> None:
    silent, gone = beat(None, 77, health="silent"), beat(None, 78)
    surplus = finding([target(FIRST)], [keep(gone), keep(silent), keep(EMBEDDED)])
    stops, keeps = carried(LOOP, surplus, also=[silent])
    assert stops == ["beat2", "beat"] and keeps == ["pid 78", "pid 77", "worker"]


def test_in_a_circle_each_keeps_its_own() -> None:
    there = finding([target(FIRST)], [keep(EMBEDDED)])
    back = finding([target(WORKER)], [keep(beat(FIRST))])
    assert carried(LOOP, there, back) == (["beat2"], ["beat"])


def test_the_reason_comes_first_where_its_process_is_not_known_either() -> None:
    shot, found = looping_pair()
    held = replace(outsider(77), process=None, program=found.keep[0].program)
    plan = plan_duplicates([replace(found, stop=(held,))], shot)
    assert plan.advice == ("pid 77: not stopped, it is the beat that another finding keeps",)


def test_which_beats_a_stop_ends() -> None:
    one, worker = program("one", 201), program("worker", 301, role="worker+beat")
    mine, embedded = beat(one), beat(worker, 305, embedded=True, main_pid=301)
    foreign, other = beat(None, 77), beat(None, 78)
    down = beat(program("down"), health="down")
    shot = snapshot([one, worker], [mine, embedded, foreign, other, down])
    by_pid = replace(outsider(301), process=ProcessKey(301, 3010))
    for ended, beats in (
        (target(one), (mine,)),
        (target(worker), (embedded,)),
        (by_pid, (embedded,)),
        (outsider(77), (foreign,)),
        (replace(outsider(9), process=None), ()),
        (target(program("none")), ()),
    ):
        assert beats_of(shot, ended) == beats
    # The pid of a beat's own main process ends it only where it is embedded.
    assert beats_of(shot, replace(outsider(77), process=ProcessKey(77, 1))) == ()


def test_the_last_beat_stays_behind_its_shell_too() -> None:
    shell = program("one", 201, members=[member(201, "wrapper"), member(203, ppid=201)])
    shot = snapshot([shell], [beat(shell, 203)])
    plan = plan_duplicates([finding([target(shell)], [keep(beat(None, 66))])], shot)
    assert plan.advice == ("one: not stopped, no other beat that lives would be left",)


def test_one_foreign_beat_of_two_may_go() -> None:
    kept, surplus = beat(None, 77), beat(None, 78)
    shot = snapshot([], [kept, surplus])
    plan = plan_duplicates([finding([outsider(78)], [keep(kept)])], shot)
    assert [s.target.pid for s in plan.steps] == [78]


def test_all_keepers_of_all_findings() -> None:
    one, foreign = program("one", 201), beat(None, 77)
    kept = Kept.of([finding([], [keep(beat(one))]), finding([], [keep(foreign)])])
    assert kept.programs == {one.id}
    assert kept.processes == {ProcessKey(201, 2010), ProcessKey(77, 770)}
    assert not kept.holds(replace(outsider(5), process=None)), "no name is nobody's name"


@pytest.mark.parametrize(("second", "stopped"), [("silent", False), ("working", True)])
def test_one_working_beat_among_those_that_are_kept_is_enough(second: str, stopped: bool) -> None:
    """The target runs two beats, one of them silent; one of the two that are kept is so too."""
    both = program("both", 201, members=[member(201), member(202)])
    kept = [program("one", 301), program("two", 302)]
    beats = [beat(kept[0], health="silent"), beat(kept[1], health=second)]
    shot = snapshot([both, *kept], [beat(both, 201, health="silent"), beat(both, 202), *beats])
    plan = plan_duplicates([finding([target(both)], [keep(b) for b in beats])], shot)
    assert plan.empty is not stopped
    assert stopped or "sends nothing" in plan.advice[0]
