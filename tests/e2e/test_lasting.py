"""The printed change, applied to the real conf: after a restart the trouble stays away."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from beattop.demo.project import section
from tests import patching
from tests.e2e.incident import PIDFILE, Box
from tests.e2e.verdict import Entry, Verdict, look, mend

pytestmark = pytest.mark.long


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


def apply(found: Entry) -> Path:
    """Apply its diff to the letter; returns the file."""
    path = Path(found["lasting_diff"].split("\n", 1)[0].removeprefix("--- "))
    path.write_bytes(patching.apply(path.read_bytes().decode(), found["lasting_diff"]).encode())
    return path


def restart(box: Box) -> None:
    """End supervisord as a service's stop does, and start it with the conf as it now stands."""
    main = box.servers["main"]
    box.kill(main.pid, signal.SIGTERM)
    box.wait(lambda: not main.up, "supervisord to end")
    main.write = lambda as_root: None  # type: ignore[method-assign]
    box.up("main")


def cured(box: Box, *beats: str) -> Verdict:
    """Assert that just the programs `beats` work, and that nothing is wrong."""
    for name in beats:
        box.wait(lambda name=name: box.pid(name) in look(box).working(), f"{name} to work")
    seen = look(box)
    seen.healthy()
    assert len(seen.working()) == len(beats), seen.told
    return seen


def test_a_looping_duplicate_in_an_included_file(box: Box) -> None:
    box.server(more="\n[include]\nfiles = conf.d/*.ini\n")
    box.app(import_cpu=1.2, second=("beat2",))
    box.program("beat", box.beat(pidfile=PIDFILE))
    values = {
        "command": " ".join(box.beat(pidfile=PIDFILE)),
        "directory": box.folder / "app",
        "autorestart": "true",
        "stdout_logfile": box.folder / "log/beat2.log",
        "redirect_stderr": "true",
    }
    text = section("program:beat2", values).replace(
        "autorestart=", "autostart\t=\ttrue ; café\nautorestart="
    )
    box.write("conf.d/old.ini", "; left by a deploy\n\n" + text)
    box.up()
    box.wait_exits("beat2", 2)
    found = look(box).only("duplicate-beat")
    mend(box)
    assert apply(found) == box.folder / "conf.d/old.ini"
    restart(box)
    cured(box, "beat")
    assert box.state("beat2") == "STOPPED"


def test_two_programs_that_both_send(box: Box) -> None:
    box.app()
    for name in ("beat", "beat2"):
        box.program(name, box.beat())
    box.up()
    box.wait_beat("beat")
    box.wait_beat("beat2")
    found = look(box).only("duplicate-beat")
    apply(found)
    restart(box)
    cured(box, found["keep"][0]["namespec"])


def test_numprocs(box: Box) -> None:
    box.app()
    log = box.folder / "log" / "beat_%(process_num)d.log"
    box.program("beat", box.beat(), numprocs=2, process_name="b%(process_num)d", stdout_logfile=log)
    box.up()
    for number in range(2):
        box.wait_beat(f"beat_{number}")
    apply(look(box).only("duplicate-beat"))
    restart(box)
    cured(box, "b0")


def test_embedded_beside_a_beat(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.program("worker", box.worker(more=["-EB", "-s", box.folder / "run/embedded"]))
    box.up()
    box.wait_beat("beat")
    box.wait_beat("worker")
    found = look(box).only("duplicate-beat")
    mend(box)
    apply(found)
    restart(box)
    seen = cured(box, "beat")
    assert "-E" in seen.program("worker")["processes"][0]["argv"]


def test_two_embedded_ones(box: Box) -> None:
    box.app()
    for name in ("w1", "w2"):
        more = ["--beat", "-s", box.folder / f"run/{name}"]
        box.program(name, box.worker(name=name, more=more))
    box.up()
    box.wait_beat("w1")
    box.wait_beat("w2")
    apply(look(box).only("duplicate-beat"))
    restart(box)
    box.wait_log("w2", "ready")
    box.wait(lambda: len(look(box).working()) == 1, "one beat")
    look(box).healthy()


def test_a_shell_that_passes_no_signal_on(box: Box) -> None:
    box.app()
    box.program("beat", ["/bin/sh", "-c", " ".join(box.beat()) + "; true"])
    box.up()
    box.wait_beat("beat")
    box.rpc("stopProcess", "beat")
    box.rpc("startProcess", "beat")
    box.wait(lambda: box.log("beat").count("beat: Starting") == 2, "the second beat")
    found = look(box).only("duplicate-beat")
    mend(box)
    apply(found)
    restart(box)
    box.wait(lambda: box.log("beat").count("beat: Starting") == 3, "the beat")
    # supervisord's own end was the last stop of the old kind, as the text says.
    box.wait(lambda: look(box, ways=["auto"]).serious, "the last left-over to be told")
    mend(box)
    for number in (4, 5):
        box.rpc("stopProcess", "beat")
        box.rpc("startProcess", "beat")
        box.wait(
            lambda number=number: box.log("beat").count("beat: Starting") == number, "the beat"
        )
    seen = look(box)
    seen.healthy()
    assert len(seen.working()) == 1, seen.told


def test_one_that_detaches(box: Box) -> None:
    box.app(import_cpu=0.6)
    more = ["--detach", "-f", box.folder / "log/detached.log"]
    box.program("beat", box.beat(pidfile=PIDFILE, more=more), startsecs=0)
    box.up()
    box.wait_log("detached", "beat: Starting")
    box.wait_exits("beat", 3)
    found = look(box).only("duplicate-beat")
    mend(box)
    box.kill(box.pidfile(), signal.SIGTERM)
    apply(found)
    restart(box)
    cured(box, "beat")


@pytest.mark.parametrize("told", [True, False])
def test_a_stale_pidfile(box: Box, told: bool) -> None:
    """The file stays where it is, as the next recycled pid would find it: nobody asks for it."""
    box.app(import_cpu=1.2)
    stranger = box.daemon(["/bin/sleep", "600"], name="stranger")
    box.write(PIDFILE, f"{stranger.pid}\n")
    words = box.beat(pidfile=PIDFILE if told else None)
    if not told:
        box.write("app/celerybeat.pid", f"{stranger.pid}\n")
        env = {"CELERY_BEAT_PIDFILE": "celerybeat.pid"}  # stands for the default of Celery 4
    box.program("beat", words, env=None if told else env)
    box.up()
    box.wait_exits("beat", 2)
    found = look(box).only("stale-pidfile")
    apply(found)
    restart(box)
    cured(box, "beat")
    assert stranger.alive
    assert os.path.exists(box.folder / PIDFILE)
