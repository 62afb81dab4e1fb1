"""`--once` and `check`: one look, printed."""

from __future__ import annotations

import json
import sys

import click

from beattop.commands.observing import observe as observing
from beattop.model.frame import Frame
from beattop.reports import check as checking
from beattop.reports import once
from beattop.reports.document import document, known
from beattop.settings import Settings

BLIND = 3


def run(settings: Settings, *, as_json: bool, observe: float) -> int:
    """Print one look; 0 whatever it finds, 3 where nothing could be read."""
    return show(observing(settings, observe, old_logs=True), settings, as_json=as_json)


def show(frame: Frame | None, settings: Settings, *, as_json: bool) -> int:
    """Print a frame as JSON or as text."""
    if frame is None:
        print("beattop: the box could not be read: see `beattop --once` as root", file=sys.stderr)
        return BLIND
    if as_json:
        print(json.dumps(document(frame), ensure_ascii=True))
    else:
        plain = settings.no_color or not sys.stdout.isatty()
        for line in once.lines(frame, settings.ascii, settings.price_per_core_hour):
            text = click.unstyle(line) if plain else line
            print(_printable(text))
    return 0 if known(frame.snapshot) else BLIND


def check(settings: Settings, *, oneline: bool, observe: float) -> int:
    """Print the line of a monitoring plugin; its exit status is the verdict."""
    frame = observing(settings, observe)
    if frame is None:
        print("BEATTOP UNKNOWN - the box could not be read")
        return checking.UNKNOWN
    print(_printable(checking.line(frame, oneline)))
    return checking.status(frame)


def _printable(text: str) -> str:
    """`text` as stdout's encoding can bear it: LANG=C must not end in an error."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "replace").decode(encoding)
