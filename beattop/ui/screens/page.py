"""A page of lines: what details, findings, log, events, history and help have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult

from beattop.model.frame import Frame
from beattop.ui.commands import Where, bindings
from beattop.ui.footer import footer_line
from beattop.ui.line import Line, cut, justified, line
from beattop.ui.screens.closing import Closing
from beattop.ui.widgets.lines import Lines
from beattop.ui.widgets.note import Note
from beattop.ui.widgets.pager import Pager
from beattop.ui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from beattop.ui.app import BeattopApp


class PageScreen(Closing[None]):
    """A title, lines that scroll, a footer; subclasses say what the lines are."""

    WHERE: ClassVar[Where] = "page"
    BINDINGS = bindings("page")
    AUTO_FOCUS = "Pager"
    grows = False
    """Lines are added at the end: End follows them."""
    offers: ClassVar[frozenset[str]] = frozenset({"page_search", "page_copy"})
    """Keys besides moving that mean something here: only they are in the footer."""
    live = True
    """Drawn anew with each frame."""

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.filter_text = ""
        self.pager = Pager(id="page")
        self.note = Note(id="note")
        self.prompt = Prompt(id="prompt")
        """The line for searches and filters."""
        self._header, self._footer = Lines(id="header"), Lines(id="footer")

    def compose(self) -> ComposeResult:
        """The parts, from top to bottom."""
        yield self._header
        yield self.pager
        yield self.prompt
        yield self.note
        yield self._footer

    @property
    def beattop(self) -> BeattopApp:
        """The app, as what it is."""
        return cast("BeattopApp", self.app)

    # --- for subclasses ---

    def title_words(self) -> tuple[Line, Line]:
        """What stands at the left and at the right of the title."""
        raise NotImplementedError

    def build(self, size: int) -> Sequence[Line]:
        """The lines for a width."""
        raise NotImplementedError

    def other(self) -> str:
        """What `page_switch` would show; "" where there is but one view."""
        return ""

    # --- drawing ---

    def show_frame(self, frame: Frame) -> None:
        """A new frame came."""
        self.frame = frame
        if self.live:
            self.draw()

    def draw(self) -> None:
        """Title and lines."""
        if not self.is_mounted:
            return
        left, right = self.title_words()
        size = self.app.size.width
        self._header.show([justified((*line(" "), *left), (*right, *line(" ")), size)])
        lines = self.build(max(20, (self.pager.size.width or size) - 1))
        low = self.app.size.height < 13
        self.pager.show(lines[1:] if low and lines and not lines[0] else lines)

    def draw_footer(self) -> None:
        """The keys of a page."""
        low = self.app.size.height < 6 or self.prompt.is_open
        offered = self.offers | {"page_close", "page_help"}
        if "page_search" in offered:
            offered |= {"page_next"}
        other = self.other()
        if other:
            offered |= {"page_switch"}
        size, keymap = self.app.size.width, self.beattop.keymap
        text = footer_line("page", keymap, size, only=offered, labels={"page_switch": other})
        self._footer.show([] if low else [cut(text, self.app.size.width)])

    def on_mount(self) -> None:
        """Draw at once."""
        self.frame = self.beattop.frame
        self.pager.follows_at_end = self.pager.following = self.grows
        self.pager.on_width = self.draw
        self.draw()
        self.draw_footer()

    def on_resize(self) -> None:
        """The footer's keys depend on the width."""
        self.draw()
        self.draw_footer()

    # --- keys ---

    def action_page_line_up(self) -> None:
        """One line up."""
        self.pager.step(-1)

    def action_page_line_down(self) -> None:
        """One line down."""
        self.pager.step(1)

    def action_page_page_up(self) -> None:
        """One page up."""
        self.pager.page(-1)

    def action_page_page_down(self) -> None:
        """One page down."""
        self.pager.page(1)

    def action_page_top(self) -> None:
        """First line."""
        self.pager.to_top()

    def action_page_bottom(self) -> None:
        """Last line."""
        self.pager.to_end()

    def action_page_search(self) -> None:
        """Search in the page."""
        self.prompt.open("Search")
        self.draw_footer()

    def action_page_filter(self) -> None:
        """Only matching lines."""
        if "page_filter" not in self.offers:
            self.beattop.say("This page has no filter; search works.")
            return
        self.prompt.open("Filter", self.filter_text)
        self.draw_footer()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Each character counts."""
        if event.purpose == "Filter":
            self.filter_text = event.text
            self.draw()
            self.prompt.hint(f"{len(self.pager.lines)} lines")
        else:
            found = self.pager.search(event.text)
            self.prompt.hint(f"{found} lines" if event.text else "")

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Enter keeps it, Esc clears it."""
        if not event.kept and event.purpose == "Filter":
            self.filter_text = ""
            self.draw()
        elif not event.kept:
            self.pager.search("")
        self.pager.focus()
        self.draw_footer()

    def on_prompt_next(self, event: Prompt.Next) -> None:
        """F3 while typing."""
        self.pager.next_match(event.direction)

    def action_page_next(self) -> None:
        """Next match."""
        self._next(1)

    def action_page_previous(self) -> None:
        """Previous match."""
        self._next(-1)

    def _next(self, direction: int) -> None:
        if not self.pager.searches:
            key = self.beattop.keymap.shown("page_search")
            self.beattop.say(f"Nothing is searched for yet: {key}")
        self.pager.next_match(direction)

    def action_page_switch(self) -> None:
        """The page's other view."""
        self.beattop.say("This page has one view only.")

    def action_page_copy(self) -> None:
        """The page's command."""
        self.beattop.copy(self.command())

    def command(self) -> str:
        """What `c` copies; "" for nothing."""
        return ""

    def action_page_help(self) -> None:
        """Keys, signs and columns."""
        self.beattop.show_help()

    def action_page_close(self) -> None:
        """Back."""
        self.dismiss()
