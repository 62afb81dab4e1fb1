"""One carrying-out of one plan: its clients, its clock, its checklist and its bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from beattop.actions.checklist import Checklist
from beattop.actions.clock import Clock
from beattop.actions.ended import Blind, Cancelled, Changed, Failed
from beattop.actions.process_table import ProcessTable, key
from beattop.actions.steps import address, program, supervisord
from beattop.actions.writer import BAD_NAME, SHUTDOWN_STATE, NoAnswer, Refused, WriteClient
from beattop.model.finding import Target
from beattop.model.plan import Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program, ProgramId, Snapshot
from beattop.model.supervisor import ProgramState

SLACK_S = 60.0
"""A plan takes at most the longest stopwaitsecs and this; then it is "not yet verified"."""
STOPWAITSECS = 10.0
STARTSECS = 1.0
"""supervisord's defaults, where the conf is not known."""
_USUAL_MOST_S = 20.0


@dataclass(slots=True)
class Run:
    """What every step needs; `note` writes to the journal."""

    plan: Plan
    begun: Snapshot
    """The look at its begin: once a loop is stopped, newer ones know nothing of its lives."""
    look: Callable[[], Snapshot]
    """Gives the newest."""
    checks: Checklist
    clock: Clock
    proc: ProcessTable
    connect: Callable[[str], WriteClient]
    note: Callable[[str, str], None]
    cancelled: Callable[[], bool]
    confined_to: frozenset[str] | None
    deadline: float = 0.0
    acted: bool = False
    """True once anything was asked of anyone."""
    further: list[Plan] = field(default_factory=list)
    halfway: bool = False
    """True between the stop and the start of a restart: calling it off would leave it stopped."""

    def pause(self, seconds: float = 0.1) -> None:
        """Wait; raises Cancelled as soon as the user calls it off."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            self.check_cancelled()
            self.clock.sleep(min(left, 0.1))

    def check_cancelled(self) -> None:
        """Raise Cancelled where the user called it off."""
        if self.cancelled() and not self.halfway:
            raise Cancelled("called off")

    def late(self) -> bool:
        """Whether the whole plan's time is over."""
        return self.clock.monotonic() >= self.deadline

    def program(self, target: Target) -> Program | None:
        """The target's program as it was when all began."""
        return program(self.begun, target.program)

    def stopwaitsecs(self, target: Target) -> float:
        """After how many seconds supervisord sends SIGKILL."""
        found = self.program(target)
        return found.config.stopwaitsecs if found and found.config else STOPWAITSECS

    def startsecs(self, wanted: ProgramId | None) -> float:
        """How long it has to live to count as RUNNING."""
        found = program(self.begun, wanted)
        return found.config.startsecs if found and found.config else STARTSECS

    def longest_life(self, wanted: ProgramId | None) -> float:
        """The longest of a loop's known lives in seconds, 0 for what does not loop."""
        found = program(self.begun, wanted)
        loops = any(s.respawning for s in self.plan.steps if s.target.program == wanted)
        if found is None or not (found.respawning or loops):
            return 0.0
        ended = [life for life in found.lives if not life.requested]
        spans = [life.lifetime_s for life in ended if life.lifetime_s is not None]
        return min(max(spans, default=found.lifetime_median_s or 0.0), _USUAL_MOST_S)

    def shortest_life(self, wanted: ProgramId | None) -> float:
        """The shortest of a loop's known lives in seconds, infinite where none is known."""
        found = program(self.begun, wanted)
        spans = [life.lifetime_s for life in found.lives if not life.requested] if found else []
        return min((s for s in spans if s is not None), default=math.inf)

    def client(self, target: Target) -> WriteClient:
        """The target's supervisord; raises Failed where it is unknown or out of bounds."""
        if target.program is None:
            raise Failed("no supervisord is known for it", target.command)
        return self.connect(target.program.supervisor)

    def read(self, client: WriteClient, target: Target) -> ProgramState:
        """The program's state now; raises Changed where it is gone, Blind where nobody answers."""
        try:
            return client.state(address(target))
        except Refused as why:
            if why.code == BAD_NAME:
                raise Changed("the program does not exist any more") from None
            if why.code == SHUTDOWN_STATE:
                raise Changed("its supervisord is shutting down") from None
            raise Blind(f"its supervisord does not tell its state ({why})") from None
        except NoAnswer as why:
            raise Blind(f"its supervisord cannot be asked: {why}", target.command) from None

    def process(self, state: ProgramState) -> ProcessKey | None:
        """The leader that supervisord tells of, as it is seen from here; None where it is not."""
        server = supervisord(self.look(), state.supervisor)
        if not state.pid or server is None or server.key is None:
            return None
        # A supervisord in a pid namespace of its own numbers its children otherwise.
        for child in (state.pid, *self.proc.children(server.key.pid)):
            found = self.proc.stat(child)
            if found is None or found.ppid != server.key.pid:
                continue
            if self.proc.own_pid(child) == state.pid:
                return key(found)
        return None
