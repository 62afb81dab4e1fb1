"""Pidfiles that tell a lie: of a stranger, of a worker, of nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import PIDFILE, Box
from tests.e2e.verdict import look, mend


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


@pytest.mark.long
def test_a_pid_that_now_is_somebody_elses(box: Box) -> None:
    box.app(import_cpu=1.1)
    stranger = box.daemon(["/bin/sleep", "600"], name="stranger")
    box.write(PIDFILE, f"{stranger.pid}\n")
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.program("worker", box.worker(), env={"IMPORT_CPU_S": "0"})
    box.up()
    box.wait_exits("beat", 2)
    found = look(box).only("stale-pidfile")
    assert found["severity"] == "critical"
    assert found["programs"] == ["beat"]
    assert "sleep" in found["summary"] and str(box.folder / PIDFILE) in found["summary"]
    assert found["stop"] == []
    assert f"rm {box.folder / PIDFILE}" in found["lasting_fix"]
    mend(box, status=1)
    assert stranger.alive
    assert box.pidfile() == stranger.pid, "without consent the file stays"


@pytest.mark.long
def test_a_pid_that_now_is_a_workers(box: Box) -> None:
    """A Celery process, but no beat, and younger than the file: never a duplicate."""
    box.app(import_cpu=1.1)
    box.program("worker", box.worker(), env={"IMPORT_CPU_S": "0"})
    box.up()
    box.wait_log("worker", " ready.")
    worker = box.pid("worker")
    box.write(PIDFILE, f"{worker}\n")
    old = (box.folder / PIDFILE).stat().st_mtime - 3600
    os.utime(box.folder / PIDFILE, (old, old))
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.update("beat")
    box.wait_exits("beat", 2)
    found = look(box).only("stale-pidfile")
    assert "worker" in found["summary"]
    mend(box, status=1)
    assert box.pid("worker") == worker
    assert box.state("worker") == "RUNNING"


@pytest.mark.long
def test_a_beat_and_a_worker_share_one_pidfile(box: Box) -> None:
    """A copied line: the worker holds what the beat wants. Told with whose pid it is."""
    box.app(import_cpu=1.1)
    box.program("worker", box.worker(more=[f"--pidfile={box.folder / PIDFILE}"]))
    box.up()
    box.wait(lambda: box.pidfile() == box.pid("worker"), "the worker's pidfile")
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.update("beat")
    box.wait_exits("beat", 2)
    seen = look(box)
    (found,) = seen.serious
    assert found["kind"] in ("stale-pidfile", "respawn-loop"), seen.told
    assert str(box.pid("worker")) in found["summary"] + " ".join(found["evidence"])
    assert "worker" in found["summary"] + " ".join(found["evidence"])
    assert f"rm {box.folder / PIDFILE}" not in found["lasting_fix"]
    mend(box, status=1)
    assert box.state("worker") == "RUNNING"
    assert box.pidfile() == box.pid("worker")


@pytest.mark.long
@pytest.mark.parametrize("content", ["", "garbage\n", "999999999999\n", "0\n", "-1\n"])
def test_a_broken_pidfile_is_no_trouble(box: Box, content: str) -> None:
    """Celery removes it: "Broken pidfile found - Removing it."."""
    box.app()
    box.program("beat", box.beat())
    box.write(PIDFILE, content)
    box.program("lone", box.beat("proj", pidfile=PIDFILE), autostart="false")
    box.up()
    box.wait_beat("beat")
    look(box).healthy()


@pytest.mark.long
def test_a_pidfile_of_a_dead_pid_is_no_trouble(box: Box) -> None:
    box.app(import_cpu=0.3)
    box.write(PIDFILE, "4194303\n")
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.up()
    box.wait_beat("beat")
    seen = look(box)
    seen.healthy()
    assert seen.working() == [box.pid("beat")]


@pytest.mark.long
def test_a_stale_pidfile_that_made_the_beat_fatal(box: Box) -> None:
    """Quick imports: four tries, then supervisord gives up; it is still the pidfile."""
    box.app(import_cpu=0.0)
    stranger = box.daemon(["/bin/sleep", "600"], name="stranger")
    box.write(PIDFILE, f"{stranger.pid}\n")
    box.program("beat", box.beat(pidfile=PIDFILE), startsecs=20, startretries=1)
    box.up()
    box.wait_state("beat", "FATAL")
    found = look(box).only("stale-pidfile")
    assert "FATAL" in found["summary"]
    mend(box, status=1)
    assert stranger.alive


@pytest.mark.long
def test_one_pidfile_copied_into_two_projects(box: Box) -> None:
    """No duplicate: to stop the refused one would leave its schedule unsent."""
    box.app("shop", where="shop", broker="broker-shop")
    box.app("blog", where="blog", import_cpu=1.1)
    for name in ("shop", "blog"):
        words = box.beat(name, pidfile=PIDFILE, schedule=f"run/{name}")
        box.program(name, words, directory=name)
        box.up() if name == "shop" else box.update("blog")
        box.wait_beat("shop")
    box.wait_exits("blog", 2)
    found = look(box).only("stale-pidfile")
    assert (found["programs"], found["stop"]) == (["blog"], [])
    assert "the beat of app shop, another project" in found["summary"]
    assert "--pidfile of its own" in found["lasting_fix"]
    mend(box, status=1)
    assert box.pidfile() == box.pid("shop")
