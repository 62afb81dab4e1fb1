"""Samples as JSON lines: a flight recorder. What did not change is not written again."""

from __future__ import annotations

import json
import os
import stat
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TextIO, overload

from beattop import __version__
from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.sample import Sample
from beattop.sources.serial import Malformed, read_sample, reader, to_plain

FORMAT = "beattop-recording/2"
_READ = (FORMAT, "beattop-recording/1")
_BUFFER = 1 << 18
_SAVE_EVERY = 200
"""Samples between two places from which reading can begin."""
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


_FIELDS = tuple(f.name for f in fields(Sample) if f.name not in ("processes", "usage"))
Keys = tuple[ProcessKey, ...]


class RecordingError(Exception):
    """A recording that cannot be read or written; its text is one line for the user."""


class Writer:
    """Writes samples to an open text stream, one line each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._known: dict[ProcessKey, Process] = {}
        self._used: dict[ProcessKey, Usage] = {}
        self._steady: dict[str, Any] = {}
        self._line({"format": FORMAT, "version": __version__})

    def _line(self, value: Any) -> None:
        self._stream.write(json.dumps(value, separators=(",", ":")) + "\n")
        self._stream.flush()

    def add(self, sample: Sample) -> None:
        """Append one sample; raises OSError."""
        plain: dict[str, Any] = {}
        for name in _FIELDS:
            raw = getattr(sample, name)
            if name in _STEADY:
                if name in self._steady and self._steady[name] == raw:
                    continue
                self._steady[name] = raw
            plain[name] = to_plain(raw)  # what is not written is not made plain: history is long
        known, used = self._known, self._used
        self._known = {p.key: p for p in sample.processes}
        self._used = {u.key: u for u in sample.usage}
        plain["processes"] = to_plain([p for k, p in self._known.items() if known.get(k) != p])
        plain["usage"] = to_plain([u for k, u in self._used.items() if used.get(k) != u])
        plain["alive"] = _keys(tuple(known), tuple(self._known))
        plain["used"] = _keys(tuple(used), tuple(self._used))
        self._line(plain)


def _keys(before: Keys, now: Keys) -> Any:
    """`now` as what has gone and come, or whole where the order is another."""
    there = set(now)
    stayed = tuple(key for key in before if key in there)
    if now[: len(stayed)] != stayed:
        return to_plain(now)
    return {"gone": to_plain(sorted(set(before) - there)), "come": to_plain(now[len(stayed) :])}


def _read_keys(before: Iterable[ProcessKey], value: Any) -> Keys:
    if not isinstance(value, dict):
        whole: Keys = _READ_KEYS(value)
        return whole
    gone = set(_READ_KEYS(value.get("gone", [])))
    return (*(key for key in before if key not in gone), *_READ_KEYS(value.get("come", [])))


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


class Recording(Sequence[Sample]):
    """The samples of a file, read when they are asked for: an hour takes no more memory than a
    minute. For one thread at a time.

    Raises RecordingError for a file that is none; an IndexError, as sequences do, and a
    RecordingError for a damaged line when it is come to. A last line that was cut short (the
    recorder was killed, a copy broke off) ends it, if any came before.
    """

    cut_short = False
    """Whether the last line is not whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # A fifo is not waited for.
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise RecordingError(f"{path} is no regular file: name a recording")
            self._file = os.fdopen(handle, "rb", buffering=_BUFFER)
            head = self._file.readline(4096)
            _check_head(head, path)
            self._starts = self._index(len(head))
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror}") from None
        self._state = _State()
        self._next = 0
        self._saved = {0: _State()}
        if len(self):
            self[0]

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        nearest = max(at for at in self._saved if at <= index)
        if index < self._next or nearest > self._next:
            self._next, self._state = nearest, self._saved[nearest].copy()
        while True:
            sample = self._read(self._next)
            if self._next % _SAVE_EVERY == 0:
                self._saved.setdefault(self._next, self._state.copy())
            if self._next > index:
                return sample

    def _read(self, index: int) -> Sample:
        try:
            self._file.seek(self._starts[index])
            line = self._file.read(self._starts[index + 1] - self._starts[index])
            sample = _expand(json.loads(line), self._state)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            reason = str(error) if isinstance(error, Malformed) else "damaged"
            self._next, self._state = 0, _State()
            where = f"{self._path}, line {index + 2}"
            raise RecordingError(f"{where}: not a sample ({reason})") from None
        except OSError as error:
            raise RecordingError(f"{self._path} cannot be read: {error.strerror}") from None
        self._next = index + 1
        return sample

    def _index(self, begin: int) -> array[int]:
        """Where each whole line begins, and where the last one ends."""
        starts = array("Q", [begin])
        position = begin
        while block := self._file.read(_BUFFER):
            at = block.find(b"\n")
            while at >= 0:
                starts.append(position + at + 1)
                at = block.find(b"\n", at + 1)
            position += len(block)
        if len(starts) == 1:
            if position > begin:
                raise RecordingError(f"{self._path} was cut short before its first sample")
            raise RecordingError(f"{self._path} holds no sample: record for longer")
        self.cut_short = position > starts[-1]
        return starts


