"""?: keys, signs and columns, from the same table as footer, palette and README."""

from __future__ import annotations

from collections.abc import Sequence

from beattop.ui.commands import COMMANDS, GROUPS, Command
from beattop.ui.helpwords import SIGNS, WORDS, side_by_side
from beattop.ui.keymap import display, places
from beattop.ui.line import EMPTY, Line, Span, fit, line, paragraph
from beattop.ui.screens.page import PageScreen


class HelpPage(PageScreen):
    """Does not change while it is open."""

    live = False
    offers = frozenset({"page_search"})

    def title_words(self) -> tuple[Line, Line]:
        """The name of the page."""
        return line(("Help", "title"), "  an htop for supervisord and Celery"), line()

    def build(self, size: int) -> Sequence[Line]:
        """Keys by group, then signs, then words."""
        out: list[Line] = []
        app = self.beattop
        if app.read_only:
            why = app.settings.read_only_why or app.executor.reason or "asked for"
            shows = "the dimmed keys show the plan and the command to hand on"
            text = f"Read-only ({why}): {shows}, and change nothing."
            out += paragraph(text, size - 1, "warning", 1, line(" "))
        for group in GROUPS:
            note = " (in a replay)" if group == "Replay" else ""
            out += [EMPTY, line((f" {group}{note}", "title"))]
            out += side_by_side([self._key(c) for c in COMMANDS if c.group == group], size)
        out += [EMPTY, line((" Signs", "title"))]
        out += [line("  ", (sign, ink), f"  {words}") for sign, ink, words in SIGNS]
        out += [EMPTY, line((" Words", "title"))]
        for name, words in WORDS:
            out += paragraph(words, size - 1, "", 12, line(("  " + fit(name, 10), "bold")))
        return out

    def _key(self, command: Command) -> Line:
        keys = " ".join(display(k) for k in self.beattop.keymap.keys(command))
        off = self.beattop.read_only and command.writes
        where = "" if command.where in {"main", "app"} else f" ({places(command.where)})"
        return (
            Span("  "),
            Span(fit(keys, 14), "off" if off else "bold"),
            Span(f"{command.help}{where}", "off" if off else ""),
        )
