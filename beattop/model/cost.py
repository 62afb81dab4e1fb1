"""What respawning has burnt, and what it goes on to cost, in words."""

from __future__ import annotations

from beattop.model.snapshot import Snapshot
from beattop.text import moment

MONTH_H = 730.0
"""Hours in a mean month: 365 days through 12."""


def burnt(snapshot: Snapshot) -> str:
    """ "34 core-hours since Tue 04:12"; "" below a core-second."""
    told = snapshot.burnt
    seconds = told.observed_s if told.since_start_s is None else told.since_start_s
    if not seconds or seconds < 1:
        return ""
    hours = seconds / 3600
    words = f"{seconds:,.0f} core-seconds"
    if hours >= 0.1:
        words = f"{hours:,.{0 if hours >= 9.95 else 1}f} core-hours"
    since = told.since_at if told.since_start_s is not None else None
    return words + (f" since {moment(since, snapshot.at)}" if since else "")


def monthly(snapshot: Snapshot, price: float | None) -> str:
    """ "28.84 a month" at the churn of now and `price` for a core-hour; "" without either."""
    churn = snapshot.cpu.churn_pct
    if not price or not churn or churn < 0.5:
        return ""
    return f"{churn / 100 * MONTH_H * price:,.2f} a month"
