"""Every key on the table in a real tmux: nothing torn, nothing wider than the pane."""

from __future__ import annotations

import itertools

import pytest

from tests.e2e.still import IN_TMUX, SIZES, Still, keys

pytestmark = IN_TMUX


def test_openers_at_80x24(tmp_path):
    with Still((80, 24), tmp_path) as pane:
        pane.until(lambda t: "stop beat2" in t, what="the verdict")
        home = pane.whole()
        for key in ("d", "?", "l", "\\"):
            pane.press(key)
            pane.until(lambda t: t != home, what=f"what {key} opens")
            pane.whole()
            pane.back()
            pane.until(lambda t: t == home, what="the table")
        pane.press("q")
        pane.until(lambda _: pane.status == 0, what="its end")


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *itertools.product(("incident", "calm"), SIZES),
        *itertools.product(("hostile", "many"), ((120, 40), (40, 8))),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value[0]}x{value[1]}",
)
def test_every_key_of_the_table(tmp_path, size, kind):
    with Still(size, tmp_path, kind=kind) as pane:
        for key in keys("main", all_of_them=kind == "incident"):
            pane.whole(key)
            pane.back()
