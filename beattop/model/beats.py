"""Who schedules: one Beat per living process that does, one per beat program without a process."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from beattop.model.beathealth import default_scheduler, health_of
from beattop.model.commandline import CommandLine, classify
from beattop.model.commandline.environment import env_file, filled
from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.members import masked
from beattop.model.paths import absolute
from beattop.model.process import ProcessKey
from beattop.model.respawn import REFUSED_STATUS
from beattop.model.role import SCHEDULING
from beattop.model.sample import Sample
from beattop.model.snapshot import Beat, BeatKey, Health, Member, Program, Unmanaged
from beattop.model.supervisor import ProgramConfig


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sample knows of files, keyed for look-up."""

    pidfiles: Mapping[str, Pidfile]
    schedules: Mapping[str, ScheduleFile]
    handles: Mapping[ProcessKey, Handles]
    held: Mapping[ProcessKey, Pidfile]
    """Pidfiles by the live process that each names and that is old enough to have written it."""

    @classmethod
    def of(cls, sample: Sample) -> Facts:
        """From one sample."""
        return cls(
            {name: p for p in sample.pidfiles for name in (p.path, *p.named)},
            {name: s for s in sample.schedules for name in (s.path, *s.named)},
            {h.key: h for h in sample.handles},
            {p.holder: p for p in sample.pidfiles if p.holder is not None and _wrote(p)},
        )


def _wrote(fact: Pidfile) -> bool:
    began, written = fact.holder_started_at, fact.mtime_at
    return began is None or written is None or began <= written + 2


def config_line(config: ProgramConfig) -> CommandLine | None:
    """What a program's `command=` says, looked into where it is a shell; None if unreadable."""
    try:
        line = classify(shlex.split(config.command), config.directory, dict(config.env))
        if line.role == "wrapper" and line.inner:
            line = classify(line.inner, config.directory, dict(config.env))
    except ValueError:
        return None
    return line


def beats(
    programs: Sequence[Program],
    unmanaged: Sequence[Unmanaged],
    facts: Facts,
    at: float,
    unnamed: Sequence[tuple[str, tuple[Member, ...]]] = (),
) -> tuple[Beat, ...]:
    """All beats of the box, supervised ones first.

    `unnamed`: (supervisor id, a tree that it runs as a program whose name cannot be seen).
    """
    out: list[Beat] = []
    blind = {supervisor for supervisor, _ in unnamed}
    for program in programs:
        living = list(_living(program.members))
        out.extend(_program_beat(program, m, main, facts, at) for m, main in living)
        if not living and program.role in SCHEDULING:
            down = _absent(program, facts)
            hidden = program.id.supervisor in blind and program.state is None
            out.append(_with(down, health=None) if hidden and not program.respawning else down)
    for supervisor, tree in unnamed:
        for member, main in _living(tree):
            beat = _living_beat(member, main, facts, None, at)
            health = health_of(beat, member, None, at)
            out.append(replace(beat, supervisor=supervisor, health=health))
    for root in unmanaged:
        was = next((p for p in programs if _was(root) == (p.id.supervisor, p.namespec)), None)
        for member, main in _living((root.member, *root.children)):
            out.append(_unmanaged_beat(root, member, _told(main, was), facts, at))
    return tuple(out)


def _living(found: Iterable[Member]) -> Iterable[tuple[Member, Member]]:
    """(the process that schedules, the one whose command line says how) for each beat."""
    found = tuple(found)
    by_pid = {m.process.pid: m for m in found}
    mains = [m for m in found if m.role == "worker+beat" and m.state != "Z"]
    embedded = {m.ppid: m for m in found if m.role == "beat" and _inside(m, by_pid)}
    for main in mains:
        yield embedded.get(main.process.pid, main), main
    for member in found:
        if member.role == "beat" and member.state != "Z" and not _inside(member, by_pid):
            yield member, member


