"""y: old logs, read in the background: spawns an hour or a day for each program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from beattop.model.frame import HistoryProgress
from beattop.model.logevents import Past
from beattop.text import count, moment, size
from beattop.ui import glyphs
from beattop.ui.line import EMPTY, Line, fit, line
from beattop.ui.messages import HistoryRead
from beattop.ui.screens.page import PageScreen

_HOUR = 3600.0


class HistoryPage(PageScreen):
    """Reading begins when it opens and ends when it closes."""

    live = False

    def __init__(self) -> None:
        super().__init__()
        self._progress: HistoryProgress | None = None
        self._cancel: Callable[[], None] | None = None
        self._days = False

    def on_mount(self) -> None:
        """Begin to read."""
        super().on_mount()
        self._cancel = self.beattop.feed.history(lambda progress: self._heard(progress))

    def _heard(self, progress: HistoryProgress) -> None:
        """Called in the reader's thread: only posts."""
        self.post_message(HistoryRead(progress))

    def on_history_read(self, event: HistoryRead) -> None:
        """Some more was read."""
        self._progress = event.progress
        self.draw()

    def on_unmount(self) -> None:
        """Read no further."""
        if self._cancel is not None:
            self._cancel()

    def action_page_switch(self) -> None:
        """Hours or days."""
        self._days = not self._days
        self.draw()

    def title_words(self) -> tuple[Line, Line]:
        """What a column is; how far the reading is."""
        unit = "day" if self._days else "hour"
        return line(
            ("History", "title"), f"  spawns a{'n' if unit == 'hour' else ''} {unit}"
        ), line((self._state(), "dim"))

    def _state(self) -> str:
        p = self._progress
        if p is None:
            return "reading old logs …"
        if p.done:
            return f"{size(p.read_bytes)} read"
        share = p.read_bytes / p.total_bytes if p.total_bytes else 0.0
        done = round(share * 20)
        return f"{glyphs.BAR_LEFT}{glyphs.WORK * done}{' ' * (20 - done)}{glyphs.BAR_RIGHT} {share:.0%} of {size(p.total_bytes)}"

    def build(self, size: int) -> Sequence[Line]:
        """A picture for each program that ever spawned."""
        p = self._progress
        if p is None:
            return [line((" Reading the old logs of supervisord …", "dim"))]
        now = (
            self.frame.snapshot.at
            if self.frame
            else max((past.recent[-1].at for past in p.pasts if past.recent), default=0.0)
        )
        out: list[Line] = []
        if p.detail:
            out += [line((f" {p.detail}", "warning")), EMPTY]
        pasts = sorted((past for past in p.pasts if past.by_hour), key=lambda past: -past.exits)
        for past in pasts:
            out += self._picture(past, now, size)
        return out or [
            line((" The logs tell of no spawn." if p.done else " Nothing found yet.", "dim"))
        ]

    def _picture(self, past: Past, now: float, size: int) -> list[Line]:
        step = _HOUR * (24 if self._days else 1)
        end = now - now % step
        room = max(10, min(size - 4, 120))
        first = max(min(hour for hour, _, _ in past.by_hour), end - step * (room - 1))
        first -= first % step
        columns = int((end - first) / step) + 1
        sums = [[0, 0] for _ in range(columns)]
        for hour, spawns, exits in past.by_hour:
            place = int((hour - first) // step)
            if 0 <= place < columns:
                sums[place][0] += spawns
                sums[place][1] += exits
        highest = max((s for s, _ in sums), default=0) or 1
        drawn = "".join(glyphs.bar(s / highest) if s else " " for s, _ in sums)
        ends = ", ".join(f"{how} ×{number:,}" for how, number in past.exit_counts[:4])
        begin = moment(first, now)
        part = "" if past.complete else ", older logs not read"
        return [
            line(" ", (fit(past.name, 24).rstrip(), "bold"), f"  {count(past.spawns, 'spawn')}, {count(past.exits, 'exit')} nobody asked for since {moment(past.first_at, now)}{part}", (f"  {ends}", "warning")),
            line("  ", (drawn, "churn" if past.exits > 10 else "info")),
            line("  ", (fit(begin, max(len(begin), columns - 4)), "dim"), ("now", "dim"), (f"   highest {highest:,}", "dim")),
            EMPTY,
        ]  # fmt: skip
