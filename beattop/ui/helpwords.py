"""What the help page tells besides the keys. Pure."""

from __future__ import annotations

from typing import Final

from beattop.ui import glyphs
from beattop.ui.line import EMPTY, Line, Span, paragraph, width

SIGNS: Final = (
    (glyphs.CRITICAL, "critical", "a critical finding; a program that supervisord gave up (FATAL)"),
    (glyphs.WARNING, "warning", "a warning; BACKOFF; a beat that sends nothing (SILENT)"),
    (glyphs.RESPAWN, "critical", "respawning: dies and is started again, whatever it is called"),
    (glyphs.STEADY, "", "runs"),
    (glyphs.STARTING, "", "STARTING; turned the other way STOPPING"),
    (glyphs.STOPPED, "dim", "stopped on request"),
    (glyphs.EXITED, "dim", "ended as expected"),
    (glyphs.DEAD, "dim", "a life that ended just now, or a row that is gone"),
    (glyphs.NEW, "new", "new in the last seconds"),
    (glyphs.CHANGED, "changed", "its state changed in the last seconds"),
    (glyphs.TAG, "tag", "tagged"),
)
"""Sign, ink, meaning."""
WORDS: Final = (
    (
        "CPU%",
        "percent of one core, so two busy cores are 200; a program's is all that it used,"
        " dead lives included",
    ),
    (
        "CHURN%",
        "all CPU of programs that respawn, burnt for nothing; work is all other CPU under"
        " supervisord, other is the rest of the box",
    ),
    ("RSS", "memory of the program's whole tree; its fair share (PSS) where that is readable"),
    ("SPAWN/M", "spawns a minute over the last 60 s"),
    ("LIVES", "how long the last lives lasted, and their median"),
    ("htop", "its keys, but k j move, l is log, e events, u undo, s start"),
    (
        "filter",
        "words, !word, and fields: name: program: role: state: exit: pid: command: finding:"
        " supervisor:  (a,b is either); cpu>5 churn> rss>100M up<1h spawns> life<2s",
    ),
)
"""Word, meaning."""


def folded(key: Line, size: int) -> list[Line]:
    """A key's line, what it does wrapped."""
    *lead, words = key
    return paragraph(words.text, size - 1, words.ink, width(lead), tuple(lead))


def side_by_side(lines: list[Line], size: int) -> list[Line]:
    """The lines in two columns; nothing where those do not fit."""
    widest = max((width(one) for one in lines), default=0)
    if size < 2 * widest + 2:
        return []
    half = -(-len(lines) // 2)
    out = []
    for number in range(half):
        left = lines[number]
        right = lines[number + half] if number + half < len(lines) else EMPTY
        out.append((*left, Span(" " * (widest + 2 - width(left))), *right))
    return out
