"""A button of one line."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from beattop.ui.line import cells, line
from beattop.ui.widgets.lines import Lines


class Choice(Lines, can_focus=True):
    """`[ Cancel ]`; Enter or a click presses it, the focused one is reversed and pointed at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "press", show=False),
        Binding("left", "screen.to_button('cancel')", show=False),
        Binding("right", "screen.to_button('confirm')", show=False),
    ]

    class Pressed(Message):
        """It was pressed; `id` is the button's."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.id = choice.id

    def __init__(self, label: str, *, grave: bool = False, id: str) -> None:
        super().__init__(id=id)
        self.key = ""
        """The key that does the same, shown before the label."""
        self._label, self._grave = label, grave

    def on_mount(self) -> None:
        """Draw it."""
        self.label(self._label)

    def label(self, label: str) -> None:
        """Give it another label."""
        self._label = label
        ink = ("act" if self._grave else "key") if self.has_focus else "bold"
        point = ">" if self.has_focus else " "
        key = f"{self.key} " if self.key else ""
        text = f"{point}[ {key}{label} ]"
        self.styles.width = cells(text) + 2
        self.show([line((text, ink), "  ")])

    def on_focus(self) -> None:
        """Show that it has the focus."""
        self.label(self._label)

    def on_blur(self) -> None:
        """Show that it has it no more."""
        self.label(self._label)

    def on_click(self, event: events.Click) -> None:
        """Press it."""
        event.stop()
        self.action_press()

    def action_press(self) -> None:
        """Tell that it was pressed."""
        self.post_message(self.Pressed(self))
