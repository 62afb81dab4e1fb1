"""Rows of the table, how the user wants to see them, and in which orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from beattop.model.process import ProcessKey
from beattop.model.snapshot import ProgramId

RowKey = ProgramId | ProcessKey | tuple[str, ...]
Mark = Literal["", "new", "changed", "dead"]
Grouping = Literal["program", "role", "none"]
GROUPINGS: Final[tuple[Grouping, ...]] = ("program", "role", "none")
OUTSIDE: Final[RowKey] = ("outside",)
"""Key of the group of what runs outside every supervisord."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; None where a figure is not known or makes no sense for it."""

    key: RowKey
    kind: Literal["program", "process", "dead", "group"]
    name: str
    depth: int = 0
    parent: RowKey | None = None
    program: ProgramId | None = None
    process: ProcessKey | None = None
    pid: int | None = None
    role: str = ""
    sign: str = ""
    state: str = ""
    ink: str = ""
    """Ink of the state."""
    cpu: float | None = None
    churn: float | None = None
    rss: int | None = None
    age_s: float | None = None
    spawns_per_min: float | None = None
    lives_s: tuple[float, ...] = ()
    median_s: float | None = None
    last_exit: str = ""
    exit_brief: str = ""
    """The same where there is little room."""
    command: str = ""
    finding: str = ""
    """Kind and severity of the finding it is part of."""
    pain: tuple[int, int] = (9, 0)
    """Sorts the worst first: severity of its finding, place of the finding."""
    order: int = 0
    folded: bool | None = None
    """None where there is nothing to fold."""
    mark: Mark = ""
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How the user wants to see them."""

    group: Grouping = "program"
    sort: str = "pain"
    inverted: bool = False
    tree: bool = True
    compact: bool = False
    """A small pane: nothing is unfolded by itself."""
    folds: Mapping[RowKey, bool] = field(default_factory=dict)
    """What the user folded (True) or unfolded himself."""
    tagged: frozenset[RowKey] = frozenset()
    test: Callable[[Row], bool] | None = None


SortKey = Callable[[Row], tuple[float | str, ...]]
SORTS: Final[dict[str, tuple[str, SortKey]]] = {
    "pain": ("worst first", lambda r: (*r.pain, r.order)),
    "name": ("program", lambda r: (r.name.lower(),)),
    "role": ("role", lambda r: (r.role, r.name.lower())),
    "state": ("state", lambda r: (r.state, r.name.lower())),
    "cpu": ("CPU %", lambda r: (-(r.cpu or 0.0), r.order)),
    "churn": ("churn %", lambda r: (-(r.churn or 0.0), r.order)),
    "rss": ("memory", lambda r: (-(r.rss or 0), r.order)),
    "age": ("time up", lambda r: (-(r.age_s or 0.0), r.order)),
    "spawns": ("spawns a minute", lambda r: (-(r.spawns_per_min or 0.0), r.order)),
    "lives": ("length of lives", lambda r: (9e9 if r.median_s is None else r.median_s, r.order)),
    "exit": ("last exit", lambda r: (r.last_exit == "", r.last_exit, r.order)),
    "command": ("command", lambda r: (r.command, r.order)),
}
"""Orders by id: its words and its key, most interesting first."""


@lru_cache(4096)
def short_command(argv: tuple[str, ...]) -> str:
    """A command line without its interpreter's and script's folders."""
    words = list(argv)
    interpreter = words[0].rsplit("/", 1)[-1] if words else ""
    if len(words) > 1 and interpreter.startswith("python") and not words[1].startswith("-"):
        words = words[1:]
    if words and " " not in words[0]:
        words[0] = words[0].rsplit("/", 1)[-1]
    return " ".join(words)
