"""Births and deaths of watched processes, as well as this box lets them be known.

A: the kernel's proc connector. B: the children files four times a second, pidfds, and
supervisord's log, which is a source of its own. C: the difference of two looks at /proc.
"""

from __future__ import annotations

from typing import Literal

from beattop.sources.lifecycle.children import Children
from beattop.sources.lifecycle.connector import Connector
from beattop.sources.lifecycle.poll import Poll
from beattop.sources.lifecycle.source import Drained, Drops, Lifecycle, Unavailable, Wake

__all__ = ["Drained", "Drops", "Lifecycle", "Mode", "Unavailable", "Wake", "choose"]

Mode = Literal["auto", "connector", "log", "poll"]


def choose(mode: Mode = "auto", on_exit: Wake | None = None) -> Lifecycle:
    """The best source that can be had, already open: it is never without one.

    A mode other than `auto` is tried first; where it cannot be had, the next lower one says why.
    `on_exit` is called from the source's thread soon after a watched process ended.
    """
    why = f"asked for by --lifecycle {mode}"
    if mode in ("auto", "connector"):
        try:
            source: Lifecycle = Connector(on_exit)
            source.open()
        except Unavailable as error:
            why = str(error)
        else:
            return source
    if mode != "poll":
        try:
            source = Children(why, on_exit)
            source.open()
        except Unavailable as error:
            why = f"{why}; {error}"
        else:
            return source
    return Poll(why)