def read(path: Path) -> Iterator[Sample]:
    """The samples of a recording in order; raises RecordingError as Recording does."""
    return iter(Recording(path))


def _check_head(head: bytes, path: Path) -> None:
    try:
        first = json.loads(head)
    except (ValueError, RecursionError):
        first = None
    if not isinstance(first, dict) or not isinstance(first.get("format"), str):
        packed = head.startswith((b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh"))
        what = "unpack it first" if packed else "record one with beattop record"
        raise RecordingError(f"{path} is no beattop recording: {what}")
    told, version = first["format"], first.get("version")
    if told not in _READ:
        other = f" by beattop {version!r:.20}" if isinstance(version, str) else ""
        raise RecordingError(
            f"{path} is a recording of another format ({told!r:.40}{other}), this beattop reads "
            f"{FORMAT}: replay it with the one that made it"
        )


@dataclass(slots=True)
class _State:
    """What is carried on from one line to the next."""

    steady: dict[str, Any] = field(default_factory=dict)
    processes: dict[ProcessKey, Process] = field(default_factory=dict)
    usage: dict[ProcessKey, Usage] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(dict(self.steady), dict(self.processes), dict(self.usage))


_READ_PROCESSES = reader(tuple[Process, ...])
_READ_USAGE = reader(tuple[Usage, ...])
_READ_KEYS = reader(Keys)


def _expand(plain: Any, state: _State) -> Sample:
    steady = state.steady
    if not isinstance(plain, dict):
        raise Malformed("a line is no object")
    processes = {**state.processes, **{p.key: p for p in _READ_PROCESSES(plain["processes"])}}
    alive = _read_keys(state.processes, plain.pop("alive", []))
    usage = _READ_USAGE(plain["usage"])
    if "used" in plain:  # the first format wrote each anew
        rows = {**state.usage, **{u.key: u for u in usage}}
        usage = tuple(rows[key] for key in _read_keys(state.usage, plain.pop("used")))
    changed = {name for name in _STEADY if name in plain}
    for name in _STEADY:
        if name not in changed and name in steady:
            plain[name] = []  # read cheaply, replaced below
    for name in ("host", "viewer"):
        if name not in changed and name in steady:
            plain[name] = steady["_plain_" + name]
        elif name in plain:
            steady["_plain_" + name] = plain[name]
    plain["processes"] = plain["usage"] = []
    sample = read_sample(plain)
    keep = {name: steady[name] for name in _STEADY if name not in changed and name in steady}
    found = tuple(processes[key] for key in alive if key in processes)
    sample = replace(sample, processes=found, usage=usage, **keep)
    for name in _STEADY:
        steady[name] = getattr(sample, name)
    state.processes = {p.key: p for p in found}
    state.usage = {u.key: u for u in usage}
    return sample
