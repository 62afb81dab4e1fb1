"""`beattop demo`'s incident: it is the one that was promised, and it leaves nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from beattop.demo import environment
from beattop.demo.family import MARK, Family, Identity, alive, identity, stat
from beattop.demo.incident import DemoError, Incident
from tests.e2e.server import Server
from tests.e2e.waiting import wait_until

HOLDER = """
import json, sys
from beattop.demo.incident import Incident
with Incident(lambda line: print(line, file=sys.stderr)) as demo:
    print(json.dumps([str(demo.folder), str(demo.conf), demo.supervisord_pid]), flush=True)
    sys.stdin.read()
"""
HOSTILE = {
    "SUPERVISOR_ENABLED": "1",
    "SUPERVISOR_PROCESS_NAME": "beat2",
    "CELERY_BROKER_URL": "redis://no.such.host",
    "CELERY_APP": "nothing",
    "DJANGO_SETTINGS_MODULE": "nothing",
    "HOME": "/nonexistent",
}


@dataclass
class Demo:
    holder: subprocess.Popen[str]
    folder: Path
    conf: Path
    pid: int

    def processes(self) -> set[Identity]:
        return Family(str(self.folder)).living()

    def guard(self) -> int:
        found = stat(self.pid)
        assert found
        return found.ppid


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One demo in a process of its own, in a setting that means it no good."""
    source = Path(environment.__file__).resolve().parents[2]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env={**os.environ, **HOSTILE, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        folder, conf, pid = json.loads(holder.stdout.readline())
        yield Demo(holder, Path(folder), Path(conf), pid)
    finally:
        holder.kill()
        holder.communicate()


def server_of(demo: Demo) -> Server:
    folder = demo.folder
    return Server("supervisord", folder, folder / environment.SOCKET, None, None, None, "")


def test_it_is_the_original_incident(demo: Demo) -> None:
    server = server_of(demo)
    states = {row["name"]: row for row in server.rpc("getAllProcessInfo")}
    assert set(states) == {"beat", "beat2", "worker"}
    assert states["beat"]["statename"] == "RUNNING"
    assert int((demo.folder / "run/beat.pid").read_text()) == states["beat"]["pid"]
    assert len(server.exits("beat2")) >= 2
    assert set(server.exits("beat2")) == {"exit status 73; not expected"}
    assert server.exits("beat") == []


def test_its_loop_outlives_startsecs_so_it_never_ends(demo: Demo) -> None:
    log = server_of(demo).log()
    assert "success: beat2 entered RUNNING" in log
    assert "gave up" not in log


def test_the_worker_carries_tasks_out(demo: Demo) -> None:
    log = demo.folder / "log/worker.log"
    wait_until(lambda: "succeeded in" in log.read_text(), "a task", within=30)


def test_its_folder_is_private(demo: Demo) -> None:
    assert demo.folder.stat().st_mode & 0o777 == 0o700
    assert demo.folder.name.startswith("beattop-")
    assert demo.folder.parent in (Path(tempfile.gettempdir()).resolve(), Path("/tmp"))


def test_its_conf_shows_the_culprit_in_a_section_of_its_own(demo: Demo) -> None:
    text = demo.conf.read_text()
    commands = re.findall(r"^\[program:(beat2?)\]\ncommand=(.*)$", text, re.M)
    assert [name for name, _ in commands] == ["beat", "beat2"]
    assert commands[0][1] == commands[1][1]


def test_nothing_of_the_callers_set_up_reaches_it(demo: Demo) -> None:
    words = Path(f"/proc/{demo.pid}/environ").read_bytes().split(b"\0")
    names = {word.split(b"=")[0].decode() for word in words}
    assert MARK in names
    assert not names & (set(HOSTILE) - {"HOME"})
    assert f"HOME={demo.folder}/home".encode() in words


def test_only_the_holder_holds_the_lifeline(demo: Demo) -> None:
    pipe = os.readlink(f"/proc/{demo.guard()}/fd/0")
    held = [who.pid for who in demo.processes() if pipe in links(who.pid)]
    assert pipe in links(demo.holder.pid)
    assert held == []


def links(pid: int) -> list[str]:
    """What the descriptors of a process point to; a process that ends meanwhile has none left."""
    try:
        return [os.readlink(fd.path) for fd in os.scandir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def test_killing_its_holder_leaves_nothing(demo: Demo) -> None:
    guard = identity(demo.guard())
    before = demo.processes()
    assert guard
    assert len(before) >= 5  # supervisord, beat, the worker and its pool
    demo.holder.send_signal(signal.SIGKILL)
    demo.holder.wait(10)
    wait_until(lambda: not any(map(alive, before | {guard})), "the processes to end")
    assert demo.processes() == set()
    assert not demo.folder.exists()


def test_what_cannot_be_brought_up_is_taken_away_and_said_in_one_line() -> None:
    said: list[str] = []
    with pytest.raises(DemoError) as caught, Incident(said.append, within_s=0.5):
        pass
    folder = Path(re.findall(r"/\S*beattop-\w+", said[0])[0])
    assert "no incident within" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert Family(str(folder)).living() == set()
    assert not folder.exists()


@pytest.mark.parametrize("name", ["l" * 90, "sp ace", "percent%"])
def test_a_temporary_folder_that_does_not_suit_is_passed_over(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    assert environment.base() == Path("/tmp")


def test_a_script_of_another_python_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    script = tmp_path / "celery"
    script.write_text("#!/usr/bin/another-python\n")
    script.chmod(0o755)
    assert environment.program("celery", "celery") == [str(python), "-m", "celery"]
    script.write_text(f"#!{python}\n")
    assert environment.program("celery", "celery") == [str(script)]
