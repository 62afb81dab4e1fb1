"""The footer's line, from the command table, as far as the width goes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from beattop.ui.commands import Where, footer
from beattop.ui.keymap import Keymap
from beattop.ui.line import Line, Span, width


def footer_line(
    where: Where,
    keymap: Keymap,
    size: int,
    *,
    replay: bool = False,
    read_only: bool = False,
    labels: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    first: Collection[str] = (),
) -> Line:
    """Keys and labels, the important ones first; acts are dim where they cannot change anything."""
    chosen: list[Line] = []
    left = size - 1
    for command in sorted(footer(where, replay=replay), key=lambda c: c.id not in first):
        if command.id in without or (only is not None and command.id not in only):
            continue
        label = (labels or {}).get(command.id, command.label)
        off = read_only and command.writes
        part = (
            Span(f" {keymap.shown(command)}", "off" if off else "hotkey", command.action),
            Span(f" {label} ", "off" if off else "", command.action),
        )
        if width(part) <= left:
            chosen.append(part)
            left -= width(part)
    return (Span(" "), *(span for part in chosen for span in part))
