"""Readers that go away, and a standard output that was never there."""

from __future__ import annotations

import os
import subprocess
import sys

LOOK = [sys.executable, "-m", "beattop", "--once", "--observe", "0"]


def test_a_broken_pipe_is_quiet_and_ends_as_by_its_signal() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        found = subprocess.run(
            LOOK, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert (found.returncode, found.stderr) == (141, b"")


def test_a_closed_standard_output_is_no_error() -> None:
    line = 'exec "$@" >&-'
    found = subprocess.run(
        ["sh", "-c", line, "sh", *LOOK], stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert (found.returncode, found.stderr) == (0, b"")
