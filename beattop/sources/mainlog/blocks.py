"""A log in blocks of whole lines, newest first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from beattop.sources.mainlog.lines import MAX_LINE

BLOCK = 1 << 17
"""Bytes at a time, which cost several times as much memory, and for which other threads wait."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""


def pread(fd: int, length: int, offset: int) -> bytes:
    """Exactly `length` bytes; raises EOFError where the file has become shorter."""
    data = os.pread(fd, length, offset)
    while len(data) < length:
        more = os.pread(fd, length - len(data), offset + len(data))
        if not more:
            raise EOFError("the file became shorter while it was read")
        data += more
    return data


def backwards(fd: int, end: int, block: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """(offset, whole lines from there on) of the first `end` bytes of a file, the end first.

    `end` has to be the end of a line. Lines longer than MAX_LINE are left out. Raises OSError,
    EOFError.
    """
    position = end
    rest = b""  # the end of a line whose begin lies in the block before
    endless = False  # ... of one that was too long to keep
    while position > 0:
        start = max(0, position - block)
        data = pread(fd, position - start, start)
        position = start
        if endless:
            data = data[: data.rfind(b"\n") + 1]
            endless = not data
        data += rest
        first = 0
        if start > 0:
            first = data.find(b"\n") + 1 or len(data)
        rest, data = data[:first], data[first:]
        if len(rest) > MAX_LINE:
            rest, endless = b"", True
        if data:
            yield start + first, data


def forwards(file: Readable, block: int = BLOCK) -> Iterator[bytes]:
    """Whole lines of a stream, the begin first; lines longer than MAX_LINE are left out."""
    rest = b""
    endless = False
    while chunk := file.read(block):
        data = rest + chunk
        rest = b""
        if endless:
            first = data.find(b"\n") + 1
            if not first:
                continue
            data, endless = data[first:], False
        last = data.rfind(b"\n") + 1
        rest = data[last:]
        if len(rest) > MAX_LINE:
            rest, endless = b"", True
        if last:
            yield data[:last]
    if rest:
        yield rest + b"\n"
