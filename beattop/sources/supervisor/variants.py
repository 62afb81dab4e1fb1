"""Which variables tell programs of one conf apart, without a word of their values.

Tenants of one code differ in a variable whose name nobody can know beforehand. Of such a one only
its name is kept and which of its values each program has, as a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from beattop.sources.proc.facts import listed

# What differs between two programs of one schedule as well: where they log, how they run.
_NEUTRAL: Final = re.compile(
    r"(?:C_FORCE_ROOT|DD|GEVENT|HOME|HOST|HOSTNAME|LANG|LANGUAGE|LC|LD|LOG|LOGGER|LOGGING|LOGLEVEL"
    r"|LOGNAME|MALLOC|NEW_RELIC|NODE|OMP|OTEL|PATH|PROC|PROCESS|PROGRAM|PROMETHEUS|PWD|PYTHON\w*"
    r"|ROLE|SENTRY|SERVICE|SHELL|STATSD|SUPERVISOR|TERM|TMP|TMPDIR|TZ|USER|WORKER|XDG)(?:_\w*)?"
    r"|\w*_(?:LEVEL|LOG|LOGFILE|LOGLEVEL|PATH|DIR|FILE|TIMEOUT|PORT|NODE|NODENAME|ROLE|SCHEDULE)"
    r"|\w*(?:BEAT|DEBUG|VERBOSE)\w*"
)
_PLAIN: Final = re.compile(r"[-+.\d]*|true|false|yes|no|on|off|\.{0,2}/.*", re.I | re.S)
"""Numbers, switches and paths tell of no tenant."""


def variants(programs: Sequence[Mapping[str, str]]) -> list[tuple[tuple[str, int], ...]]:
    """For each program's environment, (name, number of its value) of what tells some apart."""
    values: dict[str, dict[str, int]] = {}
    for env in programs:
        for name, value in env.items():
            if not (listed(name) or _NEUTRAL.fullmatch(name) or _PLAIN.fullmatch(value)):
                found = values.setdefault(name, {})
                found.setdefault(value, len(found) + 1)
    apart = {name: found for name, found in values.items() if len(found) > 1}
    return [
        tuple(sorted((name, apart[name][env[name]]) for name in env if _numbered(apart, name, env)))
        for env in programs
    ]


def _numbered(apart: Mapping[str, Mapping[str, int]], name: str, env: Mapping[str, str]) -> bool:
    return name in apart and env[name] in apart[name]
