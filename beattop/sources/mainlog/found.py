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


class _Rows:
    """Spawns and exits of one name."""

    __slots__ = ("hours", "statuses")

    def __init__(self) -> None:
        self.hours: dict[float, list[int]] = {}
        """By hour: [spawns, exits]."""
        self.statuses: dict[str, int] = {}


class Counts:
    """Spawns and exits of a block, by name."""

    __slots__ = ("_names", "_slots")

    def __init__(self, meanings: dict[bytes, LogEvent]) -> None:
        self._names: dict[str, _Rows] = {}
        self._slots: dict[bytes, tuple[_Rows, str | None]] = {}
        """By wording: where it counts, and for an exit its status."""
        for wording, event in meanings.items():
            if event.kind in ("spawned", "exited"):
                rows = self._names.get(event.name)
                if rows is None:
                    rows = self._names[event.name] = _Rows()
                self._slots[wording] = rows, exit_key(event) if event.kind == "exited" else None

    def add(self, hour: float, lines: list[Found]) -> None:
        """Count lines of one hour."""
        slots = self._slots
        for wording, number in Counter(map(_wording, lines)).items():
            slot = slots.get(wording)
            if slot is None:
                continue
            rows, status = slot
            row = rows.hours.get(hour)
            if row is None:
                row = rows.hours[hour] = [0, 0]
            if status is None:
                row[0] += number
            else:
                row[1] += number
                rows.statuses[status] = rows.statuses.get(status, 0) + number

    def hours(self, name: str) -> tuple[tuple[float, int, int], ...]:
        """As Past.by_hour."""
        rows = self._names.get(name)
        if rows is None:
            return ()
        return tuple([(hour, row[0], row[1]) for hour, row in sorted(rows.hours.items())])

    def statuses(self, name: str) -> tuple[tuple[str, int], ...]:
        """As Past.exit_counts."""
        rows = self._names.get(name)
        if rows is None:
            return ()
        return ranked(rows.statuses) if len(rows.statuses) > 1 else tuple(rows.statuses.items())
