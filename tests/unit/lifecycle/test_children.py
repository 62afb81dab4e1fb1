"""Step B where a pid comes round: the descriptor of the life before is not kept."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator

import pytest

from beattop.sources.lifecycle.children import Children
from beattop.sources.lifecycle.watched import Life
from beattop.sources.proc.procfs import Procfs


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "60"]) as one:
        yield one
        one.kill()


@pytest.fixture
def children() -> Iterator[Children]:
    source = Children("a test")
    source._epoll = select.epoll()
    yield source
    for fd in source._pids:
        os.close(fd)
    source._epoll.close()


def test_a_pid_that_comes_round_leaves_no_descriptor_behind(
    children: Children, child: subprocess.Popen[bytes]
):
    children._hold(child.pid)
    children._hold(child.pid)
    assert list(children._pids.values()) == [child.pid]
    assert list(children._pidfds) == [child.pid]


def test_the_end_of_one_whose_pid_is_anothers_already_is_told(
    children: Children, child: subprocess.Popen[bytes]
):
    stat = Procfs().stat(child.pid)
    assert stat is not None
    life = children._watched.lives[child.pid] = Life(child.pid, 1, time.time())
    life.start_ticks, life.exact = stat.start_ticks - 500, True
    children._hold(child.pid)
    (fd,) = children._pids
    # As the descriptor of the dead would: readable and hung up, else it would wake us for ever.
    assert children._react(fd, select.EPOLLIN | select.EPOLLHUP)
    assert child.pid not in children._watched.lives
    assert not children._pids
