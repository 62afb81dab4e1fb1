"""A pane of a tmux server of its own: what users sit in."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

NAMED = {
    "enter": "Enter", "escape": "Escape", "space": "Space", "tab": "Tab", "up": "Up", "down": "Down",
    "left": "Left", "right": "Right", "pageup": "PPage", "pagedown": "NPage", "home": "Home", "end": "End",
    "backspace": "BSpace",
}  # fmt: skip
_UNSET = {"NO_COLOR", "COLORFGBG", "TMUX", "TMUX_PANE"}


def tmux_key(key: str) -> list[str]:
    """Textual's name of a key in tmux's words."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if not modifiers and last not in NAMED and len(last) == 1:
        return ["-H", *(f"{byte:x}" for byte in last.encode())]  # -l takes a last ; for its own
    name = NAMED.get(last) or (last.upper() if last[0] == "f" and last[1:].isdigit() else last)
    return ["".join({"ctrl": "C-", "shift": "S-", "alt": "M-"}[m] for m in modifiers) + name]


class Pane:
    """Runs one command in a pane of the given size; ends it, and the server, with the block."""

    def __init__(
        self,
        argv: list[str],
        cwd: Path,
        columns: int,
        rows: int,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._socket = f"bt-{uuid.uuid4().hex[:12]}"
        whole = {k: v for k, v in os.environ.items() if k not in _UNSET}
        self._env = {**whole, "COLORTERM": "truecolor", "LANG": "C.UTF-8", **(env or {})}
        self.size = (columns, rows)
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(cwd), "cat")
        self._tmux("set", "-g", "status", "off")
        self._tmux("set", "-g", "remain-on-exit", "on")
        self._tmux("set", "-g", "escape-time", "0")
        self._tmux("set", "-g", "default-terminal", self._env.get("TERM", "tmux-256color"))
        self.resize(columns, rows)
        settings = [f"{k}={v}" for k, v in (env or {}).items()]
        self._ended = cwd / f"{self._socket}.status"
        argv = ["sh", "-c", f'"$@"; echo $? > {shlex.quote(str(self._ended))}', "sh", *argv]
        self._tmux(
            "respawn-pane", "-k", "-c", str(cwd), "env", "COLORTERM=truecolor", *settings, *argv
        )

    def __enter__(self) -> Pane:
        return self

    def __exit__(self, *error: object) -> None:
        pid = self._pid()
        socket = self._tmux("display-message", "-p", "#{socket_path}").strip()
        self._tmux("kill-server")
        if socket:
            Path(socket).unlink(missing_ok=True)  # tmux leaves it
        end = time.monotonic() + 10
        while pid and Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.02)

    def _pid(self) -> int:
        return int(self._tmux("display-message", "-p", "#{pane_pid}").strip() or 0)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", os.devnull, *words],
            capture_output=True,
            env=self._env,
            timeout=20,
            check=False,
        )
        return done.stdout.decode("utf-8", "replace")

    @property
    def alive(self) -> bool:
        """Whether the command still runs."""
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "0"

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs. tmux 3.3 does not always learn it itself."""
        told = self._ended.read_text().strip() if self._ended.exists() else ""
        return int(told) if told else None

    @property
    def lines(self) -> list[str]:
        """What the pane shows, trailing blanks cut."""
        return self._tmux("capture-pane", "-p").split("\n")[: self.size[1]]

    @property
    def title(self) -> str:
        """What the command calls itself (OSC 2)."""
        return self._tmux("display-message", "-p", "#{pane_title}").strip()

    @property
    def inked(self) -> str:
        """The same with the sequences that colour it."""
        return self._tmux("capture-pane", "-p", "-e")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def press(self, *keys: str) -> None:
        """Send keys by Textual's names; a printable character stands for itself."""
        for key in keys:
            self._tmux("send-keys", *tmux_key(key))

    def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def resized(self) -> None:
        """Wait until the pane's terminal has its size: tmux takes its time over several."""
        tty = self._tmux("display-message", "-p", "#{pane_tty}").strip()
        handle = os.open(tty, os.O_RDONLY | os.O_NOCTTY)
        try:
            self.until(lambda _: tuple(os.get_terminal_size(handle)) == self.size, 10, "its size")
        finally:
            os.close(handle)

    def until(self, true: Callable[[str], object], seconds: float = 30.0, what: str = "") -> str:
        """The text once `true(text)`; fails after `seconds`."""
        end = time.monotonic() + seconds
        while not true(text := self.text):
            assert time.monotonic() < end, f"waited {seconds} s for {what or true}:\n{text}"
            time.sleep(0.02)
        return text

    def still(self, quiet_s: float = 0.15, seconds: float = 20.0) -> str:
        """The text once it has not changed for so long."""
        end = time.monotonic() + seconds
        text, since = self.text, time.monotonic()
        while time.monotonic() - since < quiet_s:
            assert time.monotonic() < end, f"it never comes to rest:\n{text}"
            time.sleep(0.02)
            if (now := self.text) != text:
                text, since = now, time.monotonic()
        return text
