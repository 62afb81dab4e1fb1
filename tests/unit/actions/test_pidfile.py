"""Removal of a stale pidfile, and what keeps it from being removed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from beattop.actions import pidfile
from beattop.actions.ended import Changed
from beattop.actions.run import Run
from beattop.actions.steps import pidfile_step
from beattop.model.files import Pidfile
from beattop.model.plan import Plan, Step
from beattop.model.process import ProcessKey
from tests.unit.actions.fake import World, details, ticks

pytestmark = pytest.mark.usefixtures("approved_outcomes")


def of(*steps: Step) -> Plan:
    return Plan("Some plan", (), steps, (), (), ())


@pytest.fixture
def stale(tmp_path: Path) -> Pidfile:
    path = tmp_path / "b.pid"
    path.write_text("4000055\n")
    return Pidfile(str(path), "ok", 4_000_055, os.stat(path).st_mtime, None)


def test_a_removal_without_a_file(world: World, stale: Pidfile) -> None:
    step = replace(pidfile_step(stale, None, "stale"), pidfile=None)
    outcome = world.do(of(step))
    assert outcome.status == "failed"
    assert outcome.summary.startswith(
        f"stale: no pidfile is known for it – by hand: rm -- {stale.path}"
    )


def test_another_file_that_took_its_place_stays(
    world: World, stale: Pidfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(stale.path).with_name("other")
    other.write_text("4000055\n")
    real = os.stat
    name = os.path.basename(stale.path)
    monkeypatch.setattr(
        os, "stat", lambda path, **more: real("other" if path == name else path, **more)
    )
    outcome = world.do(of(pidfile_step(stale, None, "stale")))
    assert (outcome.status, "another file has taken its place" in outcome.summary) == (
        "changed",
        True,
    )
    assert Path(stale.path).exists()


NUMBERS = (
    (b"123\n", 123), (b" 7 ", 7), (b"123456789", 123456789), (b"1234567890", None), (b"", None),
    (b"x", None), (b"-5", None), (b"1 2", None), (b"12345678901", None),
)  # fmt: skip


@pytest.mark.parametrize(("text", "pid"), NUMBERS)
def test_the_pid_in_a_file(tmp_path: Path, text: bytes, pid: int | None) -> None:
    assert pidfile.number(text) == pid
    (tmp_path / "p").write_bytes(text + b" " * 9000)
    assert pidfile.named(str(tmp_path / "p")) == pid


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"mtime_at": None}, "done"),
        ({"mtime_at": 1.0}, "changed"),
        ({"pid": 5}, "changed"),
        ({"holder": ProcessKey(201, 2010)}, "done"),
        ({"holder": ProcessKey(201, 1)}, "changed"),
    ],
)
def test_what_the_file_was_in_the_plan_it_is_now(
    world: World, stale: Pidfile, facts: dict[str, Any], status: str
) -> None:
    assert world.do(of(pidfile_step(replace(stale, **facts), None, "stale"))).status == status
    assert Path(stale.path).exists() == (status != "done")


def test_the_same_pid_written_anew_is_another_file(world: World, stale: Pidfile) -> None:
    made = of(pidfile_step(stale, None, "stale"))
    info = os.stat(stale.path)
    os.utime(stale.path, ns=(info.st_atime_ns, info.st_mtime_ns + 1_000_000))
    outcome = world.do(made)
    assert outcome.status == "changed" and "it was written anew" in outcome.summary


def test_a_file_that_cannot_be_removed_is_told_and_journalled(
    world: World, stale: Pidfile, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: str, **_: int) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "unlink", denied)
    outcome = world.do(replace(plan, steps=(pidfile_step(stale, None, "stale"),)))
    assert outcome.status == "failed"
    assert f"Permission denied – by hand: rm -- {stale.path}" in outcome.summary
    assert details(outcome)["keeper-alive"] == "nothing was done"
    calls = [json.loads(line) for line in world.journal.read_text().splitlines()]
    assert [c["result"] for c in calls if c["event"] == "call"] == ["Permission denied"]


def test_after_a_removal_the_keepers_are_looked_at_though_another_fails(
    world: World, stale: Pidfile, plan: Plan
) -> None:
    steps = (
        pidfile_step(stale, None, "stale"),
        pidfile_step(replace(stale, path=f"{stale.path}.x"), None, "stale"),
    )
    outcome = world.do(replace(plan, steps=steps))
    assert outcome.status == "changed" and not Path(stale.path).exists()
    assert ticks(outcome)["keeper-alive"] == "done"


def test_a_file_that_is_no_text_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"\xff12\n")
    assert pidfile.named(str(tmp_path / "p")) is None


@pytest.mark.parametrize(("state", "status"), [("S", "changed"), ("Z", "done"), (None, "done")])
def test_a_pid_that_was_nobodys_and_lives_now(
    world: World, stale: Pidfile, state: str | None, status: str
) -> None:
    if state:
        world.proc.add(4_000_055, ppid=1, state=state)
    assert world.do(of(pidfile_step(stale, None, "stale"))).status == status


def test_a_file_without_a_pid_or_of_another_namespace_is_nobodys(
    world: World, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    fact = Pidfile(str(empty), "garbage", None, None, None)
    assert world.do(of(pidfile_step(fact, None, "stale"))).status == "done"
    run = cast(Run, SimpleNamespace(proc=world.proc))
    world.proc.add(55, ppid=1)
    pidfile._still_stale(run, Pidfile("/proc/9/root/b.pid", "ok", 55, None, None))
    with pytest.raises(Changed, match="pid 55 lives now"):
        pidfile._still_stale(run, Pidfile("/run/b.pid", "ok", 55, None, None))


def test_a_removal_looks_at_the_keepers_first(world: World, stale: Pidfile, plan: Plan) -> None:
    world.proc.remove(201)
    removal = replace(plan, steps=(pidfile_step(stale, None, "stale"),))
    assert world.do(removal).status == "changed" and Path(stale.path).exists()


def test_a_folder_that_became_a_link_is_not_followed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner could else have root remove a file of that name anywhere."""
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    for folder in (run, elsewhere):
        folder.mkdir()
        (folder / "b.pid").write_text("4000055\n")
    fact = Pidfile(str(run / "b.pid"), "ok", 4_000_055, None, None)
    real = pidfile._still_stale

    def swapped(run_: Run, found: Pidfile) -> None:
        real(run_, found)
        run.rename(tmp_path / "was")
        run.symlink_to(elsewhere)

    monkeypatch.setattr(pidfile, "_still_stale", swapped)
    assert world.do(of(pidfile_step(fact, None, "stale"))).status == "done"
    assert (elsewhere / "b.pid").exists() and not (tmp_path / "was/b.pid").exists()


