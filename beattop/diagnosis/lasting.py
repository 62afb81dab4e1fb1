"""The change that keeps a trouble from coming back: file, line, section, and a diff to copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from beattop.diagnosis.names import app_name, beat_name, program_of
from beattop.model.finding import LastingFix
from beattop.model.snapshot import Beat, Program, Snapshot, Unmanaged
from beattop.model.supervisor import ProgramConfig
from beattop.text import MASK, listing


def place(config: ProgramConfig) -> str:
    """`/etc/supervisor/conf.d/old.conf:7 [program:beat2]`; the section where no more is known."""
    if not config.file:
        return f"[{config.section}]"
    line = f":{config.line}" if config.line else ""
    return f"{config.file}{line} [{config.section}]"


def set_option(config: ProgramConfig, name: str, value: str) -> str:
    """A unified diff that sets one option of a section; "" where its text is not known."""
    at = _option(config, name)
    if not config.lines or not config.line:
        return ""
    if at is None:
        return _diff(config, 0, (), (f"{name}={value}",))
    return _diff(config, at, (config.lines[at],), (f"{name}={value}",))


def in_command(config: ProgramConfig, change: Callable[[str], str]) -> str:
    """A unified diff of the one line of `command=` that `change` makes another; "" where none."""
    at = _option(config, "command")
    if at is None or not config.line:
        return ""
    for index in range(at, len(config.lines)):
        line = config.lines[index]
        if index > at and not line[:1].isspace():
            break
        new = change(line)
        if new != line:
            return _diff(config, index, (line,), (new,))
    return ""


_EMBED = re.compile(r"\s--be(?:at?)?(?=[\s'\"]|$)|(?P<flags>\s-[EDB]*B[EDB]*)(?=[\s'\"]|$)")
_DETACH = re.compile(r"\s(?:--detach|-D)(?=[\s'\"]|$)")
_SETSID = re.compile(r"((?:^|[=\s;&'\"])\s*)(?:/\S*/)?setsid\s+(?:-\S+\s+)*")
_PIDFILE = re.compile(r"(?<=\s)--pidfile(?:=|\s+)[^\s'\";]*")


def _without_flag(line: str) -> str:
    """A worker's command without -B, which may stand in a group of letters: -EB."""

    def cut(found: re.Match[str]) -> str:
        rest = (found["flags"] or "").replace("B", "")
        return rest if rest.strip(" \t-") else ""

    return _EMBED.sub(cut, line)


def without_pidfile(config: ProgramConfig) -> str:
    """A unified diff after which Celery writes no pidfile and asks for none: --pidfile= (empty).

    Celery takes the empty name for none, from 3.1 to 5.7; supervisord itself runs a program once.
    """
    at = _option(config, "command")
    if at is None or any(_PIDFILE.search(line) for line in config.lines[at:]):
        return in_command(config, lambda line: _PIDFILE.sub("--pidfile=", line))
    line = config.lines[at]
    goes_on = len(config.lines) > at + 1 and config.lines[at + 1][:1].isspace()
    if goes_on or re.search(r"['\";\\]", line):
        return ""  # its last word is a shell's, or not on this line
    return in_command(config, lambda line: f"{line.rstrip()} --pidfile=")


def _option(config: ProgramConfig, name: str) -> int | None:
    pattern = re.compile(rf"^{re.escape(name)}\s*[=:]", re.I)
    return next((i for i, line in enumerate(config.lines) if pattern.match(line)), None)


def _diff(config: ProgramConfig, at: int, old: tuple[str, ...], new: tuple[str, ...]) -> str:
    """A hunk at the section's line `at`, which is `old`; without it the new lines follow there."""
    if _unlike(config.lines[at]):
        return ""
    above = config.lines[at] if not old else (config.lines[at - 1] if at else None)
    if above is not None and _unlike(above):
        above = None
    start = config.line + at - (1 if old and above is not None else 0)
    context = [f" {above}"] if above is not None else []
    size = len(context)
    head = [
        f"--- {config.file}",
        f"+++ {config.file}",
        f"@@ -{start},{size + len(old)} +{start},{size + len(new)} @@",
    ]
    shown = [*context, *(f"-{line}" for line in old), *(f"+{line}" for line in new)]
    return "\n".join([*head, *shown]) + "\n"


def _unlike(line: str) -> bool:
    """Whether the file's own line is not known: a secret is masked, or a sign was cleaned away."""
    return MASK in line or "\ufffd" in line


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
            set_option(config, "numprocs", "1"),
            f"Set numprocs=1 in [{config.section}]: {because}.",
        )
    return fix(
        f"{place(config)}: set autostart=false, or remove the section, "
        f"{reread(snapshot, program)}. A stopped program comes back when supervisord restarts.",
        config,
        set_option(config, "autostart", "false"),
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
            in_command(config, _without_flag),
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
            set_option(config, "stopasgroup", "true"),
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
    if alone is not None:
        text += f", then start {beat_name(alone, snapshot)} again as the one beat"
    elif program is not None and _last(program, kept, snapshot):
        text += ", and let the beat be a program of its own (celery beat, numprocs=1), or none runs"
    text += "."
    if sections:
        text += _and_for(sections)
    if config is None:
        return fix(at(None, text), None)
    diff = in_command(config, _without_flag)
    return fix(at(config, text), config, diff, f"[{config.section}] must not embed a beat (-B).")


def _last(program: Program, kept: Beat, snapshot: Snapshot) -> bool:
    """Whether the section that loses its -B is the kept beat's own too (numprocs)."""
    own = program_of(snapshot, kept.program)
    return own is not None and (own.id == program.id or _shared(own, program))
