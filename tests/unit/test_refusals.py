"""Who is turned away by which pidfile, on made-up boxes."""

from __future__ import annotations

import pytest

from beattop.model.files import Pidfile
from beattop.ui.remedy import remedy
from tests.unit.test_diagnosis import BEAT, REFUSED, WORKER
from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")

PIDFILE = "/run/beat.pid"
HELD = f"{BEAT} --pidfile={PIDFILE}"


def refused(pid: int, times: int) -> list[str]:
    return [line.format(pid=pid) for _ in range(times) for line in REFUSED]


def unlogged(world: World, times: int = 3) -> int:
    """A beat, and another whose refusals only its own log tells; the holder's pid."""
    world.logged = False
    world.program("beat", HELD)
    world.program("beat2", HELD)
    first = world.spawn("beat", age=500)
    world.pidfile(PIDFILE, first, age=499)
    world.say("beat2", *refused(first.pid, times))
    return first.pid


def test_where_no_main_log_tells_its_own_log_does(world):
    holder = unlogged(world)
    world.spawn("beat2", age=1)
    world.look()
    (found,) = world.findings
    assert (found.effect, found.certainty) == ("respawning", "certain")
    assert [k.pid for k in found.keep] == [holder]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat2", "xmlrpc")]


def test_between_two_lives_too(world):
    unlogged(world)
    world.state("beat2", "BACKOFF")
    world.look()
    assert world.kinds("critical") == ["duplicate-beat"]


@pytest.mark.parametrize("state", ["STOPPED", "FATAL", "STOPPING"])
def test_old_refusals_of_a_program_that_is_not_tried_again_are_no_loop(world, state):
    unlogged(world)
    world.state("beat2", state)
    world.look()
    assert not [f for f in world.findings if f.kind == "duplicate-beat"]


def test_an_exited_one_that_is_not_restarted_is_no_loop(world):
    unlogged(world)
    key = (world.servers[0].id, "beat2", "beat2")
    world.program("beat2", HELD, autorestart="unexpected", exitcodes=(0, 73), state="EXITED")
    assert world.configs[key].autorestart == "unexpected"
    world.look()
    assert world.kinds("critical", "warning") == []
    world.program("beat2", HELD, autorestart="unexpected", exitcodes=(0,), state="EXITED")
    world.look()
    assert world.kinds("critical") == ["duplicate-beat"]


def test_a_single_exit_that_was_seen_does_not_hide_what_its_own_log_tells(world):
    unlogged(world)
    life = world.spawn("beat2", age=1)
    world.look()
    world.pass_(1)
    world.end(life, "beat2", status=73)
    world.state("beat2", "EXITED")
    world.look()
    assert world.the("beat2").last_exit.status == 73
    assert world.kinds("critical") == ["duplicate-beat"]


def test_one_refusal_is_no_loop_yet(world):
    unlogged(world, times=1)
    world.spawn("beat2", age=1)
    world.look()
    assert world.findings == ()


def test_refusals_of_long_ago_are_history(world):
    holder = unlogged(world)
    world.spawn("beat2", age=1)
    world.say("beat2", *refused(holder, 3), "beat: Starting...", "one", "two", "three")
    world.look()
    assert world.findings == ()


def test_one_that_only_begins_beside_the_holder_of_its_pidfile_sends_nothing_yet(world):
    world.program("beat", HELD)
    world.program("beat2", HELD)
    first = world.spawn("beat", age=500)
    second = world.spawn("beat2", age=9)
    world.pidfile(PIDFILE, first, age=499)
    world.look()
    assert world.findings == ()
    # One that has its schedule open was let in, whatever the file says.
    world.holds(second, "/srv/proj/celerybeat-schedule")
    world.look()
    assert world.kinds("critical") == ["duplicate-beat"]


def test_one_that_lives_on_beside_the_holder_was_let_in(world):
    world.program("beat", HELD)
    world.program("beat2", HELD)
    first = world.spawn("beat", age=500)
    world.spawn("beat2", age=200)
    world.pidfile(PIDFILE, first, age=499)
    world.look()
    assert world.findings[0].effect == "double-scheduling"


