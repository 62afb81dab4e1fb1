"""Comparing few pairs of beats joins the same ones as comparing all."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

import pytest

from beattop.diagnosis.double_scheduling import _link
from beattop.diagnosis.pairs import Candidate, pairs
from beattop.diagnosis.traits import Traits
from beattop.model.commandline import CommandLine
from beattop.model.files import Handles
from beattop.model.process import ProcessKey
from beattop.model.snapshot import BeatKey
from tests.unit.actions.scene import AT, beat

APPS = ("proj", "proj", "proj.celery", "proj.tasks", "blog", None)
FOLDERS = ("/srv/a", "/srv/a", "/srv/b", "/x/releases/1", "/x/releases/2", "/", None)


def random_candidate(pick: random.Random, pid: int) -> Candidate:
    def maybe(*values: object) -> object:
        return pick.choice((None, None, *values))

    schedule, peer, path = maybe("/s", "/t"), maybe("h:1", "h:2"), maybe("/srv/a", "/srv/c")
    opened = (pick.choice(("/s", "/t")),) if pick.random() < 0.2 else ()
    gone = opened if pick.random() < 0.3 else ()
    inode = pick.choice((1, 2))
    handles = Handles(
        ProcessKey(pid, pid), opened, gone, ((1, inode),) if opened else (), (peer,) if peer else (), True
    )  # fmt: skip
    began = AT - pick.choice((10.0, 20.0, 30.0)) if pick.random() < 0.9 else None
    made = replace(
        beat(None, pid, pidfile=maybe("/b", "/c"), schedule=schedule),
        key=BeatKey(pick.choice(APPS), pick.choice(FOLDERS), None),
        broker_full=maybe("redis://h", "redis://i"),
        scheduler=maybe("x:Y"),
        env=(("PYTHONPATH", path),) if path else (),
        line=CommandLine(
            "beat", config=maybe("c"), schedule=schedule, program=maybe("m.py", "/v/bin/celery")
        ),
        pid_ns=maybe(1, 2),
        handles=handles if opened or peer else None,
        since_at=began,
        started_at=began,
    )
    sent = frozenset(pick.choice(((), (), ("x",), ("y",), ("x", "y"))))
    return Candidate(made, Traits.of(made), sent, pick.random() < 0.1, pick.random() < 0.1)


def joined(
    living: list[Candidate], compared: Iterable[tuple[Candidate, Candidate]]
) -> dict[frozenset[int], str]:
    """{pids of those that surely or likely are one: the best grade among them}."""
    home = {id(c): frozenset({c.beat.pid or 0}) for c in living}
    links = []
    for a, b in compared:
        found = _link(a, b)
        if found is None or found.certainty == "possible":
            continue
        links.append((id(a), found.certainty))
        both = home[id(a)] | home[id(b)]
        home |= {id(c): both for c in living if c.beat.pid in both}
    return {
        group: min((grade for a, grade in links if home[a] == group), default="")
        for group in home.values()
    }


@pytest.mark.parametrize("seed", range(40))
def test_whoever_belongs_together_is_joined(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(25):
        living = [random_candidate(pick, 100 + n) for n in range(pick.randint(2, 5))]
        few = list(pairs(living))
        every = list(combinations(living, 2))
        assert joined(living, few) == joined(living, every)
        names = [frozenset((id(a), id(b))) for a, b in few]
        assert len(names) == len(set(names)), "each once"
        assert all(a.began_at <= b.began_at for a, b in few), "the older first"


def test_of_many_alike_each_is_compared_with_the_next() -> None:
    pick = random.Random(1)
    one = random_candidate(pick, 100)
    key, began = BeatKey("proj", "/srv/a", None), AT - 50
    alike = [
        replace(one, beat=replace(one.beat, pid=pid, key=key, since_at=began + pid))
        for pid in range(100, 150)
    ]
    assert len(list(pairs(alike))) == 49


def test_one_pidfile_brings_two_together_between_whom_another_one_began() -> None:
    """All of one app's name, each in a folder of its own: nothing else tells of them."""
    three = [
        beat(None, 100 + n, cwd=f"/srv/{n}", pidfile=path, since_at=AT - 90 + n)
        for n, path in enumerate(("/run/b.pid", "/run/other.pid", "/run/b.pid"))
    ]
    living = [Candidate(b, Traits.of(b), frozenset(), False, False) for b in three]
    assert joined(living, pairs(living))[frozenset({100, 102})] == "certain"
