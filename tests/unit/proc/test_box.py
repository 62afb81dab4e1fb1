from __future__ import annotations

import pytest

from beattop.sources.proc.box import Box
from beattop.sources.proc.procfs import TICK_HZ, Procfs
from tests.unit.proc.fake import FakeProc


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_host(box: FakeProc, clock):
    host = Box(Procfs(box.root), clock).host
    assert (host.cores, host.boot_at, host.tick_hz) == (2, 1700000000.0, TICK_HZ)
    assert host.name


def test_busy_is_what_the_cores_had_and_did_not_idle(box: FakeProc, clock):
    meter = Box(Procfs(box.root), clock)
    box.ticks(user=100, idle=1000, iowait=50, steal=10)
    first = meter.cpu(7)
    clock.now += 10.0
    box.ticks(user=300, idle=1000 + 8 * TICK_HZ, iowait=50 + TICK_HZ, steal=10 + 3 * TICK_HZ)
    second = meter.cpu(7)
    # 2 cores x 10 s - 8 idle - 1 iowait - 3 steal; user and guest, as sampled, do not enter.
    assert second.busy_s - first.busy_s == pytest.approx(8.0)
    assert second.idle_s - first.idle_s == pytest.approx(9.0)
    assert second.steal_s - first.steal_s == pytest.approx(3.0)
    assert second.load == (0.5, 0.25, 0.1)
    assert second.processes == 7


def test_guest_time_is_not_counted_twice(box: FakeProc, clock):
    box.ticks(user=100)
    assert Box(Procfs(box.root), clock).cpu(None).busy_s == pytest.approx(100 / TICK_HZ)


def test_counters_that_step_back_are_no_negative_time(box: FakeProc, clock):
    meter = Box(Procfs(box.root), clock)
    box.ticks(idle=1000, iowait=500)
    first = meter.cpu(None)
    clock.now += 1.0
    box.ticks(idle=1000 + TICK_HZ, iowait=100)
    second = meter.cpu(None)
    assert second.idle_s - first.idle_s == pytest.approx(1.0)
    assert second.busy_s - first.busy_s == pytest.approx(1.0)
    clock.now += 1.0
    box.ticks(idle=1000 + 9 * TICK_HZ, iowait=100)
    assert meter.cpu(None).busy_s == second.busy_s


def test_a_clock_that_was_set_moves_the_boot_and_slewing_does_not():
    box = Box(Procfs("/proc"), since_boot=lambda: 1000.0)
    boot = box.host.boot_at
    assert box.stepped(boot + 1000.2) == 0.0
    assert box.stepped(boot + 1000.0 - 3600.0) == pytest.approx(-3600.0)
    assert box.host.boot_at == pytest.approx(boot - 3600.0)
    assert box.stepped(boot + 1000.0 - 3600.0) == 0.0
