"""The kinds of finding, told apart on made-up boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")

BEAT = "/srv/v/bin/python /srv/v/bin/celery -A proj beat"
WORKER = "/srv/v/bin/python /srv/v/bin/celery -A proj worker"
REFUSED = (
    "ERROR: Pidfile (/run/beat.pid) already exists.",
    "Seems we're already running? (pid: {pid})",
)


def seed(w: World, pidfile: str = "/run/beat.pid"):
    command = f"{BEAT} --pidfile={pidfile} -s /run/schedule"
    w.program("beat", command, line=3)
    w.program("beat2", command, line=9)
    beat = w.spawn("beat", age=3600)
    w.pidfile(pidfile, beat, age=3599)
    w.schedule("/run/schedule")
    w.say("beat2", *(line.format(pid=beat.pid) for line in REFUSED))
    w.look()
    w.pass_(1)
    return beat


def test_a_refused_beat_is_a_duplicate_and_the_holder_is_kept(world):
    beat = seed(world)
    world.loop("beat2", 3)
    assert world.kinds() == ["duplicate-beat"]
    (found,) = world.findings
    assert (found.severity, found.certainty, found.effect) == ("critical", "certain", "respawning")
    assert [k.pid for k in found.keep] == [beat.pid]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat2", "xmlrpc")]
    assert found.stop[0].command == "supervisorctl -c /etc/supervisor/supervisord.conf stop beat2"
    assert "beat2" in found.summary and "/run/beat.pid" in found.summary
    assert "[program:beat2]" in found.lasting.text and ":9" in found.lasting.text
    assert "+autostart=false" in found.lasting.diff


def test_one_exit_is_no_loop(world):
    seed(world)
    world.loop("beat2", 1)
    assert world.kinds("critical", "warning") == []


def test_a_loop_that_recovered_is_over(world):
    seed(world)
    world.loop("beat2", 3)
    del world.words[world.servers[0].id, "beat2", "beat2"]
    other = world.spawn("beat2", "sleep 1000")
    for _ in range(12):
        world.pass_(1)
        world.look()
    assert not world.the("beat2").respawning
    assert world.the("beat2").recovered
    assert other.pid == world.the("beat2").pid


def test_the_holder_may_be_a_stranger_then_the_loop_is_stopped_and_a_hand_over_offered(world):
    world.program("beat", f"{BEAT} --pidfile=/run/beat.pid")
    stranger = world.process(f"{BEAT} --pidfile=/run/beat.pid", age=5000)
    world.pidfile("/run/beat.pid", stranger, age=4999)
    world.say("beat", *(line.format(pid=stranger.pid) for line in REFUSED))
    world.loop("beat", 3)
    (found,) = world.findings
    assert found.kind == "duplicate-beat" and found.effect == "respawning"
    assert [k.pid for k in found.keep] == [stranger.pid]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat", "xmlrpc")]
    assert [(t.pid, t.via) for t in found.alternatives] == [(stranger.pid, "signal")]


def test_a_pidfile_of_somebody_else_is_stale_and_nobody_is_stopped(world):
    world.program("beat", f"{BEAT} --pidfile=/run/beat.pid")
    sleep = world.process("/bin/sleep 1000", age=100, uid=0)
    world.pidfile("/run/beat.pid", sleep, age=4000)
    world.say("beat", *(line.format(pid=sleep.pid) for line in REFUSED))
    world.loop("beat", 3)
    assert world.kinds() == ["stale-pidfile"]
    (found,) = world.findings
    assert found.stop == () and found.pidfile == "/run/beat.pid"
    assert "sleep" in found.summary


def test_two_living_beats_of_one_directory_are_double_scheduling(world):
    world.program("beat", BEAT)
    world.program("scheduler", f"{BEAT} -l info")
    first = world.spawn("beat", age=500)
    second = world.spawn("scheduler", age=100)
    world.look()
    (found,) = world.findings
    assert found.effect == "double-scheduling" and found.severity == "critical"
    assert found.keep[0].pid == first.pid
    assert [(t.namespec, t.via, t.pid) for t in found.stop] == [("scheduler", "xmlrpc", second.pid)]


def test_a_deploys_overlap_of_seconds_is_no_finding(world):
    world.program("beat", BEAT)
    world.program("beat-new", BEAT)
    world.spawn("beat", age=500)
    world.spawn("beat-new", age=3)
    world.look()
    assert world.findings == ()
    world.pass_(10)
    world.look()
    assert world.kinds() == ["duplicate-beat"]


def test_a_beat_on_its_way_out_is_no_duplicate(world):
    world.program("beat", BEAT)
    world.program("old", BEAT)
    world.spawn("beat", age=500)
    world.spawn("old", age=900)
    world.state("old", "STOPPING", pid=world.states[world.servers[0].id, "old", "old"].pid)
    world.look()
    assert world.findings == ()


def embedded(w: World, name: str = "worker", age: float = 900.0):
    main = w.spawn(name, age=age)
    fork = w.process(
        w.configs[w.servers[0].id, name, name].command, ppid=main.pid, age=age - 1, pgrp=main.pid
    )
    pool = w.process(
        w.configs[w.servers[0].id, name, name].command, ppid=main.pid, age=age - 1, pgrp=main.pid
    )
    w.holds(fork, pipes=0)
    w.holds(pool, pipes=7)
    return main, fork


def test_an_embedded_beat_is_kept_and_the_program_beside_it_stopped(world):
    world.program("worker", f"{WORKER} -B")
    world.program("beat", BEAT)
    main, fork = embedded(world)
    beat = world.spawn("beat", age=2000)
    world.look()
    roles = {m.process.pid: m.role for m in world.the("worker").members}
    assert roles[main.pid] == "worker+beat" and roles[fork.pid] == "beat"
    (found,) = world.findings
    assert found.keep[0].pid == fork.pid
    assert [(t.pid, t.via) for t in found.stop] == [(beat.pid, "xmlrpc")]
    assert "-B" in found.lasting.text


def test_two_embedded_beats_are_advice_only(world):
    world.program("one", f"{WORKER} -B -n one@%h")
    world.program("two", f"{WORKER} -B -n two@%h")
    embedded(world, "one")
    embedded(world, "two", age=300)
    world.look()
    (found,) = world.findings
    assert [(t.namespec, t.via) for t in found.stop] == [("two", "advice")]
    assert not found.actionable


def test_a_shell_is_no_beat(world):
    world.program("beat", f'/bin/sh -c "{BEAT}"')
    shell = world.spawn("beat", f'/bin/sh -c "{BEAT}"', age=100)
    world.process(BEAT, ppid=shell.pid, pgrp=shell.pid, age=99)
    world.look()
    assert [b.namespec for b in world.snapshot.beats] == ["beat"]
    assert world.the("beat").role == "beat"
    assert world.findings == ()


def test_an_orphan_beside_the_supervised_beat_is_ended_by_signal(world):
    world.program("beat", f'/bin/sh -c "{BEAT}"')
    shell = world.spawn("beat", f'/bin/sh -c "{BEAT}"', age=50)
    world.process(BEAT, ppid=shell.pid, pgrp=shell.pid, age=49)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "beat",
        "SUPERVISOR_GROUP_NAME": "beat",
    }
    orphan = world.process(BEAT, age=5000, env=env, pgrp=77)
    world.look()
    (root,) = world.snapshot.unmanaged
    assert (root.origin, root.was, root.member.process.pid) == ("orphan", "beat", orphan.pid)
    (found,) = world.findings
    assert found.kind == "duplicate-beat"
    assert [(t.pid, t.via) for t in found.stop] == [(orphan.pid, "signal")]
    assert "stopasgroup" in found.lasting.text


def test_a_lone_orphan_is_a_warning(world):
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "worker",
        "SUPERVISOR_GROUP_NAME": "worker",
    }
    world.program("worker", WORKER)
    world.spawn("worker", age=50)
    world.process(WORKER, age=5000, env=env)
    world.look()
    assert world.kinds() == ["orphan"]


def test_a_crash_loop_is_told_with_its_cause(world):
    world.program("reports", f"{WORKER} -Q reports")
    world.say("reports", "ModuleNotFoundError: No module named 'nowhere'")
    world.loop("reports", 3, status=1)
    (found,) = world.findings
    assert (found.kind, found.effect) == ("respawn-loop", "import error")
    assert "nowhere" in found.summary
    assert found.severity == "critical"  # a core-second in each 2.7 s
    assert found.stop == ()


def test_cheap_loops_are_warnings(world):
    world.program("poller", "/bin/sleep 0.02", startsecs=0)
    world.loop("poller", 5, life=0.02, status=0, cpu=0.0, pause=1.0)
    (found,) = world.findings
    assert (found.kind, found.severity) == ("respawn-loop", "warning")


def test_cron_like_programs_are_periodic(world):
    world.program("job", "/bin/sh -c 'sleep 5; exit 0'")
    world.loop("job", 4, life=5.0, status=0, cpu=0.01, pause=0.2)
    assert world.findings == ()
    assert world.the("job").periodic and not world.the("job").respawning


def test_a_fatal_beat_is_down_and_a_fatal_worker_a_program_down(world):
    world.program("beat", BEAT, state="FATAL")
    world.program("worker", WORKER, state="FATAL")
    world.look()
    assert world.kinds() == ["beat-down", "program-down"]
    assert [f.severity for f in world.findings] == ["critical", "warning"]


def test_a_stopped_beat_is_information_and_none_beside_a_living_one(world):
    world.program("beat", BEAT, state="STOPPED")
    world.look()
    assert [(f.kind, f.severity) for f in world.findings] == [("beat-down", "info")]
    world.program("other", BEAT)
    world.spawn("other", age=100)
    world.pass_(1)
    world.look()
    assert world.findings == ()


def test_workers_without_any_beat_are_no_finding(world):
    world.program("worker", WORKER)
    world.spawn("worker", age=100)
    world.look()
    assert world.findings == ()


def test_a_hung_supervisord_is_told_and_its_duplicates_are_advice(world):
    seed(world)
    world.loop("beat2", 2)
    world.servers[0] = type(world.servers[0])(
        **{f: getattr(world.servers[0], f) for f in world.servers[0].__slots__} | {"answers": False}
    )
    world.sources = [
        type(world.sources[0])("supervisor", world.servers[0].id, "timeout", "no answer")
    ]
    world.pass_(1)
    world.look()
    assert world.kinds()[0] == "supervisor-not-answering"
    assert all(t.via == "advice" for f in world.findings for t in f.stop)


def test_a_foreign_beat_whose_runner_is_not_watched_is_advice(world):
    world.program("beat", BEAT)
    world.spawn("beat", age=500)
    found = world.process(BEAT, age=400)
    found.process = replace(found.process, runner="honcho")
    world.look()
    (target,) = world.findings[0].stop
    assert (target.pid, target.via) == (found.pid, "advice")
    assert "honcho" in target.why


def test_a_stopped_process_is_a_silent_beat(world):
    world.program("beat", BEAT)
    world.spawn("beat", age=5000).state = "T"
    world.look()
    (found,) = world.findings
    assert (found.kind, found.effect) == ("beat-silent", "stopped")


def test_an_old_schedule_file_tells_of_silence(world):
    world.program("beat", f"{BEAT} -s /run/schedule")
    world.spawn("beat", age=5000)
    world.schedule("/run/schedule", age=700)
    world.look()
    assert world.kinds() == ["beat-silent"]
    world.schedule("/run/schedule", age=100)
    world.pass_(1)
    world.look()
    assert world.findings == ()


def test_a_foreign_unit_a_container_and_another_users_process_are_advice(world):
    world.uid = 1000
    world.program("beat", BEAT)
    world.spawn("beat", age=500)
    unit = world.process(BEAT, age=100, cgroup="0::/system.slice/mybeat.service")
    root = world.process(BEAT, age=100, uid=0)
    world.look()
    (found,) = world.findings
    by_pid = {t.pid: t for t in found.stop}
    assert by_pid[unit.pid].via == "advice"
    assert by_pid[unit.pid].command == "systemctl stop mybeat.service"
    assert by_pid[root.pid].via == "advice"
    assert by_pid[root.pid].command == f"kill -TERM {root.pid}"


@pytest.mark.parametrize(
    ("pid_ns", "cgroup", "via"),
    [
        (2, None, "advice"),
        (2, "0::/docker/4f2a", "advice"),
        (1, "0::/docker/4f2a", "signal"),  # beattop runs in that container too
        (1, None, "signal"),
    ],
)
def test_another_pid_namespace_is_a_container_our_own_is_none(world, pid_ns, cgroup, via):
    world.viewer_ns = 1
    world.program("beat", f"{BEAT} -b redis://h/1")
    world.spawn("beat", age=500)
    other = world.process(f"{BEAT} -b redis://h/1", age=100, pid_ns=pid_ns, cgroup=cgroup)
    world.look()
    ((target,),) = (f.stop for f in world.findings)
    assert (target.pid, target.via) == (other.pid, via)
    assert target.command == f"kill -TERM {other.pid}"


def test_numprocs_two_is_double_scheduling(world):
    for number in ("beat_00", "beat_01"):
        world.program(number, BEAT, group="beat", numprocs=2)
        world.spawn(number, group="beat", age=100)
    world.look()
    (found,) = world.findings
    assert [t.namespec for t in found.stop] == ["beat:beat_01"]
    assert "numprocs=1" in found.lasting.text


def test_a_program_that_also_runs_a_worker_is_not_stopped_for_its_beat(world):
    world.program("beat", BEAT)
    world.spawn("beat", age=5000)
    world.program("all", "/srv/run-all.sh")
    script = world.spawn("all", "/bin/bash /srv/run-all.sh", age=100)
    world.process(WORKER, ppid=script.pid, pgrp=script.pid, age=99)
    beat = world.process(BEAT, ppid=script.pid, pgrp=script.pid, age=99)
    world.look()
    (found,) = world.findings
    (target,) = found.stop
    assert (target.via, target.pid) == ("advice", beat.pid)


def test_the_holder_of_a_pidfile_is_not_refused_by_what_another_wrote_into_its_log(world):
    world.program("beat_00", f"{BEAT} --pidfile=/run/beat.pid", group="beat", numprocs=2)
    beat = world.spawn("beat_00", group="beat", age=7)
    world.pidfile("/run/beat.pid", beat, age=6)
    lines = [line.format(pid=beat.pid) for line in REFUSED]
    world.say("beat_00", *lines, *lines, group="beat")
    world.look()
    assert world.findings == ()
