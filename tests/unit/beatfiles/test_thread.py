"""A thread that neither a hung disk nor a mistake of ours stops unseen."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from beattop.sources.celery import beatfiles, round
from beattop.sources.celery.beatfiles import BeatFiles
from tests.e2e.waiting import wait_until
from tests.unit.supervisor.people import process


def test_a_hung_folder_holds_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    (good / "b.pid").write_text(f"{os.getpid()}\n")
    release = threading.Event()
    stuck = threading.Event()
    real = round.read_pidfile

    def slow(path, *rest):
        if path.startswith(str(bad)) and not release.is_set():
            stuck.set()
            release.wait(20)
        return real(path, *rest)

    monkeypatch.setattr(round, "read_pidfile", slow)
    monkeypatch.setattr(beatfiles, "HANG_S", 0.1)
    monkeypatch.setattr(beatfiles, "EVERY_S", 0.05)
    monkeypatch.setattr(beatfiles, "_LEAST_GAP_S", 0.01)
    beats = [
        process(2**22 - 2, f"celery beat --pidfile {bad}/b.pid", cwd="/"),
        process(2**22 - 3, f"celery beat --pidfile {good}/b.pid", cwd="/"),
    ]
    files = BeatFiles()
    try:
        files.observe(beats, [], [], [], [])
        assert stuck.wait(5)

        def told():
            files.observe(beats, [], [], [], [])
            return [p.path for p in files.latest().pidfiles] == [f"{good}/b.pid"]

        wait_until(told, "the other folder's pidfile", 5)
        found = {s.target: s.status for s in files.latest().sources if s.name == "pidfile"}
        assert found[f"{bad}/b.pid"] == "timeout"
        release.set()
        wait_until(lambda: len(files.latest().pidfiles) == 2, "the folder that came back", 5)
    finally:
        release.set()
        files.stop()


def test_a_mistake_is_told_and_the_thread_goes_on(monkeypatch: pytest.MonkeyPatch):
    broken = threading.Event()
    broken.set()
    real = round.targets

    def sometimes(*args):
        if broken.is_set():
            raise RuntimeError("a mistake \x1b[2J")
        return real(*args)

    monkeypatch.setattr(round, "targets", sometimes)
    monkeypatch.setattr(beatfiles, "EVERY_S", 0.05)
    files = BeatFiles()
    try:
        files.observe([], [], [], [], [])
        assert files.wait_first(5)
        (status,) = files.latest().sources
        assert (status.name, status.status) == ("pidfile", "degraded")
        assert "RuntimeError: a mistake" in status.detail and "\x1b" not in status.detail
        broken.clear()
        wait_until(lambda: files.latest().sources == (), "its recovery", 5)
    finally:
        files.stop()
