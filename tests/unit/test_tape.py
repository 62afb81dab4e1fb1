"""The tape gives back what it was given, and forgets what is too old."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

from beattop.feeds.tape import Tape
from beattop.model.box import CpuTimes, Host, Viewer
from beattop.model.logevents import Past
from beattop.model.process import ProcessKey, Usage
from beattop.model.sample import Sample


def sample(at: float, *usage: Usage) -> Sample:
    return Sample(
        at, Host("h", 2, 1.0, 100), Viewer(0, "root", True, 1), CpuTimes(1.0, 2.0, 0.0, (0, 0, 0)),
        (), usage, (), (), (), (), (), (), (), (), (), (), (),
    )  # fmt: skip


def use(pid: int, cpu_s: float, rss: int | None = None) -> Usage:
    return Usage(ProcessKey(pid, 7), 1, pid, "S", cpu_s, 0.1 + 0.2, rss)


def test_what_is_kept_comes_back_the_same():
    given = [sample(10.0), sample(11.0, use(1, 1 / 3), use(2, 0.0, 1 << 40)), sample(12.0)]
    tape = Tape(60.0)
    for each in given:
        tape.add(each)
    back = tape.samples()
    assert back == given
    assert isinstance(back[1].usage[0], Usage)
    assert isinstance(back[1].usage[0].key, ProcessKey)
    assert replace(back[1], at=11.5) != given[1]


def test_what_is_too_old_goes():
    tape = Tape(2.0)
    for at in range(6):
        tape.add(sample(float(at)))
    assert [s.at for s in tape.samples()] == [3.0, 4.0, 5.0]


class Told(Past):
    """Can be referred to weakly."""


def test_of_what_old_logs_say_only_the_newest_is_kept():
    tape, read = Tape(60.0), []
    for number in range(3):
        past = Told("s", f"p{number}", 1, 0, 0.0, True, None, 0, (), (), ())
        read.append(weakref.ref(past))
        tape.add(replace(sample(float(number)), older=(past,)))
        del past
    gc.collect()
    assert [one() is None for one in read] == [True, True, False]
    assert [s.older for s in tape.samples()] == [(read[2](),)] * 3
