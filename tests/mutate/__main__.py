"""`make mutate`: is every small wrong change of diagnosis and actions noticed by a unit test?

    python -m tests.mutate [FILE...] [-j JOBS] [--again]

Survivors must stand in survivors.toml with a reason. What was found out is kept in .mutate/: a run
that was broken off goes on where it stopped; after a change of tests what they killed or let live is
tried again, after one of a source all, each mutant first against the test that killed it before. At
the end each test that killed one is run in the same way with nothing changed: one that fails there
too has shown nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from tests.mutate.cover import Cover
from tests.mutate.mutants import Mutant, mutants
from tests.mutate.tree import CONTROL, Tree
from tests.mutate.trial import PYTEST, Trial, Verdict, Warm

ROOT = Path(__file__).parents[2]
MUTATED = ("beattop/diagnosis", "beattop/actions")
TESTS = ("tests/unit/actions", *map(str, sorted((ROOT / "tests/unit").glob("test_*.py"))))
"""Those of the sources in the folders beside them run none of the mutated code."""
KEPT = ROOT / ".mutate"
REASONS = Path(__file__).with_name("survivors.toml")


def main() -> int:
    """Exit 1 where a survivor has no reason, or a reason no survivor."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("files", nargs="*", help="mutate these only, e.g. keep.py")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", action="store_true", help="try survivors again")
    options = parser.parse_args()
    os.chdir(ROOT)
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets in the same order each time
        again = [sys.executable, "-m", "tests.mutate", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})
    os.environ["CI"] = "1"  # the same hypothesis examples each time
    KEPT.mkdir(exist_ok=True)
    every = [str(p.relative_to(ROOT)) for d in MUTATED for p in sorted((ROOT / d).rglob("*.py"))]
    files = [f for f in every if not options.files or any(o in f for o in options.files)]
    tree = Tree.of(ROOT)
    cover = _cover(tree.whole, every)
    verdicts = _run(files, cover, tree, options.jobs, options.again)
    return _report(verdicts, files)


def _cover(tree: str, files: list[str]) -> Cover:
    """From what was kept, or by running the tests once, in a process of its own."""
    kept = KEPT / "cover.json"
    if not (found := _read(kept)) or found["tree"] != tree:
        print("running the unit tests once, to see which test runs which line")
        pid = os.fork()
        if not pid:
            try:
                seen = Cover(frozenset(str(ROOT / f) for f in files))
                pytest.main([*PYTEST, *TESTS], plugins=[seen])
                _write(
                    kept,
                    {
                        "tree": tree,
                        "failed": seen.failed,
                        "lines": {
                            test: {os.path.relpath(f, ROOT): lines for f, lines in files.items()}
                            for test, files in seen.lines.items()
                        },
                        "seconds": seen.seconds,
                    },
                )
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        found = _read(kept)
    if not found or found["tree"] != tree or not found["lines"]:
        sys.exit("the unit tests could not be run")
    for test in found["failed"]:
        print(f"left out, for it fails without any change: {test}")
        found["lines"].pop(test, None)
    return Cover(frozenset(), found["lines"], found["seconds"])


def _run(files: list[str], cover: Cover, tree: Tree, jobs: int, again: bool) -> dict[str, Verdict]:
    kept = KEPT / "verdicts.json"
    before = {"of": {}, "verdicts": {}, "by": {}} | (_read(kept) or {})
    told = {name: Verdict(**v) for name, v in before["verdicts"].items()}
    old = {name: v for name, v in told.items() if tree.holds(before["of"], v)}
    if again:
        good = {True: "survived", False: "killed"}
        old = {name: v for name, v in old.items() if v.word == good[CONTROL in name]}
    verdicts = {name: v for name, v in old.items() if CONTROL in name}
    todo: list[Mutant] = []
    for mutant in (m for f in files for m in mutants(ROOT, f)):
        if mutant.name in old:
            verdicts[mutant.name] = old[mutant.name]
        else:
            todo.append(mutant)
    by = before["by"] | {name: v.by for name, v in told.items() if v.by}
    trials = _trials(todo, cover, by)
    tried = {t.mutant.name for t in trials}
    progress = _Progress(len(trials), kept, tree, by, old, verdicts)
    for mutant in todo:
        if mutant.name not in tried:
            progress.tell(Verdict(mutant.name, "survived", None, 0.0))

    def rounds() -> Iterator[list[Trial]]:
        yield trials
        controls = _controls(files, verdicts, cover)
        progress.total += len(controls)
        yield controls

    if trials or _controls(files, verdicts, cover):
        warm = Warm(files, rounds(), cover.seconds, jobs, progress.tell)
        pytest.main([*PYTEST, *TESTS], plugins=[warm])
    progress.keep()
    if missing := [m.name for m in todo if m.name not in verdicts]:
        sys.exit(f"{len(missing)} mutants were not tried, of them {missing[0]}")
    return verdicts


