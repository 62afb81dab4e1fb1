from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from beattop.sources.proc import Sampler
from tests.unit.proc.fake import FakeProc


@pytest.fixture
def box(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path / "proc")


@pytest.fixture
def sampler(box: FakeProc, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Sampler]]:
    """Makes a sampler of the made-up box; call it once the box is as it should be."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/proc")
    made: list[Sampler] = []

    def make() -> Sampler:
        made.append(Sampler(lambda argv: "celery" in " ".join(argv), box.root))
        return made[-1]

    yield make
    for one in made:
        one.close()
