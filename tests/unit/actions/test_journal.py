"""The journal: complete lines, private, bounded, and never in the way."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from beattop.actions import journal
from beattop.actions.journal import Journal, default_path


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/joe")
    assert default_path({"XDG_STATE_HOME": "/var/state"}) == Path(
        "/var/state/beattop/journal.jsonl"
    )
    usual = Path("/home/joe/.local/state/beattop/journal.jsonl")
    assert default_path({}) == usual
    assert default_path({"XDG_STATE_HOME": ""}) == usual
    assert default_path({"XDG_STATE_HOME": "relative"}) == usual


def test_private_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "state" / "beattop" / "journal.jsonl"
    Journal(path).write("a1", "plan", 12.3456, {"title": "Stop"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["at"] == 12.346


def test_who(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "joe")
    path = tmp_path / "j"
    Journal(path).write("a1", "plan", 0, {})
    line = json.loads(path.read_text())
    assert line["uid"] == os.getuid()
    assert line["pid"] == os.getpid()
    assert line["sudo_user"] == "joe"
    assert line["action"] == "a1"


def test_every_text_is_cleaned_and_masked(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).write(
        "a",
        "plan",
        0,
        {"x": [["redis://:hunter2@h/0", {"y": "--token=hunter2 \x1b[2J\n{}"}]], "n": 1, "z": None},
    )
    text = path.read_text()
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert text.count("\n") == 1
    assert json.loads(text)["n"] == 1


def test_it_turns_once_at_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_BYTES", 1000)
    path = tmp_path / "journal.jsonl"
    book = Journal(path)
    for number in range(20):
        book.write("a", "check", number, {"detail": "x" * 100})
    assert path.stat().st_size <= 1000
    older = tmp_path / "journal.jsonl.1"
    assert older.stat().st_size <= 1000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["journal.jsonl", "journal.jsonl.1"]
    assert json.loads(path.read_text().splitlines()[-1])["at"] == 19
    assert book.trouble == ""


def test_one_write_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = os.write

    def write(handle: int, data: bytes) -> int:
        written.append(data)
        return real(handle, data)

    monkeypatch.setattr(journal.os, "write", write)
    Journal(tmp_path / "j").write("a", "plan", 0, {"long": "x" * 100_000})
    assert len(written) == 1
    assert written[0].endswith(b"}\n")


def test_it_is_never_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "journal.jsonl"
    link.symlink_to(victim)
    book = Journal(link)
    book.write("a", "plan", 0, {})
    assert victim.read_text() == "precious"
    assert "could not be written" in book.trouble


def test_a_full_disk_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Journal(tmp_path / "j")

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.os, "write", full)
    book.write("a", "plan", 0, {})
    assert "No space left on device" in book.trouble
    book.begin()
    assert book.trouble == ""


def test_half_a_line_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Journal(tmp_path / "j")
    monkeypatch.setattr(journal.os, "write", lambda handle, data: len(data) - 1)
    book.write("a", "plan", 0, {})
    assert book.trouble == "the journal could not be written: the disk is full"


def test_a_pipe_in_its_place_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "j")
    book = Journal(tmp_path / "j")
    book.write("a", "plan", 0, {})
    assert book.trouble


def test_a_user_without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(journal.Path, "home", none)
    book = Journal()
    book.write("a", "plan", 0, {})
    assert "home directory" in book.trouble
    assert book.recent() == []


def test_each_action_has_a_short_name_of_its_own() -> None:
    kept = journal.Journal()
    names = {kept.begin() for _ in range(50)}
    assert len(names) == 50
    assert {len(name) for name in names} == {12}


def test_it_turns_at_five_megabytes() -> None:
    assert journal.MOST_BYTES == 5_242_880


def kept(path: Path) -> Journal:
    made = Journal(path)
    made.write("a", "plan", 1.0, {"title": "é"})
    return made


def test_words_stand_as_they_are(tmp_path: Path) -> None:
    kept(tmp_path / "j")
    assert '"title": "é"' in (tmp_path / "j").read_text()


@pytest.mark.parametrize(("spare", "turned"), [(0, False), (-1, True)])
def test_it_may_be_as_long_as_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, turned: bool
) -> None:
    path = tmp_path / "j"
    made = kept(path)
    monkeypatch.setattr(journal, "MOST_BYTES", 2 * path.stat().st_size + spare)
    before = len(os.listdir("/proc/self/fd"))
    made.write("a", "plan", 1.0, {"title": "é"})
    assert len(os.listdir("/proc/self/fd")) == before
    assert (tmp_path / "j.1").exists() is turned
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.trouble == ""


@pytest.mark.parametrize(
    ("why", "words"),
    [(OSError("odd"), "odd"), (OSError(5, "Input/output error"), "Input/output error"),
     (RuntimeError("no home"), "no home")],
)  # fmt: skip
def test_why_it_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Exception, words: str
) -> None:
    def trouble(*_: object) -> None:
        raise why

    monkeypatch.setattr(Journal, "_append", trouble)
    assert kept(tmp_path / "j").trouble == f"the journal could not be written: {words}"


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert journal._who()["user"] is None
