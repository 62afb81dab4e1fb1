"""The one table: what was measured, beside what, and what it ought to be."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_BETWEEN = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
_HEAD = ("what", "beattop", "target", "beside it")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `value` is what beattop did; `beside` what others did in the same windows."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None
    """None where nothing is asked of it."""
    beside: str = ""

    def cells(self) -> tuple[str, ...]:
        sign = {None: "", True: " ✓", False: " ✗"}[self.met]
        return self.what, self.value, self.target + sign, self.beside


def lines(rows: Iterable[Row]) -> list[str]:
    """A Markdown table that reads well in a terminal too."""
    cells = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
    out = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |" for r in cells
    ]
    out.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return out


def where() -> str:
    """The machine, without its name."""
    return (
        f"Python {platform.python_version()}, Linux {platform.release().split('-')[0]}, "
        f"{os.cpu_count()} cores"
    )


def write(readme: Path, rows: Sequence[Row]) -> None:
    """Put the table between the markers of `readme`; a section with them is added where missing."""
    text = readme.read_text() if readme.exists() else ""
    if not _BETWEEN.search(text):
        text = f"{text.rstrip()}\n\n## Performance\n\n{BEGIN}\n{END}\n".lstrip()
    told = f"Measured by `make bench` on {date.today().isoformat()}: {where()}. CPU is user and system."
    body = "\n".join([BEGIN, told, "", *lines(rows), END])
    readme.write_text(_BETWEEN.sub(lambda _: body, text))
