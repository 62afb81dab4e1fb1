"""The main screen: the board with all its keys."""

from __future__ import annotations

from dataclasses import replace

from beattop.ui.commands import bindings
from beattop.ui.query import parse
from beattop.ui.rows import Row, RowKey
from beattop.ui.screens.plan_keys import PlanKeys
from beattop.ui.screens.replay_keys import ReplayKeys
from beattop.ui.screens.table_keys import TableKeys


class MainScreen(TableKeys, PlanKeys, ReplayKeys):
    """What is open as long as the program runs."""

    BINDINGS = bindings("main")

    def action_details(self) -> None:
        """Everything known of the selected row."""
        row = self.table.current
        if row is None:
            self.beattop.say("No row is selected.")
        elif row.kind == "group":
            self._fold(None)
        else:
            self._open_details(row)

    def on_program_table_opened(self) -> None:
        """A double click."""
        self.action_details()

    def _open_details(self, row: Row) -> None:
        from beattop.ui.screens.details import DetailsPage  # noqa: PLC0415 - not needed for the first frame

        if row.program is not None:
            self.app.push_screen(DetailsPage(program=row.program))
        elif row.process is not None:
            self.app.push_screen(DetailsPage(process=row.process))
        else:
            self.beattop.say("It is gone.")

    def action_findings(self) -> None:
        """Every finding with its evidence."""
        from beattop.ui.screens.findings import FindingsPage  # noqa: PLC0415

        self.app.push_screen(FindingsPage())

    def action_next_finding(self) -> None:
        """Select the program of the next finding."""
        findings = self.frame.findings if self.frame else ()
        keys: list[RowKey] = [
            key for f in findings for key in f.programs[:1] or self._processes(f.pids)[:1]
        ]
        shown = [key for key in keys if any(row.key == key for row in self.table.rows)]
        if not shown:
            self.beattop.say("No finding has a row here.")
            return
        here = self.table.current.key if self.table.current else None
        place = (shown.index(here) + 1) % len(shown) if here in shown else 0
        self.touched = True
        self.table.go_to(shown[place])

    def _processes(self, pids: tuple[int, ...]) -> list[RowKey]:
        return [row.key for row in self.table.rows if row.kind == "process" and row.pid in pids]

    def action_log(self) -> None:
        """Follow the program's log."""
        program = self.program_of(self.table.current)
        if program is None:
            self.beattop.say("Only programs of a supervisord have a log that is known.")
            return
        from beattop.ui.screens.log import LogPage  # noqa: PLC0415

        self.app.push_screen(LogPage(program.id))

    def action_events(self) -> None:
        """What happened since the start."""
        from beattop.ui.screens.events import EventsPage  # noqa: PLC0415

        self.app.push_screen(EventsPage())

    def action_history(self) -> None:
        """Old logs."""
        from beattop.ui.screens.history import HistoryPage  # noqa: PLC0415

        self.app.push_screen(HistoryPage())

    def action_help(self) -> None:
        """Keys, signs and columns."""
        self.beattop.show_help()

    def action_pause(self) -> None:
        """Freeze the picture, or go on."""
        self.paused = not self.paused
        self.beattop.pace()
        self.show_frame(self.beattop.frame)
        self.draw()

    def action_ask(self) -> None:
        """Ask supervisord now."""
        self.beattop.feed.refresh()
        self.beattop.say("Asking supervisord now.")

    def action_escape(self) -> None:
        """Clear what bends the table, one thing a time."""
        if self.search_text:
            self.search_text = parse("")
        elif self.query_text:
            self.query_text = parse("")
        elif self.view.tagged:
            self.view = replace(self.view, tagged=frozenset())
        elif self.paused:
            self.action_pause()
            return
        elif self.table.shift:
            self.table.slide_home()
        elif self.view.sort != "pain" or self.view.inverted:
            self.view = replace(self.view, sort="pain", inverted=False)
        elif self.view.group != "program":
            self.view = replace(self.view, group="program")
        else:
            self.touched = False  # back to the worst
        self.draw_table()

    def action_quit_main(self) -> None:
        """Quit."""
        self.app.exit(0)
