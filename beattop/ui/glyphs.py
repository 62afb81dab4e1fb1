"""Every sign the screen draws, with its stand-in for terminals that know only ASCII.

The screen is written with the left column throughout; in ASCII mode one filter at the very end
puts the right column in, one cell for one cell, so nothing moves.
"""

from __future__ import annotations

from typing import Final

from rich.cells import get_character_cell_size

CRITICAL: Final = "✖"
WARNING: Final = "▲"
INFO: Final = "•"
STEADY: Final = "●"
RESPAWN: Final = "↻"
STOPPED: Final = "○"
STARTING: Final = "◐"
STOPPING: Final = "◑"
EXITED: Final = "■"
UNKNOWN: Final = "?"
DEAD: Final = "†"
DONE: Final = "✔"
PENDING: Final = "…"
TAG: Final = "◆"
NEW: Final = "+"
CHANGED: Final = "≠"
CURSOR: Final = "▌"
OPEN: Final = "▾"
FOLDED: Final = "▸"
CHILD: Final = "└"
ASCENDING: Final = "▲"
DESCENDING: Final = "▼"
DOT: Final = "·"
DASH: Final = "–"
MORE: Final = "…"
ARROW: Final = "→"
ABOUT: Final = "≈"
BAR_LEFT: Final = "▕"
BAR_RIGHT: Final = "▏"
WORK: Final = "█"
CHURN: Final = "▒"
OTHER: Final = "░"
RULE: Final = "─"
STROKE: Final = "━"
SPARK: Final = "▁▂▃▄▅▆▇█"

_ASCII: Final = {
    CRITICAL: "X",
    WARNING: "!",
    INFO: "i",
    STEADY: "*",
    RESPAWN: "@",
    STOPPED: "o",
    STARTING: "(",
    STOPPING: ")",
    EXITED: "#",
    DEAD: "x",
    DONE: "v",
    PENDING: "~",
    TAG: "#",
    CHANGED: "=",
    CURSOR: ">",
    OPEN: "-",
    FOLDED: "+",
    CHILD: "`",
    DESCENDING: "v",
    DOT: ".",
    DASH: "-",
    ARROW: ">",
    ABOUT: "~",
    BAR_LEFT: "[",
    BAR_RIGHT: "]",
    WORK: "#",
    CHURN: "%",
    OTHER: ":",
    RULE: "-",
    STROKE: "=",
    "│": "|",
    "┃": "|",
    "┌": "+",
    "┐": "+",
    "┘": "+",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "×": "x",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "≥": ">",
    "≤": "<",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    **dict(zip("▁▂▃▄▅▆▇", "_.,-=+*", strict=True)),
}
_TABLE: Final = str.maketrans(_ASCII)


def to_ascii(text: str) -> str:
    """`text` in ASCII, each character as wide as before: known signs by table, the rest as `?`."""
    if text.isascii():
        return text
    text = text.translate(_TABLE)
    if text.isascii():
        return text
    return "".join(c if c.isascii() else "?" * get_character_cell_size(c) for c in text)


def bar(fraction: float) -> str:
    """One sparkline character for a share of the highest value, 0 to 1."""
    return SPARK[max(0, min(7, int(fraction * 7.999)))]
