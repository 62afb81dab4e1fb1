"""Every key on every page and dialog in a real tmux, and while it is resized."""

from __future__ import annotations

import pytest

from tests.e2e.still import DIALOGS, IN_TMUX, PAGES, SIZES, Still, at, keys, proper

pytestmark = IN_TMUX


@pytest.mark.long
@at(*SIZES)
@pytest.mark.parametrize("opener", [*PAGES, *DIALOGS])
def test_every_key_of_pages_and_dialogs(tmp_path, size, opener):
    with Still(size, tmp_path) as pane:
        where = "page" if opener in PAGES else "plan"
        for key in keys(where, all_of_them=False):
            pane.pressed(opener)
            pane.whole(key)
            pane.back()


@pytest.mark.long
def test_resizing_in_haste(tmp_path):
    sizes = [*SIZES, (30, 6), (20, 4), (10, 3), (1, 1), (300, 90), (80, 24)]
    with Still((80, 24), tmp_path) as pane:
        pane.until(lambda t: "stop beat2" in t, what="the verdict")
        for key in ("escape", *PAGES, *DIALOGS):
            pane.pressed(key)
            for size in sizes:
                pane.resize(*size)
            pane.resized()
            pane.whole()
            for size in sizes:
                pane.resize(*size)
                pane.resized()
                proper(pane, pane.pressed())
            pane.back()
