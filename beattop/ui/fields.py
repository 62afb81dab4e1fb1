"""Titles and labelled fields: what dossiers are written in. Pure."""

from __future__ import annotations

from beattop.ui.line import EMPTY, Line, fit, line, paragraph

LABEL = 12
"""Cells of a field's name."""


def title(text: str) -> list[Line]:
    """A section's title, after a blank line."""
    return [EMPTY, line((f" {text}", "title"))]


def field(name: str, text: str, width: int, ink: str = "") -> list[Line]:
    """A named text, wrapped for `width`; nothing at all for no text."""
    lead = line((f" {fit(name, LABEL)}  ", "dim"))
    return paragraph(text, width - 1, ink, LABEL + 3, lead) if text else []


def percent(value: float | None) -> str:
    """A share of a core in words."""
    return "not known" if value is None else f"{value:.1f} %"
