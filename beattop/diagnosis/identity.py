"""Whether two beats send one schedule: how sure that is, and by what evidence."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from beattop.model.beathealth import default_scheduler, redbeat
from beattop.model.finding import Certainty
from beattop.model.paths import project
from beattop.model.snapshot import Beat

_CELERY_MODULES = frozenset({"celery", "celery_app", "celeryapp"})
_DEFAULT_PORTS = {"amqp": 5672, "pyamqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}
_SETTINGS = ("DJANGO_SETTINGS_MODULE", "CELERY_CONFIG_MODULE")


@dataclass(frozen=True, slots=True)
class Link:
    """Two beats of one identity."""

    a: Beat
    b: Beat
    certainty: Certainty
    evidence: tuple[str, ...]


def normal_app(app: str | None) -> str | None:
    """The package an app's name leads to: `proj`, `proj.celery`, `proj.celery:app` are one.

    `celery -A proj` looks for proj.app, proj.celery, proj.celery.app ... (celery.app.utils).
    """
    if not app:
        return None
    module = app.strip().split(":")[0].removesuffix(".py").strip("./").replace("/", ".")
    parts = [part for part in module.split(".") if part]
    while len(parts) > 1 and parts[-1] in _CELERY_MODULES | {"app"}:
        parts.pop()
    return ".".join(parts) or None


def normal_broker(url: str | None) -> str | None:
    """A broker's address to compare: scheme, host, port and path; None where it tells nothing.

    A filesystem or memory broker's place is in the app's settings, not in its URL.
    """
    if not url:
        return None
    first = re.split(r"[;,]", url)[0]
    try:
        parts = urlsplit(first if "://" in first else "amqp://" + first)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return first
    scheme = "amqp" if parts.scheme == "pyamqp" else parts.scheme
    if scheme in ("filesystem", "memory", "") or (not host and not parts.path.strip("/")):
        return None
    host = "127.0.0.1" if host in ("localhost", "::1") else host
    path = parts.path.rstrip("/") or ("/0" if scheme.startswith("redis") else "")
    return f"{scheme}://{host}:{port or _DEFAULT_PORTS.get(scheme, 0)}{path}"


def _env(beat: Beat, name: str) -> str | None:
    return dict(beat.env).get(name)


def _projects(beat: Beat) -> set[str]:
    """Where its app may be imported from: the working directory and PYTHONPATH."""
    found = {project(beat.key.cwd)}
    for entry in (_env(beat, "PYTHONPATH") or "").split(":"):
        if entry.startswith("/"):
            found.add(project(entry))
    return {p for p in found if p}


def _same_app(a: Beat, b: Beat) -> bool:
    one, two = normal_app(a.key.app), normal_app(b.key.app)
    if one is None and two is None:
        program = [x.line.program if x.line else None for x in (a, b)]
        kinds = [posixpath.basename(p or "") for p in program]
        return a.key.cwd is not None and a.key.cwd == b.key.cwd and kinds[0] == kinds[1]
    return one == two


def _shared_files(a: Beat, b: Beat) -> list[str]:
    """Certain evidence: one schedule file, one pidfile."""
    out: list[str] = []
    if a.handles and b.handles:
        both = set(a.handles.inodes) & set(b.handles.inodes)
        names = set(a.handles.schedules) & set(b.handles.schedules)
        if both:
            name = next(iter(sorted(names)), a.schedule or "one file")
            out.append(f"both have the schedule file {name} open")
        for one, two in ((a, b), (b, a)):
            gone = set(one.handles.deleted) & (  # type: ignore[union-attr]
                set(two.handles.schedules) | {two.schedule or ""}  # type: ignore[union-attr]
            )
            if gone:
                name = sorted(gone)[0]
                out.append(
                    f"pid {one.pid} holds the schedule file {name} deleted: "
                    f"pid {two.pid} replaced it"
                )
    if a.pidfile and a.pidfile == b.pidfile:
        out.append(f"both are told to hold the pidfile {a.pidfile}")
    if a.schedule and a.schedule == b.schedule and _keeps_file(a) and _keeps_file(b):
        out.append(f"both keep their schedule in {a.schedule}")
    return out


def _keeps_file(beat: Beat) -> bool:
    return default_scheduler(beat.scheduler)


def _differs(a: Beat, b: Beat) -> str | None:
    """A known difference that makes them two schedules; None where none is known."""
    one, two = normal_broker(a.broker_full), normal_broker(b.broker_full)
    if one and two and one != two:
        return f"brokers differ: {one} and {two}"
    for name in _SETTINGS:
        left, right = _env(a, name), _env(b, name)
        if left and right and left != right:
            return f"{name} differs: {left} and {right}"
    left = a.line.config if a.line else None
    right = b.line.config if b.line else None
    if left and right and left != right:
        return f"--config differs: {left} and {right}"
    return None


def known_apart(a: Beat, b: Beat) -> str | None:
    """Why two beats of one app are two schedules; None where nothing says so."""
    return _differs(a, b) if _same_app(a, b) else None


def link(a: Beat, b: Beat) -> Link | None:
    """How two beats belong together; None where nothing says so, or something says otherwise."""
    same_ns = a.pid_ns is None or b.pid_ns is None or a.pid_ns == b.pid_ns
    files = _shared_files(a, b) if same_ns else []
    open_both = any("open" in line or "deleted" in line for line in files)
    if redbeat(a.scheduler) and redbeat(b.scheduler):
        return None
    if not _same_app(a, b):
        # Different apps that fight for one file are told by that file only.
        return Link(a, b, "certain", tuple(files)) if open_both else None
    app = f"one app: {a.key.app} and {b.key.app}" if a.key.app != b.key.app else None
    told = [app or (f"both run app {a.key.app}" if a.key.app else "both run the same manage.py")]
    if a.key.cwd and a.key.cwd == b.key.cwd:
        told.append(f"in {a.key.cwd}")
    difference = _differs(a, b)
    if files and (open_both or difference is None):
        return Link(a, b, "certain", (*files, " ".join(told)))
    if difference is not None:
        return None
    return _by_project(a, b, told, same_ns)


def _by_project(a: Beat, b: Beat, told: list[str], same_ns: bool) -> Link | None:
    one, two = normal_broker(a.broker_full), normal_broker(b.broker_full)
    broker = one is not None and one == two
    shared = _projects(a) & _projects(b)
    peers = set(a.handles.peers) & set(b.handles.peers) if a.handles and b.handles else set()
    apart = bool(a.handles and b.handles and a.handles.peers and b.handles.peers and not peers)
    if broker:
        told.append(f"both use the broker {a.broker_full}")
    elif peers:
        told.append(f"both are connected to {sorted(peers)[0]}")
    if not same_ns and not broker:
        return None
    if shared and a.key.cwd != b.key.cwd:
        told.append(f"from {a.key.cwd} and {b.key.cwd}, one project")
    certainty: Certainty = "likely" if (broker or (shared and not apart)) else "possible"
    if (a.scheduler or "") != (b.scheduler or "") and certainty == "likely":
        told.append(
            f"their schedulers differ: {a.scheduler or 'default'}, {b.scheduler or 'default'}"
        )
        certainty = "possible"
    if certainty == "possible" and a.key.cwd != b.key.cwd and not shared:
        told.append(f"but in {a.key.cwd} and {b.key.cwd}: perhaps two projects")
    return Link(a, b, certainty, (", ".join(told),))
