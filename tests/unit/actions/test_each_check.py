"""Each check of the checklist is seen to hold and to fail by some test of approved words."""

from __future__ import annotations

import re

import pytest

from beattop.actions.carrying import _LABELS
from tests.unit import approved

NAMES = {name for labels in _LABELS.values() for name, _ in labels} | {
    *("keeper-alive", "keeper-pidfile", "keeper-beats", "took-over", "journal")
}
SAID = "\n".join(path.read_text() for path in sorted(approved.FOLDER.glob("test_*.txt")))


def test_no_check_is_forgotten() -> None:
    shown = re.findall(r"Check: name ([\w-]+),", SAID)
    assert set(shown) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_it_holds_and_it_fails(name: str) -> None:
    ticks = set(re.findall(rf"Check: name {name}, .*?, tick (\w+)", SAID))
    assert "failed" in ticks
    assert "done" in ticks or name == "journal", "the journal is a check only where it failed"


def test_each_tick_that_holds_names_its_reading() -> None:
    """Those without a time are a test's own, made by hand."""
    rows = re.findall(r"Check: (name .*?, tick done, .*(?:\n      detail: .*)?)", SAID)
    ticked = [row for row in rows if re.search(r", at \+\d", row)]
    assert ticked
    assert all("detail" in row for row in ticked)
