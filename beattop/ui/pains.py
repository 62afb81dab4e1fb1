"""Where in the findings a program or a process stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from beattop.model.finding import SEVERITIES, Finding
from beattop.model.snapshot import ProgramId

KEPT = 3
"""Severity's place of what a finding keeps: right after what is wrong."""
RESPAWNING = (2, 999)
CALM = (9, 0)


class Pains:
    """(place of the severity, place of the finding) for each program and pid that any is about."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.programs: dict[ProgramId, tuple[int, int]] = {}
        self.pids: dict[int, tuple[int, int]] = {}
        self.words: dict[ProgramId | int, str] = {}
        for number, finding in enumerate(findings):
            rank = (SEVERITIES.index(finding.severity), number)
            for program in finding.programs:
                self.programs.setdefault(program, rank)
                self.words.setdefault(program, f"{finding.kind} {finding.severity}")
            for pid in finding.pids:
                self.pids.setdefault(pid, rank)
                self.words.setdefault(pid, f"{finding.kind} {finding.severity}")
        for number, finding in enumerate(findings):
            for kept in finding.keep:
                if kept.program is not None:
                    self.programs.setdefault(kept.program, (KEPT, number))
                elif kept.pid is not None:
                    self.pids.setdefault(kept.pid, (KEPT, number))
