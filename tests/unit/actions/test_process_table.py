"""/proc as an action reads it: on a folder, and on ourselves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from beattop.actions.process_table import ProcessTable, key
from beattop.model.process import ProcessKey


def stat_line(
    pid: int, comm: str = "celery", state: str = "S", ppid: int = 1, pgrp: int = 9
) -> str:
    middle = ["0"] * 16
    middle[12] = "1"  # threads
    return f"{pid} ({comm}) {state} {ppid} {pgrp} {' '.join(middle)} 4242 0 0\n"


def proc(tmp_path: Path, **files: str) -> ProcessTable:
    for name, text in files.items():
        path = tmp_path / "77" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return ProcessTable(str(tmp_path))


def test_a_command_name_with_parentheses(tmp_path: Path) -> None:
    found = proc(tmp_path, stat=stat_line(77, "a) S 1 (b")).stat(77)
    assert found is not None
    assert (key(found), found.ppid, found.pgrp, found.state) == (ProcessKey(77, 4242), 1, 9, "S")


def test_gone_and_garbled(tmp_path: Path) -> None:
    assert ProcessTable(str(tmp_path)).stat(5) is None
    assert proc(tmp_path, stat="77 (x) S").stat(77) is None


def test_a_zombie_does_not_live(tmp_path: Path) -> None:
    for state, lives in (("S", True), ("R", True), ("T", True), ("Z", False), ("X", False)):
        assert proc(tmp_path, stat=stat_line(77, state=state)).alive(ProcessKey(77, 4242)) is lives
    assert not proc(tmp_path, stat=stat_line(77)).alive(ProcessKey(77, 1))


@pytest.mark.parametrize("state", "SRDTtZX")
def test_stopped_by_a_signal_or_a_tracer(tmp_path: Path, state: str) -> None:
    made = proc(tmp_path, stat=stat_line(77, state=state))
    assert made.halted(ProcessKey(77, 4242)) is (state in "Tt")
    assert not made.halted(ProcessKey(77, 1)), "another process, whose pid came round"
    assert not made.halted(ProcessKey(78, 4242))


def test_the_innermost_pid_and_the_user(tmp_path: Path) -> None:
    made = proc(tmp_path, status="Name:\tx\nUid:\t1000\t0\t0\t0\nNSpid:\t77\t12\t3\n")
    assert made.own_pid(77) == 3
    assert made.uid(77) == 1000
    assert made.own_pid(5) == 5
    assert made.uid(5) is None


def test_supervisors_variables_only(tmp_path: Path) -> None:
    made = proc(tmp_path, environ="PASSWORD=x\0SUPERVISOR_PROCESS_NAME=b\0SUPERVISOR_X\0\0")
    assert made.environ(77) == {"SUPERVISOR_PROCESS_NAME": "b"}


def test_words_are_clean_masked_and_short(tmp_path: Path) -> None:
    made = proc(tmp_path, cmdline="celery\0-b\0redis://:pw@h\0\x1b[2J" + "x" * 200 + "\0")
    assert made.words(77).startswith("celery -b redis://:**@h x")
    assert len(made.words(77)) == 120


def test_ourselves() -> None:
    real = ProcessTable()
    found = real.stat(os.getpid())
    assert found is not None
    assert found.ppid == os.getppid()
    assert real.alive(key(found))
    assert os.getpid() in real.children(os.getppid())
    assert real.ancestors(os.getpid())[:2] == [os.getpid(), os.getppid()]
    assert found in list(real.all()) or real.stat(os.getpid()) is not None
    assert real.uid(os.getpid()) == os.getuid()


def test_an_age_counts_from_boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 100.0}.__getitem__)
    table = proc(tmp_path, stat=stat_line(77))
    found = table.stat(77)
    assert found is not None
    assert table.age(found) == pytest.approx(100 - 4242 / os.sysconf("SC_CLK_TCK"))


def table(tmp_path: Path, parents: dict[int, int]) -> ProcessTable:
    """Processes as {pid: parent}, on a kernel that lists no children."""
    for pid, ppid in parents.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(stat_line(pid, ppid=ppid))
    (tmp_path / "9").mkdir()
    (tmp_path / "self").mkdir()
    return ProcessTable(str(tmp_path))


def test_all_there_are_and_their_children(tmp_path: Path) -> None:
    made = table(tmp_path, {1: 0, 5: 1, 6: 5, 7: 5})
    assert sorted(found.pid for found in made.all()) == [1, 5, 6, 7]
    assert sorted(made.children(5)) == [6, 7]
    assert made.children(7) == []


def test_children_as_the_kernel_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = table(tmp_path, {5: 1, 6: 5})
    monkeypatch.setattr(made._procfs, "children", {5: [], 6: [7]}.__getitem__)
    assert (made.children(5), made.children(6)) == ([], [7])


def test_the_line_of_parents(tmp_path: Path) -> None:
    made = table(tmp_path, {1: 0, 5: 1, 6: 5, 20: 21, 21: 20, 30: 31, 40: 40})
    assert made.ancestors(6) == [6, 5, 1]
    assert made.ancestors(20) == [20, 21], "a pid that came round again ends it"
    assert made.ancestors(30) == [30, 31], "of one that is gone nothing is known"
    assert made.ancestors(40) == [40]
    assert made.ancestors(0) == []


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    made = table(tmp_path, {5: 1})
    assert made.environ(5) == {}
    assert (made.uid(5), made.own_pid(5)) == (None, 5)
    (tmp_path / "5" / "status").write_text("Name:\tx\n")
    assert (made.uid(5), made.own_pid(5)) == (None, 5)
