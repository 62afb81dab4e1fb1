"""Beats that live and send nothing, and supervisords that do not talk."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import Box
from tests.e2e.server import free_port
from tests.e2e.verdict import Verdict, look, loops, mend, mended, targets

NOBODY = 65534


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


@pytest.mark.long
def test_a_beat_that_a_signal_stopped(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.up()
    box.wait_beat("beat")
    box.kill(box.pid("beat"), signal.SIGSTOP)
    found = look(box).only("beat-silent")
    assert found["effect"] == "stopped"
    assert f"kill -CONT {box.pid('beat')}" in found["lasting_fix"]


@pytest.mark.long
def test_a_stopped_beat_beside_a_working_one(box: Box) -> None:
    """Both are the same schedule: the one that works is kept."""
    box.app()
    box.program("beat", box.beat())
    box.program("scheduler", box.beat(schedule="run/other"))
    box.up()
    box.wait_beat("beat")
    box.wait_beat("scheduler")
    box.kill(box.pid("beat"), signal.SIGSTOP)
    found = look(box).one("duplicate-beat")
    assert found["keep"][0]["pid"] == box.pid("scheduler")
    assert targets(found) == [("beat", "xmlrpc")]


@pytest.mark.long
def test_a_broker_that_refuses(box: Box) -> None:
    port = free_port()
    box.app(broker_url=f"amqp://guest@127.0.0.1:{port}//")
    box.program("beat", box.beat())
    box.up()
    box.wait_log("beat", "Connection error", within=60)
    box.wait(lambda: box.log("beat").count("Connection error") >= 3, "three tries", within=60)
    found = look(box).only("beat-silent")
    assert found["effect"] == "no broker"
    assert found["programs"] == ["beat"]
    assert "broker" in found["lasting_fix"]


@pytest.mark.long
def test_a_broker_that_takes_nothing_any_more(box: Box) -> None:
    """It worked, and now each sending fails; the schedule file is written all the same."""
    box.app(every=1.0)
    box.program("beat", box.beat())
    box.up()
    box.wait_log("beat", "Sending due task")
    shutil.rmtree(box.folder / "broker/messages")
    box.wait(lambda: box.age(box.pid("beat")) > 15, "the beat to be older")
    box.wait_log("beat", "Couldn't apply scheduled task")
    found = look(box).only("beat-silent")
    assert found["effect"] == "no broker"
    assert "cannot send" in found["summary"]


@pytest.mark.long
def test_a_schedule_file_that_is_old_on_a_young_beat_is_no_proof(box: Box) -> None:
    """A beat that has just begun opened the file its predecessor left: no accusation."""
    box.app(every=3600.0)
    box.program("beat", box.beat())
    box.up()
    box.wait_beat("beat")
    for path in (box.folder / "run").glob("beat-schedule*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    look(box).healthy()


@pytest.mark.long
def test_a_supervisord_that_hangs(box: Box) -> None:
    box.two_beats()
    box.up()
    box.wait_exits("beat2", 2)
    box.kill(box.servers["main"].pid, signal.SIGSTOP)
    seen = look(box)
    found = seen.one("supervisor-not-answering")
    assert found["severity"] == "critical"
    assert str(box.servers["main"].pid) in found["lasting_fix"]
    for other in seen.findings:
        assert {t["via"] for t in other["stop"]} <= {"advice"}, seen.told
    before = box.processes()
    said = mend(box, status=3)
    assert "supervisor" in said
    assert before <= box.processes()


@pytest.mark.long
def test_a_password_in_the_conf(box: Box) -> None:
    """inet_http_server: the login is read from the conf, and never shown."""
    box.server("main", http="inet", user="ops", password="s3cret-pa55")
    box.two_beats()
    box.up()
    box.wait_exits("beat2", 2)
    seen = look(box)
    loops(seen.only("duplicate-beat"), box.pid("beat"), ["beat2"])
    assert "s3cret" not in json.dumps(seen.document)
    said = mend(box)
    assert "s3cret" not in said
    mended(box, [box.pid("beat")], "beat2")


@pytest.mark.long
def test_a_supervisord_without_a_server(box: Box) -> None:
    """No [unix_http_server]: conf and log tell all; nothing can be stopped through it."""
    box.server("main", http=None)
    box.two_beats()
    box.up()
    box.wait_exits("beat2", 2)
    seen = look(box)
    found = seen.only("duplicate-beat")
    assert found["effect"] == "respawning"
    assert targets(found) == [("beat2", "advice")]
    before = box.pid("beat")
    done = box.beattop("stop-duplicates", "--yes", "--supervisor", box.conf())
    assert done.returncode in (1, 3), done.stdout + done.stderr
    assert box.pid("beat") == before


def _stranger() -> list[str]:
    """This python as nobody, or a skip that says why."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root and setpriv(1)")
    words = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    probe = subprocess.run(
        [*words, sys.executable, "-c", "import psutil, supervisor, beattop"],
        cwd="/",
        capture_output=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip(f"{sys.executable} cannot be run by another user here")
    return words


@pytest.mark.long
def test_a_stranger_sees_what_can_be_seen_and_accuses_nobody_wrongly(box: Box) -> None:
    words = _stranger()
    box.two_beats()
    box.up()
    box.wait_exits("beat2", 2)
    done = subprocess.run(
        [*words, sys.executable, "-m", "beattop", "--once", "--json"],
        cwd="/",
        env=box.env_of_viewer,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = Verdict(box, json.loads(done.stdout))
    assert [f["kind"] for f in seen.findings if f["kind"] == "supervisor-denied"], seen.told
    assert box.pid("beat") in {b["pid"] for b in seen.beats}, seen.told
    for found in seen.findings:
        assert {t["via"] for t in found["stop"]} <= {"advice"}
        assert found["kind"] in ("supervisor-denied", "duplicate-beat", "respawn-loop"), seen.told
