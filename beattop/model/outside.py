"""Celery outside every supervisord: left-overs and strangers, and who would start them again."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence

from beattop.model.membership import Membership
from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.role import CELERY
from beattop.model.sample import Sample
from beattop.model.snapshot import Member, Unmanaged
from beattop.model.supervisor import runs_supervisord

_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)")
_CONTAINER = re.compile(
    r"(?:docker|containerd|crio|libpod|kubepods|lxc(?:\.payload)?|machine)[-/.:]", re.I
)
# Their services hold what people and cron start by hand; stopping the unit would be no cure.
_LOGIN_UNITS = re.compile(
    r"^(?:cron|crond|anacron|atd|ssh|sshd(?:@.*)?|user@\d+|getty@.*|docker|containerd|dropbear"
    r"|supervisor|supervisord|screen.*|tmux.*|code-server.*|jupyter.*)\.service$"
)
_RUNNERS = frozenset(
    (
        *("honcho", "foreman", "forego", "goreman", "hivemind", "overmind", "process-compose"),
        *("pm2", "god", "monit", "watchmedo", "watchexec", "watchfiles", "nodemon", "entr"),
        *("circusd", "runsv", "s6-supervise"),
        *("supervise", "uwsgi", "single-beat"),
    )
)


def unmanaged(
    sample: Sample,
    belongs: Membership,
    usage: Mapping[ProcessKey, Usage],
    build: Callable[[tuple[Process, ...]], tuple[Member, ...]],
) -> tuple[Unmanaged, ...]:
    """Celery's roots outside every supervisord, and Celery that some supervisord left over."""
    servers = {
        _unit_of(p) for p in sample.processes if p.key in {s.key for s in sample.supervisords}
    }
    by_pid = {p.pid: p for p in sample.processes}
    own_ns = sample.viewer.pid_ns
    out: list[Unmanaged] = []
    for process, was in belongs.roots:
        if runs_supervisord(process.argv):
            # One that is not looked at (--supervisor) or not known yet: its tree is not loose.
            continue
        tree = build(belongs.tree(process))
        while tree and (tree[0].role not in CELERY or tree[0].state == "Z"):
            tree = _below(tree)
        if not tree:
            continue
        head, rest = tree[0], tree[1:]
        out.append(
            Unmanaged(
                member=head,
                role=head.role,
                origin="orphan" if was else "foreign",
                was=was.namespec if was else None,
                was_supervisor=was.supervisor if was else None,
                cpu_pct=_sum(m.cpu_pct for m in tree),
                rss_bytes=_isum(m.rss_bytes for m in tree),
                children=rest,
                unit=_service(head.process, servers),
                container=_container(head.process, own_ns),
                runner=_runner(head, by_pid, usage),
            )
        )
    return tuple(out)


def _below(tree: tuple[Member, ...]) -> tuple[Member, ...]:
    """The tree without its head, from its first Celery process on."""
    return next(
        (tree[i:] for i in range(1, len(tree)) if tree[i].role in CELERY and tree[i].state != "Z"),
        (),
    )


def _sum(values: object) -> float | None:
    known = [v for v in values if v is not None]  # type: ignore[attr-defined]
    return sum(known) if known else None


def _isum(values: object) -> int | None:
    known = [v for v in values if v is not None]  # type: ignore[attr-defined]
    return sum(known) if known else None


def _unit_of(process: Process) -> str | None:
    found = _UNIT.findall(process.cgroup or "")
    return found[-1] if found else None


def _service(process: Process, servers: set[str | None]) -> str | None:
    unit = _unit_of(process)
    if unit is None or unit in servers or _LOGIN_UNITS.match(unit):
        return None
    return unit


def _container(process: Process, own_ns: int | None) -> str | None:
    if own_ns is not None and process.pid_ns is not None and process.pid_ns != own_ns:
        return "pid namespace " + str(process.pid_ns)
    match = _CONTAINER.search(process.cgroup or "")
    # The viewer's own container is no wall between them.
    return match.group(0).strip("-/.:") if match and process.pid_ns != own_ns else None


def runner(comm: str, argv: Sequence[str]) -> str | None:
    """The name of a program that starts its children again when they end; None for any other."""
    names = (posixpath.basename(word) for word in (comm, *argv[:3]))
    return next((name for name in names if name in _RUNNERS), None)


def _runner(
    head: Member, by_pid: Mapping[int, Process], usage: Mapping[ProcessKey, Usage]
) -> str | None:
    """A live parent that starts its child again."""
    child, pid = head.process, head.ppid
    for _ in range(8):
        parent = by_pid.get(pid)
        if parent is None:
            return child.runner
        if found := runner(parent.comm, parent.argv):
            return found
        use = usage.get(parent.key)
        child, pid = parent, use.ppid if use else parent.ppid
    return None
