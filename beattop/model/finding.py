"""What is wrong, for whom, what to keep and what to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from beattop.model.process import ProcessKey
from beattop.model.snapshot import ProgramId

Kind = Literal[
    "duplicate-beat",
    "stale-pidfile",
    "beat-down",
    "supervisor-not-answering",
    "respawn-loop",
    "program-down",
    "double-supervisor",
    "beat-silent",
    "orphan",
    "supervisor-denied",
]
Severity = Literal["critical", "warning", "info"]
Certainty = Literal["certain", "likely", "possible"]
Via = Literal["xmlrpc", "signal", "advice"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""Most severe first."""


@dataclass(frozen=True, slots=True)
class Keep:
    """A beat that goes on."""

    supervisor: str | None
    namespec: str | None
    pid: int | None
    program: ProgramId | None = None
    process: ProcessKey | None = None
    why: str = ""
    """In words: "holds /run/beat.pid, up 112 d"."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to stop, and how."""

    supervisor: str | None
    namespec: str | None
    pid: int | None
    via: Via
    command: str | None
    """Runnable as it stands, or None; never holds a password."""
    program: ProgramId | None = None
    process: ProcessKey | None = None
    why: str = ""
    """In words what it is and why stopping it loses nothing, or why it is only advice."""


@dataclass(frozen=True, slots=True)
class LastingFix:
    """The change that keeps the trouble from coming back."""

    text: str
    """One or two sentences naming file, line and section."""
    file: str | None = None
    line: int = 0
    section: str | None = None
    diff: str = ""
    """A small unified diff to copy; "" where the change is not in a file we know."""
    ticket: str = ""
    """Words for the ticket."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause for one identity, under its most specific kind."""

    kind: Kind
    severity: Severity
    certainty: Certainty
    summary: str
    """One sentence a tired person understands."""
    effect: str
    programs: tuple[ProgramId, ...]
    """What it is about: the respawning or surplus ones, not those kept."""
    pids: tuple[int, ...]
    evidence: tuple[str, ...]
    keep: tuple[Keep, ...] = ()
    stop: tuple[Target, ...] = ()
    alternatives: tuple[Target, ...] = ()
    """Offered second: the hand-over."""
    lasting: LastingFix = field(default_factory=lambda: LastingFix(""))
    since_at: float | None = None
    churn_pct: float | None = None
    identity: str = ""
    """A stable name of cause and identity: follows the finding from frame to frame."""
    short: str = ""
    """The summary in at most some 60 characters, for small panes."""
    pidfile: str | None = None
    """A stale pidfile that may be removed."""

    @property
    def actionable(self) -> bool:
        """True where one key may end it: certain or likely, and something beattop may stop."""
        return self.certainty != "possible" and any(t.via != "advice" for t in self.stop)
