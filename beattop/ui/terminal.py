"""The terminal as Textual drives it, but for what happens when it goes away."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import sys
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import _character_to_key

if TYPE_CHECKING:
    from textual.app import App
    from textual.message import Message


_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


_TICK_S = 0.1
_PENDING_S = 1.0
"""After a byte came, how long a half sequence may wait for its rest (Textual: 0.1 s)."""


_WAITING = 4096
"""Characters that may wait to be taken, less than a whole picture of 80×24."""


class UntilGone:
    """A terminal's output that swallows what is written after its end.

    Textual's writer is a thread behind a short queue: an error would end the thread, fill the
    queue and block the whole program for ever behind a window that was closed.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.gone = False
        self.taken = 0
        """Characters written so far."""

    def write(self, text: str) -> int:
        """Write, or do as if."""
        if not self.gone:
            try:
                self._file.write(text)
            except (OSError, ValueError):
                self.gone = True
        self.taken += len(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or do as if."""
        if not self.gone:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self.gone = True

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """True while it is there."""
        return not self.gone


class Ending(threading.Event):
    """An event that a selector can wait for beside the terminal: readable while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._reader

    def set(self) -> None:
        """Set it, and wake who waits."""
        super().set()
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"x")

    def clear(self) -> None:
        """Unset it for the next round, as after a suspend."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)
        super().clear()


class Terminal(LinuxDriver):
    """Textual's driver for a terminal that may be closed at any time.

    It sleeps until a key comes, where Textual's looks ten times a second (1 ms of CPU a second).
    """

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        stderr, stdout = sys.__stderr__, sys.__stdout__
        shown = stderr is not None and stderr.isatty()
        self._out = UntilGone((stderr if shown else stdout) or sys.stderr)
        self._file = self._out  # type: ignore[assignment]
        self._written = 0
        self.exit_event = self._ending = Ending()

    def _get_terminal_size(self) -> tuple[int, int]:
        """As the terminal says: an exported COLUMNS is of another window, or of another time."""
        for handle in (self._out.fileno(), self.fileno):
            with contextlib.suppress(OSError):
                columns, rows = os.get_terminal_size(handle)
                if columns and rows:
                    return columns, rows
        return super()._get_terminal_size()

    @property
    def gone(self) -> bool:
        """True once nobody can see or type anything any more."""
        return self._out.gone or not os.isatty(self.fileno)

    @property
    def behind(self) -> bool:
        """True while the terminal has yet to take older pictures: a slow line."""
        return self._written - self._out.taken > _WAITING

    def write(self, data: str) -> None:
        """Have it written by the writer's thread."""
        self._written += len(data)
        super().write(data)

    def process_message(self, message: Message) -> None:
        """Esc and a letter in one packet (ssh, a busy box) are two keys, unless Alt is used."""
        if isinstance(message, events.Key) and _is_escaped(message):
            keymap = getattr(self._app, "keymap", None)
            if keymap is None or not any("alt+" in keys for keys in keymap.changed.values()):
                super().process_message(events.Key("escape", "\x1b"))
                letter = message.character or ""
                message = events.Key(_character_to_key(letter), letter)
        super().process_message(message)

    def _run_input_thread(self) -> None:
        """An input that ends is the terminal's end, nothing to write a traceback about."""
        try:
            self.run_input_thread()
        except (OSError, EOFError):
            self._out.gone = True
            self._app.call_later(self._app.exit, 129, 129)

    def run_input_thread(self) -> None:
        """Give keys on until the end.

        Raises:
            EOFError: the terminal is gone.
            OSError: it cannot be read.
        """
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        heard = time.monotonic()
        with selectors.PollSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._ending, selectors.EVENT_READ)
            while not self._ending.is_set():
                pending = time.monotonic() - heard < _PENDING_S
                ready = selector.select(_TICK_S if pending else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    heard = time.monotonic()
                    if not (data := os.read(self.fileno, 4096)):
                        raise EOFError
                    if text := decode(data):  # an empty one would be the parser's end
                        for event in parser.feed(text):
                            self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        with contextlib.suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass


def _is_escaped(key: events.Key) -> bool:
    return key.key.startswith("alt+") and bool(key.character) and key.is_printable


def has_terminal() -> bool:
    """True where there is one to read from and to draw on."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stdout__))


def speaks_utf8(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale promises UTF-8; LANG=C, or no word at all, does not."""
    chosen = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    plain = environ.get("LANG", "") in {"", "C", "POSIX"}
    if plain and not environ.get("LC_ALL") and chosen in _COERCED:
        chosen = ""  # Python's own doing (PEP 538), not the user's word
    return re.search(r"utf-?8", chosen, re.I) is not None
