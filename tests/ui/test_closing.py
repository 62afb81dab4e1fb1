"""Keys pressed faster than screens close: one that is gone is not closed again."""

from __future__ import annotations

import pytest

from tests.ui.conftest import running
from tests.ui.doubles import FakeExecutor
from tests.ui.frames import incident


@pytest.mark.parametrize("opener", ["enter", "v", "l", "e", "y", "?", "d", ">", "ctrl+p"])
@pytest.mark.parametrize("below", ["", "v"])
async def test_told_twice_it_closes_once(opener, below):
    async with running(incident(1)) as screen:
        await screen.press(*below)
        left = list(screen.app.screen_stack)
        if below:
            opener = "?" if opener != "ctrl+p" else opener
        await screen.press(opener)
        top = screen.app.screen
        assert top not in left, "it opened"
        for _ in range(3):
            top.dismiss(None)
        await screen.settle()
        assert list(screen.app.screen_stack) == left
        assert screen.app.return_code is None


async def test_what_an_earlier_beattop_was_killed_in_the_middle_of_is_said():
    executor = FakeExecutor()
    executor.before = "a beattop (pid 7) was killed in the middle of 'Stop beat2' at 04:12"
    async with running(incident(1), executor=executor) as screen:
        assert "was killed in the middle of 'Stop beat2' at 04:12" in screen.text


async def test_two_enters_on_the_button_of_a_dialog_close_it_once():
    async with running(incident(1)) as screen:
        await screen.press("d")
        button = screen.app.screen.focused
        button.action_press()
        button.action_press()
        await screen.settle()
        assert len(screen.app.screen_stack) == 1
        assert "Traceback" not in screen.text
