"""The harness behind `make mutate` changes code, and sees which change no test notices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.mutate import trial
from tests.mutate.mutants import Mutant, mutants
from tests.mutate.trial import Trial, judge

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
