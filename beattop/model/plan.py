"""What will be done, call by call, and how each step fared; nouns only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from beattop.model.files import Pidfile
from beattop.model.finding import Keep, Target
from beattop.model.process import ProcessKey
from beattop.model.snapshot import ProgramId

Verb = Literal["stop", "start", "restart", "signal", "kill", "remove-pidfile"]
Tick = Literal["pending", "done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One target and the call that is made for it."""

    verb: Verb
    target: Target
    call: str
    """As shown: `supervisor.stopProcess("beat2", wait=False)`."""
    server: str | None
    command: str | None
    """The same by hand."""
    respawning: bool = False
    """The program loops: whichever of its lives is met is the one that is meant."""
    if_left: bool = False
    """Only where it outlived the steps before: a beat behind a shell that passes no signal on."""
    heir: ProgramId | None = None
    """Who has to take the schedule over afterwards."""
    after: tuple[ProcessKey, ...] = ()
    """Processes that have to be gone before: what a restart's stop left over."""
    pidfile: Pidfile | None = None
    """The stale file as it was read for the plan, or the one that the heir has to take."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The exact calls in order, what is kept, what remains to be done by hand."""

    title: str
    keep: tuple[Keep, ...]
    steps: tuple[Step, ...]
    advice: tuple[str, ...]
    """What beattop will not do, with the command to do it."""
    warnings: tuple[str, ...]
    lasting: tuple[str, ...]
    """Lasting fixes, one a cause, each naming file, line and section."""
    undo: tuple[Step, ...] = ()

    @property
    def empty(self) -> bool:
        """True where there is nothing that beattop may do."""
        return not self.steps


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist that fills in while a plan is carried out."""

    name: str
    """Stable: "asked", "stopped", "stays-stopped", "gone", "keeper-beats", "no-new-spawn" ..."""
    label: str
    tick: Tick
    detail: str = ""
    """The reading that set it: pid, mtime, state, time."""
    at: float | None = None
    step: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How carrying out a plan ended."""

    status: Literal["done", "failed", "changed", "unverified", "refused", "blind", "cancelled"]
    checks: tuple[Check, ...]
    summary: str
    further: Plan | None = None
    """What is offered next, to be confirmed anew: SIGTERM for survivors, SIGKILL after SIGTERM."""
