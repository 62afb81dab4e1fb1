"""Programs that die for a cause of their own, and beats that are down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import Box
from tests.e2e.verdict import Entry, look, mend


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


def _loop(box: Box, program: str, effect: str, *words: str) -> Entry:
    """The one finding: a loop of `program`, told with its cause."""
    seen = look(box)
    found = seen.only("respawn-loop")
    assert (found["programs"], found["effect"]) == ([program], effect), seen.told
    everything = " ".join([found["summary"], *found["evidence"], found["lasting_fix"]])
    for word in words:
        assert word in everything, everything
    assert found["stop"] == []
    return found


@pytest.mark.long
def test_a_worker_whose_module_was_not_deployed(box: Box) -> None:
    box.app(import_cpu=0.3)
    box.write("app/reports.py", "import a_package_that_was_not_deployed\n")
    box.program("beat", box.beat())
    box.program("reports", box.worker(name="r", more=["-I", "reports"]), startsecs=0)
    box.up()
    box.wait_beat("beat")
    box.wait_exits("reports", 2)
    _loop(box, "reports", "import error", "a_package_that_was_not_deployed")
    mend(box)
    assert box.state("beat") == "RUNNING"


@pytest.mark.long
def test_a_beat_whose_app_is_missing(box: Box) -> None:
    """A beat in a crash loop of its own: no duplicate, no pidfile."""
    box.app()
    box.program("beat", box.beat("prj"), startsecs=0)
    box.up()
    box.wait_exits("beat", 2)
    found = _loop(box, "beat", "app not found", "prj")
    assert "beat" in found["summary"]


@pytest.mark.long
def test_the_old_order_of_options(box: Box) -> None:
    """`celery beat -A proj` on Celery 5: exit 2 at once; for ever with startsecs=0."""
    box.app()
    command = [*box.celery, "beat", "-A", "proj", "-l", "info"]
    box.program("beat", command, startsecs=0)
    box.up()
    box.wait_exits("beat", 3)
    found = _loop(box, "beat", "old option order", "-A")
    assert "celery -A proj beat" in found["lasting_fix"] or "before" in found["lasting_fix"]


@pytest.mark.long
def test_an_option_that_does_not_exist(box: Box) -> None:
    box.app()
    box.program("worker", box.worker(more=["--autoreload"]), startsecs=0)
    box.up()
    box.wait_exits("worker", 3)
    _loop(box, "worker", "bad option", "--autoreload")


@pytest.mark.long
def test_a_worker_that_is_killed_again_and_again(box: Box) -> None:
    """As the kernel's OOM killer does: SIGKILL, no last words."""
    box.app(more="\nif os.environ.get('DIE'):\n    time.sleep(1.2); os.kill(os.getpid(), 9)\n")
    box.program("beat", box.beat())
    box.program("worker", box.worker(), env={"DIE": "1"})
    box.up()
    box.wait_beat("beat")
    box.wait_exits("worker", 2)
    _loop(box, "worker", "killed", "SIGKILL", "OOM")


@pytest.mark.long
def test_a_command_that_does_not_exist_is_fatal(box: Box) -> None:
    """A spawn error: supervisord gives up at once or after its tries; nothing loops for ever."""
    box.app()
    box.program("beat", box.beat())
    box.program("report", [box.folder / "bin/missing"], startretries=1)
    box.up()
    box.wait_beat("beat")
    box.wait_state("report", "FATAL")
    seen = look(box)
    found = seen.only("program-down")
    assert found["programs"] == ["report"]
    assert "missing" in found["summary"]


@pytest.mark.long
def test_a_program_that_is_not_executable_retries_for_ever(box: Box) -> None:
    """spawnerr again and again: no process is ever seen, only the log tells."""
    box.app()
    box.write("bin/report", "#!/bin/sh\n")
    box.program("report", [box.folder / "bin/report"], startretries=100000)
    box.up()
    box.wait(lambda: box.servers["main"].log().count("spawnerr") >= 3, "three tries")
    seen = look(box)
    found = seen.only("program-down")
    assert found["programs"] == ["report"], seen.told
    assert "not executable" in found["summary"]


@pytest.mark.long
def test_a_beat_that_went_fatal(box: Box) -> None:
    box.app(import_cpu=0.1)
    box.write("app/settings_of_prod.py", "raise ValueError('DATABASE_URL is not set')\n")
    box.write("app/broken.py", "import settings_of_prod\n")
    box.program("beat", box.beat("broken"), startretries=1, startsecs=20)
    box.program("worker", box.worker())
    box.up()
    box.wait_state("beat", "FATAL")
    seen = look(box)
    found = seen.only("beat-down")
    assert (found["severity"], found["programs"]) == ("critical", ["beat"])
    assert "FATAL" in found["summary"]
    assert "start beat" in found["lasting_fix"]
    assert [b["health"] for b in seen.beats] == ["down"]


@pytest.mark.long
def test_a_beat_that_was_stopped_on_request(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.program("worker", box.worker())
    box.up()
    box.wait_beat("beat")
    box.rpc("stopProcess", "beat")
    seen = look(box)
    seen.healthy()
    found = seen.information("beat-down")
    assert "start beat" in found["lasting_fix"]


@pytest.mark.long
def test_a_beat_that_ended_by_itself(box: Box) -> None:
    """`exit 0` with autorestart=unexpected: EXITED and nobody starts it."""
    box.app()
    box.program(
        "beat", ["/bin/sh", "-c", "timeout 3 " + " ".join(box.beat()) + "; exit 0"],
        autorestart="unexpected",
    )  # fmt: skip
    box.up()
    box.wait_beat("beat")
    box.wait_state("beat", "EXITED")
    found = look(box).only("beat-down")
    assert (found["severity"], found["programs"]) == ("critical", ["beat"])


@pytest.mark.long
def test_a_worker_alone_is_no_beat_down(box: Box) -> None:
    box.app()
    box.program("worker", box.worker())
    box.up()
    box.wait_log("worker", " ready.")
    assert not look(box).findings


@pytest.mark.long
def test_a_loop_that_is_no_celery(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.program("poller", ["/bin/sleep", "0.05"], startsecs=0)
    box.program("fails", ["/bin/sh", "-c", "sleep 1.2; echo 'no space left'; exit 4"])
    box.up()
    box.wait_beat("beat")
    box.wait_exits("poller", 5)
    box.wait_exits("fails", 2)
    seen = look(box)
    assert {f["kind"] for f in seen.serious} == {"respawn-loop"}, seen.told
    loops = {f["programs"][0]: f for f in seen.serious}
    assert set(loops) == {"poller", "fails"}
    assert "no space left" in loops["fails"]["summary"]
    assert "status 0" in loops["poller"]["lasting_fix"]
    assert os.path.basename(box.conf()) in loops["fails"]["lasting_fix"]
