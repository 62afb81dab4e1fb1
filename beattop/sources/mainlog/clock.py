"""The local time that a main log is written in, as Unix time.

supervisord stamps its lines `2026-01-31 04:12:33,123` by time.localtime (supervisor/loggers.py,
LogRecord.asdict): no zone, so that the hour in which summer time ends stands there twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo

from beattop.model.logevents import LogEvent
from beattop.sources.mainlog.place import open_regular
from beattop.sources.rooted import inside

_MINUTE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d")
_MOST_MINUTES = 4096
_QUARTER_S = 900
_FURTHEST_S = 27 * 3600
"""No two zones lie further apart (UTC-12 to UTC+14)."""
SLACK_S = 2.0
_EPOCH_YEAR = 1970
_WINTER_AND_SUMMER = (1_705_000_000, 1_720_000_000)


class Clock:
    """Reads stamps in one time zone; `zone` None is this process's own."""

    __slots__ = ("_minutes", "shift_s", "zone")

    def __init__(self, zone: tzinfo | None = None) -> None:
        self.zone = zone
        self.shift_s = 0.0
        """Added to every time: where the writer turned out to live in another zone."""
        self._minutes: dict[bytes, tuple[float, float] | None] = {}

    def minute(self, text: bytes) -> tuple[float, float] | None:
        """Unix times of the first and the second occurrence of `b"2026-01-31 04:12"`.

        Equal but in the hour that comes twice; None for what is no time.
        """
        try:
            return self._minutes[text]
        except KeyError:
            if len(self._minutes) >= _MOST_MINUTES:
                self._minutes.clear()
            found = self._minutes[text] = self._read(text)
            return found

    def read(self, stamp: bytes) -> float | None:
        """Unix time of a whole stamp, the first where it came twice; None for what is no time."""
        minute = self.minute(stamp[:16])
        if minute is None:
            return None
        try:
            # One offset added once: float sums depend on the order, and blocks are counted so too.
            return minute[0] + (int(stamp[17:19]) + int(stamp[20:23]) / 1000)
        except ValueError:
            return None

    def later(self, at: float) -> float:
        """The second instant with the same local time as `at`; `at` itself where there is none."""
        local = self._local(at).replace(tzinfo=None)
        pair = self.minute(local.strftime("%Y-%m-%d %H:%M").encode())
        if pair is None or pair[0] == pair[1]:
            return at
        start = at - at % 60
        return at + pair[1] - pair[0] if abs(start - pair[0]) < 60 else at

    def settle(self, events: Sequence[LogEvent], limit: float) -> list[LogEvent]:
        """`events` of one stretch of log, those of the doubled hour put where they keep order.

        `limit`: no event is later than this. Seen from the end, the latest instant that is not
        after what follows is taken; a log that is silent for that hour leaves no other clue.
        """
        out: list[LogEvent] = []
        for event in reversed(events):
            at = self.later(event.at)
            if at != event.at and at <= limit + SLACK_S:
                event = replace(event, at=at)  # noqa: PLW2901
            limit = min(limit, event.at)
            out.append(event)
        return out[::-1]

    def calibrate(self, stamp: bytes, written_at: float, within: float = SLACK_S) -> bool:
        """Compare the stamp of a log's last line with when it was written (the file's mtime), known
        `within` so many seconds; True where it shifted.

        supervisord may run with a TZ of its own. Then the two differ by whole quarters of an hour.
        """
        at = self.read(stamp)
        if at is None:
            return False
        off = min((written_at - at, written_at - self.later(at)), key=abs)
        quarters = round(off / _QUARTER_S)
        if quarters and abs(off - quarters * _QUARTER_S) < within and abs(off) <= _FURTHEST_S:
            self.shift_s += quarters * _QUARTER_S
            self._minutes.clear()
            return True
        return False

    @property
    def key(self) -> str:
        """Names the zone, for caches of what was read with it."""
        offsets = [self._local(at).strftime("%z") for at in (0, *_WINTER_AND_SUMMER)]
        return f"{''.join(offsets)}{self.shift_s:+.0f}"

    def _read(self, text: bytes) -> tuple[float, float] | None:
        if not _MINUTE.fullmatch(text):
            return None
        try:
            when = datetime(
                int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16]),
                tzinfo=self.zone,
            )  # fmt: skip
            if when.year < _EPOCH_YEAR:
                return None
            first = when.timestamp()
            second = when.replace(fold=1).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
        # In the hour that spring leaves out fold=1 is the earlier; no clock ever showed it.
        return first + self.shift_s, max(first, second) + self.shift_s

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at - self.shift_s, self.zone)


def zone_of(root: str) -> tzinfo | None:
    """The time zone of the tree at `root`, by its /etc/localtime; None, our own, for root ""."""
    if not root:
        return None
    try:
        with os.fdopen(open_regular(inside(root, "/etc/localtime")), "rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return timezone.utc  # as the C library does where the file is missing
