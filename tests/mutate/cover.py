"""Which tests run which lines of the code that is mutated; no test that starts or ends processes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest

FOR_REAL = frozenset(
    {"subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec", "os.kill", "os.killpg"}
)
"""Audit events of what must not happen while code is wrong on purpose."""


@dataclass(eq=False)
class Cover:
    """A pytest plugin that notes, test by test, the lines run in some files."""

    files: frozenset[str]
    """As code objects name them: absolute."""
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """{test: {file: lines}}."""
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    _now: dict[str, set[int]] = field(default_factory=dict)
    _started: bool = False

    def __post_init__(self) -> None:
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _: Any) -> None:
        if event in FOR_REAL:
            self._started = True

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename not in self.files:
            return None
        seen = self._now.setdefault(frame.f_code.co_filename, set())
        seen.add(frame.f_lineno)

        def line(frame: FrameType, event: str, arg: Any) -> Any:
            seen.add(frame.f_lineno)
            return line

        return line

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test, from its fixtures on."""
        self._now, self._started = {}, False
        began = time.perf_counter()
        threading.settrace(self._call)
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            if not self._started:
                self.lines[item.nodeid] = {f: sorted(seen) for f, seen in self._now.items()}
                self.seconds[item.nodeid] = time.perf_counter() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails without any change tells nothing."""
        if report.failed:
            self.failed.append(report.nodeid)
