"""Beats that a pidfile turns away, and that supervisord starts again for ever."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import PIDFILE, Box
from tests.e2e.verdict import look, loops, mend, mended


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


def test_a_second_beat_on_one_pidfile_is_named_at_first_sight_and_stopped(box: Box) -> None:
    box.two_beats(worker=True)
    box.up()
    box.wait_exits("beat2", 2)
    beat, worker = box.pid("beat"), box.pid("worker")
    found = look(box).only("duplicate-beat")
    loops(found, beat, ["beat2"])
    assert str(box.folder / PIDFILE) in found["summary"]
    mend(box)
    mended(box, [beat], "beat2")
    assert (box.pid("beat"), box.pid("worker")) == (beat, worker)


@pytest.mark.long
def test_three_beats_that_race_for_one_pidfile(box: Box) -> None:
    """Begun in one instant: one wins, another may die of LockFailed (exit 1) before it exits 73."""
    box.app(import_cpu=1.1)
    for name in ("one", "two", "three"):
        box.program(name, box.beat(pidfile=PIDFILE))
    box.up()
    box.wait(lambda: sum(len(box.exits(n)) for n in ("one", "two", "three")) >= 5, "five exits")
    holder = next(n for n in ("one", "two", "three") if box.pid(n) == box.pidfile())
    losers = {"one", "two", "three"} - {holder}
    loops(look(box).only("duplicate-beat"), box.pid(holder), losers)
    mend(box)
    mended(box, [box.pid(holder)], *losers)


@pytest.mark.long
def test_a_lock_that_failed_at_the_same_instant(box: Box) -> None:
    """The loser sees no pidfile, and fails to make it: exit 1, celery.platforms.LockFailed."""
    box.app(import_cpu=0.2)
    (box.folder / "run" / "sub").mkdir()
    box.program("beat", box.beat(pidfile=PIDFILE))
    racer = "import sys; print('celery.platforms.LockFailed: [Errno 17] File exists'); sys.exit(1)"
    wrapped = box.write(
        "app/race.py",
        "import os, sys, time\n"
        f"first = {str(box.folder / 'run' / 'raced')!r}\n"
        "if not os.path.exists(first):\n"
        "    open(first, 'w').close()\n"
        f"    time.sleep(1.1); exec({racer!r})\n"
        "time.sleep(0.8); os.execv(sys.argv[1], sys.argv[1:])\n",
    )
    box.up()
    box.wait_beat("beat")
    box.program("beat2", ["/usr/bin/env", "python3", wrapped, *box.beat(pidfile=PIDFILE)])
    box.update("beat2")
    box.wait_exits("beat2", 3)
    assert "exit status 1; not expected" in box.exits("beat2")
    loops(look(box).only("duplicate-beat"), box.pid("beat"), ["beat2"])


@pytest.mark.long
def test_backoff_for_ever(box: Box) -> None:
    """Its lives are shorter than startsecs, so it never runs; startretries never ends."""
    box.app(import_cpu=0.3, second=("beat2",))
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("beat2", box.beat(pidfile=PIDFILE), startsecs=10, startretries=100000)
    box.up()
    box.wait_exits("beat2", 3)
    loops(look(box).only("duplicate-beat"), box.pid("beat"), ["beat2"])
    mend(box)
    mended(box, [box.pid("beat")], "beat2")


@pytest.mark.long
def test_startsecs_of_nought(box: Box) -> None:
    box.app(import_cpu=0.3, second=("beat2",))
    for name in ("beat", "beat2"):
        box.program(name, box.beat(pidfile=PIDFILE), startsecs=0)
    box.up()
    box.wait_exits("beat2", 3)
    loops(look(box).only("duplicate-beat"), box.pid("beat"), ["beat2"])
    mend(box)
    mended(box, [box.pid("beat")], "beat2")


@pytest.mark.long
def test_numprocs_of_two_with_one_pidfile(box: Box) -> None:
    box.app(import_cpu=1.1, second=("beat_01",))
    box.program(
        "beat",
        box.beat(pidfile=PIDFILE),
        numprocs=2,
        process_name="%(program_name)s_%(process_num)02d",
    )
    box.up()
    box.wait_exits("beat_01", 2)
    found = look(box).only("duplicate-beat")
    loops(found, box.pid("beat_00"), ["beat:beat_01"])
    assert "numprocs=1" in found["lasting_fix"]
    mend(box)
    mended(box, [box.pid("beat_00")], "beat:beat_01")


@pytest.mark.long
def test_groups_and_their_namespecs(box: Box) -> None:
    box.app(import_cpu=1.1, second=("old",))
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("old", box.beat(pidfile=PIDFILE))
    box.program("worker", box.worker(), env={"IMPORT_CPU_S": "0"})
    box.section("group:web", programs="beat,worker")
    box.section("group:legacy", programs="old")
    box.up()
    box.wait_exits("old", 2)
    loops(look(box).only("duplicate-beat"), box.pid("beat"), ["legacy:old"])
    mend(box)
    mended(box, [box.pid("beat")], "legacy:old")
    assert box.state("web:worker") == "RUNNING"


@pytest.mark.long
def test_one_name_in_two_groups(box: Box) -> None:
    """The main log says only the bare name: the pid tells whose line it is."""
    box.app(import_cpu=1.1)
    box.app("second", where="app2", import_cpu=1.1)
    box.program("first", box.beat(pidfile=PIDFILE), process_name="beat")
    box.program(
        "second",
        box.beat(pidfile=PIDFILE),
        process_name="beat",
        env={"IMPORT_CPU_S": "2.4"},
    )
    box.section("group:a", programs="first")
    box.section("group:b", programs="second")
    box.up()
    box.wait(lambda: len(box.exits("beat")) >= 2, "two exits")
    loops(look(box).only("duplicate-beat"), box.pidfile(), ["b:beat"])
    mend(box)
    mended(box, [box.pidfile()], "b:beat")
    assert box.state("a:beat") == "RUNNING"


@pytest.mark.long
def test_two_supervisords_that_run_one_beat(box: Box) -> None:
    box.app(import_cpu=1.1, second=("scheduler",))
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("scheduler", box.beat(pidfile=PIDFILE), server="other")
    box.up()
    box.wait_exits("scheduler", 2, server="other")
    found = look(box).only("duplicate-beat")
    loops(found, box.pid("beat"), ["scheduler"])
    assert found["stop"][0]["supervisor"] == box.url("other")
    assert found["keep"][0]["supervisor"] == box.url("main")
    mend(box)
    mended(box, [box.pid("beat")], "scheduler", server="other")


@pytest.mark.long
def test_a_foreign_beat_in_front_of_the_supervised_one(box: Box) -> None:
    """The loop is stopped, the stranger goes on; the hand-over is a person's choice."""
    box.app(import_cpu=1.1)
    foreign = box.daemon(box.beat(pidfile=PIDFILE))
    box.wait_beat("nohup")
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.up()
    box.wait_exits("beat", 2)
    found = look(box).only("duplicate-beat")
    loops(found, foreign.pid, ["beat"])
    assert found["keep"][0]["namespec"] is None
    assert "crontab" in found["lasting_fix"]
    said = mend(box)
    assert foreign.alive, said
    assert box.state("beat") == "STOPPED"
    assert look(box).working() == [foreign.pid]


