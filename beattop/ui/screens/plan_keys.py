"""The keys that act, each through the dialog of a plan; and those that only write files or copy."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from tempfile import gettempdir
from time import localtime, strftime

from beattop.actions.plan import plan_program
from beattop.actions.steps import ProgramVerb, command
from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.plan import Plan
from beattop.model.snapshot import Program
from beattop.text import listing
from beattop.ui.messages import Saved
from beattop.ui.remedy import plan_for, remedy
from beattop.ui.rows import Row
from beattop.ui.screens.board import Board


class PlanKeys(Board):
    """None of these changes anything: the dialog they open does, after a yes."""

    def action_duplicates(self) -> None:
        """Stop the duplicate beats of the selected row's finding, else all."""
        frame = self.beattop.frame
        if frame is None:
            self.beattop.say("Nothing was seen yet.")
            return
        chosen = self._newest(self.finding_of(self.table.current))
        plan = plan_for(frame.findings, chosen, frame.snapshot)
        if plan.empty and not plan.advice:
            self.beattop.say(f"There is no duplicate beat to stop.{self._other_cure(frame)}")
            return
        about = chosen if chosen is not None else next(iter(frame.findings), None)
        self._open_plan(plan, about)

    def _other_cure(self, frame: Frame) -> str:
        """What ends the worst finding instead."""
        worst = next((f for f in frame.findings if f.severity != "info"), None)
        if worst is None:
            return ""
        app = self.beattop
        chosen = self.chosen()
        cure = remedy(worst, frame.snapshot, read_only=app.read_only, chosen=chosen)
        return f" {app.keymap.shown(cure.command)}: {cure.label}."

    def _newest(self, finding: Finding | None) -> Finding | None:
        """The same finding as the newest frame has it: the picture may be frozen."""
        frame = self.beattop.frame
        if finding is None or frame is None:
            return None
        return next(
            (
                f
                for f in frame.findings
                if f.identity == finding.identity and f.kind == finding.kind
            ),
            None,
        )

    def action_stop(self) -> None:
        """Stop what is tagged, else what is selected."""
        self._change("stop")

    def action_restart(self) -> None:
        """Restart what is tagged, else what is selected."""
        self._change("restart")

    def action_start(self) -> None:
        """Start what is tagged, else what is selected."""
        self._change("start")

    def _change(self, verb: ProgramVerb) -> None:
        frame = self.beattop.frame
        programs = self._programs()
        if frame is None or not programs:
            row = self.table.current
            if row is not None and row.process is not None and row.program is None:
                self._open_plan(self._by_hand(row), self._newest(self.finding_of(row)))
            else:
                self.beattop.say(f"Select or tag a program to {verb} first.")
            return
        self._open_plan(
            plan_program(verb, programs, frame.snapshot),
            self._newest(self.finding_of(self.table.current)),
        )

    def _programs(self) -> list[Program]:
        frame = self.beattop.frame
        if frame is None:
            return []
        tagged = self.view.tagged
        if tagged:
            return [p for p in frame.snapshot.programs if p.id in tagged]
        row = self.table.current
        return [p for p in frame.snapshot.programs if row is not None and p.id == row.program]

    @staticmethod
    def _by_hand(row: Row) -> Plan:
        words = f"pid {row.pid} is outside every supervisord: kill -TERM {row.pid}"
        return Plan(f"pid {row.pid} is not beattop's to change", (), (), (words,), (), ())

    def action_undo(self) -> None:
        """Take the last action of this run back."""
        plan = self.beattop.executor.undo_plan()
        if plan is None:
            why = f" ({self.beattop.executor.reason})" if self.beattop.read_only else ""
            self.beattop.say(f"Nothing was done in this run that could be undone{why}.")
            return
        self._open_plan(plan, None)

    def _open_plan(self, plan: Plan, about: Finding | None) -> None:
        from beattop.ui.screens.plan import PlanDialog  # noqa: PLC0415 - not needed for the first frame

        frame = self.beattop.frame
        if frame is not None:
            self.app.push_screen(PlanDialog(plan, about, frame.snapshot))

    # --- nothing that touches the box ---

    def action_copy(self) -> None:
        """Copy the command that mends the row's finding, else the row's status command."""
        frame, row = self.beattop.frame, self.table.current
        if frame is None or row is None:
            self.beattop.say("Nothing to copy.")
            return
        finding = self._newest(self.finding_of(row))
        commands = [t.command for t in finding.stop if t.command] if finding else []
        if not commands and row.program is not None:
            status = command(frame.snapshot, "status", row.program)  # type: ignore[arg-type]
            commands = [status] if status else []
        self.beattop.copy("\n".join(commands) or row.command)

    def action_save(self) -> None:
        """Write the last minutes to a recording, in a thread: the disk may be slow."""
        frame = self.beattop.frame
        host = re.sub(r"[^\w.-]", "_", frame.snapshot.host.name) if frame else "box"
        name = f"beattop-{host}-{strftime('%Y%m%d-%H%M%S', localtime())}.jsonl"
        threading.Thread(target=self._save, args=(name,), name="beattop-save", daemon=True).start()

    def _save(self, name: str) -> None:
        tried: list[str] = []
        for folder in (Path.cwd(), Path.home(), Path(gettempdir())):
            if not os.access(folder, os.W_OK):
                tried.append(str(folder))
                continue
            try:
                words = self.beattop.feed.save(folder / name)
            except OSError as error:
                tried.append(f"{folder}: {error.strerror}")
                continue
            self.app.post_message(Saved(words))
            return
        self.app.post_message(Saved(f"Not saved: {listing(tried)}", failed=True))
