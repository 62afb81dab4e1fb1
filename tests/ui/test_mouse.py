"""What the mouse does to the main screen."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset

from tests.ui import frames
from tests.ui.conftest import running
from tests.ui.test_main import current


async def test_a_click_selects_a_title_sorts_a_double_click_opens():
    async with running(frames.incident()) as screen:
        top = screen.table.region.y
        line = next(n for n, r in enumerate(screen.table.rows) if r.name == "flower")
        await screen.pilot.click(offset=Offset(20, top + line))
        await screen.settle()
        assert current(screen).name == "flower"
        heading = screen.main.query_one("#heading")
        x = screen.lines[heading.region.y].index("CPU%")
        await screen.pilot.click(offset=Offset(x, heading.region.y))
        await screen.settle()
        assert screen.main.view.sort == "cpu" and not screen.main.view.inverted
        await screen.pilot.click(offset=Offset(x, heading.region.y))
        await screen.settle()
        assert screen.main.view.inverted
        await screen.pilot.click(offset=Offset(20, top), times=2)
        await screen.settle()
        assert len(screen.app.screen_stack) == 2


async def test_the_verdicts_key_can_be_clicked():
    async with running(frames.incident()) as screen:
        y = next(n for n, line in enumerate(screen.lines) if " d  stop beat2" in line)
        await screen.pilot.click(offset=Offset(screen.lines[y].index(" d  stop") + 1, y))
        await screen.settle()
        assert "Stop the duplicate beat" in screen.text


async def test_the_footers_keys_can_be_clicked():
    async with running(frames.incident()) as screen:
        y = len(screen.lines) - 1
        await screen.pilot.click(offset=Offset(screen.lines[y].index("g Group"), y))
        await screen.settle()
        assert screen.main.view.group == "role"


async def test_the_wheel_scrolls_and_the_selection_stays():
    async with running(frames.many(100)) as screen:
        x, y = screen.table.region.offset
        before = current(screen)
        await screen.pilot._post_mouse_events(
            [events.MouseScrollDown], offset=(x + 5, y + 5), button=0
        )
        await screen.settle()
        assert screen.table.scroll_offset.y > 0
        assert current(screen) == before
