"""The lines of a block that count, sorted by name."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from operator import itemgetter

from beattop.model.logevents import LogEvent
from beattop.model.pasts import HOUR_S, exit_key, hour_of, ranked
from beattop.model.streak import LONG_LIFE_S

Found = tuple[bytes, bytes, bytes, bytes]
"""A line that counts: its minute, its second, its wording up to the pid, the pid."""
_wording = itemgetter(2)


def offset(line: Found) -> float:
    """Seconds into its minute."""
    return int(line[1][:2]) + int(line[1][3:]) / 1000


class Grouped:
    """A block's lines by name."""

    __slots__ = ("_restarts", "meanings", "names", "uneasy")

    def __init__(self) -> None:
        self.names: dict[str, list[Found]] = {}
        """In order; supervisord's new starts among them."""
        self.meanings: dict[bytes, LogEvent] = {}
        """What each wording says."""
        self.uneasy: set[str] = set()
        """Names of which a run may end within the block."""
        self._restarts: list[Found] = []

    @property
    def restart(self) -> Found | None:
        """The last new start of supervisord."""
        return self._restarts[-1] if self._restarts else None

    def lines(self, name: str) -> list[Found]:
        """The list of one name; its earlier lives, if any, lie before the restarts so far."""
        if name not in self.names:
            self.names[name] = self._restarts.copy()
            if self._restarts:
                self.uneasy.add(name)
        return self.names[name]

    def restarts(self, line: Found) -> None:
        """Supervisord started anew."""
        self._restarts.append(line)
        self.uneasy.update(self.names)
        for lines in self.names.values():
            lines.append(line)

    def silence(self, before: Found, after: Found, seconds: float) -> None:
        """Nothing of a name for up to `seconds`: fine within a life, if not for too long."""
        if seconds > LONG_LIFE_S or self.meanings[before[2]].kind != "spawned":
            self.uneasy.add(self.meanings[after[2]].name)


def by_hour(
    found: list[Found], minutes: list[bytes], epochs: dict[bytes, float], orderly: bool
) -> Iterator[tuple[float, list[Found]]]:
    """(start of the hour, its lines)."""
    if not orderly:
        for line in found:
            yield hour_of(epochs[line[0]]), [line]
        return
    begun, hour = 0, 0.0
    for minute in dict.fromkeys(minutes):
        if epochs[minute] - hour >= HOUR_S:
            at = bisect_left(minutes, minute)
            if at:
                yield hour, found[begun:at]
            begun, hour = at, hour_of(epochs[minute])
    if found:
        yield hour, found[begun:]


class Counts:
    """Spawns and exits of a block, by name."""

    __slots__ = ("_hours", "_meanings", "_statuses")

    def __init__(self, meanings: dict[bytes, LogEvent]) -> None:
        self._meanings = meanings
        self._hours: dict[str, dict[float, list[int]]] = {}
        self._statuses: dict[str, dict[str, int]] = {}

    def add(self, hour: float, lines: list[Found]) -> None:
        """Count lines of one hour."""
        for wording, number in Counter(map(_wording, lines)).items():
            event = self._meanings.get(wording)
            if event is None or event.kind not in ("spawned", "exited"):
                continue
            row = self._hours.setdefault(event.name, {}).setdefault(hour, [0, 0])
            if event.kind == "spawned":
                row[0] += number
            else:
                row[1] += number
                statuses = self._statuses.setdefault(event.name, {})
                key = exit_key(event)
                statuses[key] = statuses.get(key, 0) + number

    def hours(self, name: str) -> tuple[tuple[float, int, int], ...]:
        """As Past.by_hour."""
        rows = self._hours.get(name)
        return tuple([(hour, row[0], row[1]) for hour, row in sorted(rows.items())]) if rows else ()

    def statuses(self, name: str) -> tuple[tuple[str, int], ...]:
        """As Past.exit_counts."""
        return ranked(self._statuses.get(name) or {})
