"""Names of inks and what the theme makes of them.

Widgets name what a text means ("critical", "churn", "key"); the colours come from the theme's
tokens here and nowhere else. No meaning hangs on colour alone: each has a sign or a word, and the
strong ones an attribute (bold, reverse) that stays without colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.style import Style
from textual.color import Color, ColorParseError

# ink: (theme token of the foreground, token of the background, attributes)
_INKS: Final[dict[str, tuple[str, str, str]]] = {
    "": ("", "", ""),
    "bold": ("", "", "bold"),
    "dim": ("", "", "dim"),
    "critical": ("error", "", "bold"),
    "warning": ("warning", "", "bold"),
    "info": ("primary", "", ""),
    "good": ("success", "", ""),
    "work": ("success", "", ""),
    "churn": ("error", "", "bold"),
    "other": ("secondary", "", ""),
    "number": ("", "", ""),
    "program": ("", "", ""),
    "role": ("", "", ""),
    "new": ("success", "", "bold"),
    "changed": ("warning", "", "bold reverse"),
    "tag": ("accent", "", "bold"),
    "key": ("", "", "bold reverse"),
    "act": ("error", "", "bold reverse"),
    "label": ("", "", ""),
    "off": ("", "", "dim"),
    "badge": ("warning", "", "bold reverse"),
    "title": ("primary", "", "bold"),
    "hotkey": ("primary", "", "bold"),
    "head": ("", "", "dim bold"),
    "sorted": ("primary", "", "bold underline"),
    "link": ("primary", "", "underline"),
    "code": ("accent", "", ""),
    "match": ("warning", "", "reverse"),
    "cursor": ("cursor-ink", "cursor-ground", ""),
}
INKS: Final = frozenset(_INKS)
"""All names that a span may carry."""
LOUD: Final = frozenset(n for n, (_, g, a) in _INKS.items() if g or "reverse" in a or "under" in a)
"""Inks in which even a blank is seen."""


def _color(variables: Mapping[str, str], token: str) -> Color | None:
    value = variables.get(token, "") if token else ""
    try:
        return Color.parse(value) if value else None
    except ColorParseError:  # e.g. "auto 87%": that is the widget's own colour
        return None


def mix(variables: Mapping[str, str]) -> dict[str, Style]:
    """The style of each ink under a theme (`App.theme_variables`)."""
    styles = {}
    for name, (fore, back, attributes) in _INKS.items():
        front, ground = _color(variables, fore), _color(variables, back)
        styles[name] = Style.parse(attributes or "none") + Style(
            color=front.rich_color if front else None,
            bgcolor=ground.rich_color if ground else None,
        )
    if "cursor-ground" not in variables:  # without colours the cursor is reversed
        styles["cursor"] = Style(reverse=True)
    return styles