def test_a_pidfile_behind_a_link_goes_too(world: World, tmp_path: Path) -> None:
    """/var/run is one to /run."""
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to("run")
    (tmp_path / "run/b.pid").write_text("4000055\n")
    fact = Pidfile(str(tmp_path / "var/b.pid"), "ok", 4_000_055, None, None)
    assert world.do(of(pidfile_step(fact, None, "stale"))).status == "done"
    assert not (tmp_path / "run/b.pid").exists()


@pytest.mark.parametrize("made", [Path.touch, os.mkfifo])
def test_a_folder_that_is_none_is_told_and_not_waited_for(
    world: World, tmp_path: Path, made: Callable[[Path], None]
) -> None:
    made(tmp_path / "run")
    fact = Pidfile(str(tmp_path / "run/b.pid"), "ok", 4_000_055, None, None)
    outcome = world.do(of(pidfile_step(fact, None, "stale")))
    assert outcome.status == "failed"
    assert "it cannot be looked at: Not a directory" in outcome.summary


def test_a_removal_leaves_no_descriptor_open(world: World, stale: Pidfile) -> None:
    before = len(os.listdir("/proc/self/fd"))
    world.do(of(pidfile_step(stale, None, "stale")))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_stale_file_goes(world: World, stale: Pidfile) -> None:
    outcome = world.do(of(pidfile_step(stale, None, "stale")))
    assert outcome.status == "done" and not Path(stale.path).exists()
    assert f"the stale pidfile {stale.path} is removed" in outcome.summary
