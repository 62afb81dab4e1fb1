"""Samples as JSON lines: a flight recorder. What did not change is not written again."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from beattop import __version__
from beattop.model.process import Process, ProcessKey
from beattop.model.sample import Sample
from beattop.sources.serial import Malformed, read_sample, reader, to_plain

FORMAT = "beattop-recording/1"
# Facts that seldom change: written when they do, carried on when they do not.
_STEADY = (
    "host",
    "viewer",
    "supervisords",
    "programs",
    "configs",
    "pasts",
    "older",
    "pidfiles",
    "schedules",
    "handles",
    "last_words",
    "sources",
    "limited_to",
)


class RecordingError(Exception):
    """A recording that cannot be read or written; its text is one line for the user."""


class Writer:
    """Writes samples to an open text stream, one line each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._known: dict[ProcessKey, Process] = {}
        self._steady: dict[str, Any] = {}
        self._line({"format": FORMAT, "version": __version__})

    def _line(self, value: Any) -> None:
        self._stream.write(json.dumps(value, separators=(",", ":")) + "\n")
        self._stream.flush()

    def add(self, sample: Sample) -> None:
        """Append one sample; raises OSError."""
        plain = to_plain(replace(sample, processes=()))
        for name in _STEADY:
            raw = getattr(sample, name)
            if name in self._steady and self._steady[name] == raw:
                del plain[name]
            else:
                self._steady[name] = raw
        new = [p for p in sample.processes if self._known.get(p.key) != p]
        self._known = {p.key: p for p in sample.processes}
        plain["processes"] = to_plain(tuple(new))
        plain["alive"] = [list(p.key) for p in sample.processes]
        self._line(plain)


def write(samples: Iterable[Sample], path: Path) -> int:
    """Write samples to `path`, which must not exist; returns how many. Raises RecordingError."""
    number = 0
    with create(path) as stream:
        writer = Writer(stream)
        for sample in samples:
            writer.add(sample)
            number += 1
    return number


def create(path: Path) -> TextIO:
    """Open a new recording for its owner alone; raises RecordingError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise RecordingError(f"{path} exists: name another file") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error.strerror}") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def read(path: Path) -> Iterator[Sample]:
    """The samples of a recording in order; raises RecordingError for one that is not whole.

    A last line that was cut short (the recorder was killed) ends it quietly, if any came before.
    """
    try:
        stream = path.open(encoding="utf-8", errors="strict")
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from None
    with contextlib.closing(stream):
        try:
            yield from _samples(stream, path)
        except UnicodeDecodeError:
            raise RecordingError(f"{path} is no beattop recording") from None
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror}") from None


def _samples(stream: TextIO, path: Path) -> Iterator[Sample]:
    head = stream.readline(4096)
    try:
        first = json.loads(head)
        told = first.get("format") if isinstance(first, dict) else None
    except ValueError:
        told = None
    if told != FORMAT:
        version = f" (it is {told!r:.40})" if told else ""
        raise RecordingError(
            f"{path} is no beattop recording{version}: record one with beattop record"
        )
    steady: dict[str, Any] = {}
    processes: dict[ProcessKey, Process] = {}
    number = 0
    for number, line in enumerate(stream, start=2):
        if not line.endswith("\n"):
            if number == 2:
                raise RecordingError(f"{path} was cut short before its first sample")
            return
        try:
            yield _expand(json.loads(line), steady, processes)
        except (ValueError, TypeError, RecursionError) as error:
            reason = str(error) if isinstance(error, Malformed) else "damaged"
            raise RecordingError(f"{path}, line {number}: not a sample ({reason})") from None
    if number == 0:
        raise RecordingError(f"{path} holds no sample")


_READ_PROCESSES = reader(tuple[Process, ...])
_READ_KEYS = reader(tuple[ProcessKey, ...])


def _expand(plain: Any, steady: dict[str, Any], processes: dict[ProcessKey, Process]) -> Sample:
    if not isinstance(plain, dict):
        raise Malformed("a line is no object")
    for process in _READ_PROCESSES(plain.pop("processes", [])):
        processes[process.key] = process
    alive = _READ_KEYS(plain.pop("alive", []))
    changed = {name for name in _STEADY if name in plain}
    for name in _STEADY:
        if name not in changed and name in steady:
            plain[name] = []  # read cheaply, replaced below
    for name in ("host", "viewer"):
        if name not in changed and name in steady:
            plain[name] = steady["_plain_" + name]
        elif name in plain:
            steady["_plain_" + name] = plain[name]
    plain["processes"] = []
    sample = read_sample(plain)
    keep = {name: steady[name] for name in _STEADY if name not in changed and name in steady}
    found = tuple(processes[key] for key in alive if key in processes)
    sample = replace(sample, processes=found, **keep)
    for name in _STEADY:
        steady[name] = getattr(sample, name)
    gone = set(processes) - set(alive)
    for key in gone:
        del processes[key]
    return sample
