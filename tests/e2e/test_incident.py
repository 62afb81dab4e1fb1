"""The tests' own incidents are what they say, and end with their test."""

from __future__ import annotations

import signal
from pathlib import Path

from beattop.demo.family import alive, stat
from tests.e2e.incident import Box


def test_two_beats_loop_and_nothing_stays(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.two_beats()
        box.up()
        box.wait_exits("beat2", 2)
        assert box.pidfile() == box.pid("beat")
        assert set(box.exits("beat2")) == {"exit status 73; not expected"}
        assert box.state("beat") == "RUNNING"
        everything = box.processes()
        assert box.servers["main"].process in everything
    assert not any(map(alive, everything))


def test_several_servers_a_login_and_a_foreign_beat(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.app(every=1.0)
        box.server("locked", http="inet", user="ops", password="s3cret")
        box.program("sleeper", ["/bin/sleep", "600"], server="locked", env={"PERCENT": "5%"})
        box.program("quick", ["/bin/sh", "-c", "exit 3"], startsecs=0)
        box.up()
        box.wait_state("sleeper", "RUNNING", server="locked")
        box.wait_exits("quick", 3)
        foreign = box.daemon(box.beat(pidfile="run/beat.pid"))
        box.wait_beat("nohup")
        assert box.pidfile() == foreign.pid
        found = stat(foreign.pid)
        assert found
        assert found.ppid not in {who.pid for who in box.processes()}
        box.kill(foreign.pid, signal.SIGTERM)
        box.wait(lambda: not foreign.alive, "the beat to end")
        left = box.daemon(["/bin/sleep", "600"], name="left")
    assert not left.alive


def test_an_orphan_whose_environment_was_wiped_ends_too(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("wrapper", ["/bin/sh", "-c", "(env -i sleep 600 &); exec sleep 601"])
        box.up()
        box.wait(lambda: len(box.processes()) == 3, "supervisord, the program and its orphan")

        def wiped() -> list[int]:
            pids = [who.pid for who in box.processes()]
            return [pid for pid in pids if not Path(f"/proc/{pid}/environ").read_bytes()]

        box.wait(wiped, "env -i to have become sleep")
        everything = box.processes()
    assert not any(map(alive, everything))
