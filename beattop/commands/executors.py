"""Who may carry a plan out: in read-only mode nothing that could write is even imported."""

from __future__ import annotations

from beattop.actions.contract import Executor
from beattop.feeds.live import LiveFeed
from beattop.settings import Settings


def executor_for(
    settings: Settings, feed: LiveFeed, confined_to: frozenset[str] | None = None
) -> Executor:
    """The live executor, or the refusing one where settings are read-only."""
    if settings.read_only:
        from beattop.actions.refuse import RefusingExecutor  # noqa: PLC0415

        return RefusingExecutor(f"read-only: {settings.read_only_why}")
    from beattop.actions.executor import LiveExecutor  # noqa: PLC0415

    return LiveExecutor(feed.server, feed.snapshot, confined_to=confined_to)
