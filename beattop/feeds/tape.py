"""The last minutes of samples, kept small: `w` writes them to a recording."""

from __future__ import annotations

import marshal
import zlib
from collections import deque
from dataclasses import replace

from beattop.model.process import ProcessKey, Usage
from beattop.model.sample import Sample

SECONDS = 600.0
"""How much of the past is kept."""

_STEADY = (
    "processes", "configs", "pidfiles", "schedules", "handles", "last_words", "pasts", "older"
)  # fmt: skip
"""What seldom differs from the sample before, and is then kept only once."""


class Tape:
    """Samples not older than `seconds`; counters, most of a sample, are packed (some 10 to 1)."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[Sample, bytes]] = deque()

    def add(self, sample: Sample) -> None:
        """Keep a sample, and let go what has become too old."""
        last = self._kept[-1][0] if self._kept else sample
        same = {
            name: getattr(last, name)
            for name in _STEADY
            if getattr(last, name) == getattr(sample, name)
        }
        self._kept.append((replace(sample, usage=(), **same), _pack(sample.usage)))
        while sample.at - self._kept[0][0].at > self._seconds:
            self._kept.popleft()

    def samples(self) -> list[Sample]:
        """All that is kept, oldest first; may be called from another thread."""
        return [replace(bare, usage=_unpack(raw)) for bare, raw in tuple(self._kept)]


def _pack(usage: tuple[Usage, ...]) -> bytes:
    # Plain tuples and level 1: 0.1 ms for 50 processes. marshal keeps every bit of a float.
    return zlib.compress(marshal.dumps([(tuple(u.key), *u[1:]) for u in usage], 2), 1)


def _unpack(raw: bytes) -> tuple[Usage, ...]:
    return tuple(
        Usage(ProcessKey(*key), *rest) for key, *rest in marshal.loads(zlib.decompress(raw))
    )
