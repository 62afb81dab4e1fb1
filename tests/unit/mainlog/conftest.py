"""Logs for the tests to follow: one, and a shelf of older ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from beattop.sources.mainlog import follow, parts
from beattop.sources.mainlog.blocks import backwards
from beattop.sources.mainlog.follow import MainLog
from tests.unit.mainlog.written import BASE, log, looping, spawned, started


class Box:
    """A log, and who writes it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "supervisord.log"
        self.file = None

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def rotate(self, most: int = 5) -> None:
        for n in range(most, 0, -1):
            old = self.numbered(n - 1)
            if old.exists():
                old.rename(self.numbered(n))

    def numbered(self, n: int) -> Path:
        return self.path if n == 0 else self.path.with_name(f"supervisord.log.{n}")


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


@pytest.fixture
def opened(box):
    logs = []

    def begin(path=None, root="") -> MainLog:
        logs.append(MainLog("s", str(path or box.path), root))
        return logs[-1]

    yield begin
    for each in logs:
        each.close()


@pytest.fixture
def small(monkeypatch):
    """Little is read at once, in small blocks."""
    monkeypatch.setattr(follow, "FIRST_BYTES", 2000)
    monkeypatch.setattr(follow, "backwards", partial(backwards, block=1000))
    monkeypatch.setattr(parts, "backwards", partial(backwards, block=3000))


@pytest.fixture
def shelf(tmp_path, small):
    """A log and three older ones: one loop through all of them, a beat that was fine."""
    events = [started(BASE - 10.0), spawned(BASE - 5.0, 1, "beat"), *looping(1000, float(BASE))]
    path = tmp_path / "supervisord.log"
    quarter = len(events) // 4
    for i in range(4):
        piece = events[i * quarter : (i + 1) * quarter if i < 3 else None]
        (tmp_path / f"supervisord.log{f'.{3 - i}' if i < 3 else ''}").write_bytes(log(piece))
    return path
