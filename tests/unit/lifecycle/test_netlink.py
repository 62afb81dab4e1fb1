from __future__ import annotations

import struct

import pytest

from beattop.sources.lifecycle import netlink
from beattop.sources.lifecycle.netlink import EXEC, EXIT, FORK, KernelEvent, answer, parse
from tests.unit.lifecycle import recorded

pytestmark = recorded.only_little_endian


def test_recorded_events():
    fork, execed, ended = map(parse, (recorded.FORK, recorded.EXEC, recorded.EXIT_73))
    assert fork == KernelEvent(FORK, 0x2F0AF3002D0, recorded.SHELL, recorded.ME, 0)
    assert execed == KernelEvent(EXEC, 0x2F0AF4F7EB0, recorded.SHELL, 0, 0)
    assert ended == KernelEvent(EXIT, 0x2F0AF5BB7B7, recorded.SHELL, recorded.ME, 73 << 8)
    killed = parse(recorded.EXIT_KILLED)
    assert killed is not None
    assert (killed.pid, killed.wait_status) == (recorded.KILLED, 9)


def test_threads_are_no_processes():
    assert parse(recorded.THREAD_FORK) is None
    assert parse(recorded.THREAD_EXIT) is None


def test_the_self_test_knows_its_own_thread():
    assert netlink.thread_born(recorded.THREAD_FORK, recorded.ME, recorded.THREAD)
    assert not netlink.thread_born(recorded.THREAD_FORK, recorded.ME, recorded.THREAD + 1)
    assert not netlink.thread_born(recorded.THREAD_EXIT, recorded.ME, recorded.THREAD)
    assert not netlink.thread_born(recorded.FORK, recorded.ME, recorded.THREAD)


def test_an_answer_is_known_by_its_token():
    assert answer(recorded.ANSWER, recorded.TOKEN) == 0
    assert answer(recorded.ANSWER, recorded.TOKEN + 1) is None
    assert answer(recorded.FORK, recorded.TOKEN) is None
    refused = bytearray(recorded.ANSWER)
    struct.pack_into("=I", refused, netlink.DATA_AT, 1)
    assert answer(bytes(refused), recorded.TOKEN) == 1


@pytest.mark.parametrize("raw", [b"", recorded.FORK[:60], recorded.EXIT_73[:75]])
def test_a_short_message_is_nothing(raw):
    assert parse(raw) is None
    assert answer(raw, 0) is None
    assert not netlink.thread_born(raw, 1, 1)


def test_requests_have_the_kernels_sizes():
    plain = netlink.request(netlink.LISTEN, recorded.TOKEN)
    masked = netlink.request(netlink.LISTEN, recorded.TOKEN, FORK | EXEC | EXIT)
    assert (len(plain), len(masked)) == (40, 44)
    assert struct.unpack_from("=I", plain)[0] == 40
    # cn_msg: idx, val, seq, ack, len, flags; the body is the operation, and the mask.
    assert struct.unpack_from("=IIIIHH", masked, 16) == (1, 1, 0, recorded.TOKEN, 8, 0)
    assert struct.unpack_from("=II", masked, 36) == (1, 0x80000003)
