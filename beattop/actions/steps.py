"""The steps a plan is made of: each target with its exact call and the same by hand."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from beattop.model.files import Pidfile
from beattop.model.finding import Keep, Target
from beattop.model.plan import Plan, Step
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program, ProgramId, Snapshot
from beattop.model.supervisor import Supervisord
from beattop.text import safe

ProgramVerb = Literal["stop", "start", "restart"]


def supervisord(snapshot: Snapshot, supervisor: str | None) -> Supervisord | None:
    """The one of that id."""
    return next((s for s in snapshot.supervisords if s.id == supervisor), None)


def program(snapshot: Snapshot, wanted: ProgramId | None) -> Program | None:
    """The program of that id."""
    return next((p for p in snapshot.programs if p.id == wanted), None)


def command(snapshot: Snapshot, verb: ProgramVerb, target: ProgramId) -> str | None:
    """The line that does the same by hand; None where it is not known.

    A supervisord that does not run cannot be told to start anything: it is started itself.
    """
    server = supervisord(snapshot, target.supervisor)
    if server and server.key is None and server.answers is False and server.conf:
        return shlex.join(["supervisord", "-c", server.conf]) if verb == "start" else None
    named = safe(target.namespec)
    return shlex.join([*server.ctl, verb, named]) if server and server.ctl else None


def call(verb: ProgramVerb, namespec: str) -> str:
    """The XML-RPC call as it is shown: wait=False, since waiting makes supervisord spin."""
    name = json.dumps(safe(namespec), ensure_ascii=False)
    if verb == "restart":
        return f"{call('stop', namespec)}, then {call('start', namespec)}"
    return f"supervisor.{verb}Process({name}, wait=False)"


def address(target: Target) -> str:
    """The name that supervisord is asked for; one that is empty is refused before it is sent."""
    return target.namespec or ""


def mute(snapshot: Snapshot, supervisor: str | None) -> str | None:
    """Why that supervisord cannot be told anything, in words; None where it can."""
    server = supervisord(snapshot, supervisor)
    if server is None:
        return "its supervisord is not known any more"
    if server.url is None:
        return "its supervisord has no server to talk to ([unix_http_server] in its conf)"
    if server.answers is False:
        return "its supervisord does not answer"
    return None if server.writable else "its supervisord does not take calls from this user"


def program_target(snapshot: Snapshot, found: Program, verb: ProgramVerb) -> Target:
    """A program as a target of its supervisord."""
    return Target(
        supervisor=found.id.supervisor,
        namespec=found.namespec,
        pid=found.pid,
        via="xmlrpc",
        command=command(snapshot, verb, found.id),
        program=found.id,
        process=found.leader.key if found.leader else None,
    )


def rpc_step(snapshot: Snapshot, verb: ProgramVerb, target: Target) -> Step:
    """`target`, a program, stopped, started or restarted by its supervisord."""
    found = program(snapshot, target.program)
    server = supervisord(snapshot, target.supervisor)
    if found is not None and found.leader is not None and target.process is not None:
        # supervisord knows the leader, a finding may have named the beat behind it.
        target = replace(target, pid=found.leader.process.pid, process=found.leader.key)
    return Step(
        verb=verb,
        target=target,
        call=call(verb, address(target)),
        server=server.url if server else target.supervisor,
        command=target.command,
        respawning=found is not None and found.respawning,
    )


def undo_step(snapshot: Snapshot, step: Step) -> Step | None:
    """What takes `step` back; None where nothing does."""
    if step.verb not in ("stop", "start") or step.target.program is None:
        return None
    verb: ProgramVerb = "start" if step.verb == "stop" else "stop"
    line = command(snapshot, verb, step.target.program)
    target = replace(step.target, command=line, pid=None, process=None, why="")
    # Whichever process a start has brought forth is the one to stop again. What looped when it was
    # stopped will loop again: its start is no failure for that.
    return replace(rpc_step(snapshot, verb, target), respawning=verb == "stop" or step.respawning)


def start_again(snapshot: Snapshot, step: Step) -> Step:
    """The start that a step, which stopped its program, has not come to."""
    owner = step.target.program
    line = command(snapshot, "start", owner) if owner else None
    target = replace(step.target, command=line, pid=None, process=None, why="")
    return rpc_step(snapshot, "start", target)


def waiting(start: Step, left: Iterable[Step]) -> Step:
    """A start that waits for what its program left over, which the steps `left` end."""
    owner = start.target.program
    keys = [s.target.process for s in left if s.target.program == owner and s.target.process]
    return replace(start, after=tuple(keys))


def signal_step(
    target: Target, process: ProcessKey, *, kill: bool = False, heir: ProgramId | None = None
) -> Step:
    """SIGTERM (or SIGKILL) for `process`, the target's, that no supervisord would stop."""
    name = "KILL" if kill else "TERM"
    return Step(
        verb="kill" if kill else "signal",
        target=target,
        call=f"pidfd_send_signal(pid {process.pid}, SIG{name})",
        server=None,
        command=f"kill -{name} {process.pid}",
        heir=heir,
    )


