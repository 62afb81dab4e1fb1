"""The whole past: the unread part of the log and the rotated files, newest first.

Complete means that every log there is has been read: no number is missing between the rotated
files, none was unreadable or broken, and the file at whose middle the reading began is still there.
What rotation has deleted is not missing; counts are told since the oldest event that is left.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from beattop.model.frame import HistoryProgress
from beattop.model.logevents import Past
from beattop.sources.mainlog.cache import Cache
from beattop.sources.mainlog.clock import Clock
from beattop.sources.mainlog.parts import Boundary, Part, older_parts
from beattop.sources.mainlog.segment import Segment, join, nothing, restarted
from beattop.sources.mainlog.tally import Tally, Wordings

_TELL_EVERY_S = 0.25
_GIVE_WAY_S = 0.0005
_USUAL_S = 0.005
"""Python's own choice."""
_USUAL_GC = gc.get_threshold()
"""As it was before any log was read: several are read at once, and the last to end sets it."""
_YOUNG_MOST = 50_000
"""A block makes tens of thousands of tuples and no cycle: looking for some took a fifth of the
time."""


class History:
    """Reads what is older than `newest`, either at once (`read`) or in the background (`start`)."""

    def __init__(
        self,
        path: str,
        boundary: Boundary | None,
        newest: Segment,
        clock: Clock,
        cache: Cache | None = None,
    ) -> None:
        """Looks for the files and opens them, so that rotation cannot take them away."""
        self._shelf = older_parts(path, boundary)
        self._newest = newest
        self._clock = clock
        self._cache = cache
        self._found = Segment(newest.supervisor)
        """Files read to their begin."""
        self._wordings = Wordings(newest.supervisor)
        self._tally: Tally | None = None
        """The one that is being read."""
        self._broken: list[str] = list(self._shelf.words)
        self._read_bytes = 0
        self._total_bytes = sum(part.size for part in self._shelf.parts)
        self._done = False
        self._blocks = self._run()
        self._progress = self._tell()
        self._telling_s = 0.0
        self._stop = threading.Event()
        self._over = False
        self._thread: threading.Thread | None = None

    def read(self, deadline: float | None = None) -> HistoryProgress:
        """Read on until all is read or time.monotonic() passes `deadline`; call again to go on."""
        for _ in self._blocks:
            if self._stop.is_set() or (deadline is not None and time.monotonic() >= deadline):
                break
        else:
            self._done = self._done or not self._stop.is_set()
        begun = time.monotonic()
        self._progress = self._tell()
        self._telling_s = time.monotonic() - begun
        return self._progress

    def start(self, on_progress: Callable[[HistoryProgress], None]) -> None:
        """Read in a thread of its own, which calls `on_progress`, the last time at the end.

        After a cancel it goes on where it was.
        """
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._in_background,
            args=(on_progress, self._stop, self._thread),
            name="history",
            daemon=True,
        )
        self._thread.start()

    def cancel(self) -> None:
        """Stop reading; what was read so far stays. Returns at once."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; False where it still runs."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def progress(self) -> HistoryProgress:
        """How far it was at the last telling; `pasts` is everything read so far, all of it older
        than `newest`."""
        return self._progress

    def _in_background(
        self,
        on_progress: Callable[[HistoryProgress], None],
        stop: threading.Event,
        before: threading.Thread | None,
    ) -> None:
        if before is not None:
            before.join()
        # Keys and births wait for this thread: it is to give way sooner than after 5 ms.
        sys.setswitchinterval(_GIVE_WAY_S)
        gc.set_threshold(_YOUNG_MOST, *_USUAL_GC[1:])
        try:
            while not self._done and not stop.is_set():
                on_progress(self._progress)
                # Many names take long to tell.
                self.read(time.monotonic() + max(_TELL_EVERY_S, 10 * self._telling_s))
        finally:
            sys.setswitchinterval(_USUAL_S)
            gc.set_threshold(*_USUAL_GC)
        on_progress(self._progress)
        if self._done or self._over:
            self._let_go()

    def close(self) -> None:
        """Stop reading for good and give the descriptors back (a thread that reads, as it ends)."""
        self._over = True
        self._stop.set()
        if self._thread is None or not self._thread.is_alive():
            self._let_go()

    def _let_go(self) -> None:
        self._blocks.close()
        for part in self._shelf.parts:
            part.close()

    def _tell(self) -> HistoryProgress:
        newest = self._newest
        whole = self._found if self._tally is None else join(self._tally.segment(), self._found)
        pasts: dict[str, Past] = {}
        for name, past in whole.pasts.items():
            # A new start of supervisord ends the runs of those, too, that are not heard of again.
            if newest.restart is not None and name not in newest.pasts:
                past = restarted(past, newest.restart)  # noqa: PLW2901
            pasts[name] = past
        if self._done:
            for name in newest.pasts:
                pasts.setdefault(name, nothing(newest.supervisor, name))
        gap = whole.gap or bool(self._broken)
        return HistoryProgress(
            self._read_bytes,
            self._total_bytes,
            whole.oldest_at if whole.oldest_at is not None else newest.oldest_at,
            self._done,
            replace(whole, pasts=pasts, complete=self._done, gap=gap).finished(),
            "; ".join(self._broken),
        )

    def _run(self) -> Generator[None, None, None]:
        for part in self._shelf.parts:
            before = self._read_bytes
            key = f"{part.key} {self._clock.key}" if part.key and self._cache else ""
            cached = self._cache.load(key, self._newest.supervisor) if self._cache and key else None
            if cached is None:
                yield from self._read_part(part, key)
            else:
                self._found = join(cached, self._found)
            self._read_bytes = before + part.size
            part.close()
            yield

    def _read_part(self, part: Part, key: str) -> Iterator[None]:
        before = self._read_bytes
        # What is kept for later has to stand alone: newer files will have come then.
        known = frozenset() if key else self._found.well_known() | self._newest.well_known()
        newer = self._found.oldest_at or self._newest.oldest_at or part.written_at
        tally = self._tally = Tally(
            self._wordings,
            self._clock,
            min(part.written_at, newer),
            enough=known,
            backwards=not part.packed,
        )
        try:
            for done, data in part.blocks():
                tally.add(data)
                self._read_bytes = before + done
                yield
        except (OSError, EOFError, ValueError, zlib.error) as error:
            self._broken.append(f"{part.path}: {error}")
            key = ""
        whole = tally.segment()
        if self._cache and key:
            self._cache.store(key, whole)
        self._found, self._tally = join(whole, self._found), None
