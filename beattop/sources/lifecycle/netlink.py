"""The wire format of the kernel's process events (linux/netlink.h, connector.h, cn_proc.h)."""

from __future__ import annotations

import struct
from typing import NamedTuple

NETLINK_CONNECTOR = 11
CN_IDX_PROC = CN_VAL_PROC = 1
LISTEN, IGNORE = 1, 2

NONE, FORK, EXEC, EXIT = 0, 1, 2, 0x80000000
"""Kinds of events; NONE is the answer to LISTEN and IGNORE."""

WHAT_AT, DATA_AT = 36, 52
"""Offsets in a message: nlmsghdr 16, cn_msg 20, then what, cpu, time (8), data (24)."""
MESSAGE_SIZE = 76

_HEADER = struct.Struct("=IHHII")
_CN_MSG = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=I4xQ6I")
_ACK = struct.Struct("=I")
_ACK_AT = 28
_NLMSG_DONE = 3


class KernelEvent(NamedTuple):
    """A process's fork, exec or exit."""

    kind: int
    ns: int
    """CLOCK_MONOTONIC in nanoseconds."""
    pid: int
    """Of the one born, changed or ended."""
    ppid: int
    """Its parent's; 0 for an exec, and for an exit where the kernel (< 4.18) does not tell."""
    wait_status: int
    """As wait(2) gives it: exit status 73 is 18688. 0 but for an exit."""


def request(operation: int, token: int, kinds: int | None = None) -> bytes:
    """A message to the kernel: LISTEN or IGNORE, from Linux 6.6 on with a mask of `kinds`."""
    body = struct.pack("=I", operation)
    if kinds is not None:
        body += struct.pack("=I", kinds)
    size = _HEADER.size + _CN_MSG.size + len(body)
    return (
        _HEADER.pack(size, _NLMSG_DONE, 0, 0, 0)
        + _CN_MSG.pack(CN_IDX_PROC, CN_VAL_PROC, 0, token, len(body), 0)
        + body
    )


def answer(raw: bytes, token: int) -> int | None:
    """The error number in the kernel's answer to the request `token`; None in any other message.

    Answers go to every listener, so others' come by as well. They are told apart by the field
    `ack`, the request's plus one; `seq` is overwritten on the way out.
    """
    if len(raw) < MESSAGE_SIZE or _ACK.unpack_from(raw, _ACK_AT)[0] != (token + 1) & 0xFFFFFFFF:
        return None
    kind, _, error, *_ = _EVENT.unpack_from(raw, WHAT_AT)
    return int(error) if kind == NONE else None


def parse(raw: bytes) -> KernelEvent | None:
    """The event in a message; None for a thread's, another kind's or a short message."""
    if len(raw) < MESSAGE_SIZE:
        return None
    kind, ns, a, b, c, d, _, f = _EVENT.unpack_from(raw, WHAT_AT)
    if kind == FORK:  # parent pid, parent tgid, child pid, child tgid
        return KernelEvent(FORK, ns, d, b, 0) if c == d else None
    if kind == EXIT:  # pid, tgid, exit code, exit signal, parent pid, parent tgid
        return KernelEvent(EXIT, ns, b, f, c) if a == b else None
    if kind == EXEC:  # pid, tgid
        return KernelEvent(EXEC, ns, b, 0, 0)
    return None


def thread_born(raw: bytes, tgid: int, tid: int) -> bool:
    """Whether a message tells of the birth of thread `tid` in process `tgid`."""
    if len(raw) < MESSAGE_SIZE:
        return False
    kind, _, _, _, child, group, _, _ = _EVENT.unpack_from(raw, WHAT_AT)
    return bool(kind == FORK and child == tid and group == tgid)
