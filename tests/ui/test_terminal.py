"""In a real terminal (a pty): signals, Ctrl-C and quitting leave it as it was."""

from __future__ import annotations

import base64
import fcntl
import os
import pty
import re
import selectors
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest
from textual.drivers._writer_thread import WriterThread

from beattop.ui.terminal import Ending, UntilGone, speaks_utf8
from beattop.ui.terminal import Terminal as Driver
from tests.ui.frames import STOP

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """A child on a pty, read into a pyte screen."""

    def __init__(self, columns: int = 120, rows: int = 40, child: str = "{}", **env: str) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            whole = {**os.environ, "TERM": "xterm-256color", "CHILD": child, **env}
            os.execve(sys.executable, [sys.executable, "-m", "tests.ui.child"], whole)
        self.before = termios.tcgetattr(self.fd)
        os.set_blocking(self.fd, False)

    def read(self) -> None:
        try:
            data = os.read(self.fd, 1 << 16)
        except (BlockingIOError, OSError):
            time.sleep(0.01)
            return
        self.raw += data
        self._stream.feed(data)

    def until(self, words: str, seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, f"{words!r} never came:\n{self.text}"
            self.read()

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, data: bytes) -> None:
        os.write(self.fd, data)

    def status(self, seconds: float = 10.0) -> int:
        """Wait for the child; its exit status, or minus the signal that killed it."""
        end = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                for _ in range(20):
                    self.read()
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "it does not end"
            self.read()

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def terminal(monkeypatch):
    opened: list[Terminal] = []

    def make(*args, **kw) -> Terminal:
        opened.append(Terminal(*args, **kw))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def assert_restored(t: Terminal) -> None:
    tail = t.raw[t.raw.rfind(b"\x1b[?1049h") :]
    for off in (
        b"\x1b[?1049l",
        b"\x1b[?25h",
        b"\x1b[?1000l",
        b"\x1b[?1003l",
        b"\x1b[?2004l",
        b"\x1b[?1004l",
    ):
        assert off in tail, f"{off!r} was not sent"
    assert termios.tcgetattr(t.fd)[3] == t.before[3], "the line discipline is not as it was"


def test_a_line_that_takes_nothing_is_behind_until_it_has_taken_all():
    reader, writer = os.pipe()
    driver = Driver.__new__(Driver)
    with open(reader, "rb") as taken, open(writer, "w") as file:
        driver._out, driver._written = UntilGone(file), 0
        thread = driver._writer_thread = WriterThread(driver._out)
        thread.start()
        assert not driver.behind
        size = fcntl.fcntl(file, fcntl.F_GETPIPE_SZ)
        for _ in range(12):
            driver.write("x" * size)  # the second blocks
        assert driver.behind
        for _ in range(12):
            taken.read(size)
        thread.stop()
        assert not driver.behind


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP])
def test_signals_restore_the_terminal(terminal, end):
    t = terminal()
    t.until("stop beat2")
    os.kill(t.pid, end)
    assert t.status() == 128 + end
    assert_restored(t)


@pytest.mark.parametrize("keys", [b"q", b"\x03", b"\x1b[21~"], ids=["q", "ctrl+c", "F10"])
def test_quitting_restores_the_terminal(terminal, keys):
    t = terminal()
    t.until("stop beat2")
    t.send(keys)
    assert t.status() == 0
    assert_restored(t)


def test_ctrl_c_quits_behind_a_dialog(terminal):
    t = terminal()
    t.until("stop beat2")
    t.send(b"d")
    t.until("[ Cancel ]")
    t.send(b"\x03")
    assert t.status() == 0
    assert_restored(t)


def test_a_closed_terminal_ends_it(terminal):
    t = terminal()
    t.until("stop beat2")
    pid, t.pid = t.pid, 0
    os.close(t.fd)
    t.fd = os.open(os.devnull, os.O_RDONLY)
    end = time.monotonic() + 10
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail("it goes on without a terminal")
        time.sleep(0.02)


def test_suspend_and_resume(terminal):
    t = terminal()
    t.until("stop beat2")
    t.send(b"\x1a")
    end = time.monotonic() + 10
    while True:
        pid, status = os.waitpid(t.pid, os.WNOHANG | os.WUNTRACED)
        if pid:
            break
        assert time.monotonic() < end, "Ctrl-Z does nothing"
        t.read()
    assert os.WIFSTOPPED(status)
    for _ in range(20):
        t.read()
    assert b"\x1b[?1049l" in t.raw
    t.screen.reset()
    os.kill(t.pid, signal.SIGCONT)
    t.until("stop beat2")
    t.send(b"q")
    assert t.status() == 0


