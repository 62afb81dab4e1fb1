"""Boxes on which nothing is wrong: nobody may be accused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import PIDFILE, Box
from tests.e2e.server import free_port
from tests.e2e.verdict import look, mend


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


@pytest.mark.long
def test_two_projects_of_one_name_on_two_brokers(box: Box) -> None:
    """Two tenants: other folders, other brokers, one app name."""
    for tenant, port in (("red", free_port()), ("blue", free_port())):
        box.app(where=f"{tenant}/app", broker=f"broker-{tenant}")
        box.program(
            f"{tenant}-beat",
            [*box.celery, "-A", "proj", "-b", f"amqp://127.0.0.1:{port}//", "beat", "-l", "info"],
            directory=f"{tenant}/app",
            startsecs=0,
        )
    box.up()
    box.wait_beat("red-beat")
    box.wait_beat("blue-beat")
    # Nobody listens on those ports: on a slow box both may be called silent by now.
    assert "duplicate-beat" not in {f["kind"] for f in look(box).findings}


@pytest.mark.long
def test_two_projects_of_one_name_and_nothing_known_of_their_brokers(box: Box) -> None:
    """Possible at most: information, never offered for stopping."""
    for tenant in ("red", "blue"):
        box.app(where=f"{tenant}/app", broker=f"broker-{tenant}")
        box.program(
            f"{tenant}-beat",
            box.beat(schedule=f"run/{tenant}"),
            directory=f"{tenant}/app",
        )
    box.up()
    box.wait_beat("red-beat")
    box.wait_beat("blue-beat")
    seen = look(box)
    seen.healthy()
    for found in seen.findings:
        assert (found["certainty"], found["stop"]) == ("possible", [])
    mend(box)
    assert {box.state("red-beat"), box.state("blue-beat")} == {"RUNNING"}


@pytest.mark.long
def test_a_worker_whose_pidfile_is_called_celerybeat_pid(box: Box) -> None:
    box.app()
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("worker", box.worker(more=[f"--pidfile={box.folder / 'run/celerybeat.pid'}"]))
    box.up()
    box.wait_beat("beat")
    box.wait_log("worker", " ready.")
    seen = look(box)
    seen.healthy()
    assert [b["namespec"] for b in seen.beats] == ["beat"]
    assert seen.program("worker")["role"] == "worker"


@pytest.mark.long
def test_lines_that_only_say_beat(box: Box) -> None:
    """Log tails, watchdogs, heartbeats: none of them schedules."""
    box.app()
    box.program("beat", box.beat())
    log = box.write("log/celery_beat.log", "")
    box.program("tail", ["/usr/bin/tail", "-F", log])
    box.program(
        "watchdog",
        ["/bin/sh", "-c", "while :; do pgrep -f 'celery -A proj beat' >/dev/null; sleep 5; done"],
    )
    box.program("killer", ["/bin/sh", "-c", "sleep 600; pkill -f 'celery beat'"])
    box.program("heartbeat", ["/bin/sh", "-c", "exec sleep 600", "celery", "beat"])
    box.up()
    box.wait_beat("beat")
    for name in ("tail", "watchdog", "killer", "heartbeat"):
        box.wait_state(name, "RUNNING")
    seen = look(box)
    seen.healthy()
    assert [b["namespec"] for b in seen.beats] == ["beat"], seen.told


@pytest.mark.long
def test_wrappers_around_one_beat(box: Box) -> None:
    """sh -c, bash -c 'cd x && ...', timeout, flock, env, nice: one beat each, counted once."""
    flock, timeout = shutil.which("flock"), shutil.which("timeout")
    assert flock and timeout
    wraps = {
        "dash": lambda words: ["/bin/sh", "-c", " ".join(words)],
        "bash": lambda words: ["/bin/bash", "-c", f"cd {box.folder}/bash/app && {' '.join(words)}"],
        "timeout": lambda words: [timeout, "600", *words],
        "flock": lambda words: [flock, "-n", str(box.folder / "run/lock"), *words],
        "nice": lambda words: ["/usr/bin/env", "A=b", "nice", "-n", "1", *words],
    }
    for name, wrap in wraps.items():
        box.app(name, where=f"{name}/app", broker=f"broker-{name}")
        words = box.beat(name, pidfile=f"run/{name}.pid", schedule=f"run/{name}")
        box.program(name, wrap(words), directory=f"{name}/app")
    box.up()
    for name in wraps:
        box.wait_beat(name, within=60)
    seen = look(box)
    assert not seen.findings, seen.told
    assert sorted(b["namespec"] for b in seen.beats) == sorted(wraps)
    assert {b["key"]["app"] for b in seen.beats} == set(wraps)


@pytest.mark.long
def test_programs_that_end_by_design(box: Box) -> None:
    """Cron-like programs, and a single-beat that gives way every few seconds with exit 0."""
    box.app()
    box.program("beat", box.beat())
    for number in range(4):
        box.program(f"job{number}", ["/bin/sh", "-c", f"sleep {2 + number / 4}; exit 0"])
    box.program("single-beat", ["/bin/sh", "-c", "sleep 3; exit 0"])
    box.up()
    box.wait_beat("beat")
    box.wait_exits("job3", 2)
    box.wait_exits("single-beat", 2)
    seen = look(box)
    assert not seen.findings, seen.told
    assert seen.program("job0")["periodic"] and not seen.program("job0")["respawning"]


@pytest.mark.long
def test_an_expected_exit_73_stays_exited(box: Box) -> None:
    """The fail-over that some run on purpose: refused, expected, EXITED: nothing burns."""
    box.app(import_cpu=1.1, second=("standby",))
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("standby", box.beat(pidfile=PIDFILE), autorestart="unexpected", exitcodes="0,73")
    box.up()
    box.wait_exits("standby", 1)
    box.wait_beat("beat")
    seen = look(box)
    seen.healthy()
    assert seen.working() == [box.pid("beat")]
    mend(box)
    assert box.state("beat") == "RUNNING"


@pytest.mark.long
def test_workers_that_recycle_their_children(box: Box) -> None:
    box.app(every=0.5)
    box.program("beat", box.beat())
    box.program("worker", box.worker(concurrency=2, more=["--max-tasks-per-child=1"]))
    box.up()
    box.wait_beat("beat")
    box.wait_log("worker", "succeeded")
    seen = look(box)
    assert not seen.findings, seen.told


@pytest.mark.long
def test_a_deploys_overlap_of_seconds(box: Box) -> None:
    """The new beat is up, the old one is being stopped: not yet a duplicate."""
    box.app(import_cpu=0.1)
    box.program("blue", box.beat())
    box.program("green", box.beat(schedule="run/green"), autostart="false")
    box.up()
    box.wait_beat("blue")
    box.wait(lambda: box.age(box.pid("blue")) > 12, "blue to be old")
    for _ in range(5):
        box.rpc("startProcess", "green", False)
        seen = look(box, "--observe", "1", ways=["auto"])
        if box.age(box.pid("green")) < 4:
            break
        box.rpc("stopProcess", "green")  # a loaded box took longer than a deploy does
    seen.healthy()


@pytest.mark.long
def test_an_old_program_that_is_stopped(box: Box) -> None:
    box.app()
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("beat-old", box.beat(pidfile=PIDFILE), autostart="false")
    box.up()
    box.wait_beat("beat")
    seen = look(box)
    assert not seen.findings, seen.told


@pytest.mark.long
def test_a_beat_that_restarted_twice_and_lives(box: Box) -> None:
    """Its broker came up late; now it has outlived its tries."""
    box.app()
    tries = box.folder / "run/tries"
    box.program(
        "beat",
        [
            "/bin/sh",
            "-c",
            f"echo >> {tries}; test $(wc -l < {tries}) -gt 2 || exit 1; exec "
            + " ".join(box.beat()),
        ],
    )
    box.up()
    box.wait_beat("beat")
    box.wait(lambda: box.age(box.pid("beat")) > 8, "it to last")
    look(box).healthy()


@pytest.mark.long
@pytest.mark.needs_redis
def test_a_redbeat_standby(box: Box) -> None:
    server = shutil.which("redis-server")
    assert server is not None
    port = free_port()
    box.daemon([server, "--port", port, "--save", "", "--bind", "127.0.0.1"], name="redis")
    box.app(broker_url=f"redis://127.0.0.1:{port}/0")
    for name in ("beat", "standby"):
        box.program(name, box.beat(schedule=None, more=["-S", "redbeat.RedBeatScheduler"]))
    box.up()
    box.wait_beat("beat")
    box.wait_beat("standby")
    look(box).healthy()


@pytest.mark.long
@pytest.mark.needs_redis
def test_a_redbeat_standby_by_the_settings(box: Box) -> None:
    """No command line tells of redbeat: its lock in one log, silence in the other do."""
    server = shutil.which("redis-server")
    assert server is not None
    port = free_port()
    box.daemon([server, "--port", port, "--save", "", "--bind", "127.0.0.1"], name="redis")
    more = "\napp.conf.beat_scheduler = 'redbeat.RedBeatScheduler'\n"
    box.app(broker_url=f"redis://127.0.0.1:{port}/0", more=more)
    for name in ("beat", "standby"):
        box.program(name, box.beat(schedule=None))
    box.up()
    box.wait_beat("beat")
    box.wait_beat("standby")
    box.wait(lambda: any("Acquired" in box.log(n) for n in ("beat", "standby")), "the lock")
    seen = look(box)
    seen.healthy()
    assert not seen.findings, seen.told


@pytest.mark.long
def test_one_conf_that_the_environment_tells_apart(box: Box) -> None:
    """%(ENV_TENANT)s in the conf: two supervisords, each with programs of its own."""
    main = box.server("main", http=None)
    (box.folder / "log/red.log").touch()
    box.app()
    for tenant in ("red", "blue"):
        (box.folder / tenant).mkdir()
    box.program("job", ["/bin/sleep", "600"], directory="run")
    main.sections[:] = [
        text.replace(f"directory={box.folder}/run", f"directory={box.folder}/%(ENV_TENANT)s")
        for text in main.sections
    ]
    main.write(as_root=os.geteuid() == 0)
    for tenant in ("red", "blue"):
        words = [*box.supervisord, "-n", "-c", main.conf]
        box.daemon(words, directory=".", env={"TENANT": tenant}, name=tenant)
    box.wait(lambda: len(main.spawns("job")) == 2, "both jobs")
    assert not look(box).findings
