"""?: keys, signs and columns, from the same table as footer, palette and README."""

from __future__ import annotations

from collections.abc import Sequence

from beattop.ui import glyphs
from beattop.ui.commands import COMMANDS, GROUPS, Command
from beattop.ui.keymap import display, places
from beattop.ui.line import EMPTY, Line, Span, fit, line, paragraph, width
from beattop.ui.screens.page import PageScreen

_SIGNS = (
    (glyphs.CRITICAL, "critical", "a critical finding; a program that supervisord gave up (FATAL)"),
    (glyphs.WARNING, "warning", "a warning; BACKOFF; a beat that sends nothing (SILENT)"),
    (
        glyphs.RESPAWN,
        "critical",
        "respawning: dies and is started again, whatever supervisord calls it",
    ),
    (glyphs.STEADY, "good", "runs"),
    (glyphs.STARTING, "", "STARTING, and STOPPING the other way round"),
    (glyphs.STOPPED, "dim", "stopped on request"),
    (glyphs.EXITED, "dim", "ended as expected"),
    (glyphs.DEAD, "dim", "a life that ended in the last seconds, or a row that is gone"),
    (glyphs.NEW, "new", "new in the last seconds"),
    (glyphs.CHANGED, "changed", "its state changed in the last seconds"),
    (glyphs.TAG, "tag", "tagged"),
)
_WORDS = (
    (
        "CPU%",
        "percent of one core: two busy cores are 200. A program's is all it used, living and dead lives",
    ),
    (
        "CHURN%",
        "the CPU of programs that respawn: burnt for nothing. Work is all other CPU under supervisord",
    ),
    ("RSS", "resident memory of the program's whole tree; proportional (PSS) where it is readable"),
    ("SPAWN/M", "spawns a minute over the last 60 s"),
    ("LIVES", "how long the last lives lasted, and their median"),
    (
        "filter",
        "words; name: role: state: exit: pid: command: finding: program: supervisor:  cpu> churn> rss>100M up<1h spawns> life<  !word  a,b",
    ),
)


class HelpPage(PageScreen):
    """Does not change while it is open."""

    live = False

    def title_words(self) -> tuple[Line, Line]:
        """The name of the page."""
        return line(("Help", "title"), "  an htop for supervisord and Celery"), line(
            ("Esc back", "dim")
        )

    def build(self, size: int) -> Sequence[Line]:
        """Keys by group, then signs, then words."""
        out: list[Line] = []
        app = self.beattop
        if app.read_only:
            why = app.settings.read_only_why or app.executor.reason or "asked for"
            out += paragraph(
                f"Read-only ({why}): the dimmed keys show the plan and the command to hand on, and change nothing.",
                size - 1,
                "warning",
                1,
                line(" "),
            )
        for group in GROUPS:
            commands = [
                c
                for c in COMMANDS
                if c.group == group and (not c.replay or not app.feed.live or group == "Replay")
            ]
            out += [
                EMPTY,
                line((f" {group}" + (" (beattop replay)" if group == "Replay" else ""), "title")),
            ]
            out += _columns([self._command(c, size) for c in commands], size)
        out += [EMPTY, line((" Signs", "title"))]
        out += [line("  ", (sign, ink), f"  {words}") for sign, ink, words in _SIGNS]
        out += [EMPTY, line((" Words", "title"))]
        for name, words in _WORDS:
            out += paragraph(words, size - 1, "", 12, line(("  " + fit(name, 10), "bold")))
        return out

    def _command(self, command: Command, size: int) -> Line:
        keys = " ".join(display(k) for k in self.beattop.keymap.keys(command))
        off = self.beattop.read_only and command.writes
        where = "" if command.where in {"main", "app"} else f" ({places(command.where)})"
        return (
            Span("  "),
            Span(fit(keys, 14), "off" if off else "bold"),
            Span(f"{command.help}{where}", "off" if off else ""),
        )


def _columns(lines: list[Line], size: int) -> list[Line]:
    """Two side by side where they fit."""
    widest = max((width(one) for one in lines), default=0)
    if size < 2 * widest + 2:
        return lines
    half = -(-len(lines) // 2)
    out = []
    for number in range(half):
        left = lines[number]
        right = lines[number + half] if number + half < len(lines) else EMPTY
        out.append((*left, Span(" " * (widest + 2 - width(left))), *right))
    return out
