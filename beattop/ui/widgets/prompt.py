"""The line in which a search or a filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from beattop.text import clean
from beattop.ui.line import cells, cut, fit, justified, line, width
from beattop.ui.widgets.lines import Lines


class Prompt(Lines, can_focus=True):
    """Takes every printable key while it has the focus; tells of each change at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", show=False),
        Binding("escape,f10", "cancel", show=False),
        Binding("f3,down", "next(1)", show=False),
        Binding("shift+f3,up", "next(-1)", show=False),
        Binding("backspace,ctrl+h", "erase", show=False),
        Binding("ctrl+w", "erase_word", show=False),
        Binding("ctrl+u", "clear", show=False),
    ]

    class Changed(Message):
        """Another text."""

        def __init__(self, prompt: Prompt) -> None:
            super().__init__()
            self.purpose, self.text = prompt.purpose, prompt.text

    class Closed(Message):
        """Enter (`kept`) or Esc."""

        def __init__(self, prompt: Prompt, *, kept: bool) -> None:
            super().__init__()
            self.purpose, self.text, self.kept = prompt.purpose, prompt.text, kept

    class Next(Message):
        """On to the next match (1) or back (-1)."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.purpose = ""
        self.text = ""
        self._hint = ""

    @property
    def is_open(self) -> bool:
        """True while it is shown."""
        return self.has_class("-open")

    def open(self, purpose: str, text: str = "") -> None:
        """Show it and take the keys."""
        self.purpose, self.text, self._hint = purpose, text, ""
        self.add_class("-open")
        self._draw()
        self.focus()

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")

    def hint(self, words: str) -> None:
        """Words at its right end: how many match, what was not understood."""
        if words != self._hint:
            self._hint = words
            self._draw()

    def _draw(self) -> None:
        size = self.size.width or self.app.size.width
        left = line((f" {self.purpose}: ", "title"), (self.text, "bold"), (" ", "key"))
        room = size - width(left) - 2
        brief = self._hint.split(" · ", 1)[0]  # the rest tells what else could be typed
        hint = self._hint if cells(self._hint) <= room else fit(brief, min(cells(brief), room))
        right = line((f"{hint} ", "dim"))
        self.show([justified(left, right, size) if room >= 8 else cut(left, size)])

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Printable keys are text here, whatever they do elsewhere."""
        return character is not None and character.isprintable()

    async def _on_key(self, event: events.Key) -> None:
        if event.character is not None and event.is_printable:
            event.stop()
            event.prevent_default()
            self._set(self.text + clean(event.character))

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._set(self.text + clean(event.text.split("\n", 1)[0])[:200])

    def _set(self, text: str) -> None:
        self.text = text[:200]
        self._draw()
        self.post_message(self.Changed(self))

    def action_erase(self) -> None:
        """Take the last character back."""
        self._set(self.text[:-1])

    def action_erase_word(self) -> None:
        """Take the last word back."""
        self._set(self.text.rstrip().rpartition(" ")[0])

    def action_clear(self) -> None:
        """Take all back."""
        self._set("")

    def action_submit(self) -> None:
        """Keep it."""
        self.close()
        self.post_message(self.Closed(self, kept=True))

    def action_cancel(self) -> None:
        """Forget it."""
        self.close()
        self.post_message(self.Closed(self, kept=False))

    def action_next(self, direction: int) -> None:
        """Pass it on."""
        self.post_message(self.Next(direction))

    def on_resize(self) -> None:
        """Draw for the new width."""
        if self.is_open:
            self._draw()
