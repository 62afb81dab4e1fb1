"""Moving in time: only where a recording is replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from beattop.ui.commands import BY_ID
from beattop.ui.screens.board import Board

if TYPE_CHECKING:
    from beattop.model.frame import Seekable

SPEEDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class ReplayKeys(Board):
    """Arrows are samples; p plays; x and X change the speed; F jumps to the next change."""

    _speed = 1.0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Replay's keys are dead on the live box."""
        command = BY_ID.get(action)
        return self.replay if command is not None and command.replay else True

    @property
    def _tape(self) -> Seekable:
        return cast("Seekable", self.beattop.feed)

    @property
    def _playing(self) -> bool:
        return bool(self.beattop.frame and self.beattop.frame.playing)

    def action_left(self) -> None:
        """One sample back, or columns to the left."""
        if self.replay:
            self._tape.seek(-1)
        else:
            self.table.slide(-1)

    def action_right(self) -> None:
        """One sample on, or columns to the right."""
        if self.replay:
            self._tape.seek(1)
        else:
            self.table.slide(1)

    def action_back(self) -> None:
        """Ten samples back."""
        self._tape.seek(-10)

    def action_forward(self) -> None:
        """Ten samples on."""
        self._tape.seek(10)

    def action_play(self) -> None:
        """Play, or stop playing."""
        self._tape.play(0.0 if self._playing else self._speed)

    def action_faster(self) -> None:
        """Next speed."""
        self._to_speed(1)

    def action_slower(self) -> None:
        """Speed before."""
        self._to_speed(-1)

    def _to_speed(self, step: int) -> None:
        place = SPEEDS.index(self._speed) + (step if self._playing else 0)
        self._speed = SPEEDS[max(0, min(place, len(SPEEDS) - 1))]
        self._tape.play(self._speed)

    def action_next_change(self) -> None:
        """To where the findings change."""
        self.run_worker(self._to_next_change, thread=True, exclusive=True)

    def _to_next_change(self) -> None:
        """In a thread: there may be hours of samples before it."""
        if not self._tape.next_finding():
            words = "The findings do not change any more up to the end."
            self.app.call_from_thread(self.beattop.say, words)
