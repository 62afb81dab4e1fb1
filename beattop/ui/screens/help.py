"""?: keys, signs and columns, from the same table as footer, palette and README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from beattop.ui.commands import COMMANDS, GROUPS, Command
from beattop.ui.helpwords import SIGNS, WORDS, folded, side_by_side
from beattop.ui.keymap import display
from beattop.ui.line import EMPTY, Line, Span, fit, line, paragraph
from beattop.ui.screens.page import PageScreen

_NOTES: Final = {
    "Pages": " (details, verdict, log, events, history, help)",
    "Dialog": " (a plan, before and while it is carried out)",
    "Replay": " (of a recording)",
}
"""Where a group's keys are."""


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
            note = _NOTES.get(group, "")
            out += [EMPTY, line((f" {group}{note}", "title"))]
            keys = [self._key(c) for c in COMMANDS if c.group == group]
            out += side_by_side(keys, size) or [row for key in keys for row in folded(key, size)]
        out += [EMPTY, line((" Signs", "title"))]
        for sign, ink, words in SIGNS:
            out += paragraph(words, size - 1, "", 5, line("  ", (sign, ink), "  "))
        out += [EMPTY, line((" Words", "title"))]
        for name, words in WORDS:
            out += paragraph(words, size - 1, "", 12, line(("  " + fit(name, 10), "bold")))
        return out

    def _key(self, command: Command) -> Line:
        keys = " ".join(display(k) for k in self.beattop.keymap.keys(command))
        off = self.beattop.read_only and command.writes
        return (
            Span("  "),
            Span(fit(keys, 14), "off" if off else "bold"),
            Span(command.help, "off" if off else ""),
        )
