"""Live processes with their role in the tree they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beattop.model.commandline import CommandLine, classify
from beattop.model.cpu import Accounts
from beattop.model.files import Handles
from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.role import CELERY, Role
from beattop.model.snapshot import Member
from beattop.text import mask

OWN_PIPES = 3
"""A pool child has at least so many pipes more than the embedded beat beside it."""


@dataclass(slots=True)
class Lines:
    """Command lines, each classified once."""

    _known: dict[ProcessKey, tuple[Process, CommandLine]] = field(default_factory=dict)

    def of(self, process: Process) -> CommandLine:
        """What `process`'s command line says, its environment included."""
        known = self._known.get(process.key)
        if known is not None and known[0] is process:
            return known[1]
        line = classify(process.argv, process.cwd, process.env)
        self._known[process.key] = (process, line)
        return line

    def trim(self, alive: set[ProcessKey]) -> None:
        """Forget processes that are gone."""
        if len(self._known) > 2 * len(alive) + 100:
            self._known = {k: v for k, v in self._known.items() if k in alive}


def members(
    tree: Sequence[Process],
    lines: Lines,
    usage: Mapping[ProcessKey, Usage],
    accounts: Accounts,
    handles: Mapping[ProcessKey, Handles],
    at: float,
) -> tuple[Member, ...]:
    """The processes of one tree, parents first, each with its role there."""
    roles = _roles(tree, lines, usage, handles)
    out = []
    for process in tree:
        use = usage.get(process.key)
        if use is None:
            continue
        out.append(
            Member(
                process=process,
                role=roles[process.key],
                line=lines.of(process),
                state=use.state,
                ppid=use.ppid,
                cpu_pct=accounts.process_pct(use, at - process.started_at),
                rss_bytes=use.rss_bytes,
                cpu_s=use.cpu_s,
            )
        )
    return tuple(out)


def _roles(
    tree: Sequence[Process],
    lines: Lines,
    usage: Mapping[ProcessKey, Usage],
    handles: Mapping[ProcessKey, Handles],
) -> dict[ProcessKey, Role]:
    """Roles by command line, corrected by place: a worker's forks carry its command line."""
    roles: dict[ProcessKey, Role] = {}
    by_pid: dict[int, Process] = {}
    embedding: dict[ProcessKey, list[Process]] = {}
    for process in tree:
        line = lines.of(process)
        role = line.role
        use = usage.get(process.key)
        parent = by_pid.get(use.ppid if use else process.ppid)
        above = roles.get(parent.key) if parent else None
        if parent is not None and above in ("worker", "worker+beat", "pool"):
            if role in ("worker", "worker+beat") and process.argv == parent.argv:
                role = "pool"
                if above == "worker+beat":
                    embedding.setdefault(parent.key, []).append(process)
            elif line.title and line.child and role == "other":
                role = "pool"
        elif parent is not None and above == role and process.argv == parent.argv:
            # A beat's or flower's own fork, just before its exec: never counted twice.
            role = "other" if role in CELERY else role
        roles[process.key] = role
        by_pid[process.pid] = process
    if tree and len(tree) == 1 and _alone(tree[0], roles[tree[0].key], handles):
        roles[tree[0].key] = "beat"
    for children in embedding.values():
        beat = embedded_child(children, handles)
        if beat is not None:
            roles[beat.key] = "beat"
    return roles


def _alone(process: Process, role: Role, handles: Mapping[ProcessKey, Handles]) -> bool:
    """Whether it is the embedded beat of a `worker -B` that was killed (measured, Celery 5.7).

    Its pool ends with the worker, the beat goes on: without a child, in the dead worker's process
    group, with no pipe. A worker that embeds a beat has that beat as its child at least.
    """
    held = handles.get(process.key)
    return (
        role == "worker+beat"
        and process.pgrp != process.pid
        and held is not None
        and held.readable
        and held.pipes == 0
    )


def embedded_child(
    children: Sequence[Process], handles: Mapping[ProcessKey, Handles]
) -> Process | None:
    """The embedded beat among a `worker -B`'s forks of one command line.

    It has no pipe of its own above descriptor 2, where a pool child has seven or more (measured,
    Celery 3.1 to 5.7); what the worker inherited, all of them have. Without a look at the
    descriptors nobody can tell.
    """
    pipes = [(h.pipes, c) for c in children if (h := handles.get(c.key)) and h.pipes is not None]
    pipes.sort(key=lambda pair: (pair[0], pair[1].pid))
    if len(pipes) < len(children) or not pipes:
        return None
    fewest, beat = pipes[0]
    if len(pipes) == 1:
        return beat if fewest == 0 else None
    return beat if pipes[1][0] - fewest >= OWN_PIPES else None


def leading_role(found: Sequence[Member]) -> Role | None:
    """The role of the Celery process that a tree leads to; None where it has none."""
    roles = [m.role for m in found]
    for role in ("worker+beat", "beat", "worker", "flower", "events", "multi", "control"):
        if role in roles:
            return role
    return None


def masked(value: str | None) -> str | None:
    """A value as it may be shown."""
    return mask(value) if value is not None else None
