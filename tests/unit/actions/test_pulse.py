"""Whether a kept beat still beats: each sign of life, and what is none."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from beattop.actions.pulse import Pulse
from beattop.actions.run import Run
from beattop.model.commandline import CommandLine
from beattop.model.files import LastWords
from beattop.model.snapshot import Beat, Program
from tests.unit.actions.fake import FakeClock
from tests.unit.actions.scene import AT, URL, beat, keep, program, snapshot, target

pytestmark = pytest.mark.usefixtures("approved_words")

KEPT, GONE = program("kept", 201), program("gone", 202)


class Scene:
    """One kept beat and one that was stopped; times are seconds before now."""

    def __init__(
        self, folder: Path, kept: Beat, gone: Beat | None = None, first: Program = KEPT
    ) -> None:
        self.folder, self.clock = folder, FakeClock()
        # Another beat comes first, so that none is taken for the kept one by its place.
        other = replace(beat(program("other", 203)), schedule=str(folder / "other"))
        self.shot = snapshot([first, GONE], [other, *([gone] if gone else []), kept])
        self.run = SimpleNamespace(
            look=lambda: self.shot,
            begun=self.shot,
            clock=self.clock,
            plan=SimpleNamespace(steps=[SimpleNamespace(target=target(GONE))]),
        )
        self.keep = keep(kept)

    def write(self, name: str, ago: float) -> None:
        path = self.folder / name
        path.touch()
        os.utime(path, (self.clock.now() - ago, self.clock.now() - ago))

    def pulse(self) -> Pulse:
        return Pulse(cast(Run, self.run), self.keep)


def kept(folder: Path, **facts: Any) -> Beat:
    return replace(beat(KEPT), **{"schedule": str(folder / "s"), **facts})


NAMES = ("", ".db", ".dat", ".dir", ".bak", "-wal", "-journal")


@pytest.mark.parametrize("suffix", NAMES)
@pytest.mark.parametrize(("ago", "tick"), [(470, "done"), (480, "pending"), (490, "pending")])
def test_a_schedule_by_any_of_its_names(tmp_path: Path, suffix: str, ago: float, tick: str) -> None:
    scene = Scene(tmp_path, kept(tmp_path))
    scene.write(f"s{suffix}", ago)
    found, told = scene.pulse().read()
    assert found == tick
    assert told.startswith("schedule written ")


def test_the_newest_of_them_and_of_its_lines(tmp_path: Path) -> None:
    scene = Scene(tmp_path, kept(tmp_path, last_sent_at=AT - 100))
    scene.write("s", 900)
    assert scene.pulse().read()[1].startswith("last sent or wrote ")
    scene.write("s.db", 50)
    assert scene.pulse().read() == ("done", "schedule written 02:54:59, 50 s ago")
    scene = Scene(tmp_path, kept(tmp_path, schedule=None, last_sent_at=AT - 100))
    assert scene.pulse().read()[0] == "done"


@pytest.mark.parametrize(("ago", "tick"), [(1070, "done"), (1090, "pending")])
def test_one_that_may_sleep_long_may_be_silent_long(tmp_path: Path, ago: float, tick: str) -> None:
    scene = Scene(tmp_path, kept(tmp_path, line=CommandLine("beat", max_interval="900")))
    scene.write("s", ago)
    assert scene.pulse().read()[0] == tick


@pytest.mark.parametrize("schedule", [None, "", "relative"])
def test_nothing_can_be_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = Scene(tmp_path, kept(tmp_path, schedule=schedule))
    scene.write("relative", 5)
    (tmp_path / ".db").touch()
    assert scene.pulse().read()[0] == "skipped"


def test_a_beat_that_left_the_look(tmp_path: Path) -> None:
    scene = Scene(tmp_path, kept(tmp_path))
    scene.shot = replace(scene.shot, beats=scene.shot.beats[:1])
    assert scene.pulse().read()[0] == "skipped"
    shared = Scene(tmp_path, kept(tmp_path), replace(beat(GONE), schedule=str(tmp_path / "s")))
    pulse = shared.pulse()
    shared.shot = replace(shared.shot, beats=())
    assert pulse.read()[0] == "skipped"
    assert shared.pulse().read()[0] == "skipped"


def words(sent_at: float | None) -> LastWords:
    return LastWords(URL, "kept", "kept", (), AT, sent_at, None)


SHARED = (
    ({}, None, None, "pending"),
    ({}, -5.0, None, "pending"),
    ({}, 0.0, None, "pending"),
    ({}, 2.0, None, "done"),
    ({}, None, AT - 5, "done"),
    ({}, None, AT - 900, "pending"),
    ({"health": "respawning"}, -5.0, None, "done"),
    ({"schedule": None}, -5.0, None, "done"),
    ({"schedule": "/elsewhere"}, -5.0, None, "done"),
)


@pytest.mark.parametrize(("stopped", "written", "sent_at", "tick"), SHARED)
def test_one_file_for_both(
    tmp_path: Path, stopped: dict[str, Any], written: float | None, sent_at: float | None, tick: str
) -> None:
    """What the stopped one wrote as it ended is no sign of the kept one."""
    gone = replace(beat(GONE), **{"schedule": str(tmp_path / "s"), **stopped})
    first = replace(KEPT, last_words=words(sent_at)) if sent_at else KEPT
    scene = Scene(tmp_path, kept(tmp_path), gone, first)
    pulse = scene.pulse()
    if written is not None:
        scene.write("s", -written)
    scene.clock.t = 3.0
    assert pulse.read()[0] == tick
    scene.clock.t = 20.0
    if tick == "pending" and sent_at is None:
        assert pulse.read()[0] == "skipped"


def test_a_kept_beat_of_no_program_has_no_log_of_its_own(tmp_path: Path) -> None:
    gone = replace(beat(GONE), schedule=str(tmp_path / "s"))
    free = replace(beat(None, 77), schedule=str(tmp_path / "s"))
    assert Scene(tmp_path, free, gone).pulse().read()[0] == "pending"