def process_target(process: ProcessKey, why: str, owner: ProgramId | None = None) -> Target:
    """A process, left over from `owner` where that is known, as a target of a signal."""
    return Target(
        supervisor=owner.supervisor if owner else None,
        namespec=None,
        pid=process.pid,
        via="signal",
        command=f"kill -TERM {process.pid}",
        program=owner,
        process=process,
        why=why,
    )


def pidfile_step(pidfile: Pidfile, heir: ProgramId | None, why: str) -> Step:
    """Removal of a stale pidfile."""
    line = f"rm -- {shlex.quote(pidfile.path)}"
    return Step(
        verb="remove-pidfile",
        target=Target(None, None, None, "signal", line, why=why),
        call=f"unlink({json.dumps(safe(pidfile.path), ensure_ascii=False)})",
        server=None,
        command=line,
        heir=heir,
        pidfile=pidfile,
    )


@dataclass(slots=True)
class Parts:
    """A plan under construction: what the steps bring with them, in order, nothing twice."""

    steps: list[Step]
    advice: list[str]
    warnings: list[str]

    @classmethod
    def empty(cls) -> Parts:
        """None of anything yet."""
        return cls([], [], [])

    def plan(
        self, title: str, snapshot: Snapshot, keep: Iterable[Keep] = (), lasting: Iterable[str] = ()
    ) -> Plan:
        """The finished plan, with the steps that would take it back, last done first undone."""
        undo = [undo_step(snapshot, step) for step in reversed(self.steps)]
        return Plan(
            title=title,
            keep=tuple(dict.fromkeys(keep)),
            steps=tuple(self.steps),
            advice=tuple(dict.fromkeys(self.advice)),
            warnings=tuple(dict.fromkeys(self.warnings)),
            lasting=tuple(dict.fromkeys(text for text in lasting if text)),
            undo=tuple(step for step in undo if step is not None),
        )


def called(target: Target) -> str:
    """What to call a target in a sentence: its namespec, or its pid."""
    if target.namespec:
        return safe(target.namespec)
    return f"pid {target.pid}" if target.pid is not None else safe(target.why)


def named(step: Step) -> str:
    """What to call a step in a sentence: its target, or the file that it removes."""
    if step.verb == "remove-pidfile" and step.pidfile is not None:
        return f"the stale pidfile {safe(step.pidfile.path)}"
    return called(step.target)


def keeper(keep: Keep) -> str:
    """What to call a kept beat in a sentence."""
    name = safe(keep.namespec) if keep.namespec else "the beat"
    return f"{name} (pid {keep.pid})" if keep.pid is not None else name


def advised(target: Target, why: str | None = None) -> str:
    """One line that hands a target on to a person, with the command where there is one."""
    words = safe(why or target.why)
    line = f"{called(target)}: {words}" if words else called(target)
    return f"{line} – by hand: {target.command}" if target.command else line
