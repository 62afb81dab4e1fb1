"""When a program counts as respawning, by the rule of the public contract."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from beattop.model.exits import exit_meaning
from beattop.model.lives import Life
from beattop.model.snapshot import LastExit

BURNING_SHARE = 0.05
"""Five percent of a core: what exits may burn together before they are churn."""
_MANY = 5
_STALLED = 5.0
"""Where a box stalls, supervisord's log makes one of many short lives some seconds long."""
FORGET_S = 3600.0
"""Two exits further apart than this are two accidents, not a loop."""


@dataclass(frozen=True, slots=True)
class Loop:
    """What a program's recent lives amount to."""

    respawning: bool
    periodic: bool
    spawns_per_min: float | None
    lifetime_median_s: float | None
    last_exit: LastExit | None
    recovered: bool
    """It did respawn, and has now outlived its predecessors."""


REFUSED_STATUS = 73
"""EX_CANTCREAT: what every Celery from 3.1 to 5.7 exits with where the pidfile is taken."""


def unexpected(life: Life) -> bool:
    """Ended by a signal or with a status other than 0."""
    return life.signal is not None or (life.status is not None and life.status != 0)


def _streak(lives: Sequence[Life]) -> list[Life]:
    """The trailing run of ended lives that nobody asked to end, oldest first."""
    run: list[Life] = []
    later: float | None = None
    for life in reversed(lives):
        if life.ended_at is None:
            later = life.spawned_at
            continue
        if life.requested or (later is not None and later - life.ended_at > FORGET_S):
            break
        if run and run[-1].ended_at is not None and run[-1].ended_at - life.ended_at > FORGET_S:
            break
        run.append(life)
        later = life.spawned_at
    return run[::-1]


def _over(
    run: Sequence[Life], open_life: Life | None, now: float, let_in: bool, uptime_s: float | None
) -> bool:
    """Whether the run has ended: a life that lasts, or no further life for too long.

    One that was refused its pidfile and holds it now is past what its predecessors died of.
    """
    spans = [s for s in (life.lifetime_s for life in run[-10:]) if s is not None]
    usual = median(spans) if spans else 1.0
    if open_life is not None and open_life.spawned_at is not None:
        if let_in and run[-1].status == REFUSED_STATUS:
            return True
        # The log may be of a clock that was set since: the kernel's own word is better, and a
        # time in the future is as far away as one in the past.
        age = abs(now - open_life.spawned_at) if uptime_s is None else uptime_s
        return age > max(6.0, 3 * usual, 1.5 * max(spans, default=1.0))
    last = run[-1].ended_at
    if last is None:
        return False
    starts = [life.spawned_at for life in run[-4:] if life.spawned_at is not None]
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    return abs(now - last) > max(30.0, 3 * max(gaps, default=0.0))


def judge(
    lives: Sequence[Life],
    startsecs: float,
    now: float,
    *,
    settled: bool = False,
    dead_cpu_pct: float | None = None,
    let_in: bool = False,
    uptime_s: float | None = None,
) -> Loop:
    """Judge a program by its lives, oldest first.

    `settled` tells that supervisord holds it STOPPED or FATAL for good. `dead_cpu_pct` is what it
    burnt of a core over the last minute, where that is known. `let_in` tells that its living
    process holds a pidfile that was written in its time; `uptime_s` how long that lives.
    """
    ended = [life for life in lives if life.ended_at is not None]
    open_life = lives[-1] if lives and lives[-1].ended_at is None else None
    run = _streak(lives)
    spans = [s for s in (life.lifetime_s for life in ended[-10:]) if s is not None]
    starts = [
        t for t in (life.spawned_at for life in lives) if t is not None and abs(now - t) <= 60
    ]
    rate = None
    if len(starts) >= 2 and starts[-1] > starts[0]:
        rate = 60 * (len(starts) - 1) / (starts[-1] - starts[0])
    limit = max(startsecs, 1.0)

    def failed(life: Life, span: float = limit) -> bool:
        lived = life.lifetime_s
        return unexpected(life) or (lived is not None and lived < span)

    loops = len(run) >= 2 and all(failed(life) for life in run[-2:])
    if not loops and len(run) >= _MANY and sum(map(failed, run[-_MANY:])) >= _MANY - 1:
        loops = all(failed(life, _STALLED * limit) for life in run[-2:])
    burns = len(run) >= 2 and (
        (dead_cpu_pct is not None and dead_cpu_pct >= 100 * BURNING_SHARE) or _burnt(run, now)
    )
    over = settled or not run or _over(run, open_life, now, let_in, uptime_s)
    last = next((life for life in reversed(ended) if not life.requested), None)
    return Loop(
        respawning=(loops or burns) and not over,
        periodic=len(run) >= 2 and not over and not (loops or burns),
        spawns_per_min=rate,
        lifetime_median_s=median(spans) if spans else None,
        last_exit=_last(last),
        recovered=loops and over and open_life is not None and not settled,
    )


def _burnt(run: Sequence[Life], now: float) -> bool:
    """Whether the run's dead used five percent of a core over its time or the last minute.

    Lives whose clock nobody read are taken to be like those that were seen.
    """
    recent = [life for life in run if life.ended_at is not None and abs(now - life.ended_at) <= 60]
    known = [life.cpu_s for life in recent if life.cpu_s is not None]
    if len(recent) < 2 or not known:
        return False
    begun = [life.spawned_at for life in recent if life.spawned_at is not None]
    span = now - min(begun) if begun else 60.0
    used = sum(known) / len(known) * len(recent)
    return used >= BURNING_SHARE * max(span, 1.0)


def _last(life: Life | None) -> LastExit | None:
    if life is None or life.ended_at is None or (life.status is None and life.signal is None):
        return None
    return LastExit(
        status=None if life.signal else life.status,
        signal=life.signal,
        at=life.ended_at,
        meaning=exit_meaning(life.status, life.signal),
    )