def test_without_a_terminal_it_says_what_to_do():
    done = subprocess.run(  # noqa: PLW1510 - its status is what is tested
        [sys.executable, "-m", "tests.ui.child"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip().splitlines() == [
        "beattop: the live screen needs a terminal: use --once"
    ]


def test_little_is_written_while_little_changes(terminal):
    """At most 5 kB/s at one frame a second on a busy incident: measured as bytes a frame."""
    t = terminal(child='{"period_s": 0.1, "extra": 30}')
    t.until("stop beat2")
    for _ in range(30):
        t.read()
    start, began = len(t.raw), time.monotonic()
    while time.monotonic() - began < 3.0:
        t.read()
    frames = 3.0 / 0.1
    assert (len(t.raw) - start) / frames < 1500


def test_copying_sends_the_command_and_nothing_else_through_osc_52(terminal):
    t = terminal()
    t.until("stop beat2")
    t.send(b"c")
    t.until("Copied: ")
    (sent,) = re.findall(rb"\x1b\]52;([^\x07\x1b]*)(?:\x07|\x1b\\)", t.raw)
    assert sent == b"c;" + base64.b64encode(STOP.encode())


def test_a_failing_screen_leaves_a_line_and_a_file_no_traceback(terminal, tmp_path):
    t = terminal(child='{"breaks": true}', HOME=str(tmp_path))
    t.until("beattop: the screen failed (AttributeError")
    assert t.status() == 1
    assert_restored(t)
    assert "Traceback" not in t.text and "locals" not in t.text
    kept = tmp_path / ".local" / "state" / "beattop" / "crash.txt"
    assert "Traceback (most recent call last)" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("env", "spoken"),
    [
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "C", "LC_ALL": "en_US.utf8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_US.ISO-8859-1"}, False),
    ],
    ids=str,
)
def test_the_locale_says_what_the_terminal_takes(env, spoken):
    assert speaks_utf8(env) == spoken


def test_lang_c_turns_to_ascii_by_itself(terminal):
    t = terminal(LANG="C", LC_ALL="", LC_CTYPE="")
    t.until("stop beat2")
    assert t.text.isascii()
    t.send(b"d")
    t.until("[ Cancel ]")
    assert t.text.isascii()


def test_no_color_sends_no_colour(terminal):
    t = terminal(child='{"no_color": true}')
    t.until("stop beat2")
    assert not re.search(rb"\x1b\[[0-9;]*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m", t.raw)


def test_an_exported_size_of_another_window_is_not_believed(terminal):
    t = terminal(80, 10, COLUMNS="133", LINES="44")
    t.until("q Quit")
    assert t.screen.display[-1].startswith("  d Stop")
    t.until("d  stop beat2")


def test_resizing_never_breaks_it(terminal):
    t = terminal()
    t.until("stop beat2")
    for columns, rows in ((40, 8), (200, 50), (80, 10), (20, 4), (120, 40)):
        t.screen.resize(rows, columns)
        fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(t.pid, signal.SIGWINCH)
        t.until("beat2")
    t.send(b"q")
    assert t.status() == 0


def test_escape_and_a_letter_in_one_packet_are_two_keys(terminal):
    t = terminal()
    t.until("q Quit")
    t.send(b"\r")
    t.until("Esc Back")
    t.send(b"\x1bS")
    t.until("Stop beat2")
    t.send(b"\x1bq")
    assert t.status() == 0


def test_escape_alone_goes_back_without_another_key(terminal):
    t = terminal()
    t.until("q Quit")
    t.send(b"\r")
    t.until("Esc Back")
    t.send(b"\x1b")
    t.until("q Quit")


def test_a_letter_in_two_packets_is_one_letter(terminal):
    t = terminal()
    t.until("q Quit")
    t.send(b"\\")
    t.until("Filter:")
    t.send(b"caf\xc3")
    t.until("caf")
    t.send(b"\xa9")
    t.until("caf\N{LATIN SMALL LETTER E WITH ACUTE}")


def test_the_wait_for_a_key_can_be_ended():
    ended = Ending()
    with selectors.PollSelector() as selector:
        selector.register(ended, selectors.EVENT_READ)
        assert not selector.select(0)
        ended.set()
        ended.set()
        assert selector.select(0)
        ended.clear()
        assert not ended.is_set()
        assert not selector.select(0)
