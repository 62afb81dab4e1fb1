"""The table's columns: how each draws its cell, and which fit a pane's width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from beattop.text import duration, size
from beattop.ui import glyphs
from beattop.ui.line import Line, Span, cells, fit
from beattop.ui.rows import Row

Draw = Callable[[Row, int], Line]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `draw` gives exactly the asked number of cells."""

    id: str
    """Also the name of its order in `rows.SORTS`."""
    title: str
    width: int
    rank: int
    """The least important leave first when the pane is narrow."""
    draw: Draw
    right: bool = False
    least: int = 0
    """May shrink to this; 0 for not at all."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The columns for one width: the pinned one, those that fit, those beyond the edge."""

    pinned: int
    fitting: tuple[tuple[Column, int], ...]
    beyond: tuple[tuple[Column, int], ...]

    @property
    def all(self) -> tuple[tuple[Column, int], ...]:
        """Everything right of the pinned column."""
        return self.fitting + self.beyond


def _text(get: Callable[[Row], str], ink: str = "", *, right: bool = False) -> Draw:
    return lambda row, width: (
        Span(fit(get(row), width, right=right), "dim" if row.kind == "dead" else ink),
    )


def _number(get: Callable[[Row], float | None], ink: str = "number", strong: float = 1e9) -> Draw:
    """A figure with one decimal; blank where it is not known or makes no sense."""

    def draw(row: Row, width: int) -> Line:
        value = get(row)
        if value is None:
            return (Span(" " * width),)
        text = f"{value:.1f}" if value < 999.95 or width > 6 else f"{value:.0f}"
        tone = "dim" if value < 0.05 else "bold" if value >= strong and ink == "number" else ink
        return (Span(fit(text, width, right=True), tone),)

    return draw


def _state(row: Row, width: int) -> Line:
    word = "RESPAWN" if row.state == "RESPAWNING" and width < 12 else row.state
    if width < 12 and word.startswith("exited "):
        word = "exit " + word[7:]
    if row.kind in {"process", "dead"} and not row.sign:
        return (Span(fit(f"  {word}", width), row.ink),)
    if row.mark == "changed":
        text = f"{row.sign} {word}"
        return (
            Span(fit(text, min(width, cells(text))), "changed"),
            Span(" " * (width - cells(text))),
        )
    return (Span(fit(f"{row.sign} {word}" if word else "", width), row.ink),)


def _role(row: Row, width: int) -> Line:
    word = row.role
    for long, short in (("worker+beat", "wk+beat"), ("wk+beat", "w+beat"), ("worker", "wrk")):
        if cells(word) > width:
            word = word.replace(long, short)
    return (
        Span(
            fit(word, width),
            "dim" if row.kind == "dead" or row.role in {"other", "pool", "wrapper"} else "role",
        ),
    )


def _lives(row: Row, width: int) -> Line:
    if not row.lives_s and row.median_s is None:
        return (Span(" " * width),)
    highest = max(row.lives_s, default=0.0) or 1.0
    picture = "".join(glyphs.bar(life / highest / 1.6) for life in row.lives_s[-(width - 7) :])
    median = "" if row.median_s is None else duration(row.median_s)
    return (
        Span(fit(picture, width - 7), "churn" if row.churn is not None else "dim"),
        Span(fit(median, 7, right=True), "" if row.churn is not None else "dim"),
    )


def _rss(row: Row, width: int) -> Line:
    return (
        Span(
            fit(size(row.rss) if row.rss else "", width, right=True),
            "dim" if row.kind == "dead" else "",
        ),
    )


def _age(row: Row, width: int) -> Line:
    return (
        Span(
            fit("" if row.age_s is None else duration(row.age_s), width, right=True),
            "dim" if row.kind == "dead" else "",
        ),
    )


def _exit(row: Row, width: int) -> Line:
    forms = (row.last_exit, row.last_exit.partition(" (")[0], row.exit_brief or row.last_exit)
    return (
        Span(
            fit(next((form for form in forms if cells(form) <= width), forms[-1]), width),
            "warning" if row.pain[0] < 2 or row.churn is not None else "dim",
        ),
    )


COLUMNS: Final = (
    Column("role", "ROLE", 9, 5, _role, least=6),
    Column("state", "STATE", 12, 1, _state, least=10),
    Column("cpu", "CPU%", 6, 2, _number(lambda r: r.cpu, strong=50.0), True),
    Column("churn", "CHURN%", 7, 3, _number(lambda r: r.churn, "churn"), True),
    Column("rss", "RSS", 5, 8, _rss, True),
    Column("age", "UP/AGE", 7, 7, _age, True),
    Column("spawns", "SPAWN/M", 8, 4, _number(lambda r: r.spawns_per_min), True),
    Column("lives", "LIVES", 17, 10, _lives, least=14),
    Column("exit", "LAST EXIT", 18, 6, _exit, least=12),
    Column(
        "pid",
        "PID",
        7,
        11,
        _text(lambda r: "" if r.pid is None else str(r.pid), "dim", right=True),
        True,
    ),
)
COMMAND: Final = Column("command", "COMMAND", 24, 9, _text(lambda r: r.command), least=14)
SUPERVISOR: Final = Column(
    "supervisor",
    "SUPERVISOR",
    18,
    12,
    _text(lambda r: r.program.supervisor if r.program else "", "dim"),
)
_GAP: Final = 1
_NAME_LEAST: Final = 14


