"""Beats that live side by side: who is kept, what is only possible, what is on purpose."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import Proc, World


@pytest.fixture
def world() -> World:
    w = World()
    w.supervisord()
    return w


def two(world: World) -> tuple[Proc, Proc]:
    world.program("beat", BEAT)
    world.program("other", f"{BEAT} -s other-schedule")
    return world.spawn("beat", age=500), world.spawn("other", age=400)


def sent(*entries: str) -> list[str]:
    head = "[2026-11-23 06:54:12,345: INFO/MainProcess] Scheduler: Sending due task"
    return [f"{head} {entry} (proj.task)" for entry in entries]


def test_two_schedulers_with_entries_of_their_own_are_possible_at_most(world):
    two(world)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "bill", "mail"), sent_ago=2)
    world.look()
    (found,) = world.findings
    assert (found.severity, found.certainty, found.stop) == ("info", "possible", ())
    assert any("clean" in line and "bill" in line for line in found.evidence)


def test_one_entry_that_both_send_is_evidence(world):
    two(world)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "count", "mail"), sent_ago=2)
    world.look()
    (found,) = world.findings
    assert found.severity == "critical"
    assert any("both send count" in line for line in found.evidence)


@pytest.mark.parametrize(("lines", "ago"), [(2, 2.0), (3, 500.0)], ids=["few", "old"])
def test_too_little_or_too_old_words_prove_nothing(world, lines, ago):
    two(world)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "bill", "mail")[:lines], sent_ago=ago)
    world.look()
    assert world.findings[0].severity == "critical"


def test_one_schedule_file_is_certain_whatever_the_logs_show(world):
    world.program("beat", f"{BEAT} -s /run/s")
    world.program("other", f"{BEAT} -s /run/s")
    world.spawn("beat", age=500)
    world.spawn("other", age=400)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "bill", "mail"), sent_ago=2)
    world.look()
    assert world.findings[0].certainty == "certain"


def embedded(world: World, name: str = "worker", *, state: str = "S", **more: object) -> Proc:
    """A `worker -B` with its embedded beat."""
    world.program(name, f"{WORKER} -B")
    main = world.spawn(name, age=500, **more)
    child = world.process(
        f"{WORKER} -B", ppid=main.pid, age=499, pgrp=main.pid, env=dict(main.process.env)
    )
    child.state = state
    world.holds(child, pipes=0)
    return child


def test_an_embedded_beat_is_kept_before_a_program(world):
    child = embedded(world)
    world.program("beat", BEAT)
    world.spawn("beat", age=900)
    world.look()
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [child.pid]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat", "xmlrpc")]


def test_a_stopped_embedded_beat_is_not_kept_before_one_that_works(world):
    """Else the stop would end the last working beat."""
    child = embedded(world, state="T")
    world.program("beat", BEAT)
    beat = world.spawn("beat", age=900)
    world.look()
    found = next(f for f in world.findings if f.kind == "duplicate-beat")
    assert [k.pid for k in found.keep] == [beat.pid]
    assert [(t.pid, t.via) for t in found.stop] == [(child.pid, "advice")]


def test_what_is_only_possible_gets_no_change_to_copy(world):
    world.program("red", BEAT, cwd="/srv/red")
    world.program("blue", BEAT, cwd="/srv/blue")
    world.spawn("red", age=500)
    world.spawn("blue", age=400)
    world.look()
    (found,) = world.findings
    assert found.certainty == "possible"
    assert found.lasting.text.startswith("Only if they are one project")
    assert found.lasting.diff == ""


def test_an_orphaned_worker_with_a_beat_is_ended_as_a_whole_by_a_person(world):
    kept = embedded(world)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "worker",
        "SUPERVISOR_GROUP_NAME": "worker",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    main = world.process(f"{WORKER} -B", age=400, env=env)
    child = world.process(f"{WORKER} -B", ppid=main.pid, age=399, pgrp=main.pid, env=env)
    world.holds(child, pipes=0)
    world.look()
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [kept.pid]
    (target,) = found.stop
    assert (target.pid, target.via) == (child.pid, "advice")
    assert target.command == f"kill -TERM {main.pid}"
    assert "idle" in target.why


def killed(world: World, **more: object) -> Proc:
    """The embedded beat of a worker that was killed, alone in its dead process group."""
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "worker",
        "SUPERVISOR_GROUP_NAME": "worker",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    left = world.process(f"{WORKER} -B --pidfile=/run/w.pid", age=400, env=env, pgrp=7777)
    world.holds(left, **more)
    return left


def test_the_beat_of_a_killed_worker_is_a_beat_and_is_ended(world):
    kept = embedded(world)
    left = killed(world)
    world.look()
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [kept.pid]
    assert [(t.pid, t.via) for t in found.stop] == [(left.pid, "signal")]
    assert [u.role for u in world.snapshot.unmanaged] == ["beat"]
    assert {b.pidfile for b in world.snapshot.beats} == {None}
    assert "-B" in found.lasting.text and "[program:worker]" in found.lasting.text


def test_it_alone_is_an_orphan_with_the_cure_for_it(world):
    world.program("worker", f"{WORKER} -B", state="STOPPED")
    killed(world)
    world.look()
    (found,) = world.findings
    assert found.kind == "orphan"
    assert "take -B (--beat) out" in found.lasting.text


def test_a_left_over_worker_with_pipes_is_still_a_worker(world):
    embedded(world)
    left = killed(world, pipes=8)
    world.look()
    (found,) = world.findings
    assert [(t.pid, t.via) for t in found.stop] == [(left.pid, "advice")]


def test_a_title_that_tells_nothing_is_read_as_its_programs_command(world):
    """setproctitle: the beat of a killed worker is `[celery beat]`, its environment wiped."""
    world.program("worker", f"{WORKER} -B -s /run/s")
    main = world.spawn("worker", age=100)
    child = world.process("'[celery beat]'", ppid=main.pid, age=99, pgrp=main.pid)
    old = world.spawn("worker", age=400)
    left = world.process("'[celery beat]'", age=399, pgrp=old.pid)
    del world.procs[old.pid]
    world.spawn("worker", age=100, pid=main.pid)
    world.look()
    (found,) = world.findings
    assert found.kind == "duplicate-beat"
    assert [k.pid for k in found.keep] == [child.pid]
    assert [(t.pid, t.via) for t in found.stop] == [(left.pid, "signal")]
    assert "-B" in found.lasting.text


@pytest.mark.parametrize("order", ["abc", "bca", "cab"])
@pytest.mark.parametrize("by", ["broker", "settings"])
def test_a_beat_that_is_like_two_others_joins_them_not(order, by):
    """prod and staging in one folder, and a third whose broker is not known: nobody is stopped."""
    world = World()
    world.supervisord()
    for name, place in (("a", "prod"), ("b", "staging"), ("c", None)):
        broker = f"-b redis://{place}/0 " if place and by == "broker" else ""
        env = (("DJANGO_SETTINGS_MODULE", f"p.{place}"),) if place and by == "settings" else ()
        world.program(name, f"celery -A p {broker}beat", env=env)
    for number, name in enumerate(order):
        world.spawn(name, age=1000 - 100 * number)
    for _ in range(3):
        world.pass_(10)
        world.look()
    (found,) = world.findings
    assert (found.certainty, found.severity, found.stop) == ("possible", "info", ())
    assert any("but it may belong to another" in line for line in found.evidence)


def test_a_sure_duplicate_is_stopped_beside_a_doubtful_one():
    world = World()
    world.supervisord()
    world.program("prod", "celery -A p -b redis://prod/0 beat -s /s")
    world.program("prod2", "celery -A p beat -s /s")
    world.program("staging", "celery -A p -b redis://staging/0 beat")
    for number, name in enumerate(("prod", "prod2", "staging")):
        world.spawn(name, age=1000 - 100 * number)
    world.look()
    stopped = [t.namespec for f in world.findings for t in f.stop]
    assert stopped == ["prod2"]