def test_a_worker_on_the_beats_pidfile_is_told_and_its_file_left(world):
    world.program("beat", HELD)
    world.program("worker", f"{WORKER} --pidfile={PIDFILE}")
    worker = world.spawn("worker", age=500)
    world.pidfile(PIDFILE, worker, age=499)
    world.say("beat", *refused(worker.pid, 2))
    world.loop("beat", 3)
    (found,) = world.findings
    assert (found.kind, found.certainty) == ("stale-pidfile", "likely")
    assert found.pidfile is None and found.stop == ()
    assert "worker" in found.summary and "rm " not in found.lasting.text
    assert "--pidfile of its own" in found.lasting.text


def test_a_worker_that_got_the_pid_of_an_old_beat_is_proof_of_a_stale_file(world):
    world.program("beat", HELD)
    world.program("worker", WORKER)
    worker = world.spawn("worker", age=500)
    world.pidfile(PIDFILE, worker, age=4000)
    world.say("beat", *refused(worker.pid, 2))
    world.loop("beat", 3)
    (found,) = world.findings
    assert (found.kind, found.certainty) == ("stale-pidfile", "certain")
    assert found.pidfile == PIDFILE and f"rm {PIDFILE}" in found.lasting.text


def test_a_loop_whose_new_life_holds_the_file_is_refused_no_more(world):
    """The stale file was removed, and it was let in: it works, whatever its age."""
    world.program("beat", HELD)
    world.say("beat", *refused(77, 2))
    world.loop("beat", 3)
    born = world.spawn("beat")
    world.pass_(1.0)
    world.pidfile(PIDFILE, born, age=0.5)
    world.look()
    found = world.the("beat")
    assert (found.respawning, found.recovered) == (False, True)
    assert world.findings == ()


def test_one_that_dies_of_another_cause_is_not_let_in_by_its_pidfile(world):
    world.program("beat", HELD)
    world.say("beat", "boom")
    world.loop("beat", 3, status=1)
    born = world.spawn("beat")
    world.pass_(1.0)
    world.pidfile(PIDFILE, born, age=0.5)
    world.look()
    assert world.the("beat").respawning
    assert world.kinds() == ["respawn-loop"]


@pytest.mark.parametrize("gone", ["absent", "dead"])
def test_until_it_is_let_in_the_loop_is_told_under_its_own_kind_and_nothing_is_offered(world, gone):
    """The file was removed, or its beat killed: no respawn-loop whose S would stop the heir."""
    world.program("beat", HELD)
    world.say("beat", *refused(77, 2))
    world.loop("beat", 3)
    world.spawn("beat")
    world.pass_(1.0)
    world.pidfile(PIDFILE, None, pid=77)
    if gone == "absent":
        world.pidfiles[PIDFILE] = Pidfile(PIDFILE, "absent", None, None, None)
    world.look()
    (found,) = world.findings
    assert (found.kind, found.pidfile, found.stop) == ("stale-pidfile", None, ())
    assert "its next try should be let in" in found.summary
    assert remedy(found, world.snapshot).command == "findings"


def test_a_denied_pidfile_is_nobodys_only_as_far_as_is_seen(world):
    world.program("beat", HELD)
    world.say("beat", *refused(77, 2))
    world.loop("beat", 3)
    world.pidfiles[PIDFILE] = Pidfile(PIDFILE, "denied", None, None, None)
    world.look()
    assert world.kinds() == ["respawn-loop"]


def test_two_that_start_at_once_send_nothing_before_one_has_taken_the_pidfile(world):
    """supervisord was restarted: both import, neither has looked at the file yet."""
    world.program("beat", HELD)
    world.program("beat2", HELD)
    world.spawn("beat", age=8)
    world.spawn("beat2", age=8)
    world.pidfiles[PIDFILE] = Pidfile(PIDFILE, "absent", None, None, None)
    world.look()
    assert world.findings == ()
    world.pass_(30)
    world.look()
    assert world.kinds() == ["duplicate-beat"]


