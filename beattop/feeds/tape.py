"""The last minutes of samples, kept small: `w` writes them to a recording."""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from dataclasses import replace
from typing import Any

from beattop.model.logevents import Past
from beattop.model.sample import Sample

SECONDS = 600.0
"""How much of the past is kept."""

_RESTLESS = ("usage", "lifecycle", "log_events", "sources", "pidfiles", "schedules")
"""What differs from sample to sample, most of it all: packed, some 6 to 1."""
_STEADY = ("processes", "programs", "configs", "handles", "last_words", "pasts")
"""What seldom differs from the sample before, and is then kept only once."""


class Tape:
    """Samples not older than `seconds`: 3 kB each where 50 processes are watched."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[Sample, bytes]] = deque()
        self._older: tuple[Past, ...] = ()
        """The newest: it only grows while old logs are read, to megabytes, and is said once."""

    def add(self, sample: Sample) -> None:
        """Keep a sample, and let go what has become too old."""
        last = self._kept[-1][0] if self._kept else sample
        steady = {name: getattr(last, name) for name in _STEADY}
        same = {name: was for name, was in steady.items() if was == getattr(sample, name)}
        same |= dict.fromkeys((*_RESTLESS, "older"), ())
        self._older = sample.older
        self._kept.append((replace(sample, **same), _pack(sample)))
        while sample.steady_s - self._kept[0][0].steady_s > self._seconds:
            self._kept.popleft()

    def samples(self) -> list[Sample]:
        """All that is kept, oldest first, each with what old logs are known to say by now; may
        be called from another thread.
        """
        older = self._older
        return [replace(bare, older=older, **_unpack(raw)) for bare, raw in tuple(self._kept)]


def _pack(sample: Sample) -> bytes:
    # Level 1: 0.2 ms for 50 processes. It stays in memory, so what is unpickled is our own.
    restless = [getattr(sample, name) for name in _RESTLESS]
    return zlib.compress(pickle.dumps(restless, pickle.HIGHEST_PROTOCOL), 1)


def _unpack(raw: bytes) -> dict[str, Any]:
    return dict(zip(_RESTLESS, pickle.loads(zlib.decompress(raw)), strict=True))
