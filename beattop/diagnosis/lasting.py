"""The change that keeps a trouble from coming back: file, line, section, and a diff to copy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from beattop.diagnosis.confdiff import command_lines, in_command, option, set_options
from beattop.diagnosis.names import app_name, beat_name, program_of
from beattop.diagnosis.ownbeat import apart, without_flag
from beattop.model.finding import LastingFix
from beattop.model.snapshot import Beat, Program, Snapshot, Unmanaged
from beattop.model.supervisor import ProgramConfig
from beattop.text import listing


def place(config: ProgramConfig) -> str:
    """`/etc/supervisor/conf.d/old.conf:7 [program:beat2]`; the section where no more is known."""
    if not config.file:
        return f"[{config.section}]"
    line = f":{config.line}" if config.line else ""
    return f"{config.file}{line} [{config.section}]"


_DETACH = re.compile(r"\s(?:--detach|-D)(?=[\s'\"]|$)")
_SETSID = re.compile(r"((?:^|[=\s;&'\"])\s*)(?:/\S*/)?setsid\s+(?:-\S+\s+)*")
_PIDFILE = re.compile(r"(?<=\s)--pidfile(?:=|\s+)[^\s'\";]*")


def without_pidfile(config: ProgramConfig) -> str:
    """A unified diff after which Celery writes no pidfile and asks for none: --pidfile= (empty).

    Celery takes the empty name for none, from 3.1 to 5.7; supervisord itself runs a program once.
    """
    lines = [text for _, text in command_lines(config)]
    if any(_PIDFILE.search(line) for line in lines):
        return in_command(config, lambda line: _PIDFILE.sub("--pidfile=", line))
    if len(lines) != 1 or re.search(r"['\";\\]", lines[0]):
        return ""  # its last word is a shell's, or not on this line
    return in_command(config, lambda line: f"{line.rstrip()} --pidfile=")


def _as_group(config: ProgramConfig) -> str:
    """stopasgroup=true makes killasgroup true too, but supervisord refuses a killasgroup=false."""
    known = option(config, "killasgroup") is not None
    return set_options(
        config, {"stopasgroup": "true", **({"killasgroup": "true"} if known else {})}
    )


def fix(text: str, config: ProgramConfig | None, diff: str = "", ticket: str = "") -> LastingFix:
    """With where the section stands, as far as that is known."""
    if config is None:
        return LastingFix(text, ticket=ticket)
    return LastingFix(text, config.file, config.line, config.section, diff, ticket)


def at(config: ProgramConfig | None, text: str) -> str:
    """A sentence that begins with the section's place, as far as that is known."""
    return f"{place(config)}: {text}" if config else text[:1].upper() + text[1:]


def reread(snapshot: Snapshot, program: Program) -> str:
    """How a changed conf is made to count."""
    server = next((s for s in snapshot.supervisords if s.id == program.id.supervisor), None)
    ctl = " ".join(server.ctl) if server and server.ctl else "supervisorctl"
    return f"then {ctl} update"


def unwanted(program: Program, snapshot: Snapshot, because: str) -> LastingFix:
    """A program that should not be there: autostart=false, or remove the section."""
    config = program.config
    ticket = f"Remove the surplus program {program.namespec}: {because}."
    if config is None:
        return LastingFix(
            f"Set autostart=false for {program.namespec} in supervisord's configuration, or remove "
            "its section; a stopped program comes back when supervisord restarts.",
            ticket=ticket,
        )
    if config.numprocs > 1:
        return fix(
            f"{place(config)}: numprocs=1, {reread(snapshot, program)}. A beat must run once; a "
            "stopped process comes back when supervisord restarts.",
            config,
            set_options(config, {"numprocs": "1"}),
            f"Set numprocs=1 in [{config.section}]: {because}.",
        )
    return fix(
        f"{place(config)}: set autostart=false, or remove the section, "
        f"{reread(snapshot, program)}. A stopped program comes back when supervisord restarts.",
        config,
        set_options(config, {"autostart": "false"}),
        ticket,
    )


