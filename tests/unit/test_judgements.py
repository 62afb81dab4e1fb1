"""What is kept of a program's judgement is what a fresh judgement would say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.model.lives import Lives
from beattop.model.logevents import LogEvent
from beattop.model.programs import Judgements
from beattop.model.respawn import judge
from beattop.model.snapshot import ProgramId

ME = ProgramId("s", "p", "p")
STEP = st.tuples(
    st.sampled_from(["spawned", "exited", "stopped", "enrich", "wait"]),
    st.sampled_from([0.02, 0.5, 2.0, 7.0, 40.0, 70.0, 4000.0]),
    st.sampled_from([0, 1]),
    st.booleans(),
    st.sampled_from([0.0, 4.9, 40.0]),
)


@settings(deadline=None)
@given(st.lists(STEP, max_size=25))
def test_as_a_fresh_one(steps):
    lives, judged, at = Lives("s", "p"), Judgements(), 1e6
    for n, (kind, later, status, settled, burnt) in enumerate(steps):
        at += later
        if kind == "enrich":
            lives.enrich(n - 1, at, 0.3, status)
        elif kind != "wait":
            lives.add(LogEvent(at, "s", kind, "p", n, status))
        for _ in range(2):
            told = judged.loop(ME, lives, None, at, settled, burnt)
            fresh = judge(tuple(lives.lives), 1.0, at, settled=settled, dead_cpu_pct=burnt)
            assert told == fresh
            at += 1.0
        assert judged.past(ME, lives, None) is lives.past()


@pytest.mark.parametrize(
    ("spans", "loops"),
    [
        ((0.1, 0.1), True),
        ((0.1, 1.4), False),
        ((0.1, 0.1, 0.1, 1.4, 0.1), True),
        ((0.1, 0.1, 0.1, 0.1, 4.9), True),
        ((0.1, 0.1, 0.1, 0.1, 5.1), False),
        ((0.1, 0.1, 1.4, 0.1, 1.4), False),
        ((0.1, 0.1, 1.4, 0.1), False),
    ],
)
def test_one_life_that_a_stalled_box_made_longer_ends_no_loop(spans, loops):
    lives, at = Lives("s", "p"), 1e6
    for pid, span in enumerate(spans):
        lives.add(LogEvent(at, "s", "spawned", "p", pid))
        at += span
        lives.add(LogEvent(at, "s", "exited", "p", pid, 0))
    assert judge(tuple(lives.lives), 1.0, at).respawning is loops
