"""The filter's small language: words, `role:beat`, `state:respawning`, `cpu>5`, `!word`; pure.

All terms must hold. `a,b` in a value means either. Sizes take K, M, G; times s, m, h, d.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from beattop.ui.rows import Row

TEXT_FIELDS: Final[dict[str, Callable[[Row], str]]] = {
    "name": lambda r: r.name,
    "program": lambda r: r.program.namespec if r.program else "",
    "role": lambda r: r.role.split(" ")[0],
    "state": lambda r: r.state,
    "exit": lambda r: r.last_exit,
    "pid": lambda r: str(r.pid or ""),
    "command": lambda r: r.command,
    "finding": lambda r: r.finding,
    "supervisor": lambda r: r.program.supervisor if r.program else "",
}
NUMBER_FIELDS: Final[dict[str, Callable[[Row], float | None]]] = {
    "cpu": lambda r: r.cpu,
    "churn": lambda r: r.churn,
    "rss": lambda r: r.rss,
    "mem": lambda r: r.rss,
    "up": lambda r: r.age_s,
    "age": lambda r: r.age_s,
    "spawns": lambda r: r.spawns_per_min,
    "life": lambda r: r.median_s,
    "pid": lambda r: r.pid,
}
_TIMES: Final = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES: Final = {
    "": 1.0, "b": 1.0, "k": 1024.0, "m": 1024.0**2, "g": 1024.0**3, "t": 1024.0**4,
    "kb": 1024.0, "mb": 1024.0**2, "gb": 1024.0**3, "tb": 1024.0**4,
}  # fmt: skip
_UNITS: Final[dict[str, dict[str, float]]] = {
    "up": _TIMES, "age": _TIMES, "life": _TIMES, "rss": _SIZES, "mem": _SIZES,
    "cpu": {"": 1.0, "%": 1.0}, "churn": {"": 1.0, "%": 1.0},
}  # fmt: skip
"""What a number of each field may end with."""
_COMPARE = re.compile(r"([a-z]+)(<=|>=|<|>|=)(\d+(?:\.\d*)?|\.\d+)(%|[a-z]*)", re.I)
_BEGUN = re.compile(r"([a-z]+)(<=|>=|<|>|=)(.*)", re.I)
_FIELD = re.compile(r"([a-z]+):(.*)", re.I)
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Query:
    """A parsed filter; `trouble` says in words what of it was not understood."""

    text: str
    tests: tuple[Test, ...]
    trouble: str = ""

    def __call__(self, row: Row) -> bool:
        """True where all terms hold for the row."""
        return all(test(row) for test in self.tests)

    def __bool__(self) -> bool:
        """True where it filters anything."""
        return bool(self.tests)


def parse(text: str) -> Query:
    """The filter that `text` means. Never fails: what is no field is looked for as a word."""
    tests: list[Test] = []
    trouble = ""
    for word in text.split():
        negated = word[0] in "!" and len(word) > 1
        test, problem = _term(word[1:] if negated else word)
        trouble = trouble or problem
        if test is not None:
            tests.append(_not(test) if negated else test)
    return Query(text, tuple(tests), trouble)


def _term(word: str) -> tuple[Test | None, str]:
    if match := _COMPARE.fullmatch(word):
        return _comparison(*match.groups())
    if (match := _BEGUN.fullmatch(word)) and match[1].lower() in NUMBER_FIELDS:
        return None, f"{match[1]}{match[2]} wants a number: cpu>5 rss>100M up<1h"
    if (match := _FIELD.fullmatch(word)) and match[1].lower() in TEXT_FIELDS:
        return (_either(TEXT_FIELDS[match[1].lower()], match[2]) if match[2] else None), ""
    if match and match[1].isalpha() and match[2] and "/" not in word:
        return _word(word), f"no field {match[1]}: " + " ".join(
            sorted({*TEXT_FIELDS, *NUMBER_FIELDS})
        )
    return _word(word), ""


def _comparison(field: str, operator: str, number: str, unit: str) -> tuple[Test | None, str]:
    get = NUMBER_FIELDS.get(field.lower())
    if get is None:
        return None, f"no number {field}: " + " ".join(sorted(NUMBER_FIELDS))
    units = _UNITS.get(field.lower(), {"": 1.0})
    factor = units.get(unit.lower())
    if factor is None:
        known = " ".join(name for name in units if name)
        return None, f"{field} has no unit {unit}" + (f": {known}" if known else "")
    bound = float(number) * factor

    def test(row: Row) -> bool:
        value = get(row)
        if value is None:
            return False
        if operator == "=":
            return abs(value - bound) < 0.05
        below = value < bound if operator == "<" else value <= bound if operator == "<=" else False
        return below or (
            value > bound if operator == ">" else value >= bound if operator == ">=" else False
        )

    return test, ""


def _either(get: Callable[[Row], str], values: str) -> Test:
    wanted = [v for v in values.lower().split(",") if v]
    return lambda row: any(v in get(row).lower() for v in wanted)


def _word(word: str) -> Test:
    small = word.lower()
    return lambda row: any(
        small in t.lower()
        for t in (row.name, row.role, row.state, row.last_exit, row.command, str(row.pid or ""))
    )


def _not(test: Test) -> Test:
    return lambda row: not test(row)