def respawning(programs: Sequence[Program], held: Beat, snapshot: Snapshot) -> LastingFix:
    """For programs that a taken pidfile turns away."""
    first = programs[0]
    if held.origin == "orphan":
        cure = leftover(held, snapshot)
        end = f"End {beat_name(held, snapshot)} when {first.namespec} is to take over. "
        return replace(cure, text=end + cure.text)
    if held.unmanaged:
        stranger = beat_name(held, snapshot)
        text = (
            f"One beat too many was started outside supervisor ({stranger}). End it when "
            f"{first.namespec} is to take over, and remove what starts it"
            f"{_starter(held)}."
        )
        return LastingFix(
            text,
            file=first.config.file if first.config else None,
            line=first.config.line if first.config else 0,
            section=first.config.section if first.config else None,
            ticket=f"Remove what starts {stranger} of {app_name(held)}.",
        )
    return unwanted(first, snapshot, f"{beat_name(held, snapshot)} already is the beat of its app")


def _starter(beat: Beat) -> str:
    if beat.unit:
        return f": the systemd unit {beat.unit}"
    if beat.runner:
        return f": {beat.runner}"
    return " (crontab, rc.local, a deploy script, a shell with nohup)"


def leftover(left: Beat | Unmanaged, snapshot: Snapshot) -> LastingFix:
    """Why a program leaves processes behind, and what keeps it from doing so."""
    was = left.was
    program = next(
        (
            p
            for p in snapshot.programs
            if p.namespec == was and p.id.supervisor == left.was_supervisor
        ),
        None,
    )
    if program is None or program.config is None:
        return LastingFix(
            "Let the program's command `exec` the real thing and set stopasgroup=true and "
            "killasgroup=true, so that a stop reaches it."
        )
    config, update = program.config, reread(snapshot, program)
    if _embedded(left):
        return fix(
            f"{place(config)}: take -B (--beat) out of the command and run the beat as a program "
            "of its own: the embedded one outlives a worker that is killed (OOM).",
            config,
            _apart(config, snapshot) if _only_its_own(program, snapshot) else _no_flag(config),
            f"[{config.section}] must not embed a beat (-B).",
        )
    if re.search(r"(^|\s)(--detach|-D)(\s|$)", config.command):
        return fix(
            f"{place(config)}: take --detach out of the command, {update}: supervisord must "
            "hold the process itself.",
            config,
            in_command(config, lambda line: _DETACH.sub("", line)),
            f"[{config.section}] must not detach.",
        )
    if _own_session(left, snapshot):
        return fix(
            f"{place(config)}: its command leaves supervisord's session (setsid, a daemon); let it "
            f"stay in the foreground, {update}, for supervisord must hold the process itself.",
            config,
            in_command(config, lambda line: _SETSID.sub(r"\1", line)),
            f"[{config.section}] must not run its command by setsid.",
        )
    if not config.stopasgroup and not _led(left, snapshot):
        return fix(
            f"{place(config)}: set stopasgroup=true and killasgroup=true, or `exec` the real thing "
            f"in its shell, so that a stop reaches the whole process group; {update}. That "
            "update still stops it the old way and leaves its child once more: look again then.",
            config,
            _as_group(config),
            f"[{config.section}]: a stop leaves its child behind; set stopasgroup=true.",
        )
    return LastingFix(
        f"It outlived a supervisord that was killed; check that the service's stop ends all of "
        f"{was}'s processes (systemd: KillMode=control-group).",
        ticket=f"{was} outlived its supervisord: let the service's stop end all its processes.",
    )


def _embedded(left: Beat | Unmanaged) -> bool:
    """Whether it is the beat of a worker that is gone."""
    if isinstance(left, Beat):
        return left.line is not None and left.line.role == "worker+beat" and not left.embedded
    line = left.member.line
    return left.role == "beat" and (line.role == "worker+beat" or line.child)


def _root(left: Beat | Unmanaged, snapshot: Snapshot) -> Unmanaged | None:
    if not isinstance(left, Beat):
        return left
    found = (u for u in snapshot.unmanaged if u.member.process.pid == left.main_pid)
    return next(found, None)


def _led(left: Beat | Unmanaged, snapshot: Snapshot) -> bool:
    root = _root(left, snapshot)
    return root is not None and outlived(root)


def _own_session(left: Beat | Unmanaged, snapshot: Snapshot) -> bool:
    """Whether it leads a session: supervisord's children only lead process groups of its own."""
    root = _root(left, snapshot)
    return root is not None and root.member.process.session == root.member.process.pid


def outlived(root: Unmanaged) -> bool:
    """Whether its program's leader lives, as it or its parent: so its supervisord was killed.

    supervisord makes each program lead a process group. Behind a dead leader it is a shell's child.
    """
    process = root.member.process
    return process.pgrp in (process.pid, root.member.ppid)


