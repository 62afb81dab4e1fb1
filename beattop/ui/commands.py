"""The one table of what keys do: bindings, footer, help, palette and the README come from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from textual.binding import BindingType

Where = Literal["app", "main", "page", "plan"]
"""Everywhere; the table; a page of text (details, log, events ...); the dialog of a plan."""
GROUPS = ("Look", "Act", "Table", "Move", "Replay", "Pages", "Dialog", "Screen")


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a key does."""

    id: str
    """Name in the config's `[keys]`, and of the action: `action_<id>`."""
    keys: tuple[str, ...]
    """Textual's key names, a printable character standing for itself; the first is shown."""
    label: str
    """For the footer."""
    help: str
    group: str
    where: Where = "main"
    footer: int = 0
    """Place in the footer by importance, 1 first; 0 for not there."""
    writes: bool = False
    """Changes programs or processes: always behind a dialog, only shown in read-only mode."""
    replay: bool = False
    """Only where a recording is replayed."""

    @property
    def action(self) -> str:
        """Textual's action string for it."""
        return f"app.{self.id}" if self.where == "app" else f"screen.{self.id}"


def _c(
    id: str,
    keys: str,
    label: str,
    help: str,
    group: str,
    where: Where = "main",
    footer: int = 0,
    *,
    writes: bool = False,
    replay: bool = False,
) -> Command:
    return Command(id, tuple(keys.split()), label, help, group, where, footer, writes, replay)


