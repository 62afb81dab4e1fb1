"""The dialog of a plan: shows the exact calls, asks, and shows how carrying it out goes."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from beattop.actions.plan import plan_finding_alternative
from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.plan import Check, Outcome, Plan
from beattop.model.snapshot import Snapshot
from beattop.ui import glyphs
from beattop.ui.commands import Where, bindings
from beattop.ui.line import EMPTY, Line, line, paragraph
from beattop.ui.messages import CheckArrived, PlanEnded
from beattop.ui.plandeed import alarm, commands, deed
from beattop.ui.planwords import plan_lines, progress_lines
from beattop.ui.screens.closing import Closing
from beattop.ui.widgets.choice import Choice
from beattop.ui.widgets.lines import Lines
from beattop.ui.widgets.note import Note
from beattop.ui.widgets.pager import Pager

if TYPE_CHECKING:
    from beattop.ui.app import BeattopApp


_TURNS: Final = frozenset({"stays-stopped", "runs", "gone"})
"""Checks after which a program's state has changed."""


class PlanDialog(ModalScreen[None], Closing[None]):
    """Cancel has the focus; only `y` or the focused button carries the plan out."""

    WHERE: ClassVar[Where] = "plan"
    BINDINGS = bindings("plan")
    AUTO_FOCUS = "#cancel"

    def __init__(self, plan: Plan, finding: Finding | None, snapshot: Snapshot) -> None:
        super().__init__()
        self.plan = plan
        self.state: Literal["asking", "warned", "working", "ended"] = "asking"
        self._finding = finding
        self._before = self._snapshot = snapshot
        self._chosen = set(range(len(plan.steps)))
        self._cursor = 0
        self._checks: dict[tuple[int, str], Check] = {}
        self._outcome: Outcome | None = None
        self._called_off = threading.Event()
        self._places: dict[int, int] = {}
        self._title = Lines(id="title")
        self.note = Note(id="note")
        self._pager = Pager(id="body")
        self._cancel = Choice("Cancel", id="cancel")
        self._confirm = Choice("", grave=True, id="confirm")
        self._confirm.display = False  # until there is something to confirm

    def compose(self) -> ComposeResult:
        """Title, body, buttons."""
        with Vertical(classes="dialog"):
            yield self._title
            yield self._pager
            yield self.note
            with Horizontal(id="buttons"):
                yield self._cancel
                yield self._confirm

    @property
    def beattop(self) -> BeattopApp:
        """The app, as what it is."""
        return cast("BeattopApp", self.app)

    def on_mount(self) -> None:
        """Draw at once."""
        self._pager.can_focus = False
        self._pager.on_width = self.draw
        self.draw()

    def on_resize(self) -> None:
        """Lines are wrapped for the width."""
        self.draw()

    def show_frame(self, frame: Frame) -> None:
        """While it works the box is looked at too."""
        if self.state in {"working", "ended"}:
            self._snapshot = frame.snapshot
            self.draw()

    # --- drawing ---

    def draw(self) -> None:
        """All of it for the state it is in."""
        if not self.is_mounted:
            return
        high, wide = self.app.size.height, self.app.size.width
        framed = high >= 13 and wide >= 60
        width = max(20, min(96, wide) - (5 if framed else 1))
        room = high - (5 if framed else 2)
        lines = self._body(width, room)
        title = line(
            (f" {self.plan.title}", "title"),
            ("  READ-ONLY", "warning") if self.beattop.read_only else "",
        )
        self._title.show([title])
        if framed:
            lines.append(EMPTY)
            self._pager.styles.height = max(1, min(len(lines), room))
        else:  # as the stylesheet says: what the buttons leave
            self._pager.styles.height = None
        self._pager.show(lines)
        self._draw_buttons()

    def _body(self, width: int, room: int) -> list[Line]:
        if self.state in {"working", "ended"}:
            undo = (
                self.beattop.keymap.shown("plan_undo") + "  undo"
                if self.state == "ended" and self._undo()
                else ""
            )
            return progress_lines(
                self.plan,
                self._checks,
                self._outcome,
                self._before,
                self._snapshot,
                width,
                undo=undo,
                room=room,
            )
        why = self._why_not()
        pointed = self._cursor if len(self.plan.steps) > 1 else None
        lines, self._places = plan_lines(
            self.plan, self._chosen, width, read_only=why, cursor=pointed, room=room
        )
        if self.state == "warned":
            lines = [
                *paragraph(
                    alarm(self.plan, self._chosen, self._newest()),
                    width,
                    "critical",
                    3,
                    line((f" {glyphs.CRITICAL} ", "critical")),
                ),
                *lines,
            ]
        elif self._finding is not None and self._finding.alternatives:
            lines = [
                *lines,
                line(
                    (f" {self.beattop.keymap.shown('plan_instead')} ", "key"),
                    " what could be done instead",
                ),
            ]
        return lines

    def _draw_buttons(self) -> None:
        cancel, confirm = self._cancel, self._confirm
        confirm.key = self.beattop.keymap.shown("plan_confirm")
        offers = (
            self.state in {"asking", "warned"}
            and not self.beattop.read_only
            and bool(self._chosen)
            and not self.plan.empty
        )
        further = (
            self.state == "ended"
            and self._outcome is not None
            and self._outcome.further is not None
        )
        confirm.display = offers or further
        if not confirm.display and confirm.has_focus:
            cancel.focus()
        cancel.label(
            {"working": "Stop here", "ended": "Close"}.get(
                self.state, "Close" if not offers else "Cancel"
            )
        )
        if further and self._outcome is not None and self._outcome.further is not None:
            confirm.label(self._outcome.further.title)
        elif offers:
            confirm.label(
                ("Yes, " if self.state == "warned" else "") + deed(self.plan, self._chosen)
            )

    def _newest(self) -> Snapshot:
        frame = self.beattop.frame
        return frame.snapshot if frame else self._before

    def _why_not(self) -> str:
        app = self.beattop
        return (
            (app.settings.read_only_why or app.executor.reason or "read-only")
            if app.read_only
            else ""
        )

    # --- asking ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In read-only mode nothing is confirmed: the second of three guards."""
        return not (action in {"plan_confirm", "plan_undo"} and self.beattop.read_only)

    def action_plan_confirm(self) -> None:
        """Carry the plan out; the last working beat takes one more yes."""
        if (
            self.state == "ended"
            and self._outcome is not None
            and self._outcome.further is not None
        ):
            self._ask(self._outcome.further)
            return
        if (
            self.state not in {"asking", "warned"}
            or self.plan.empty
            or not self._chosen
            or self.beattop.read_only
        ):
            return
        if self.state == "asking" and alarm(self.plan, self._chosen, self._newest()):
            self.state = "warned"
            self._pager.to_top()
            self.draw()
            return
        self._begin()

    def _ask(self, plan: Plan) -> None:
        self.plan = plan
        self.state = "asking"
        self._chosen = set(range(len(plan.steps)))
        self._cursor = 0
        self._checks, self._outcome = {}, None
        self._called_off = threading.Event()
        self._before = self._snapshot
        self._cancel.focus()
        self._pager.to_top()
        self.draw()

    def action_plan_instead(self) -> None:
        """What the finding offers second."""
        frame = self.beattop.frame
        if (
            self.state != "asking"
            or self._finding is None
            or not self._finding.alternatives
            or frame is None
        ):
            return
        plan, self._finding = plan_finding_alternative(self._finding, frame.snapshot), None
        self._ask(plan)

    # --- working ---

    def _begin(self) -> None:
        steps = tuple(s for n, s in enumerate(self.plan.steps) if n in self._chosen)
        kept = {s.target.program for s in steps}
        undo = tuple(s for s in self.plan.undo if s.target.program in kept)
        self.plan = replace(self.plan, steps=steps, undo=undo)
        frame = self.beattop.frame
        self._before = self._snapshot = frame.snapshot if frame else self._before
        self.state = "working"
        self._cancel.focus()
        self._pager.to_top()
        self.draw()
        threading.Thread(
            target=self._carry_out,
            args=(self.plan, self._called_off),
            name="beattop-plan",
            daemon=True,
        ).start()

    def _carry_out(self, plan: Plan, called_off: threading.Event) -> None:
        """In a thread of its own: only posts."""
        try:
            outcome = self.beattop.executor.execute(plan, self._on_check, called_off.is_set)
        except Exception as error:  # noqa: BLE001 - a thread's exception is silent: the user has to hear it
            outcome = Outcome("failed", (), f"beattop itself failed: {error!r}")
        self.post_message(PlanEnded(outcome))

    def _on_check(self, check: Check) -> None:
        self.post_message(CheckArrived(check))

    def on_check_arrived(self, event: CheckArrived) -> None:
        """One line of the checklist."""
        check = event.check
        self._checks[check.step, check.name] = check
        if check.tick == "done" and check.name in _TURNS:
            self.beattop.feed.refresh()  # the table's state is supervisord's word of seconds ago
        self.draw()

    def on_plan_ended(self, event: PlanEnded) -> None:
        """It is over."""
        self._outcome = event.outcome
        for check in event.outcome.checks:
            self._checks[check.step, check.name] = check
        self.state = "ended"
        self.beattop.feed.refresh()
        self.draw()
        self._pager.to_top()

    def _undo(self) -> Plan | None:
        return None if self.beattop.read_only else self.beattop.executor.undo_plan()

    def action_plan_undo(self) -> None:
        """Take it back: another plan, asked anew."""
        plan = self._undo() if self.state == "ended" else None
        if plan is not None:
            self._ask(plan)

    # --- keys ---

    def action_plan_close(self) -> None:
        """Close; while it works: no further step."""
        if self.state == "warned":
            self.state = "asking"
            self.draw()
        elif self.state == "working":
            self._called_off.set()
            self.beattop.say("No further step will be taken.")
        else:
            self.dismiss()

    def action_plan_toggle(self) -> None:
        """Take a target in or out."""
        if self.state == "asking" and len(self.plan.steps) > 1:
            self._chosen ^= {self._cursor}
            self.draw()

    def action_plan_up(self) -> None:
        """The target above, or a line up."""
        self._point(-1)

    def action_plan_down(self) -> None:
        """The target below, or a line down."""
        self._point(1)

    def _point(self, by: int) -> None:
        new = self._cursor + by
        if self.state == "asking" and len(self.plan.steps) > 1 and 0 <= new < len(self.plan.steps):
            self._cursor = new
            self.draw()
            top, height = self._pager.scroll_offset.y, self._pager.size.height
            if not top <= self._places[new] < top + height - 2:
                self._pager.scroll_to(y=max(0, self._places[new] - 1), animate=False, force=True)
        else:
            self._pager.step(by)

    def action_plan_page_up(self) -> None:
        """One page up."""
        self._pager.page(-1)

    def action_plan_page_down(self) -> None:
        """One page down."""
        self._pager.page(1)

    def action_plan_copy(self) -> None:
        """The commands to hand on."""
        self.beattop.copy("\n".join(commands(self.plan, self._chosen)))

    def action_to_button(self, name: str) -> None:
        """Left is Cancel, right is the deed; they never wrap round."""
        button = self._cancel if name == "cancel" else self._confirm
        if button.display:
            button.focus()

    async def on_choice_pressed(self, event: Choice.Pressed) -> None:
        """A button; the same guards as its key."""
        await self.run_action("plan_confirm" if event.id == "confirm" else "plan_close")
