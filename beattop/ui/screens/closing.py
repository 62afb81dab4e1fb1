"""Screens that close once, however often they are told to before they are gone."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.screen import Screen, ScreenResultType


class Closing(Screen[ScreenResultType]):
    """Only the top screen goes: a second Enter or Esc, pressed before the first is worked off,
    would take the screen below with it, and the last one of all ends the program.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close, unless it is closed."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Palette(CommandPalette, Closing[None]):
    """Textual's list of commands."""
