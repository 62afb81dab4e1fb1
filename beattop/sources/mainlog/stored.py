"""A Segment as bytes and back."""

from __future__ import annotations

import json
import zlib
from typing import Any

from beattop.model.logevents import LogEvent, Past
from beattop.sources.mainlog.segment import Segment

_FORMAT = 1
"""To be raised whenever what is counted, or how, changes."""


def to_bytes(segment: Segment) -> bytes:
    """JSON behind a line with its CRC: torn writes are noticed."""
    body = json.dumps(
        {
            "format": _FORMAT,
            "restart": segment.restart and _row(segment.restart),
            "oldest_at": segment.oldest_at,
            "pasts": [_past_row(past) for past in segment.pasts.values()],
        },
        separators=(",", ":"),
    ).encode()
    return b"%08x" % zlib.crc32(body) + b"\n" + body


def from_bytes(data: bytes, supervisor: str) -> Segment | None:
    """The reverse; None for what is not whole or of another format."""
    digest, _, body = data.partition(b"\n")
    if b"%08x" % zlib.crc32(body) != digest:
        return None
    plain = json.loads(body)
    if plain["format"] != _FORMAT:
        return None
    pasts = (_past(row, supervisor) for row in plain["pasts"])
    return Segment(
        supervisor,
        {past.name: past for past in pasts},
        _event(plain["restart"], supervisor) if plain["restart"] else None,
        plain["oldest_at"],
    )


def _past_row(past: Past) -> list[Any]:
    return [
        past.name,
        past.spawns,
        past.exits,
        past.first_at,
        past.loop_since_at,
        past.loop_exits,
        past.exit_counts,
        past.by_hour,
        [_row(event) for event in past.recent],
        past.head,
        past.tail,
        past.settled,
    ]


def _past(row: list[Any], supervisor: str) -> Past:
    name, spawns, exits, first_at, since_at, loop, counts, hours, recent, head, tail, settled = row
    return Past(
        supervisor=supervisor,
        name=name,
        spawns=spawns,
        exits=exits,
        first_at=first_at,
        complete=True,
        loop_since_at=since_at,
        loop_exits=loop,
        exit_counts=tuple((key, number) for key, number in counts),
        by_hour=tuple((at, born, gone) for at, born, gone in hours),
        recent=tuple(_event(event, supervisor) for event in recent),
        head=tuple((kind, at) for kind, at in head),
        tail=tuple((kind, at) for kind, at in tail),
        settled=settled,
    )


def _row(event: LogEvent) -> list[Any]:
    return [
        event.at, event.kind, event.name, event.pid,
        event.status, event.signal, event.expected, event.text,
    ]  # fmt: skip


def _event(row: list[Any], supervisor: str) -> LogEvent:
    at, kind, name, pid, status, signal, expected, text = row
    return LogEvent(at, supervisor, kind, name, pid, status, signal, expected, text)
