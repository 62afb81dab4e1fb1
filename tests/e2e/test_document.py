"""The document of a real incident is as promised, and a recording of it says the same."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests import shape
from tests.e2e.incident import Box
from tests.e2e.verdict import Verdict, loops

_BEATTOP = [sys.executable, "-m", "beattop"]
ABOUT = ("kind", "effect", "severity", "certainty", "programs", "keep", "stop")


@pytest.fixture
def box(tmp_path: Path):
    with Box(tmp_path) as made:
        made.two_beats(worker=True)
        made.program("broken", ["/bin/sh", "-c", "exit 3"], startretries=0)
        made.section("group:jobs", programs="waits")
        made.program("waits", ["/bin/sleep", "600"])
        made.up()
        made.wait_exits("beat2", 2)
        yield made


@pytest.mark.long
def test_the_document_is_as_promised_and_a_recording_says_the_same(box: Box) -> None:
    conf = str(box.conf())
    tape = box.folder / "incident.tape"
    with _recording(box, tape) as recorder:
        done = box.beattop("--once", "--json", "--supervisor", conf)
        assert recorder.wait(30) == 0
    document = json.loads(done.stdout)
    shape.check(document)
    live = Verdict(box, document)
    loops(live.one("duplicate-beat"), box.pid("beat"), ["beat2"])
    assert live.program("broken")["last_exit"]["status"] == 3
    assert live.program("jobs:waits")["role"] == "other"
    (target,) = live.one("duplicate-beat")["stop"]
    assert shlex.split(target["command"])[-2:] == ["stop", "beat2"]

    again = box.beattop("replay", tape, "--once", "--json")
    replayed = json.loads(again.stdout)
    shape.check(replayed)
    assert _told(Verdict(box, replayed)) == _told(live)


def _recording(box: Box, tape: Path) -> subprocess.Popen[bytes]:
    words = ["record", str(tape), "--seconds", "5", "--supervisor", str(box.conf())]
    return subprocess.Popen(
        [*_BEATTOP, *words], env=box.env_of_viewer, cwd=box.folder, stderr=subprocess.DEVNULL
    )


def _told(seen: Verdict) -> list[list[object]]:
    """What must not differ; pids of the programs that die meanwhile do."""
    return [[_steady(finding[key]) for key in ABOUT] for finding in seen.findings]


def _steady(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [
        {k: v for k, v in one.items() if k in {"supervisor", "namespec", "via", "command"}}
        if isinstance(one, dict)
        else one
        for one in value
    ]