def arrange(width: int, names: int, command: int, *, supervisors: int = 1) -> Arrangement:
    """The columns for a pane of `width` cells; `names` and `command` are the longest of each."""
    share = width // 4 if width >= 60 else width - 26  # state, CPU and churn keep their place
    pinned = max(_NAME_LEAST if width >= 60 else 11, min(names + 5, share, 34))
    available = [*COLUMNS, *([SUPERVISOR] if supervisors > 1 else []), COMMAND]
    room = width - pinned
    chosen: dict[str, int] = {}
    for column in sorted(available, key=lambda c: c.rank):
        need = column.least or column.width
        if column.id in {"pid", "supervisor"} and room < need + 20:
            continue  # better a longer command
        if room >= need + _GAP:
            chosen[column.id] = need
            room -= need + _GAP
    _spread(chosen, available, room)
    fitting = tuple((c, chosen[c.id]) for c in available if c.id in chosen)
    beyond = tuple(
        (c, max(c.width, min(command, 400) if c is COMMAND else 0))
        for c in available
        if c.id not in chosen
    )
    if "command" in chosen and command > chosen["command"]:
        # The rest of long commands lies beyond the edge: scrolling shows them whole.
        fitting = tuple((c, w) for c, w in fitting if c is not COMMAND)
        beyond = ((COMMAND, min(command, 400)), *beyond)
    return Arrangement(pinned, fitting, beyond)


def _spread(chosen: dict[str, int], available: Sequence[Column], room: int) -> None:
    """Give spare cells back to what was shrunk, the most important first, the rest to COMMAND."""
    for column in sorted(available, key=lambda c: c.rank):
        if column.id in chosen and column is not COMMAND:
            more = min(room, column.width - chosen[column.id])
            chosen[column.id] += more
            room -= more
    if "command" in chosen:
        chosen["command"] += room


def head(row: Row, width: int, *, selected: bool = False) -> Line:
    """The pinned cell: cursor, tag or mark, tree, name."""
    cursor = Span(glyphs.CURSOR if selected else " ", "tag")
    if row.tagged:
        mark = Span(glyphs.TAG, "tag")
    else:
        sign = {"new": glyphs.NEW, "changed": glyphs.CHANGED, "dead": glyphs.DEAD}.get(
            row.mark, " "
        )
        mark = Span(sign, "dim" if row.mark == "dead" else "new")
    fold = " " if row.folded is None else glyphs.FOLDED if row.folded else glyphs.OPEN
    indent = "  " * max(0, row.depth - 1)
    leaf = row.depth > 0 and row.folded is None and row.kind != "program"
    twig = f"{glyphs.CHILD} " if leaf else f"{fold} "
    ink = {"group": "title", "dead": "dim", "process": ""}.get(row.kind) or ""
    if row.kind == "program":
        ink = ("critical", "warning")[row.pain[0]] if row.pain[0] < 2 else "program"
    lead = Span(indent + ("  " if leaf else " " * (row.depth > 0)) + twig, "dim")
    name, room = row.name, max(1, width - 2 - cells(lead.text))
    if row.kind == "program" and cells(name) > room and ":" in name:
        name = name[name.index(":") :]  # the group is the same for many: what differs is behind it
    return (cursor, mark, lead, Span(fit(name, room), ink))


def titles(arrangement: Arrangement, sort: str, *, inverted: bool) -> Line:
    """The heading: each title sorts by its column when clicked."""
    spans = [
        Span(
            fit("  PROGRAM", arrangement.pinned),
            "sorted" if sort == "name" else "head",
            "screen.sort_by('name')",
        )
    ]
    for column, width in arrangement.all:
        arrow = (glyphs.ASCENDING if inverted else glyphs.DESCENDING) if sort == column.id else ""
        title = fit(
            column.title + arrow if not column.right else column.title, width, right=column.right
        )
        if arrow and column.right:
            title = fit(
                f"{column.title}{arrow}" if len(column.title) < width else column.title,
                width,
                right=True,
            )
        ink = "sorted" if sort == column.id else "head"
        spans += [Span(" " * _GAP), Span(title, ink, f"screen.sort_by('{column.id}')")]
    return tuple(spans)


def banner(arrangement: Arrangement) -> int:
    """How many columns a group's name may run over: it has neither role nor state."""
    return len([c for c, _ in arrangement.fitting[:2] if c.id in {"role", "state"}])


def body(row: Row, arrangement: Arrangement, limit: int, skip: int = 0) -> Line:
    """The cells right of the pinned one and of `skip` more, up to `limit` cells."""
    spans: list[Span] = []
    taken = 0
    for column, width in arrangement.all[skip:]:
        if taken >= limit:
            break
        spans.append(Span(" " * _GAP))
        spans += column.draw(row, width)
        taken += width + _GAP
    return tuple(spans)
