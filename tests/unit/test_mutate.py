"""The harness behind `make mutate` changes code, and sees which change no test notices."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.mutate import trial
from tests.mutate.mutants import Mutant, mutants
from tests.mutate.tree import CONTROL, Tree
from tests.mutate.trial import Trial, Verdict, judge

SOURCE = '''
"""Words."""
LIMIT = 60
def grade(a, b=True, *, known=("x", "y y")):
    """More words."""
    assert a is not None
    if a > LIMIT and not b:
        return f"over {a + 1}"
    for one in known:
        print(one, end="")
    return "words" if a == 3 else "no more"
def first(a, b):
    if 0 < a <= 3:
        b = sorted(b)
        return "too few"
    try:
        return any(b.split(": "))
    except (OSError, ValueError):
        return False
'''
CHANGES = [
    "import  LIMIT = 60 -> LIMIT = 120",
    "import  LIMIT = 60 -> LIMIT = 30",
    "import  ('x', 'y y') -> ('XXx', 'y y')",
    "import  True -> False",
    "grade  if a > LIMIT and (not b) -> if True",
    "grade  if a > LIMIT and (not b) -> if False",
    "grade  a > LIMIT and (not b) -> not b",
    "grade  a > LIMIT and (not b) -> a > LIMIT",
    "grade  a > LIMIT and (not b) -> a >= LIMIT and (not b)",
    "grade  return f'over {a + 1}' -> return None",
    "grade  return f'over {a + 1}' -> return f'over {a - 1}'",
    "grade  return f'over {a + 1}' -> return f'over {a + 2}'",
    "grade  return f'over {a + 1}' -> return f'over {a}'",
    "grade  for one in known -> for one in ()",
    "grade  deleted: print(one, end='')",
    "grade  print() without end=''",
    "grade  print(one, end='') -> print(one, end='XX')",
    "grade  return 'words' if a == 3 else 'no more' -> return None",
    "grade  if a == 3 -> if True",
    "grade  if a == 3 -> if False",
    "grade  return 'words' if a == 3 else 'no more' -> return 'XXwords' if a == 3 else 'no more'",
    "grade  return 'words' if a == 3 else 'no more' -> return 'words' if a == 4 else 'no more'",
    "first  if 0 < a <= 3 -> if True",
    "first  if 0 < a <= 3 -> if False",
    "first  0 < a <= 3 -> 0 >= a <= 3",
    "first  0 < a <= 3 -> 0 <= a <= 3",
    "first  0 < a <= 3 -> 0 < a > 3",
    "first  0 < a <= 3 -> 0 < a < 3",
    "first  0 < a <= 3 -> 1 < a <= 3",
    "first  0 < a <= 3 -> 0 < a <= 4",
    "first  deleted: b = sorted(b)",
    "first  b = sorted(b) -> b = list(b)",
    "first  return 'too few' -> return None",
    "first  return any(b.split(': ')) -> return None",
    "first  return any(b.split(': ')) -> return all(b.split(': '))",
    "first  return any(b.split(': ')) -> return any(b.split('XX: '))",
    "first  except (OSError, ValueError) without OSError",
    "first  except (OSError, ValueError) without ValueError",
    "first  except (OSError, ValueError): raise",
    "first  deleted: return False",
    "first  return False -> return True",
]


def made(folder: Path) -> list[Mutant]:
    (folder / "some.py").write_text(SOURCE)
    return mutants(folder, "some.py")


def test_every_small_change_but_of_the_words(tmp_path: Path) -> None:
    found = [m.name.removeprefix("some.py::") for m in made(tmp_path)]
    assert sorted(found) == sorted(CHANGES)


def test_a_mutant_is_the_whole_file_with_one_change(tmp_path: Path) -> None:
    (mutant,) = [m for m in made(tmp_path) if "a == 4" in m.change]
    assert mutant.outermost == (4, "grade") and list(mutant.lines) == [11]
    names: dict = {}
    control = mutant.undone("nothing")
    exec(compile(control.apply(), "some.py", "exec"), names)
    assert names["grade"](3, known=()) == "words"
    exec(compile(mutant.apply(), "some.py", "exec"), names)
    assert names["grade"](3, known=()) == "no more"


def test_who_survives_is_seen_who_hangs_is_ended_and_what_cannot_be_tried_is_not_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "DEADLINE_S", 0.5)
    # Ten times what its tests take unchanged: only the one that hangs is ended soon.
    four = [Trial(m, ["t"], t) for m, t in zip(made(tmp_path), (6.0, 6.0, 0.0, 6.0), strict=False)]
    reader, writer = os.pipe()

    def attempt(one: Trial) -> str | None:
        if one is four[2]:
            os.read(reader, 1)
        if one is four[3]:
            raise LookupError
        return "t" if one is four[0] else None

    found = {v.name: (v.word, v.by) for v in judge(four, 2, attempt)}
    os.close(reader)
    os.close(writer)
    assert [found[t.mutant.name] for t in four] == [
        ("killed", "t"), ("survived", None), ("timeout", None), ("broken", None),
    ]  # fmt: skip


WAS = {
    "killed by a": Verdict("m1", "killed", "tests/unit/test_a.py::test", 0.1),
    "killed by b": Verdict("m2", "killed", "tests/unit/test_b.py::test", 0.1),
    "killed at import": Verdict("m3", "killed", "import", 0.1),
    "survived": Verdict("m4", "survived", None, 0.1),
    "timeout": Verdict("m5", "timeout", None, 0.1),
    "control of a": Verdict(f"m1{CONTROL}tests/unit/test_a.py::test", "survived", None, 0.1),
}


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        (None, set()),
        ("beattop/x.py", set(WAS)),
        ("tests/unit/test_a.py", {"killed by a", "control of a", "survived", "timeout"}),
        ("tests/unit/box.py", {"killed by a", "killed by b", "control of a", "survived", "timeout"}),
        ("tests/unit/approved/test_b.txt", {"killed by b", "survived", "timeout"}),
        ("tests/unit/test_new.py", {"survived", "timeout"}),
    ],
)  # fmt: skip
def test_what_of_an_earlier_run_still_holds(
    tmp_path: Path, changed: str | None, lost: set[str]
) -> None:
    (tmp_path / "tests/unit/approved").mkdir(parents=True)
    (tmp_path / "beattop").mkdir()
    (tmp_path / "beattop/x.py").write_text("X = 1")
    (tmp_path / "tests/unit/box.py").write_text("BOX = 1")
    (tmp_path / "tests/unit/test_a.py").write_text("from tests.unit.box import BOX")
    (tmp_path / "tests/unit/test_b.py").write_text("from tests.unit import test_a")
    (tmp_path / "tests/unit/approved/test_b.txt").write_text("words")
    before = asdict(Tree.of(tmp_path))
    if changed:
        with (tmp_path / changed).open("a") as file:
            file.write("\n")
    now = Tree.of(tmp_path)
    expected = lost | ({"killed by b"} if "killed by a" in lost else set())
    assert {name for name, v in WAS.items() if not now.holds(before, v)} == expected
