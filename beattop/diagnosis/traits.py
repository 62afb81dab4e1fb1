"""What of a beat tells whose schedule it sends: its app, project and broker."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from beattop.model.beathealth import keeps_schedule
from beattop.model.commandline.environment import selections
from beattop.model.paths import project
from beattop.model.snapshot import Beat

_CELERY_MODULES = frozenset({"celery", "celery_app", "celeryapp"})
_ANYWHERE = re.compile(r"/(?:root|tmp|home(?:/[^/]+)?|(?:usr|etc|opt|srv|var)(?:/lib)?)?")
"""Directories in which programs of any project may be started."""
_DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}


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


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a beat tells whose schedule it sends; two beats of equal traits are alike in all."""

    app: str | None
    """Normalised."""
    said: str | None
    """As its command line spells it."""
    script: str
    """The program that runs it, where no app is named."""
    cwd: str | None
    place: str | None
    """The project its working directory is in; None where any program may stand there: `/`, a
    home."""
    paths: frozenset[str]
    """The projects in its PYTHONPATH."""
    venv: str | None
    broker: str | None
    """Normalised; None where it tells nothing."""
    broker_said: str | None
    config: str | None
    settings: tuple[tuple[str, str], ...]
    """Of the environment, what tells one instance of a project from another."""
    scheduler: str
    pidfile: str | None
    schedule: str | None
    """None where it does not keep its schedule there."""
    pid_ns: int | None
    root: tuple[int, int] | None = None
    """(device, inode) of its root directory."""
    schedules: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    inodes: frozenset[tuple[int, int]] = frozenset()
    peers: frozenset[str] = frozenset()

    @property
    def projects(self) -> frozenset[str]:
        """Whatever may tell its project: two without any of these in common are not of one."""
        found = (self.cwd, self.place, self.venv, *self.paths)
        return frozenset(p for p in found if p is not None)

    @classmethod
    def of(cls, beat: Beat) -> Traits:
        """Reckoned once for each beat: links compare many."""
        line, held, env = beat.line, beat.handles, dict(beat.env)
        cwd = beat.key.cwd
        paths = (p for p in env.get("PYTHONPATH", "").split(":") if p[:1] == "/")
        return cls(
            app=normal_app(beat.key.app),
            said=beat.key.app,
            script=posixpath.basename((line.program if line else None) or ""),
            cwd=cwd,
            place=None if cwd is None or _ANYWHERE.fullmatch(cwd) else project(cwd),
            paths=frozenset(p for p in map(project, paths) if p),
            venv=env.get("VIRTUAL_ENV") or _venv(line.program if line else None),
            broker=normal_broker(beat.broker_full),
            broker_said=beat.broker_full,
            config=line.config if line else None,
            settings=selections(env),
            scheduler=beat.scheduler or "",
            pidfile=beat.pidfile,
            schedule=beat.schedule if keeps_schedule(beat) else None,
            pid_ns=beat.pid_ns,
            root=held.root if held else None,
            schedules=frozenset(held.schedules if held else ()),
            deleted=frozenset(held.deleted if held else ()),
            inodes=frozenset(held.inodes if held else ()),
            peers=frozenset(held.peers if held else ()),
        )


def _venv(program: str | None) -> str | None:
    """Of `/srv/v/bin/celery` it is `/srv/v`; the system's own tells no project."""
    folder = posixpath.dirname(program or "")
    venv = posixpath.dirname(folder)
    if posixpath.basename(folder) != "bin" or venv in ("/", "/usr", "/usr/local"):
        return None
    return venv if venv.startswith("/") else None


def one_project(a: Traits, b: Traits) -> bool:
    """Whether both apps are imported from one project, as far as folders can tell."""
    if a.place is not None and b.place is not None:
        if a.place == b.place:
            return not (a.paths and b.paths and not a.paths & b.paths)
        # Two tenants may well share a library: only with one broker does that tell more.
        common = bool(a.paths & b.paths and a.peers & b.peers)
        return common or a.place in b.paths or b.place in a.paths
    if a.paths or b.paths:
        return bool(({a.place, *a.paths} & {b.place, *b.paths}) - {None})
    if a.cwd is None or b.cwd is None:
        return False
    return a.venv == b.venv if a.venv or b.venv else a.cwd == b.cwd


def same_app(a: Traits, b: Traits) -> bool:
    """Whether they run one app, or one script in one folder where none is named."""
    if a.app is None and b.app is None:
        return a.cwd is not None and a.cwd == b.cwd and a.script == b.script
    return a.app == b.app


def akin(a: Traits, b: Traits) -> bool:
    """Whether one project's folder holds both apps, one of them within the other.

    `-A proj.tasks` mostly names the app that the package `proj` makes, but need not.
    """
    if a.app is None or b.app is None or not one_project(a, b):
        return False
    return a.app.startswith(f"{b.app}.") or b.app.startswith(f"{a.app}.")


def one_tree(a: Traits, b: Traits) -> bool:
    """Whether one path is one file to both, as far as their namespaces and roots tell."""
    if a.pid_ns is None or b.pid_ns is None or a.pid_ns == b.pid_ns:
        return True
    return a.root is not None and a.root == b.root


def foreign(a: Traits, b: Traits) -> bool:
    """Whether their apps have no package in common: `shop.celery` and `blog`."""
    if a.app is None or b.app is None:
        return False
    return not set(a.app.split(".")) & set(b.app.split("."))
