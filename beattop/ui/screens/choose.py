"""A small list to choose the sort order from."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from beattop.ui import glyphs
from beattop.ui.line import line
from beattop.ui.rows import SORTS
from beattop.ui.screens.closing import Closing
from beattop.ui.widgets.lines import Lines
from beattop.ui.widgets.pager import Pager


class ChooseSort(ModalScreen[str | None], Closing[str | None]):
    """Arrows and Enter; Esc keeps the order as it is. Dismissed with the order's id."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("home", "move(-99)", show=False),
        Binding("end", "move(99)", show=False),
        Binding("enter,space", "choose", show=False),
        Binding("escape,q,f10", "cancel", show=False),
    ]
    AUTO_FOCUS = "Pager"

    def __init__(self, current: str) -> None:
        super().__init__()
        self._ids = list(SORTS)
        self._place = self._ids.index(current)

    def compose(self) -> ComposeResult:
        """A title and the list."""
        with Vertical(classes="dialog small"):
            yield Lines(id="title")
            yield Pager(id="list")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#title", Lines).show([line((" Sort by", "title"))])
        self._point()

    def on_resize(self) -> None:
        """The list may be higher, or lower."""
        self._point()

    def _point(self) -> None:
        pager = self.query_one(Pager)
        pager.show(
            [
                line((f"{glyphs.CURSOR if number == self._place else ' '} ", "tag"), words)
                for number, (words, _) in enumerate(SORTS.values())
            ]
        )
        size = self.app.size
        frame = 3 if size.height >= 13 and size.width >= 60 else 1  # title and border
        pager.styles.height = max(1, min(len(self._ids), size.height - frame))
        pager.point(self._place)

    def action_move(self, by: int) -> None:
        """Another order."""
        self._place = max(0, min(self._place + by, len(self._ids) - 1))
        self._point()

    def action_choose(self) -> None:
        """This one."""
        self.dismiss(self._ids[self._place])

    def action_cancel(self) -> None:
        """None."""
        self.dismiss(None)
