"""Themes: colours that most colour-blind people tell apart (after Okabe and Ito, 2008), a light
twin, and the terminal's own sixteen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    "beattop-dark",
    primary="#56b4e9",
    secondary="#8c8c8c",
    accent="#9ad0f0",
    success="#3fbf9b",
    warning="#f0c541",
    error="#ff7a4d",
    foreground="#d8dee4",
    background="#101418",
    surface="#161b20",
    panel="#1d242b",
    dark=True,
    variables={"cursor-ground": "#24435c", "border": "#56b4e9"},
)
LIGHT = Theme(
    "beattop-light",
    primary="#0062a3",
    secondary="#6b6b6b",
    accent="#005a8c",
    success="#00704f",
    warning="#8a5a00",
    error="#b83a00",
    foreground="#1b1f23",
    background="#fafafa",
    surface="#f0f0f0",
    panel="#e6e8ea",
    dark=False,
    variables={"cursor-ground": "#c4e3f5", "border": "#0062a3"},
)
_TERMINAL = BUILTIN_THEMES["ansi-dark"].variables
ANSI = Theme(
    "beattop-ansi",
    primary="ansi_cyan",
    secondary="ansi_default",
    accent="ansi_cyan",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    ansi=True,
    variables=_TERMINAL
    | {
        "cursor-ink": "ansi_black",
        "cursor-ground": "ansi_cyan",
        "border": "ansi_cyan",
        "scrollbar": "ansi_cyan",
        "scrollbar-background": "ansi_default",
    },
)
MONO = replace(ANSI, name="beattop-mono", variables=_TERMINAL | {"border": "ansi_default"})
THEMES = {"dark": DARK, "light": LIGHT, "ansi": ANSI}


def choose(wanted: str | None, *, no_color: bool, environ: Mapping[str, str] = os.environ) -> Theme:
    """The theme for a terminal: as wanted, else by what TERM and COLORFGBG say of it.

    Raises ValueError for a name that is none.
    """
    if no_color:
        return MONO
    if wanted and wanted != "auto":
        if wanted not in THEMES:
            raise ValueError(
                f"theme: no theme is called {wanted!r}; there is {', '.join(THEMES)}, auto"
            )
        return THEMES[wanted]
    term = environ.get("TERM", "")
    if (
        environ.get("COLORTERM", "") not in {"truecolor", "24bit"}
        and "256" not in term
        and "direct" not in term
    ):
        return ANSI
    # COLORFGBG ends with the background's number; 7 and 15 are the light ones (rxvt's convention).
    return LIGHT if environ.get("COLORFGBG", "").rsplit(";", 1)[-1] in {"7", "15"} else DARK
