"""The collector: one source's failure is its own, and the thread cannot die unseen."""

from __future__ import annotations

import threading
import time

import pytest

from beattop.settings import ConfigError, ServerSetting, Settings
from beattop.sources import collector as module
from beattop.sources.collector import Collector


class Listener:
    def __init__(self) -> None:
        self.samples = []
        self.changed = threading.Condition()

    def __call__(self, sample) -> None:
        with self.changed:
            self.samples.append(sample)
            self.changed.notify_all()

    def wait(self, condition, seconds: float = 20.0):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (self.samples and condition(self.samples[-1])):
                left = deadline - time.monotonic()
                assert left > 0, "the condition did not come true in time"
                self.changed.wait(left)
            return self.samples[-1]


@pytest.fixture
def running():
    made: list[Collector] = []

    def start(break_it=lambda c: None, **settings) -> tuple[Collector, Listener]:
        collector = Collector(Settings(**{"interval": 0.2, **settings}))
        made.append(collector)
        break_it(collector)
        listener = Listener()
        collector.start(listener)
        return collector, listener

    yield start
    for collector in made:
        collector.stop()


def explode(*args, **kwargs):
    raise ZeroDivisionError("boom \x1b]0;evil\x07")


def status(sample, name: str):
    return next((s.status for s in sample.sources if s.name == name), None)


@pytest.mark.parametrize(
    ("name", "attribute", "method"),
    [
        ("supervisor", "_supervisors", "observe"),
        ("supervisor", "_supervisors", "latest"),
        ("mainlog", "_logs", "poll"),
        ("pidfile", "_files", "observe"),
        ("pidfile", "_files", "latest"),
    ],
)
def test_a_source_that_raises_is_named_and_the_others_go_on(
    running, monkeypatch, name, attribute, method
):
    def break_it(collector):
        monkeypatch.setattr(getattr(collector, attribute), method, explode)

    _, listener = running(break_it)
    sample = listener.wait(lambda s: status(s, name) == "down")
    (broken,) = [s for s in sample.sources if s.name == name]
    assert "ZeroDivisionError" in broken.detail and "\x1b" not in broken.detail
    assert status(sample, "processes") == "ok"
    assert status(sample, "lifecycle") in ("ok", "degraded")
    number = len(listener.samples)
    listener.wait(lambda s: len(listener.samples) > number)


def test_a_lifecycle_that_raises_is_named(running):
    collector, listener = running()
    listener.wait(lambda s: True)
    collector._lifecycle.drain = explode
    sample = listener.wait(lambda s: status(s, "lifecycle") == "down")
    assert status(sample, "processes") == "ok"


def test_a_slow_source_is_no_step_of_the_clock():
    collector = Collector(Settings(lifecycle="poll"))
    heard = []

    def slow():
        heard.append(time.time())
        return module.Drained()

    try:
        collector._sample()
        collector._lifecycle.drain = slow
        assert collector._sample().at >= heard[0], "the other clock is read after it"
    finally:
        collector._close()
        collector.stop()


def test_a_thread_that_raises_says_so_and_recovers(running, monkeypatch):
    collector, listener = running()
    listener.wait(lambda s: True)
    sampler = collector._sampler
    good = sampler.sample
    monkeypatch.setattr(sampler, "sample", explode)
    deadline = time.monotonic() + 20.0
    wait = threading.Event()
    while collector.trouble() is None:
        assert time.monotonic() < deadline, "no trouble was told within 20 s"
        wait.wait(0.01)
    assert "ZeroDivisionError" in collector.trouble()
    monkeypatch.setattr(sampler, "sample", good)
    number = len(listener.samples)
    listener.wait(lambda s: len(listener.samples) > number)
    deadline = time.monotonic() + 20.0
    while collector.trouble() is not None:
        assert time.monotonic() < deadline
        wait.wait(0.01)


def test_a_listener_that_raises_does_not_end_the_thread(running):
    collector = Collector(Settings(interval=0.1))
    calls = threading.Semaphore(0)

    def take(sample) -> None:
        calls.release()
        raise RuntimeError("a face fell")

    collector.start(take)
    try:
        assert calls.acquire(timeout=20)
        assert calls.acquire(timeout=20)
        assert "a face fell" in collector.trouble()
    finally:
        collector.stop()


def test_stopping_ends_the_threads(running):
    collector, listener = running()
    listener.wait(lambda s: True)
    thread = collector._thread
    collector.stop()
    thread.join(20)
    assert not thread.is_alive()


def quiet(running, monkeypatch):
    """A collector that looks no more by itself; each death is news to it, and none of the box's
    own is heard."""
    monkeypatch.setattr(module.Between, "hear", lambda self, *heard: module.News.DEATH)
    collector, listener = running(interval=30.0, lifecycle="poll")
    listener.wait(lambda s: len(listener.samples) >= 3)
    return collector, listener


def test_an_early_look_comes_when_a_program_died(running, monkeypatch):
    collector, listener = quiet(running, monkeypatch)
    number = len(listener.samples)
    collector._on_exit()
    listener.wait(lambda s: len(listener.samples) > number)


def test_early_looks_are_rationed(running, monkeypatch):
    monkeypatch.setattr(module, "_EARLY", {module.News.DEATH: (4, 1000.0), module.News.ROW: (9, 9)})
    collector, listener = quiet(running, monkeypatch)
    for most in range(4, 4 + 4):
        collector._on_exit()
        listener.wait(lambda s, most=most: len(listener.samples) >= most)
    listened = collector._listened_at
    collector._on_exit()
    deadline = time.monotonic() + 20
    while collector._listened_at == listened:
        assert time.monotonic() < deadline
    assert len(listener.samples) == 3 + 4


def test_a_supervisor_that_cannot_be_meant_is_refused():
    with pytest.raises(ConfigError, match="unix:///"):
        Collector(Settings(supervisors=(ServerSetting("gopher://x"),)))
