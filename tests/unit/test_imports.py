"""The walls of the house: who may import whom, on paper and in a running interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import beattop

HOUSE = Path(beattop.__file__).parent
STDLIB = sys.stdlib_module_names
MAY = {
    "model": {"beattop.model", "beattop.text"},
    "diagnosis": {"beattop.diagnosis", "beattop.model", "beattop.text"},
}
NEVER = {
    "sources": (
        "beattop.ui",
        "beattop.reports",
        "beattop.actions",
        "beattop.diagnosis",
        "beattop.feeds",
        "textual",
        "rich",
    ),
    "actions": ("beattop.ui", "beattop.reports", "beattop.feeds", "textual", "rich"),
    "reports": ("beattop.ui", "textual", "rich"),
    "feeds": ("beattop.ui", "beattop.reports", "textual", "rich"),
    "demo": ("beattop.ui", "beattop.sources", "beattop.diagnosis", "textual", "rich"),
}


def imports(path: Path) -> set[str]:
    out: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            out.add(node.module or "")
    return out


def within(name: str, wall: str) -> bool:
    return name == wall or name.startswith(wall + ".")


@pytest.mark.parametrize("room", sorted(MAY))
def test_pure_rooms_import_the_standard_library_and_each_other_only(room):
    for path in (HOUSE / room).rglob("*.py"):
        for name in imports(path):
            own = name.split(".")[0] in STDLIB
            assert own or any(within(name, wall) for wall in MAY[room]), f"{path} imports {name}"


@pytest.mark.parametrize("room", sorted(NEVER))
def test_the_flow_goes_one_way(room):
    paths = list((HOUSE / room).rglob("*.py"))
    assert paths
    for path in paths:
        for name in imports(path):
            assert not any(within(name, wall) for wall in NEVER[room]), f"{path} imports {name}"


def test_only_the_ui_imports_textual_or_rich():
    for path in HOUSE.rglob("*.py"):
        if HOUSE / "ui" in path.parents:
            continue
        found = {n for n in imports(path) if n.split(".")[0] in ("textual", "rich")}
        assert not found, f"{path} imports {found}"


def modules_after(*args: str) -> set[str]:
    """What is loaded once a command has run, in an interpreter of its own."""
    code = (
        "import sys; from beattop.cli import run; status = run(sys.argv[1:]);"
        "print('\\n'.join(sys.modules), file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        input="",
    )
    assert "beattop.cli" in done.stderr, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "args",
    [
        ("--once", "--observe", "0"),
        ("--once", "--json", "--observe", "0"),
        ("check", "--observe", "0"),
        ("metrics", "--observe", "0"),
        ("stop-duplicates", "--observe", "0"),
        ("classify",),
    ],
)
def test_commands_without_a_screen_load_neither_textual_nor_celery(args):
    loaded = modules_after(*args)
    assert not {m for m in loaded if m.split(".")[0] in ("textual", "rich", "celery", "kombu")}


def test_read_only_loads_nothing_that_can_write():
    loaded = modules_after("stop-duplicates", "--read-only", "--yes", "--observe", "0")
    assert "beattop.actions.refuse" in loaded
    assert not {"beattop.actions.executor", "beattop.actions.writer"} & loaded


def test_files_stay_small():
    for path in HOUSE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