COMMANDS: tuple[Command, ...] = (
    _c("details", "enter", "Details", "everything known of the selected row", "Look", footer=3),
    _c(
        "findings",
        "v",
        "Verdict",
        "every finding with its evidence, and how each source fares",
        "Look",
        footer=9,
    ),
    _c("next_finding", "f", "Next finding", "select the program of the next finding", "Look"),
    _c("log", "l", "Log", "follow the program's log file", "Look", footer=4),
    _c("events", "e", "Events", "what happened on the box since the start", "Look", footer=5),
    _c("history", "y", "History", "old logs: respawns an hour, a day", "Look", footer=6),
    _c("copy", "c", "Copy", "copy the exact command (OSC 52)", "Look", footer=13),
    _c("save", "w", "Save", "write the last minutes to a recording", "Look", footer=16),
    _c("ask", "r", "Ask now", "ask supervisord now instead of in some seconds", "Look"),
    _c(
        "duplicates",
        "d",
        "Stop duplicates",
        "stop duplicate beats: the selected finding's, else all",
        "Act",
        footer=1,
        writes=True,
    ),
    _c(
        "stop",
        "S f9",
        "Stop",
        "stop the selected program, or all tagged",
        "Act",
        footer=10,
        writes=True,
    ),
    _c(
        "restart",
        "R",
        "Restart",
        "restart the selected program, or all tagged",
        "Act",
        footer=11,
        writes=True,
    ),
    _c(
        "start",
        "s",
        "Start",
        "start the selected program, or all tagged",
        "Act",
        footer=14,
        writes=True,
    ),
    _c("undo", "u", "Undo", "take the last action of this run back", "Act", footer=15, writes=True),
    _c("group", "g", "Group", "next grouping: program, role, none", "Table", footer=7),
    _c("search", "/ f3", "Search", "search as you type; Enter keeps the place", "Table", footer=8),
    _c("match_next", "n", "Next match", "next match of the search", "Table"),
    _c("match_previous", "N", "Previous match", "previous match of the search", "Table"),
    _c(
        "filter",
        "\\ f4",
        "Filter",
        "filter as you type: words, role:beat, state:respawning, cpu>5",
        "Table",
        footer=8,
    ),
    _c("tree", "t f5", "Tree", "show or hide the processes under each program", "Table", footer=18),
    _c("sort", "> . f6", "Sort", "choose the column to sort by", "Table", footer=12),
    _c("invert", "I", "Invert", "invert the order", "Table"),
    _c("sort_cpu", "P", "by CPU", "sort by CPU", "Table"),
    _c("sort_memory", "M", "by memory", "sort by memory", "Table"),
    _c("sort_time", "T", "by time", "sort by time up", "Table"),
    _c("sort_pain", "W", "Worst first", "sort by pain again: the order of the start", "Table"),
    _c("tag", "space", "Tag", "tag the row: S, R, s then take all tagged", "Table", footer=19),
    _c("untag", "U", "Untag all", "take all tags off", "Table"),
    _c("unfold", "+ =", "Unfold", "show the processes of the row", "Table"),
    _c("fold", "-", "Fold", "hide the processes of the row", "Table"),
    _c("fold_all", "*", "Fold all", "fold or unfold every row", "Table"),
    _c("pause", "Z", "Pause", "freeze the picture; looking goes on", "Table", footer=17),
    _c("up", "up k", "Up", "one row up", "Move"),
    _c("down", "down j", "Down", "one row down", "Move"),
    _c("page_up", "pageup ctrl+b", "Page up", "one page up", "Move"),
    _c("page_down", "pagedown ctrl+f", "Page down", "one page down", "Move"),
    _c("top", "home", "Top", "first row", "Move"),
    _c("bottom", "end G", "Bottom", "last row", "Move"),
    _c("left", "left", "Left", "columns to the left; in a replay one sample back", "Move"),
    _c("right", "right", "Right", "columns to the right; in a replay one sample on", "Move"),
    _c("scroll_left", "{ ctrl+left", "Scroll left", "columns to the left, in a replay too", "Move"),
    _c(
        "scroll_right",
        "} ctrl+right",
        "Scroll right",
        "columns to the right, in a replay too",
        "Move",
    ),
    _c("play", "p", "Play", "play, or stop playing", "Replay", footer=2, replay=True),
    _c(
        "faster",
        "x",
        "Faster",
        "play faster: ×1 ×2 ×5 ×10 ×30 ×60",
        "Replay",
        footer=2,
        replay=True,
    ),
    _c("slower", "X", "Slower", "play slower", "Replay", replay=True),
    _c("back", "[ shift+left", "Back", "ten samples back", "Replay", replay=True),
    _c("forward", "] shift+right", "On", "ten samples on", "Replay", replay=True),
    _c(
        "next_change",
        "F",
        "Next change",
        "jump to where the findings change",
        "Replay",
        footer=2,
        replay=True,
    ),
    _c("page_line_up", "up k", "Up", "one line up", "Pages", "page"),
    _c("page_line_down", "down j", "Down", "one line down", "Pages", "page"),
    _c("page_page_up", "pageup b", "Page up", "one page up", "Pages", "page"),
    _c("page_page_down", "pagedown space", "Page down", "one page down", "Pages", "page"),
    _c("page_top", "home g", "Top", "first line", "Pages", "page"),
    _c("page_bottom", "end G", "Bottom", "last line; follow what is added", "Pages", "page"),
    _c("page_search", "/ f3", "Search", "search in the page", "Pages", "page", 3),
    _c("page_next", "n", "Next match", "next match", "Pages", "page", 4),
    _c("page_previous", "N", "Previous match", "previous match", "Pages", "page"),
    _c(
        "page_filter",
        "\\ f4",
        "Filter",
        "show only matching lines (events and log)",
        "Pages",
        "page",
        5,
    ),
    _c(
        "page_switch",
        "o tab",
        "Other",
        "the log: stdout or stderr; the history: hours or days",
        "Pages",
        "page",
        6,
    ),
    _c("page_copy", "c", "Copy", "copy the exact command (OSC 52)", "Pages", "page", 7),
    _c("page_help", "? h f1", "Help", "this table", "Pages", "page", 8),
    _c("page_close", "escape q f10", "Back", "back to the table", "Pages", "page", 1),
    _c("plan_confirm", "y", "Yes", "carry the plan out", "Dialog", "plan", 1, writes=True),
    _c(
        "plan_close",
        "escape q f10",
        "Cancel",
        "close; while it works: do no further step",
        "Dialog",
        "plan",
        2,
    ),
    _c("plan_toggle", "space", "Tick", "take a target in or out", "Dialog", "plan", 3),
    _c("plan_up", "up k", "Up", "target, or line, up", "Dialog", "plan"),
    _c("plan_down", "down j", "Down", "target, or line, down", "Dialog", "plan"),
    _c("plan_page_up", "pageup", "Page up", "one page up", "Dialog", "plan"),
    _c("plan_page_down", "pagedown", "Page down", "one page down", "Dialog", "plan"),
    _c("plan_copy", "c", "Copy", "copy the command (OSC 52)", "Dialog", "plan", 4),
    _c(
        "plan_instead",
        "a",
        "Instead",
        "what the finding offers second: hand the schedule over",
        "Dialog",
        "plan",
        5,
        writes=True,
    ),
    _c("plan_undo", "u", "Undo", "take it back, when it is done", "Dialog", "plan", writes=True),
    _c("escape", "escape", "Back", "clear search, filter and tags; go on after a pause", "Screen"),
    _c("help", "? h f1", "Help", "keys, signs and columns", "Screen", footer=1),
    _c("quit_main", "q f10", "Quit", "quit", "Screen", footer=2),
    _c("command_palette", "ctrl+p", "Palette", "find a command by its name", "Screen", "app"),
    _c("quit", "ctrl+c", "Quit", "quit, wherever you are", "Screen", "app"),
    _c("redraw", "ctrl+l", "Redraw", "draw the whole screen again", "Screen", "app"),
    _c("suspend", "ctrl+z", "Suspend", "back to the shell; fg returns", "Screen", "app"),
)
BY_ID = {c.id: c for c in COMMANDS}


def bindings(where: Where) -> list[BindingType]:
    """Textual's bindings for one place; `App.set_keymap` remaps them by id."""
    from textual.binding import Binding  # noqa: PLC0415 - the table itself is read without Textual

    return [
        Binding(
            ",".join(c.keys),
            c.action.split(".", 1)[1],
            c.label,
            show=False,
            id=c.id,
            priority=c.where == "app",
            system=True,
        )
        for c in COMMANDS
        if c.where == where
    ]


def footer(where: Where, *, replay: bool = False) -> list[Command]:
    """What the footer offers, most important first."""
    shown = [c for c in COMMANDS if c.where == where and c.footer and (replay or not c.replay)]
    return sorted(shown, key=lambda c: c.footer)


def offered(where: Iterable[Where], *, replay: bool = False) -> list[Command]:
    """What help and palette list."""
    places = set(where)
    return [c for c in COMMANDS if c.where in places and (replay or not c.replay)]