def double(kept: Beat, surplus: Sequence[Beat], snapshot: Snapshot) -> LastingFix:
    """For beats that all live."""
    # Of several that are embedded, the kept one stays as it is.
    embedded = next((b for b in (*surplus, kept) if b.embedded and b.program is not None), None)
    if embedded is not None:
        return _without_b(embedded, kept, surplus, snapshot)
    orphan = next((b for b in surplus if b.origin == "orphan"), None)
    if orphan is not None:
        return leftover(orphan, snapshot)
    stranger = next((b for b in surplus if b.unmanaged), None)
    if stranger is not None:
        return LastingFix(
            f"Remove what starts {beat_name(stranger, snapshot)}{_starter(stranger)}.",
            ticket=f"Remove the unsupervised beat of {app_name(stranger)}.",
        )
    own = program_of(snapshot, kept.program)
    programs = {b.program: program_of(snapshot, b.program) for b in surplus}
    wanted = [p for p in programs.values() if p is not None and p is not own]
    if own is not None and own.id in programs and not wanted:
        return _several(own, snapshot)
    if not wanted:
        return LastingFix(
            f"Find the programs in the configuration of {surplus[0].supervisor or 'supervisord'}, "
            "as its owner or as root; one beat alone may run."
        )
    first = unwanted(wanted[0], snapshot, f"{beat_name(kept, snapshot)} already is the beat")
    text = first.text + _and_for(wanted)
    if own is not None and own.id in programs:
        text += " " + _several(own, snapshot).text
    if kept.pidfile is None:
        text += (
            " Celery 5 keeps no pidfile unless told: with one --pidfile for all, a second "
            "beat would have been refused."
        )
    return replace(first, text=text)


def _shared(a: Program, b: Program) -> bool:
    """Whether one section makes both (numprocs)."""
    one, two = a.config, b.config
    return bool(one and two and (one.file, one.section) == (two.file, two.section))


def _several(program: Program, snapshot: Snapshot) -> LastingFix:
    """For a program whose one command starts several beats: without it there would be none."""
    name, then = program.namespec, reread(snapshot, program)
    text = f"let the command of {name} start one beat only, {then}"
    return fix(
        at(program.config, f"{text}; its section stays, for one beat must run."),
        program.config,
        ticket=f"{name} starts several beats of one app: let it start one.",
    )


def _and_for(programs: Sequence[Program]) -> str:
    """That the sections of all but the first are changed like it."""
    first, *more = programs
    others = [place(p.config) if p.config else p.namespec for p in more if not _shared(p, first)]
    return f" Do the same in {listing(list(dict.fromkeys(others)))}." if others else ""


def _without_b(
    embedded: Beat, kept: Beat, surplus: Sequence[Beat], snapshot: Snapshot
) -> LastingFix:
    program = program_of(snapshot, embedded.program)
    config = program.config if program else None
    beats = (kept, *surplus)
    alone = next((b for b in beats if not b.embedded), None)
    name = embedded.namespec or "the worker"
    text = f"take -B (--beat) out of the command, restart {name} when it is idle"
    found = [program_of(snapshot, b.program) for b in surplus if b.embedded]
    sections = [p for p in found if p is not None]
    none_left = alone is None and program is not None and _last(program, kept, snapshot)
    if alone is not None:
        text += f", then start {beat_name(alone, snapshot)} again as the one beat"
    elif none_left:
        text += ", and let the beat be a program of its own (celery beat, numprocs=1), or none runs"
    text += "."
    if sections:
        text += _and_for(sections)
    if config is None:
        return fix(at(None, text), None)
    diff = _apart(config, snapshot) if none_left else _no_flag(config)
    return fix(at(config, text), config, diff, f"[{config.section}] must not embed a beat (-B).")


def _no_flag(config: ProgramConfig) -> str:
    return in_command(config, without_flag)


def _apart(config: ProgramConfig, snapshot: Snapshot) -> str:
    return apart(config, {p.config.section for p in snapshot.programs if p.config})


def _only_its_own(program: Program, snapshot: Snapshot) -> bool:
    """Whether no other program schedules for its app: a beat has to come for its -B."""
    apps = {b.key.app for b in snapshot.beats if b.program == program.id}
    others = [b for b in snapshot.beats if b.program not in (None, program.id)]
    return not any(b.key.app in apps for b in others)


def _last(program: Program, kept: Beat, snapshot: Snapshot) -> bool:
    """Whether the section that loses its -B is the kept beat's own too (numprocs)."""
    own = program_of(snapshot, kept.program)
    return own is not None and (own.id == program.id or _shared(own, program))
