from __future__ import annotations

import pytest

from beattop.sources.proc.stat import parse

# A living shell; a zombie that exited with 73, as root sees it.
LIVE = (
    b"10727 (bash) S 10720 10727 10727 34816 10727 4194304 1523 9012 0 3 12 7 140 31 20 0 1 0 "
    b"208512 4972544 962 18446744073709551615 94 95 140 0 0 0 65536 3670020 1266777851 1 0 0 17 "
    b"1 0 0 0 0 0 1 2 3 4 5 6 7 0\n"
)
ZOMBIE = (
    b"881 (a) b) (c) Z 880 880 880 0 -1 4227084 20 0 0 0 3 1 5 2 20 0 1 0 9000 0 0 "
    b"18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 18688\n"
)


def test_fields_stand_where_proc_pid_stat_puts_them():
    stat = parse(LIVE)
    assert (stat.pid, stat.comm, stat.state) == (10727, b"bash", "S")
    assert (stat.ppid, stat.pgrp, stat.session) == (10720, 10727, 10727)
    assert (stat.utime, stat.stime, stat.cutime, stat.cstime) == (12, 7, 140, 31)
    assert (stat.threads, stat.start_ticks, stat.rss_pages) == (1, 208512, 962)
    assert not stat.ended


def test_a_name_may_hold_brackets_and_spaces():
    stat = parse(ZOMBIE)
    assert stat.comm == b"a) b) (c"
    assert (stat.state, stat.ppid, stat.exit_code) == ("Z", 880, 18688)
    assert stat.ended


def test_a_dead_leader_with_living_threads_has_not_ended():
    assert not parse(ZOMBIE.replace(b" 20 0 1 0 9000", b" 20 0 2 0 9000")).ended


@pytest.mark.parametrize("raw", [b"", b"12 (x", b"12 (x) S 1 2", b"no stat at all"])
def test_what_is_no_stat_line_is_an_error(raw):
    with pytest.raises((ValueError, IndexError)):
        parse(raw)