@pytest.mark.long
def test_a_pidfile_in_the_settings_and_one_in_the_environment(box: Box) -> None:
    """No --pidfile on the command line: its last words name the file and the holder."""
    box.app(
        import_cpu=1.1,
        second=("beat2",),
        more=f"\napp.conf.beat_pidfile = {str(box.folder / PIDFILE)!r}\n",
    )
    box.program("beat", box.beat(schedule=None))
    box.program("beat2", box.beat(schedule=None))
    box.up()
    box.wait_exits("beat2", 2)
    loops(look(box).only("duplicate-beat"), box.pid("beat"), ["beat2"])
    mend(box)
    mended(box, [box.pid("beat")], "beat2")


@pytest.mark.long
def test_a_supervisord_that_logs_to_a_stream(box: Box) -> None:
    """As in containers, logfile=/dev/stdout: the beat's own log tells of its refusals."""
    box.server("main", more="logfile=/dev/stdout\nlogfile_maxbytes=0\n")
    box.two_beats()
    box.up()
    box.wait_beat("beat")
    box.wait(lambda: box.log("beat2").count("already exists") >= 2, "two refusals")
    found = look(box).only("duplicate-beat")
    loops(found, box.pidfile(), ["beat2"])
    mend(box)
    mended(box, [box.pidfile()], "beat2")


@pytest.mark.long
def test_a_shell_around_each_of_two(box: Box) -> None:
    """`bash -c 'cd x && celery ...'`: the leader that dies is the shell, its status the beat's."""
    box.app(import_cpu=1.1, second=("beat2",))
    words = " ".join(box.beat(pidfile=PIDFILE))
    for name in ("beat", "beat2"):
        box.program(name, ["/bin/bash", "-c", f"cd {box.folder}/app && {words}; exit $?"])
    box.up()
    box.wait_exits("beat2", 2)
    found = look(box).only("duplicate-beat")
    loops(found, box.pidfile(), ["beat2"])
    assert "[program:beat2]" in found["lasting_fix"]
    mend(box)
    mended(box, [box.pidfile()], "beat2")


@pytest.mark.long
def test_a_script_that_starts_its_beat_itself(box: Box) -> None:
    """`app.Beat(...).run()`: no command line says beat; the log and the pidfile do."""
    box.app(import_cpu=1.1, second=("two",))
    held, kept = str(box.folder / PIDFILE), str(box.folder / "run/schedule")
    script = box.write(
        "app/runbeat.py",
        f"from proj import app\napp.Beat(loglevel='INFO', pidfile={held!r}, schedule={kept!r}).run()\n",
    )
    for name in ("one", "two"):
        box.program(name, [sys.executable, script])
    box.up()
    box.wait_exits("two", 2)
    seen = look(box)
    loops(seen.only("duplicate-beat"), box.pidfile(), ["two"])
    assert [seen.program(name)["role"] for name in ("one", "two")] == ["beat", "beat"]
    mend(box)
    mended(box, [box.pidfile()], "two")
