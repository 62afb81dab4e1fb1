"""Searches, filters and what is selected meanwhile."""

from __future__ import annotations

import pytest

from tests.ui import frames
from tests.ui.conftest import running
from tests.ui.test_main import current
from tests.ui.test_pages import with_logs


async def test_a_search_begins_empty_and_enter_at_once_keeps_the_last():
    async with running(frames.incident(0, extra=5)) as screen:
        await screen.press("/", *"job", "enter", "/", "enter", "n")
        assert current(screen).name == "job01"
        await screen.press("/", *"flower", "enter")
        assert screen.main.search_text.text == "flower"


@pytest.mark.parametrize("size", [(80, 24), (40, 8)])
async def test_what_a_filter_does_not_understand_is_said_in_every_pane(size):
    async with running(frames.incident(), size=size) as screen:
        await screen.press("\\", *"ro:x")
        assert "no field" in screen.text
        await screen.press("ctrl+u", *"beat")
        assert "rows" in screen.text


async def test_what_is_selected_is_selected_again_when_it_comes_back():
    async with running(frames.incident(0)) as screen:
        await screen.press("/", *"flower", "enter")
        await screen.press("\\", *"role:beat")
        assert current(screen).name != "flower"
        await screen.press("escape")
        assert current(screen).name == "flower"
        await screen.push(frames.no_supervisord())
        await screen.push(frames.incident(2))
        assert current(screen).name == "flower"


async def test_matches_are_walked_through_round_the_end(tmp_path):
    (tmp_path / "err.log").write_text("".join(f"line {n}\n" for n in range(100)))
    async with running(with_logs(tmp_path), size=(80, 12)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "line 99" in screen.text)
        await screen.press("n")
        assert "Nothing is searched for yet" in screen.text
        await screen.press("home", "/", *"line 9", "enter")
        pager = screen.app.screen.pager
        places = []
        for key in "nnnnnnnnnnnN":
            await screen.press(key)
            places.append(pager._match)
        assert places == [*range(90, 100), 9, 99]


async def test_a_log_breaks_at_blanks_and_the_footer_names_the_other(tmp_path):
    (tmp_path / "err.log").write_text("the scheduler is sending a due task to its worker\n")
    async with running(with_logs(tmp_path), size=(40, 8)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "the scheduler" in screen.text)
        rows = [line.rstrip() for line in screen.lines]
        assert rows[1:3] == [" the scheduler is sending a due task", " to its worker"]
    async with running(with_logs(tmp_path), size=(120, 20)) as screen:
        await screen.press("home", "l")
        assert "o stdout" in screen.lines[-1]