def _inside(member: Member, by_pid: Mapping[int, Member]) -> bool:
    parent = by_pid.get(member.ppid)
    return parent is not None and parent.role == "worker+beat"


def _program_beat(program: Program, member: Member, main: Member, facts: Facts, at: float) -> Beat:
    words = program.last_words
    beat = _living_beat(member, _placed(main, program.config), facts, words, at, program=program)
    health: Health | None = (
        "respawning" if program.respawning else health_of(beat, member, words, at)
    )
    return _with(
        beat,
        namespec=program.namespec,
        supervisor=program.id.supervisor,
        program=program.id,
        health=health,
    )


def _placed(main: Member, config: ProgramConfig | None) -> Member:
    """With its place and environment as its program's section gives them, where /proc does not.

    To a stranger a process's working directory is closed, the conf file mostly is not. A title that
    setproctitle wrote has wiped the environment. What a wrapper reads from a file is in none.
    """
    if config is None:
        return main
    process, file = main.process, env_file(config.command)
    if process.env and process.cwd is not None and file is None:
        return main
    env = dict(process.env or config.env)
    if file is not None:
        env.setdefault("ENV_FILE", file)
    process = replace(process, cwd=process.cwd or config.directory, env=env)
    return replace(main, process=process, line=filled(main.line, env))


def _unmanaged_beat(root: Unmanaged, member: Member, main: Member, facts: Facts, at: float) -> Beat:
    beat = _living_beat(member, main, facts, None, at)
    return _with(
        beat,
        health=health_of(beat, member, None, at),
        unmanaged=True,
        origin=root.origin,
        unit=root.unit,
        container=root.container,
        runner=root.runner,
        was=root.was,
        was_supervisor=root.was_supervisor,
    )


def _was(root: Unmanaged) -> tuple[str | None, str | None]:
    return root.was_supervisor, root.was


def _told(main: Member, was: Program | None) -> Member:
    """With its program's command line, where its own title tells nothing: `[celery beat]`."""
    if not main.line.title or main.line.app is not None or was is None or was.config is None:
        return main
    line = config_line(was.config)
    return replace(main, line=line) if line is not None and line.role in SCHEDULING else main


def _with(beat: Beat, **changes: object) -> Beat:
    return replace(beat, **changes)  # type: ignore[arg-type]


def _pidfile(
    line: CommandLine, cwd: str | None, facts: Facts, key: ProcessKey | None
) -> tuple[str | None, Pidfile | None]:
    path = absolute(line.pidfile, cwd, line.workdir)
    if path is not None:
        fact = facts.pidfiles.get(path)
        return (fact.path if fact else path), fact
    if line.pidfile is None:
        # Celery 3 and 4 write celerybeat.pid without being told; 5 writes none. Only a file that
        # names this very process tells that it is such a beat.
        default = absolute("celerybeat.pid", cwd, line.workdir)
        fact = facts.pidfiles.get(default) if default else None
        if fact is not None and (key is None or fact.holder == key):
            return fact.path, fact
        if key is not None and key in facts.held:
            # Its settings or its code name it; who was refused by it told of it.
            return facts.held[key].path, facts.held[key]
    return None, None


def _schedule(
    line: CommandLine, cwd: str | None, facts: Facts
) -> tuple[str | None, ScheduleFile | None]:
    if not default_scheduler(line.scheduler):
        return masked(line.schedule), None
    path = absolute(line.schedule or "celerybeat-schedule", cwd, line.workdir)
    fact = facts.schedules.get(path) if path else None
    if fact is not None:
        return fact.path, fact
    return (path if line.schedule else None), None


