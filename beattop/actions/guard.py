"""Whether a stop call at the wrong moment can kill supervisord itself, as before 4.2.2.

There, with stopasgroup, a signal to a process group that does not exist yet ends in state UNKNOWN
and an AssertionError (Supervisor/supervisor#1387): a freshly spawned child has no group of its own
for an instant, and a call that finds its loop between two lives meets just that instant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from beattop.model.supervisor import ProgramConfig

SAFE = (4, 2, 2)


@dataclass(frozen=True, slots=True)
class Guard:
    """`stands` where a call has to wait for BACKOFF or for a child in the middle of its life."""

    stands: bool
    why: str


def release(version: str) -> tuple[int, ...]:
    """(4, 2, 1) of "4.2.1"; empty where it cannot be read."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def needs_config(version: str) -> bool:
    """Whether `judge` can do without what the server says of the program."""
    return release(version) < SAFE


def judge(version: str, told: Mapping[str, object], conf: ProgramConfig | None) -> Guard:
    """`told` is the program's entry of getAllConfigInfo, `conf` what its file says, if readable."""
    if not needs_config(version):
        return Guard(False, "")
    # stopasgroup=true makes killasgroup true, and supervisord refuses the contrary in its conf.
    if told.get("killasgroup") is False:
        return Guard(False, "")
    if conf is not None and not conf.stopasgroup:
        return Guard(False, "")
    known = "with" if conf is not None else "that may have"
    return Guard(
        True,
        f"supervisor {version or '?'} can die of a stop (upstream #1387) that meets a program "
        f"{known} stopasgroup=true between two lives",
    )
