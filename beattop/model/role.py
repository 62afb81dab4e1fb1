"""What a process is to Celery and supervisord."""

from __future__ import annotations

from typing import Literal

Role = Literal[
    "beat",
    "worker",
    "worker+beat",
    "flower",
    "events",
    "control",
    "multi",
    "pool",
    "wrapper",
    "supervisord",
    "other",
]
"""The roles of the public JSON document; `pool` is a pool child, `wrapper` a shell or runner."""

SCHEDULING: frozenset[Role] = frozenset({"beat", "worker+beat"})
"""Roles that send a schedule's due tasks."""

CELERY: frozenset[Role] = frozenset(
    {"beat", "worker", "worker+beat", "flower", "events", "control", "multi", "pool"}
)
"""Roles that belong to Celery."""