@pytest.mark.parametrize("looping", [True, False])
def test_one_that_is_refused_has_no_proof_by_the_holders_schedule_or_lines(world, looping):
    world.program("beat", f"{HELD} -s /run/s")
    world.program("beat2", f"{HELD} -s /run/s")
    first = world.spawn("beat", age=500)
    world.pidfile(PIDFILE, first, age=499)
    if looping:
        world.loop("beat2", 3)
    second = world.spawn("beat2", age=0.5)
    world.schedule("/run/s", age=0.2)
    world.say("beat2", *REFUSED, sent_ago=0.1)  # numprocs=2 write one log
    world.look()
    proof = {b.pid: b.last_sent_at for b in world.snapshot.beats}
    assert proof[second.pid] is None
    assert proof[first.pid] is not None


def orphaned(world: World, **more: object) -> int:
    """A left-over of `beat` that holds the pidfile, the program looping before it."""
    world.program("beat", HELD)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "beat",
        "SUPERVISOR_GROUP_NAME": "beat",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    left = world.process(HELD, age=500, env=env, **more)
    world.pidfile(PIDFILE, left, age=499)
    world.say("beat", *refused(left.pid, 2))
    world.loop("beat", 3)
    return left.pid


def test_an_orphan_that_is_kept_is_one_finding_with_its_programs_cure(world):
    left = orphaned(world, pgrp=77)
    (found,) = world.findings
    assert [k.pid for k in found.keep] == [left]
    assert "crontab" not in found.lasting.text
    assert "stopasgroup=true" in found.lasting.text
    assert "+stopasgroup=true" in found.lasting.diff


def test_a_leader_that_outlived_its_supervisord_is_no_matter_of_groups(world):
    orphaned(world)
    (found,) = world.findings
    assert "KillMode" in found.lasting.text and found.lasting.diff == ""


def test_a_left_over_is_its_own_supervisords(world):
    """Two supervisords with a program of one name: the cure names the right conf."""
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    world.program("beat", "sleep 1", server=other, file="/etc/other.conf", stopasgroup=True)
    orphaned(world, pgrp=77)
    (found,) = [f for f in world.findings if f.severity == "critical"]
    assert found.lasting.file == "/etc/supervisor/supervisord.conf"


def test_a_detached_second_beat_ends_with_status_0_and_is_refused_all_the_same(world):
    command = f"{HELD} --detach"
    world.program("beat", command, autorestart="true", startsecs=0.0)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "beat",
        "SUPERVISOR_GROUP_NAME": "beat",
        "SUPERVISOR_SERVER_URL": world.servers[0].id,
    }
    left = world.process(command, age=500, env=env)
    world.pidfile(PIDFILE, left, age=499)
    world.say("beat", *refused(left.pid, 3))
    world.loop("beat", 3, life=1.2, status=0, cpu=0.01)
    assert world.the("beat").periodic
    (found,) = world.findings
    assert (found.kind, found.effect) == ("duplicate-beat", "respawning")
    assert [k.pid for k in found.keep] == [left.pid]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat", "xmlrpc")]
    assert "--detach" in found.lasting.text


def test_expected_exits_that_burn_are_respawning_though_one_life_alone_was_measured(world):
    world.program("job", "/srv/bin/job")
    world.loop("job", 3, life=3.0, status=0, cpu=1.0, told=False)
    assert world.the("job").periodic
    world.loop("job", 1, life=3.0, status=0, cpu=1.0)
    assert world.the("job").respawning


def test_expected_exits_of_quiet_programs_are_not(world):
    world.program("job", "/srv/bin/job")
    world.loop("job", 3, life=3.0, status=0, cpu=0.05)
    assert not world.the("job").respawning


def test_a_title_is_told_whole(world):
    title = "[celery beat] -A shop beat -s /run/shop"
    world.program("blog", f"/v/bin/celery -A blog beat --pidfile={PIDFILE}", cwd="/srv/blog")
    other = world.process(f"'{title}'", age=100)
    world.pidfile(PIDFILE, other, age=9000)
    world.loop("blog", times=4, status=73)
    world.say("blog", *refused(other.pid, 2))
    world.look()
    assert f"`{title}`" in world.findings[0].summary
