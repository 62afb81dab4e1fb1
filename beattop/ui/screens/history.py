"""y: old logs, read in the background: spawns an hour or a day for each program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from beattop.model.frame import HistoryProgress
from beattop.ui.line import EMPTY, Line, line, paragraph
from beattop.ui.messages import HistoryRead
from beattop.ui.pasts import joined, pictures, progress_words
from beattop.ui.screens.page import PageScreen


class HistoryPage(PageScreen):
    """Reading begins when it opens and ends when it closes."""

    offers = frozenset({"page_search"})

    def __init__(self) -> None:
        super().__init__()
        self._read: HistoryProgress | None = None
        self._cancel: Callable[[], None] | None = None
        self._days = False

    def on_mount(self) -> None:
        """Begin to read."""
        super().on_mount()
        self._cancel = self.beattop.feed.history(self._heard)

    def _heard(self, progress: HistoryProgress) -> None:
        """Called in the reader's thread: only posts."""
        self.post_message(HistoryRead(progress))

    def on_history_read(self, event: HistoryRead) -> None:
        """Some more was read."""
        self._read = event.progress
        self.draw()

    def on_unmount(self) -> None:
        """Read no further."""
        if self._cancel is not None:
            self._cancel()

    def action_page_switch(self) -> None:
        """Hours or days."""
        self._days = not self._days
        self.draw()
        self.draw_footer()

    def other(self) -> str:
        """Days or hours."""
        return "Hours" if self._days else "Days"

    def title_words(self) -> tuple[Line, Line]:
        """What a column is; how far the reading is."""
        unit = "a day" if self._days else "an hour"
        state = line((progress_words(self._read), "dim"))
        return line(("History", "title"), f"  spawns {unit}"), state

    def build(self, size: int) -> Sequence[Line]:
        """A picture for each program that ever spawned."""
        read = self._read
        older = read.pasts if read is not None else ()
        programs = self.frame.snapshot.programs if self.frame else ()
        out: list[Line] = []
        if read is not None and read.detail:
            out += [*paragraph(read.detail, size - 1, "warning", 1, line(" ")), EMPTY]
        recent = [past.recent[-1].at for past in older if past.recent]
        now = self.frame.snapshot.at if self.frame else max(recent, default=0.0)
        periodic = {(p.id.supervisor, p.id.name) for p in programs if p.periodic}
        pasts = joined(programs, older)
        drawn = pictures(pasts, now, size, days=self._days, periodic=periodic)
        if not drawn:
            done = read is not None and read.done
            words = "The logs tell of no spawn." if done else "Reading the old logs …"
            drawn = [line((f" {words}", "dim"))]
        return [*out, *drawn]
