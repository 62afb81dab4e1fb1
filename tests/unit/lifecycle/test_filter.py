"""The BPF programs, run by a small interpreter over recorded messages."""

from __future__ import annotations

import struct

import pytest

from beattop.sources.lifecycle.filter import MOST_PIDS, NOTHING, Program, family, processes
from tests.unit.lifecycle import recorded

pytestmark = recorded.only_little_endian
STRANGER = 4242
MESSAGES = {
    name: getattr(recorded, name)
    for name in ("ANSWER", "FORK", "EXEC", "EXIT_73", "THREAD_FORK", "THREAD_EXIT", "EXIT_KILLED")
}


def keeps(program: Program, message: bytes) -> bool:
    """As the kernel's classic BPF would decide (Documentation/networking/filter.rst)."""
    a = x = at = 0
    while True:
        code, jt, jf, k = program[at]
        assert 0 <= jt < 256
        assert 0 <= jf < 256
        at += 1
        if code == 0x20:  # ld [k]
            a = struct.unpack_from("!I", message, k)[0]
        elif code == 0x07:  # tax
            x = a
        elif code == 0x05:  # ja
            at += k
        elif code == 0x15:  # jeq #k
            at += jt if a == k else jf
        elif code == 0x1D:  # jeq x
            at += jt if a == x else jf
        else:
            assert code == 0x06  # ret
            return k != 0


def kept(program: Program) -> set[str]:
    return {name for name, message in MESSAGES.items() if keeps(program, message)}


def test_the_whole_box_without_its_threads():
    assert kept(processes()) == {"FORK", "EXEC", "EXIT_73", "EXIT_KILLED"}


def test_nothing():
    assert kept(NOTHING) == set()


def test_nobody_watched_nothing_heard():
    assert kept(family(())) == set()


def test_a_parent_hears_of_its_children():
    assert kept(family([recorded.ME])) == {"FORK", "EXIT_73", "EXIT_KILLED"}


def test_a_process_hears_of_itself():
    assert kept(family([recorded.SHELL])) == {"EXEC", "EXIT_73"}
    assert kept(family([recorded.SHELL, recorded.KILLED])) == {"EXEC", "EXIT_73", "EXIT_KILLED"}


@pytest.mark.parametrize("place", [0, MOST_PIDS // 2, MOST_PIDS - 1])
def test_the_largest_family_fits(place):
    pids = list(range(30000, 30000 + MOST_PIDS))
    pids[place] = recorded.ME
    program = family(pids)
    assert len(program) <= 4096
    assert kept(program) == {"FORK", "EXIT_73", "EXIT_KILLED"}
    pids[place] = STRANGER
    assert kept(family(pids)) == set()