def _living_beat(
    member: Member,
    main: Member,
    facts: Facts,
    words: LastWords | None,
    at: float,
    *,
    program: Program | None = None,
) -> Beat:
    line = main.line
    process = main.process
    env = process.env or {}
    cwd = absolute(line.workdir, process.cwd) or process.cwd
    pidfile, pid_fact = _pidfile(line, process.cwd, facts, member.key)
    if _embeds(line):
        # A worker's --pidfile is the worker's: its embedded beat has none.
        pidfile, pid_fact = None, None
    schedule, schedule_fact = _schedule(line, process.cwd, facts)
    handles = facts.handles.get(member.key) or facts.handles.get(main.key)
    holds = None
    if pid_fact is not None and pid_fact.status == "ok":
        holds = pid_fact.holder == member.key and not (
            pid_fact.mtime_at is not None and process.started_at > pid_fact.mtime_at + 2
        )
    refused = _barred(pid_fact, member) or _turned_away(program)
    looping = program is not None and program.respawning
    # One log may hold the lines of two programs: of a refused one none tells that it sent.
    sent = [words.sent_at] if words and words.sent_at is not None and not refused else []
    written = schedule_fact.mtime_at if schedule_fact else None
    if written is not None and _owns(handles, schedule, barred=refused or looping):
        sent.append(written)
    return Beat(
        key=BeatKey(masked(line.app), cwd, masked(line.broker)),
        pid=member.process.pid,
        namespec=None,
        supervisor=None,
        embedded=main.role == "worker+beat",
        health=None,
        pidfile=pidfile,
        schedule=schedule,
        scheduler=line.scheduler,
        process=member.key,
        started_at=member.process.started_at,
        line=line,
        env=tuple(sorted(env.items())),
        broker_full=masked(line.broker),
        pidfile_fact=pid_fact,
        holds_pidfile=holds,
        schedule_fact=schedule_fact,
        handles=handles,
        uid=process.uid,
        user=process.user,
        pid_ns=process.pid_ns,
        last_sent_at=max(sent, default=None),
        main_pid=process.pid,
        since_at=process.started_at,
        state=member.state,
    )


def _barred(fact: Pidfile | None, member: Member) -> bool:
    """Whether its pidfile was another living process's already when it began."""
    if fact is None or fact.holder is None or fact.mtime_at is None or fact.holder == member.key:
        return False
    return member.process.started_at > fact.mtime_at


def _turned_away(program: Program | None) -> bool:
    """Whether it loops since its pidfile is taken."""
    ended = program.last_exit if program and program.respawning else None
    return ended is not None and ended.status == REFUSED_STATUS


def _owns(handles: Handles | None, schedule: str | None, *, barred: bool) -> bool:
    """Whether the schedule file's age tells of this process: it is open, or that is unknown.

    One that loops or will be refused (`barred`) has written none before it has opened it.
    """
    if handles is None or not handles.readable or not handles.schedules:
        return not barred
    return schedule in handles.schedules and schedule not in handles.deleted


def _absent(program: Program, facts: Facts) -> Beat:
    config = program.config
    line = config_line(config) if config else None
    if line is not None and line.role not in SCHEDULING:
        line = None
    cwd = config.directory if config else None
    pidfile, fact = _pidfile(line, cwd, facts, None) if line and not _embeds(line) else (None, None)
    if line is not None and line.pidfile is None:
        pidfile, fact = None, None
    schedule, schedule_fact = _schedule(line, cwd, facts) if line else (None, None)
    place = (absolute(line.workdir, cwd) if line else None) or cwd
    return Beat(
        key=BeatKey(
            masked(line.app) if line else None, place, masked(line.broker) if line else None
        ),
        pid=None,
        namespec=program.namespec,
        supervisor=program.id.supervisor,
        embedded=program.role == "worker+beat",
        health="respawning" if program.respawning else "down",
        pidfile=pidfile,
        schedule=schedule,
        scheduler=line.scheduler if line else None,
        program=program.id,
        line=line,
        env=config.env if config else (),
        broker_full=masked(line.broker) if line else None,
        pidfile_fact=fact,
        schedule_fact=schedule_fact,
        user=config.user if config else None,
    )


def _embeds(line: CommandLine) -> bool:
    return line.role == "worker+beat"
