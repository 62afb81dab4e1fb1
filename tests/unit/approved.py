"""What beattop says in the situation of each test, word for word, against what was approved.

The files in approved/ are read by people: every sentence, command and lasting fix of a finding,
every step of a plan and every check of its outcome, where a test makes one. After a change that is meant, write them anew and read
the difference before it is committed:

    BEATTOP_APPROVE=1 python -m pytest tests/unit -p no:xdist && git diff tests/unit/approved
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

said: list[str] = []
"""What the present test adds to what its boxes say."""
FOLDER = Path(__file__).with_name("approved")
APPROVING = bool(os.environ.get("BEATTOP_APPROVE"))


def check(module: str, test: str, text: str) -> None:
    """Compares, or approves; a test that nobody approved yet may say what it likes."""
    path = FOLDER / f"{module}.txt"
    known = dict(_sections(path.read_text())) if path.exists() else {}
    if APPROVING:
        known = {name: said for name, said in known.items() if name != test} | (
            {test: text} if text else {}
        )
        FOLDER.mkdir(exist_ok=True)
        path.write_text("".join(f"== {name}\n{said}" for name, said in sorted(known.items())))
    elif test in known:
        assert text == known[test], "approved otherwise: see tests/unit/approved.py"


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for section in ("\n" + text).split("\n== ")[1:]:
        name, _, said = section.partition("\n")
        yield name, said.rstrip("\n") + "\n"


def shown(found: Iterable[object], at: float) -> str:
    """Findings, plans, outcomes as indented lines; times relative to the look."""
    return "".join(line + "\n" for one in found for line in _shown(one, at, ""))


def note(found: Iterable[object], at: float) -> None:
    """To be compared when the test ends."""
    said.append(shown(found, at))


def _shown(value: object, at: float, indent: str, name: str = "") -> Iterator[str]:
    head = f"{indent}{name}: " if name else indent
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        fields = {name: inner for name, inner in fields.items() if inner not in (None, (), "")}
        plain = {n: v for n, v in fields.items() if _plain(v)}
        told = ", ".join(f"{n} {_scalar(n, v, at)}" for n, v in plain.items())
        yield f"{head}{type(value).__name__}: {told}"
        for field, inner in fields.items():
            if field not in plain:
                yield from _shown(inner, at, indent + "  ", field)
    elif isinstance(value, tuple) and not hasattr(value, "_fields"):
        yield head.rstrip()
        for item in value:
            yield from _shown(item, at, indent + "  ")
    elif isinstance(value, str) and "\n" in value:
        yield head.rstrip()
        yield from (f"{indent}  | {line}" for line in value.splitlines())
    else:
        yield f"{head}{_scalar(name, value, at)}"


def _plain(value: object) -> bool:
    """Whether it is short enough to stand with others on one line."""
    if isinstance(value, str):
        return len(value) < 40 and "\n" not in value
    return not dataclasses.is_dataclass(value) and (
        not isinstance(value, tuple) or hasattr(value, "_fields")
    )


def _scalar(name: str, value: object, at: float) -> str:
    if hasattr(value, "_fields"):
        return "/".join(map(str, value))  # type: ignore[call-overload]
    if isinstance(value, float):
        return f"{value - at:+.2f} s" if name.endswith("_at") or name == "at" else f"{value:.2f}"
    return str(value)
