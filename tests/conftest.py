"""What all tests share: skips that are heard, and a home of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psutil
import pytest

# CI repeats the same examples; everybody else's runs explore new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") or os.environ.get("BEATTOP_NO_SKIPS"):
    hypothesis.settings.load_profile("ci")

NO_SKIPS = bool(os.environ.get("BEATTOP_NO_SKIPS"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, program in (("needs_tmux", "tmux"), ("needs_redis", "redis-server")):
            if item.get_closest_marker(marker) and shutil.which(program) is None:
                item.add_marker(pytest.mark.skip(reason=f"SKIPPED ALOUD: no {program} on the PATH"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("tests that could not run here", "!")
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if NO_SKIPS and reporter is not None and reporter.stats.get("skipped") and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def own_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """No test reads or writes the user's config, state or cache."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "BEATTOP_READ_ONLY",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    # The sampler points psutil at the folder it reads: the next test has the real one again.
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/proc")
    yield home
