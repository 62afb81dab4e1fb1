"""What the main screen consists of and how a frame gets onto it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from textual.app import ComposeResult
from textual.screen import Screen

from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.snapshot import Program
from beattop.text import count
from beattop.ui.calm import unheard
from beattop.ui.cpubar import cpubar
from beattop.ui.footer import footer_line
from beattop.ui.grouping import build
from beattop.ui.header import header
from beattop.ui.line import EMPTY, Line, cut, line
from beattop.ui.query import Query, parse
from beattop.ui.remedy import Chosen, one_key, remedy
from beattop.ui.room import room
from beattop.ui.rows import SORTS, Row, View
from beattop.ui.selection import Selection
from beattop.ui.verdict import verdict
from beattop.ui.widgets.lines import Lines
from beattop.ui.widgets.note import Note
from beattop.ui.widgets.prompt import Prompt
from beattop.ui.widgets.table import ProgramTable

if TYPE_CHECKING:
    from beattop.ui.app import BeattopApp


_PARTS: Final = ("header", "verdict", "cpu", "heading", "strip", "footer")


class Board(Screen[None]):
    """Header, verdict, CPU, table and footer, drawn from one frame."""

    AUTO_FOCUS = "#table"

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None
        """What is shown; while paused not the newest."""
        self.view = View()
        self.query_text: Query = parse("")
        self.search_text: Query = parse("")
        self.paused = False
        self.touched = False
        """The user moved the selection: it no longer stays on the worst."""
        self._lines = {name: Lines(id=name) for name in _PARTS}
        self.table = ProgramTable(id="table")
        self.note = Note(id="note")
        self.prompt = Prompt(id="prompt")
        """The line for searches and filters."""

    def compose(self) -> ComposeResult:
        """The parts, from top to bottom."""
        yield from (self._lines[name] for name in _PARTS[:4])
        yield self.table
        yield self._lines["strip"]
        yield self.prompt
        yield self.note
        yield self._lines["footer"]

    @property
    def beattop(self) -> BeattopApp:
        """The app, as what it is."""
        return cast("BeattopApp", self.app)

    @property
    def replay(self) -> bool:
        """True where a recording is shown."""
        return not self.beattop.feed.live

    # --- drawing ---

    def show_frame(self, frame: Frame | None) -> None:
        """Show a frame, unless the picture is frozen."""
        if self.paused and self.frame is not None:
            return
        self.frame = frame
        self.draw()

    def draw(self) -> None:
        """Draw everything from the frame there is; parts that are the same stay untouched."""
        if not self.is_mounted:
            return
        self.draw_table()  # first: the verdict's keys depend on what is selected
        self.draw_top()
        self.draw_footer()

    def draw_top(self) -> None:
        """Header, verdict and CPU bar."""
        app, frame, width = self.beattop, self.frame, self.app.size.width
        space = room(self.app.size.height)
        self.draw_header()
        words = verdict(
            frame,
            width,
            app.keymap.shown,
            read_only=app.read_only,
            more=space.more_findings,
            facts=space.facts,
            trouble=app.feed.trouble(),
            price=app.settings.price_per_core_hour,
            chosen=self.chosen(),
            costs=space.cpu_rows < 2,
        )
        gap = [EMPTY] if space.gaps else []
        self._lines["verdict"].show([*words, *gap])
        bar: list[Line] = []
        if frame is not None and space.cpu_rows:
            bar = cpubar(frame.snapshot, width, space.cpu_rows, app.settings.price_per_core_hour)
        self._lines["cpu"].show([*bar, *gap] if bar else [])

    def draw_header(self) -> None:
        """The top line alone: the age of the data goes on without frames."""
        with_cpu = not room(self.app.size.height).cpu_rows
        self._lines["header"].show(
            [
                header(
                    self.frame,
                    self.beattop.condition(paused=self.paused),
                    self.app.size.width,
                    with_cpu=with_cpu,
                )
            ]
        )

    def draw_table(self) -> None:
        """Rows and heading."""
        table = self.table
        rows: list[Row] = []
        supervisors = 1
        if self.frame is not None:
            low = self.app.size.height < 13
            test = self.query_text if self.query_text else None
            view = replace(self.view, test=test, compact=low)
            rows = build(self.frame, view, self.beattop.trails)
            supervisors = len(self.frame.snapshot.supervisords)
        if not self.touched:
            table.selection = Selection()
        table.show(rows, supervisors=supervisors, words_if_empty=self._words_if_empty())
        self.draw_heading()
        self.draw_strip()

    def draw_heading(self) -> None:
        """Titles of the columns."""
        titles = self.table.heading(self.view.sort, inverted=self.view.inverted)
        self._lines["heading"].show([titles] if room(self.app.size.height).heading else [])

    def draw_strip(self) -> None:
        """One line on how the table is bent, where it is."""
        parts = []
        if self.query_text:
            shown = len([r for r in self.table.rows if r.kind != "group"])
            parts.append(f"filter ‹{self.query_text.text}› {count(shown, 'row')}")
        if self.search_text:
            parts.append(f"search ‹{self.search_text.text}›")
        if self.view.tagged:
            parts.append(f"{len(self.view.tagged)} tagged")
        if self.view.sort != "pain" or self.view.inverted:
            parts.append(
                f"by {SORTS[self.view.sort][0]}" + (", inverted" if self.view.inverted else "")
            )
        if self.view.group != "program":
            parts.append({"role": "grouped by role", "none": "not grouped"}[self.view.group])
        text = line(("  " + " · ".join(parts), "title"), ("   Esc clears", "dim"))
        self._lines["strip"].show(
            [cut(text, self.app.size.width)] if parts and not self.prompt.is_open else []
        )

    def draw_footer(self) -> None:
        """Keys; drawn anew only when what they do has changed."""
        if not room(self.app.size.height).footer or self.prompt.is_open:
            self._lines["footer"].show([])
            return
        app, width = self.beattop, self.app.size.width
        labels = {}
        frame = self.frame
        worst = next((f for f in frame.findings if one_key(f)), None) if frame else None
        if frame is not None and worst is not None:
            read_only, chosen = app.read_only, self.chosen()
            cure = remedy(worst, frame.snapshot, read_only=read_only, chosen=chosen)
            if cure.command == "duplicates":
                labels["duplicates"] = cure.label if width >= 100 else cure.short.capitalize()
        if self.paused:
            labels["pause"] = "Go on"
        text = footer_line(
            "main",
            app.keymap,
            self.app.size.width,
            replay=self.replay,
            read_only=app.read_only,
            labels=labels,
            without={"duplicates"} if worst is None else (),
            first={"pause"} if self.paused else (),
        )
        self._lines["footer"].show([text])

    def _words_if_empty(self) -> str:
        if self.frame is None:
            trouble = self.beattop.feed.trouble()
            return (
                f"Looking failed.\n{trouble}"
                if trouble
                else "Gathering: the first look takes a second."
            )
        if unheard(self.frame.snapshot):
            return "Gathering: supervisord is being looked for."
        if self.query_text:
            return f"No row matches ‹{self.query_text.text}›.\nEsc clears the filter."
        sources = [
            s
            for s in self.frame.snapshot.sources
            if s.name in {"supervisor", "conf", "processes"} and s.detail
        ]
        hints = [f"{s.name}: {s.detail}" for s in sources if s.status != "ok"]
        if not self.frame.snapshot.supervisords:
            return "\n".join([
                "No supervisord was found, and no Celery runs outside of one.",
                *hints,
                "Name one: beattop --supervisor unix:///path/to.sock, or a supervisord.conf.",
                "Running as root, or as the user of the programs, may show more.",
                "To see beattop at work: beattop demo",
            ])  # fmt: skip
        return "\n".join(["supervisord has no programs.", *hints])

    # --- what is selected ---

    def chosen(self) -> Chosen:
        """What the keys would act on."""
        row = self.table.current
        return Chosen(row.program if row is not None else None, self.finding_of(row))

    def finding_of(self, row: Row | None) -> Finding | None:
        """The finding that a row is part of, or that keeps it."""
        if row is None or self.frame is None:
            return None
        for finding in self.frame.findings:
            if row.program in finding.programs or (row.program is None and row.pid in finding.pids):
                return finding
        for finding in self.frame.findings:
            if row.program is not None and row.program in {k.program for k in finding.keep}:
                return finding
        return None

    def program_of(self, row: Row | None) -> Program | None:
        """The program that a row belongs to."""
        if row is None or row.program is None or self.frame is None:
            return None
        return next((p for p in self.frame.snapshot.programs if p.id == row.program), None)

    # --- events ---

    def on_mount(self) -> None:
        """Draw at once: the first frame may be there already."""
        self.frame = self.beattop.frame
        self.draw()

    def on_resize(self) -> None:
        """Other parts have room now."""
        self.draw()

    def on_screen_resume(self) -> None:
        """Show what came meanwhile."""
        self.show_frame(self.beattop.frame)

    def on_program_table_arranged(self) -> None:
        """The heading follows the columns."""
        self.draw_heading()
