"""What of an earlier run still holds: all while nothing changed; while no source changed, each kill
by a test whose own file, with all that it imports from the tests, is as it was."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.mutate.trial import Verdict

CONTROL = "  nothing, for "
"""In the name of a verdict on a test where nothing was changed."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Hashes of the files that a verdict depends on."""

    whole: str
    sources: str
    modules: Mapping[str, str]
    """By test file."""

    @classmethod
    def of(cls, root: Path) -> Tree:
        """As it is on the disk now."""
        sources = list(root.glob("beattop/**/*.py"))
        tests = [*root.glob("tests/unit/**/*"), *root.glob("tests/*.py")]
        return cls(
            _hash(root, [*sources, *tests]),
            _hash(root, sources),
            {
                str(path.relative_to(root)): _hash(root, _needed(root, path))
                for path in tests
                if path.name.startswith("test_") and path.suffix == ".py"
            },
        )

    def holds(self, before: Mapping[str, Mapping[str, str]], verdict: Verdict) -> bool:
        """Whether a verdict of the tree `before` would be the same now."""
        if before.get("whole") == self.whole:
            return True
        if before.get("sources") != self.sources:
            return False
        by = verdict.name.partition(CONTROL)[2] or verdict.by
        if not by or (verdict.word != "killed" and CONTROL not in verdict.name):
            return False
        module = by.partition("::")[0]
        return by == "import" or before["modules"].get(module) == self.modules.get(module, "")


def _needed(root: Path, test: Path) -> set[Path]:
    """A test file, what it and its conftest files import from the tests, and what it approved."""
    out: set[Path] = set()
    found = [test, *(folder / "conftest.py" for folder in test.parents if root in folder.parents)]
    while found:
        path = found.pop()
        if path not in out and path.is_file():
            out.add(path)
            found += [root / name for name in _imported(path)]
    approved = root / "tests/unit/approved" / f"{test.stem}.txt"
    return out | {approved}


@cache
def _imported(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests"):
            names += [str(node.module), *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            names += [name.name for name in node.names if name.name.startswith("tests")]
    return tuple(f"{name.replace('.', '/')}.py" for name in names)


def _hash(root: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in paths if p.is_file() and p.suffix != ".pyc"):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
