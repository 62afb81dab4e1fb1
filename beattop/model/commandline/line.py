"""What one command line says."""

from __future__ import annotations

from dataclasses import dataclass

from beattop.model.role import Role


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line read as Celery would read it.

    Values stand as typed: unexpanded, unresolved, unmasked. None is absent, "" an explicit empty
    value (`--pidfile=`). Of `other`, `pool` and `wrapper` the values are None: a wrapper is not
    the thing, its `inner` is.
    """

    role: Role
    app: str | None = None
    broker: str | None = None
    pidfile: str | None = None
    schedule: str | None = None
    scheduler: str | None = None
    queues: tuple[str, ...] = ()
    hostname: str | None = None
    workdir: str | None = None
    """`--workdir`, where Celery goes before it resolves any relative path; a shell wrapper's
    last `cd` before the command."""
    config: str | None = None
    detach: bool = False
    title: bool = False
    """Rewritten by setproctitle: the words are those after the program's name."""
    child: bool = False
    """Its own title says that it is a pool child or an embedded beat."""
    inner: tuple[str, ...] | None = None
    """The first Celery command line that a wrapper quotes."""
    inner_role: Role | None = None
    """The role of `inner`."""
    program: str | None = None
    """Path or module that is run: `/srv/v/bin/celery`, `celery.bin.worker`, `manage.py`."""
    subcommand: str | None = None
    """Celery's word for it, also where the program's name says it (`celerybeat` is `beat`)."""
    old_order: bool = False
    """Options on the wrong side of the subcommand, which Celery 5 refuses with exit status 2."""
    dated: bool = False
    """A form for which Celery 5's rules of order and environment do not hold: Celery 3.1's
    (`celerybeat`, `manage.py celery beat`) or another program's own (`airflow celery worker`)."""
    max_interval: str | None = None
    """A beat's `--max-interval`: seconds that it may sleep at most."""

    @property
    def leads_to(self) -> Role:
        """The role of the thing that it is or wraps: a supervisor program's role."""
        return self.inner_role or self.role


OTHER = CommandLine("other")
