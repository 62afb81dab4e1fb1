"""Left-overs: orphans of a shell, of --detach, of a killed supervisord; one conf run twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import PIDFILE, Box
from tests.e2e.verdict import double, look, loops, mend, mended


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


def _restart(box: Box, program: str) -> None:
    box.rpc("stopProcess", program)
    box.rpc("startProcess", program)


def _sh(box: Box, *, more: str = "; true", pidfile: str | None = None) -> list[str]:
    """A shell that stays before its beat: a stop reaches the shell alone."""
    return ["/bin/sh", "-c", " ".join(box.beat(pidfile=pidfile)) + more]


@pytest.mark.long
def test_a_shell_without_exec_leaves_its_beat_at_a_restart(box: Box) -> None:
    box.app()
    box.program("beat", _sh(box))
    box.up()
    box.wait_beat("beat")
    old = look(box).working()
    _restart(box, "beat")
    box.wait(lambda: box.log("beat").count("beat: Starting") == 2, "the second beat")
    seen = look(box)
    found = seen.only("duplicate-beat")
    (new,) = set(seen.working()) - set(old)
    double(found, new, [(None, "signal")])
    assert [t["pid"] for t in found["stop"]] == old
    assert [(u["origin"], u["was"]) for u in seen.unmanaged] == [("orphan", "beat")]
    assert "stopasgroup" in found["lasting_fix"]
    mend(box)
    mended(box, [new])
    assert box.state("beat") == "RUNNING"


@pytest.mark.long
def test_the_orphan_holds_the_pidfile_and_the_program_loops(box: Box) -> None:
    box.app(import_cpu=1.1)
    box.program("beat", _sh(box, pidfile=PIDFILE, more="; exit $?"))
    box.up()
    box.wait_beat("beat")
    (old,) = look(box).working()
    _restart(box, "beat")
    box.wait_exits("beat", 2)
    found = look(box).only("duplicate-beat")
    loops(found, old, ["beat"])
    assert "stopasgroup" in found["lasting_fix"]
    mend(box)
    assert box.state("beat") == "STOPPED"
    assert look(box).working() == [old]


@pytest.mark.long
def test_an_orphan_alone_after_a_stop(box: Box) -> None:
    """The program was stopped, its beat lives on: no duplicate, and the schedule is sent."""
    box.app()
    box.program("beat", _sh(box))
    box.up()
    box.wait_beat("beat")
    (old,) = look(box).working()
    box.rpc("stopProcess", "beat")
    seen = look(box)
    found = seen.only("orphan")
    assert found["pids"] == [old] and "beat" in found["summary"]
    assert not [f for f in seen.findings if f["kind"] == "beat-down"]
    mend(box)
    assert look(box).working() == [old]


@pytest.mark.long
def test_a_detached_beat_under_supervisor(box: Box) -> None:
    """`beat --detach`: the program EXITED, or respawns against the pidfile of its own child."""
    box.app(import_cpu=0.3)
    box.program(
        "beat",
        box.beat(pidfile=PIDFILE, more=["--detach", "-f", box.folder / "log/detached.log"]),
        autorestart="unexpected",
        startsecs=0,
    )
    box.up()
    box.wait_log("detached", "beat: Starting")
    seen = look(box)
    found = seen.only("orphan")
    assert found["pids"] == [box.pidfile()]
    assert "detach" in found["lasting_fix"]
    assert seen.working() == [box.pidfile()]


@pytest.mark.long
def test_a_detached_beat_that_is_started_again_for_ever(box: Box) -> None:
    box.app(import_cpu=0.6)
    box.program(
        "beat",
        box.beat(pidfile=PIDFILE, more=["--detach", "-f", box.folder / "log/detached.log"]),
        startsecs=0,
    )
    box.up()
    box.wait_log("detached", "beat: Starting")
    box.wait_exits("beat", 3)
    found = look(box).only("duplicate-beat")
    loops(found, box.pidfile(), ["beat"])
    assert "detach" in found["lasting_fix"]
    mend(box)
    assert box.state("beat") == "STOPPED"
    assert look(box).working() == [box.pidfile()]


def _second_life(box: Box) -> None:
    """supervisord is killed, its children live on, and it is started anew."""
    box.kill(box.servers["main"].pid)
    box.wait(lambda: not box.servers["main"].up, "supervisord to be gone")
    box.up("main")


@pytest.mark.long
def test_a_killed_supervisord_started_second_copies(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.program("worker", box.worker())
    box.up()
    box.wait_beat("beat")
    box.wait_log("worker", " ready.")
    old = {name: box.pid(name) for name in ("beat", "worker")}
    _second_life(box)
    box.wait(lambda: box.log("beat").count("beat: Starting") == 2, "the second beat")
    seen = look(box)
    found = seen.one("duplicate-beat")
    double(found, box.pid("beat"), [(None, "signal")])
    assert found["pids"] == [old["beat"]]
    assert {u["pid"]: u["was"] for u in seen.unmanaged} == {v: k for k, v in old.items()}
    assert seen.one("orphan")["pids"] == [old["worker"]]
    mend(box)
    after = look(box)
    assert [f["kind"] for f in after.serious] == ["orphan"], after.told
    assert after.working() == [box.pid("beat")]
    assert old["worker"] in {who.pid for who in box.processes()}


@pytest.mark.long
def test_a_killed_supervisord_whose_beat_holds_the_pidfile(box: Box) -> None:
    box.app(import_cpu=1.1)
    box.program("beat", box.beat(pidfile=PIDFILE))
    box.up()
    box.wait_beat("beat")
    old = box.pid("beat")
    _second_life(box)
    box.wait_exits("beat", 2)
    found = look(box).only("duplicate-beat")
    loops(found, old, ["beat"])
    mend(box)
    assert box.state("beat") == "STOPPED"
    assert look(box).working() == [old]


@pytest.mark.long
def test_a_worker_with_a_beat_whose_supervisord_was_killed(box: Box) -> None:
    """Both `worker -B` live: a worker is never stopped for its beat, orphan or not."""
    box.app()
    box.program("worker", box.worker(more=["-B", "-s", box.folder / "run/one"]))
    box.up()
    box.wait_beat("worker")
    old = box.pid("worker")
    _second_life(box)
    box.wait(lambda: box.log("worker").count("beat: Starting") == 2, "the second beat")
    found = look(box).one("duplicate-beat")
    assert found["effect"] == "double-scheduling"
    assert {t["via"] for t in found["stop"]} == {"advice"}
    before = box.processes()
    mend(box, status=1)
    assert before <= box.processes()
    assert old in {who.pid for who in before}


@pytest.mark.long
def test_the_beat_of_a_worker_that_the_kernel_killed(box: Box) -> None:
    """OOM: the pool ends with its worker, the embedded beat lives on beside the next one's."""
    box.app()
    box.program("worker", box.worker(concurrency=2, more=["-B", "-s", box.folder / "run/one"]))
    box.up()
    box.wait_beat("worker")
    box.wait_log("worker", " ready.")
    box.kill(box.pid("worker"))
    box.wait(lambda: box.log("worker").count("beat: Starting") == 2, "the second beat")
    box.wait(lambda: box.log("worker").count(" ready.") == 2, "the second worker")
    seen = look(box)
    found = seen.only("duplicate-beat")
    (kept,) = [b["pid"] for b in seen.beats if b["embedded"]]
    double(found, kept, [(None, "signal")])
    assert [u["role"] for u in seen.unmanaged] == ["beat"]
    assert "-B" in found["lasting_fix"]
    worker = box.pid("worker")
    mend(box)
    mended(box, [kept])
    assert box.pid("worker") == worker


