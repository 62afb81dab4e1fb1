"""The live screen: frames come in by message, plans go out through the executor."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.text import Text
from textual.app import App, SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer

from beattop.actions.contract import Executor
from beattop.model.frame import Feed, Frame
from beattop.settings import Settings
from beattop.ui.commands import Where, bindings, offered
from beattop.ui.crash import crashed
from beattop.ui.header import Condition
from beattop.ui.keymap import Keymap
from beattop.ui.messages import FrameArrived, Saved
from beattop.ui.picture import Picture
from beattop.ui.plainly import AsciiOnly
from beattop.ui.screens.board import Board
from beattop.ui.screens.main import MainScreen
from beattop.ui.terminal import Terminal, has_terminal, speaks_utf8
from beattop.ui.theme import THEMES, choose
from beattop.ui.trails import Trails
from beattop.ui.widgets.note import Note

try:
    from beattop.ui.strokes import frugal
except ImportError:  # a later Textual keeps its updates elsewhere: its own drawing goes on
    frugal = None  # type: ignore[assignment]

_SLOW_UNSEEN: float = 3.0
"""How much slower to look while nobody does."""
_SLOW_PAUSED: float = 2.0
_QUIET_S: float = 60.0
"""A finding that comes back so soon is no new one: it does not ring again."""
_CATCH_UP_S: float = 0.05
_RESIZED_S: float = 0.1
"""A terminal that was not resized for so long has its size."""


class BeattopApp(App[int]):
    """Owns the newest frame and what is remembered of those before; screens draw it.

    Raises ValueError, in words for the user, for a keymap or a theme that cannot be.
    """

    CSS_PATH = "app.tcss"
    TITLE = "beattop"
    BINDINGS = bindings("app")
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own form
        (0, "-narrow"),
        (60, "-medium"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-low"),
        (13, "-middling"),
        (30, "-tall"),
    ]

    def __init__(
        self,
        feed: Feed,
        executor: Executor,
        settings: Settings,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.keymap = Keymap(settings.keys)
        theme = choose(settings.theme, no_color=settings.no_color)
        self.feed = feed
        self.executor = executor
        self.settings = settings
        self.frame: Frame | None = None
        """The newest."""
        self.trails = Trails()
        self._now = now
        self._factor = 1.0
        self._critical: dict[str, float] | None = None
        """When each critical finding was there last."""
        self._resizing: Timer | None = None
        self._catching_up: Timer | None = None
        """Runs while pictures are left out."""
        self._shown = Picture()
        self._plainly: list[LineFilter] = [AsciiOnly()] if settings.ascii else []
        super().__init__(driver_class=Terminal, ansi_color=True if settings.no_color else None)
        if settings.no_color and not self.no_color:
            from textual.filter import NoColor  # noqa: PLC0415

            self._plainly.append(NoColor())
        for known in (*THEMES.values(), theme):
            self.register_theme(known)
        self.theme = theme.name
        self.animation_level = "none"
        if settings.ascii:
            self.add_class("-ascii")
        if self.keymap.changed:
            self.set_keymap(self.keymap.changed)

    @property
    def read_only(self) -> bool:
        """True where nothing can be changed: read-only mode, or a recording."""
        return self.settings.read_only or not self.executor.writable

    def condition(self, *, paused: bool = False) -> Condition:
        """What the header tells besides the snapshot."""
        beat = self.feed.heartbeat()
        return Condition(
            title=self.settings.title,
            read_only=self.read_only,
            live=self.feed.live,
            age_s=None if beat is None else self._now() - beat,
            trouble=self.feed.trouble(),
            paused=paused,
            interval_s=self.settings.interval * self._factor,
        )

    # --- frames ---

    def get_default_screen(self) -> Screen[None]:
        """The main screen is what everything else lies on."""
        return MainScreen()

    def on_mount(self) -> None:
        """Begin to look, and to watch the looking."""
        self.feed.start(self._from_feed)
        self.set_interval(1.0, self._tick)
        self.app_resume_signal.subscribe(self, self._resumed)

    def _resumed(self, _: App[object]) -> None:
        """Back from the shell (Ctrl-Z, fg): the terminal kept nothing of the picture."""
        self.action_redraw()

    def _from_feed(self, frame: Frame) -> None:
        """Called in the feed's thread: only posts."""
        self.post_message(FrameArrived(frame))

    def on_frame_arrived(self, event: FrameArrived) -> None:
        """Remember it and let the screens draw it."""
        if self.frame is None and self.executor.before:
            self.say(f"{self.executor.before}.", bad=True)
        self.frame = event.frame
        self.trails.follow(event.frame.snapshot)
        self._ring(event.frame)
        for screen in self._seen():
            screen.show_frame(event.frame)  # type: ignore[attr-defined]

    def _seen(self) -> list[Screen[object]]:
        """The top screen, and what shows through where that is a dialog."""
        seen: list[Screen[object]] = []
        for screen in reversed(self.screen_stack):
            if hasattr(screen, "show_frame"):
                seen.append(screen)
            if not screen.is_modal:
                break
        return seen

    def _ring(self, frame: Frame) -> None:
        at = frame.snapshot.at
        critical = {f.identity: at for f in frame.findings if f.severity == "critical"}
        known = self._critical
        if known is not None and critical.keys() - known.keys() and self.settings.bell:
            self.bell()
        fresh = {name: when for name, when in (known or {}).items() if abs(at - when) < _QUIET_S}
        self._critical = fresh | critical

    def _tick(self) -> None:
        """Once a second: the age of the data, what ended the feed, whether anybody is there."""
        if isinstance(self._driver, Terminal) and self._driver.gone:
            self.exit(129, 129)
            return
        for screen in self._seen():
            if isinstance(screen, Board):
                screen.draw_header()
                if self.frame is None and self.feed.trouble():
                    screen.draw()

    # --- pace ---

    def pace(self) -> None:
        """Look less often while the picture is frozen or nobody looks."""
        main = self.screen_stack[0]
        paused = isinstance(main, Board) and main.paused
        factor = _SLOW_UNSEEN if not self.app_focus else _SLOW_PAUSED if paused else 1.0
        if factor != self._factor:
            self._factor = factor
            self.feed.slow(factor)

    def on_app_blur(self) -> None:
        """The terminal lost the focus."""
        self.call_later(self.pace)

    def on_app_focus(self) -> None:
        """It has it again."""
        self.call_later(self.pace)

    # --- words ---

    def say(self, words: str, *, bad: bool = False) -> None:
        """A note at the bottom of the screen for some seconds; never markup."""
        note = getattr(self.screen, "note", None)
        if isinstance(note, Note):
            note.say(words, bad=bad)
        else:
            self.notify(words, severity="error" if bad else "information", markup=False)

    def copy(self, text: str) -> None:
        """Copy through OSC 52, and show what: not every terminal lets it through, and tmux none
        that it was not told to (its set-clipboard is external from 2.6 on).
        """
        if not text:
            self.say("There is no command to copy.")
            return
        self.copy_to_clipboard(text)
        hint = " (tmux hands it on with: set -s set-clipboard on)" if "TMUX" in os.environ else ""
        self.say(f"Copied: {text}{hint}")

    def on_saved(self, event: Saved) -> None:
        """The recording is written."""
        self.say(event.words, bad=event.failed)

    def show_help(self) -> None:
        """Keys, signs and columns."""
        from beattop.ui.screens.help import HelpPage  # noqa: PLC0415 - not needed for the first frame

        self.push_screen(HelpPage())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette, from the same table as the keys."""
        place: Where = getattr(screen, "WHERE", "main")
        for command in offered([place, "app"], replay=not self.feed.live):
            moves = command.group == "Move" or (command.where == "page" and not command.footer)
            if moves or command.id == "command_palette":
                continue
            keys = f"{command.label}  ({self.keymap.shown(command)})"
            off = "  read-only: only shows the plan" if self.read_only and command.writes else ""
            yield SystemCommand(
                command.help[:1].upper() + command.help[1:],
                keys + off,
                self._runner(command.action),
            )

    def _runner(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        # What is an update is asked for its sequences, never rendered by Rich.
        if renderable is not None and getattr(self._driver, "behind", False):
            if self._catching_up is None:
                self._catching_up = self.set_timer(_CATCH_UP_S, self._catch_up)
            return
        self._shown.sized(*self.size)
        drawn = renderable if frugal is None else frugal(renderable, self._shown)
        super()._display(screen, drawn)  # type: ignore[arg-type]

    def _catch_up(self) -> None:
        """Draw what there is by now, once the line has taken the old: no stale pictures queue."""
        self._catching_up = None
        if getattr(self._driver, "behind", False):
            self._catching_up = self.set_timer(_CATCH_UP_S, self._catch_up)
        else:
            self.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and ours for ASCII and for no colour."""
        return [*super().get_line_filters(), *self._plainly]

    # --- the end ---

    def _fatal_error(self) -> None:
        """One line instead of Textual's traceback; the details go into a file."""
        self.panic(Text(crashed(self._exception)))

    def action_suspend(self) -> None:
        """Back to the shell."""
        self.action_suspend_process()

    def on_resize(self) -> None:
        """A terminal that shrinks forgets; Textual draws nothing where it is its old size again."""
        if self._resizing is not None:
            self._resizing.stop()
        self._resizing = self.set_timer(_RESIZED_S, self.action_redraw)

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        from beattop.ui.screens.closing import Palette  # noqa: PLC0415 - not needed for the first frame

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_redraw(self) -> None:
        """Draw everything again: another program wrote over it."""
        self._shown.forget()
        self.refresh(layout=True)

    async def action_quit(self) -> None:
        """Leave, from wherever."""
        self.exit(0)

    def on_unmount(self) -> None:
        """Nothing goes on behind a closed screen."""
        self.feed.stop()

    def end_on_signals(self) -> None:
        """End in order on SIGTERM and SIGHUP, the terminal as it was; exit status 128 + n."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
                loop.add_signal_handler(number, self.exit, 128 + number, 128 + number)

    def on_load(self) -> None:
        """Before the terminal is touched."""
        self.end_on_signals()


def run_screen(feed: Feed, executor: Executor, settings: Settings) -> int:
    """Run the live screen; returns the exit status: 0, 2 without a terminal, 128 + n by a signal.

    Raises ValueError for a keymap or theme that cannot be.
    """
    if not has_terminal():
        print("beattop: the live screen needs a terminal: use --once", file=sys.stderr)
        return 2
    if not settings.ascii and not speaks_utf8():
        settings = replace(settings, ascii=True)
    app = BeattopApp(feed, executor, settings)
    gc.freeze()  # what is imported stays: the collector need not walk it while keys wait
    result = app.run()
    status = app.return_code or 0
    return result if result is not None else status
