"""`demo`: the original incident, with the live screen or the JSON on it."""

from __future__ import annotations

import sys
from dataclasses import replace

from beattop.commands import live, look
from beattop.settings import ServerSetting, Settings

USAGE = 2


def run(settings: Settings, headless: float | None) -> int:
    """Bring the incident up, show it, take it away."""
    from beattop.demo.incident import DemoError, Incident  # noqa: PLC0415

    if headless is None and not live.terminal():
        return USAGE
    try:
        with Incident(_narrate) as demo:
            own = replace(settings, supervisors=(ServerSetting(str(demo.conf)),), title="demo")
            if headless is not None:
                return look.run(own, as_json=True, observe=headless)
            return live.run(own, confined_to=frozenset({demo.url}))
    except DemoError as error:
        print(f"beattop: {error}", file=sys.stderr)
        return 1


def _narrate(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
