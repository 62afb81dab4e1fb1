"""Which source is in force: the best that can be had, tried again where a moment may mend it."""

from __future__ import annotations

import pytest

from beattop.model.source import SourceStatus
from beattop.sources import lifecycle as module
from beattop.sources.lifecycle import Drained, Hearing, Unavailable


class Source:
    def __init__(self, letter: str, why: str = "", on_exit=None) -> None:
        self.letter, self.why, self.broken, self.closed = letter, why, False, False

    def open(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def drain(self) -> Drained:
        return Drained()

    def because(self, why: str) -> None:
        self.why = why

    def status(self) -> SourceStatus:
        words = f"{self.letter}: {self.why}"
        return SourceStatus("lifecycle", "", "down" if self.broken else "ok", words)


class B(Source):
    def __init__(self, why: str, on_exit=None) -> None:
        super().__init__("B", why)


class C(Source):
    def __init__(self, why: str) -> None:
        super().__init__("C", why)


@pytest.fixture
def box(monkeypatch):
    """(what each try of the connector meets, now)."""
    tries: list[Exception | None] = []
    now = [100.0]

    class Connector(Source):
        def __init__(self, on_exit=None) -> None:
            super().__init__("A")

        def open(self) -> None:
            if (error := tries.pop(0)) is not None:
                raise error

    monkeypatch.setattr(module, "Connector", Connector)
    monkeypatch.setattr(module, "Children", B)
    monkeypatch.setattr(module, "Poll", C)
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return tries, now


def slow() -> Unavailable:
    return Unavailable("the kernel was slow", passing=True)


def test_a_start_that_stalled_is_made_good_and_until_then_it_is_told(box):
    tries, now = box
    tries += [slow(), slow(), None]
    hearing = Hearing("auto")
    assert hearing.status().detail == "B: the kernel was slow; it is tried again later"
    before = hearing._source
    for at, letter in ((101.0, "B"), (102.0, "B"), (111.0, "B"), (112.0, "A"), (5000.0, "A")):
        now[0] = at
        hearing.drain()
        assert hearing.status().detail.startswith(letter), at
    assert before.closed and tries == []


def test_it_is_given_up_in_the_end_and_told(box):
    tries, now = box
    tries += [slow() for _ in range(1 + len(module._AGAIN_S))]
    hearing = Hearing("connector")
    for _ in range(10):
        now[0] += 1000.0
        hearing.drain()
    assert tries == []
    assert hearing.status().detail == "B: the kernel was slow"


@pytest.mark.parametrize("mode", ["auto", "log", "poll"])
def test_what_a_moment_does_not_mend_is_not_tried_again(box, mode):
    tries, now = box
    tries += [Unavailable("a container", "run it on the host")]
    hearing = Hearing(mode)
    now[0] += 1e6
    hearing.drain()
    why = (
        "a container: run it on the host" if mode == "auto" else f"asked for by --lifecycle {mode}"
    )
    assert hearing.status().detail == f"{'C' if mode == 'poll' else 'B'}: {why}"


def test_where_a_source_breaks_the_next_lower_one_goes_on_and_says_why(box):
    tries, _ = box
    tries.append(None)
    hearing = Hearing("auto")
    for letter, why in (("B", "A: "), ("C", "B: A: ")):
        broken = hearing._source
        broken.broken = True
        hearing.drain()
        assert broken.closed
        assert hearing.status().detail == f"{letter}: {why}"
