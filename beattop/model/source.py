"""How each way of looking at the box fares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SourceName = Literal[
    "processes",
    "lifecycle",
    "supervisor",
    "mainlog",
    "conf",
    "pidfile",
    "schedule",
    "programlog",
    "collector",
]
Status = Literal["ok", "degraded", "denied", "timeout", "down", "absent"]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source's word on itself."""

    name: SourceName
    target: str
    """What it reads: a URL, a path, or "" where there is but one."""
    status: Status
    detail: str = ""
    """Why, and what would mend it; "" when all is well."""
    at: float | None = None
    """Unix time of the last good reading."""