@pytest.mark.long
def test_one_conf_run_by_two_supervisords(box: Box) -> None:
    """The second took the socket's place: one cause, one finding, though all stands twice."""
    box.app(import_cpu=0.3)
    box.program("beat", box.beat())
    box.program("worker", box.worker(name="w"))
    box.program("other", ["/bin/sleep", "600"])
    box.up()
    box.wait_beat("beat")
    first = box.servers["main"].process
    assert first and box.servers["main"].socket
    box.servers["main"].socket.unlink()
    box.servers["main"].process = None
    box.up("main")
    box.wait(lambda: box.log("beat").count("beat: Starting") == 2, "the second beat")
    seen = look(box)
    found = seen.only("double-supervisor")
    assert found["severity"] == "critical"
    assert {t["via"] for t in found["stop"]} == {"advice"}
    assert "SIGTERM" in found["lasting_fix"]
    assert len(found["pids"]) == 1
    assert found["pids"][0] in (first.pid, box.servers["main"].pid)
    before = box.processes()
    done = box.beattop("stop-duplicates", "--yes", "--supervisor", box.conf())
    assert done.returncode in (1, 3), done.stdout + done.stderr
    assert before <= box.processes()


@pytest.mark.long
def test_a_left_over_worker_pool_is_an_orphan_not_a_beat(box: Box) -> None:
    box.app()
    box.program("worker", ["/bin/sh", "-c", " ".join(box.worker()) + "; true"])
    box.up()
    box.wait_log("worker", " ready.")
    box.rpc("stopProcess", "worker")
    seen = look(box)
    found = seen.only("orphan")
    assert not seen.beats
    assert "stopasgroup" in found["lasting_fix"]
    assert signal.SIGTERM.name[3:] in " ".join(found["evidence"])


@pytest.mark.long
def test_one_conf_run_by_two_supervisords_under_two_names(box: Box) -> None:
    """A link in /etc to the one in the project: one file all the same."""
    box.app(import_cpu=0.3)
    box.program("beat", box.beat())
    box.program("other", ["/bin/sleep", "600"])
    box.up()
    box.wait_beat("beat")
    main = box.servers["main"]
    assert main.socket
    (box.folder / "link.conf").symlink_to(main.conf)
    main.socket.unlink()
    box.daemon([*box.supervisord, "-n", "-c", "link.conf"], directory=".", name="second")
    box.wait(lambda: box.log("beat").count("beat: Starting") == 2, "the second beat")
    found = look(box).only("double-supervisor")
    assert main.pid in (found["pids"][0], found["keep"][0]["pid"])
