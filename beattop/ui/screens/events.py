"""e: what happened on the box since the start."""

from __future__ import annotations

from collections.abc import Sequence
from time import localtime, strftime
from typing import Final

from beattop.text import count
from beattop.ui.line import Line, Span, cells, fit, line, paragraph, width
from beattop.ui.screens.page import PageScreen

_WIDE: Final = 60
"""From this width on there is room for a column of kinds."""


class EventsPage(PageScreen):
    """Newest at the end, followed while at the end; the filter takes words and `kind:exited`."""

    grows = True
    offers = frozenset({"page_search", "page_filter"})

    def title_words(self) -> tuple[Line, Line]:
        """How many there are."""
        number = len(self.frame.events) if self.frame else 0
        mark = f"  filter ‹{self.filter_text}›" if self.filter_text else ""
        return line(("Events", "title"), f"  {count(number, 'event')}{mark}"), line(
            ("following" if self.pager.following else "", "dim")
        )

    def build(self, size: int) -> Sequence[Line]:
        """One line each."""
        if self.frame is None:
            return []
        out: list[Line] = []
        words = self.filter_text.lower().split()
        day = ""
        for event in self.frame.events:
            name = event.program.namespec if event.program else ""
            hay = f"{event.text} {name} kind:{event.kind} {event.pid or ''}".lower()
            if words and not all(
                (w[1:] not in hay) if w[0] == "!" and len(w) > 1 else w in hay for w in words
            ):
                continue
            when = localtime(event.at)
            today = strftime("%a %d %b", when)
            if today != day:
                out.append(line((f" {today}", "title")))
                day = today
            ink = "warning" if event.bad else "dim" if event.kind in {"spawned", "source"} else ""
            lead = line((f" {strftime('%H:%M:%S', when)} ", "dim"))
            if size >= _WIDE:  # the text says it again
                lead = (*lead, Span(f"{fit(event.kind, 14)} ", "role"))
            room = size - width(lead)
            if cells(event.text) <= room:
                out.append((*lead, Span(event.text, ink)))
            else:
                out += paragraph(event.text, size, ink, width(lead), lead)
        return out or [
            line(
                (" Nothing happened yet." if not words else " No event matches the filter.", "dim")
            )
        ]