def _controls(files: list[str], verdicts: dict[str, Verdict], cover: Cover) -> list[Trial]:
    """Whoever killed a mutant, on the same code without any change: it must not fail there too.

    Once for each test, and for each file whose import was done again.
    """
    out: dict[tuple[str, str], Trial] = {}
    for mutant in (m for f in files for m in mutants(ROOT, f)):
        by = verdicts[mutant.name].by
        key = (by or "", "" if mutant.function else mutant.file)
        if by and key not in out:
            tests = [by] if by in cover.seconds else []  # the import itself failed
            seconds = sum(cover.seconds[t] for t in tests)
            out[key] = Trial(mutant.undone(CONTROL.lstrip() + by), tests, seconds)
    return [t for t in out.values() if t.mutant.name not in verdicts]


def _trials(todo: list[Mutant], cover: Cover, by: dict[str, str]) -> list[Trial]:
    """Each with its tests: who killed it before, then those that run most of its file in a time."""
    running: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for test, files in cover.lines.items():
        for file, lines in files.items():
            for line in lines:
                running[file][line].add(test)
    out = []
    for mutant in todo:
        seen = running[mutant.file]
        lines = mutant.lines if mutant.function else seen
        tests = set().union(*(seen[line] for line in lines if line in seen))
        if not mutant.function:  # a test that only reads a constant runs no line
            files = {test.partition("::")[0] for test in tests}
            tests = {test for test in cover.seconds if test.partition("::")[0] in files}

        def worth(test: str, file: str = mutant.file) -> float:
            return len(cover.lines[test].get(file, ())) / (0.05 + cover.seconds[test])

        order = sorted(tests, key=lambda t: (-worth(t), t))
        if order:
            spent = sum(cover.seconds[t] for t in order)
            out.append(Trial(mutant, order, spent, by.get(mutant.name)))
    return out


class _Progress:
    def __init__(
        self,
        total: int,
        kept: Path,
        tree: Tree,
        by: dict[str, str],
        old: dict[str, Verdict],
        new: dict[str, Verdict],
    ) -> None:
        self.total, self.kept, self.tree, self.old, self.new = total, kept, tree, old, new
        self.by = by
        """Who killed what in earlier runs too: a run that is broken off does not forget it."""
        self.done = 0
        self.kept_at = self.said_at = self.began = time.monotonic()

    def tell(self, verdict: Verdict) -> None:
        self.new[verdict.name] = verdict
        self.done += 1
        now = time.monotonic()
        if verdict.word in ("survived", "broken") and CONTROL not in verdict.name:
            print(f"{verdict.word}  {verdict.name}", flush=True)
        if now - self.said_at > 30:
            self.said_at = now
            print(f"{self.done} of {self.total} in {now - self.began:.0f} s", flush=True)
        if now - self.kept_at > 10:
            self.kept_at = now
            self.keep()

    def keep(self) -> None:
        all_ = {name: asdict(v) for name, v in (self.old | self.new).items()}
        _write(self.kept, {"of": asdict(self.tree), "verdicts": all_, "by": self.by})


def _report(verdicts: dict[str, Verdict], files: list[str]) -> int:
    controls = {name: v for name, v in verdicts.items() if CONTROL in name}
    verdicts = {name: v for name, v in verdicts.items() if name not in controls}
    survived = {name for name, v in verdicts.items() if v.word == "survived"}
    reasons = {
        f"{scope}  {change}": why
        for scope, changes in tomllib.loads(REASONS.read_text()).items()
        for change, why in changes.items()
        if scope.partition("::")[0] in files
    }
    words = Counter(v.word for v in verdicts.values())
    print(
        f"{len(verdicts)} mutants: {words['killed']} killed, {words['timeout']} timed out, "
        f"{len(survived)} survived, {len(survived & reasons.keys())} of them with a reason"
    )
    wrong = [f"survived without a reason: {name}" for name in sorted(survived - reasons.keys())]
    wrong += [f"has a reason, but does not survive: {n}" for n in sorted(reasons.keys() - survived)]
    wrong += [f"could not be tried: {n}" for n, v in sorted(verdicts.items()) if v.word == "broken"]
    wrong += [f"fails at {n}" for n, v in sorted(controls.items()) if v.word != "survived"]
    wrong += [f"its reason is empty: {name}" for name, why in reasons.items() if not why.strip()]
    print("\n".join(wrong))
    return 1 if wrong else 0


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _write(path: Path, found: object) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(found))
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main())
