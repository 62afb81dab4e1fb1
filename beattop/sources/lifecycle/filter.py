"""Classic BPF programs that decide in the kernel which process events reach a socket.

They cost nothing for an event that they keep out: it is not copied and wakes nobody.
"""

from __future__ import annotations

import socket
import struct
from array import array
from collections.abc import Iterable, Sequence
from itertools import chain

from beattop.sources.lifecycle.netlink import DATA_AT, EXEC, EXIT, FORK, WHAT_AT

SO_ATTACH_FILTER = 26
MOST_PIDS = 400
"""Two comparisons each, well below the 4096 instructions of a program and an old kernel's 20 KB
net.core.optmem_max."""

_LOAD, _RETURN, _JUMP, _EQUAL, _EQUAL_X, _TO_X = 0x20, 0x06, 0x05, 0x15, 0x1D, 0x07
_ALL = 0xFFFFFFFF
_INSTRUCTION = "HBBI"

Instruction = tuple[int, int, int, int]
Program = Sequence[Instruction]

_CHILD_PID, _CHILD_TGID, _PARENT_TGID = DATA_AT + 8, DATA_AT + 12, DATA_AT + 4
_PID, _TGID, _EXIT_PARENT_TGID = DATA_AT, DATA_AT + 4, DATA_AT + 20
_KEEP: Instruction = (_RETURN, 0, 0, _ALL)
_DROP: Instruction = (_RETURN, 0, 0, 0)

NOTHING: Program = (_DROP,)
"""Keeps every event out."""


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _skip(count: int) -> Instruction:
    return (_JUMP, 0, 0, count)


def _unless(value: int, count: int) -> Instruction:
    # A load turns the word round as from the network; the kernel wrote it in host order.
    return (_EQUAL, 0, count, socket.htonl(value))


def _only_processes(pid_at: int, tgid_at: int) -> list[Instruction]:
    """Goes on where both words are equal; a thread's event ends here."""
    return [_load(pid_at), (_TO_X, 0, 0, 0), _load(tgid_at), (_EQUAL_X, 1, 0, 0), _DROP]


def processes() -> Program:
    """Every process's fork, exec and exit, but no thread's."""
    return [
        _load(WHAT_AT),
        *[_unless(FORK, 6), *_only_processes(_CHILD_PID, _CHILD_TGID), _KEEP],
        *[_unless(EXIT, 6), *_only_processes(_PID, _TGID), _KEEP],
        *[_unless(EXEC, 1), _KEEP],
        _DROP,
    ]


def family(pids: Iterable[int]) -> Program:
    """Forks by these processes, their execs, their exits and those of their children."""
    match: list[Instruction] = []
    for pid in pids:
        match += [_unless(pid, 1), _KEEP]
    fork = [*_only_processes(_CHILD_PID, _CHILD_TGID), _load(_PARENT_TGID)]
    exit_ = [*_only_processes(_PID, _TGID), *match, _load(_EXIT_PARENT_TGID)]
    exec_ = [_load(_TGID)]
    # Each part ends with its key loaded and goes on to the one comparison at the end.
    fork.append(_skip(len(exit_) + 1 + len(exec_)))
    exit_.append(_skip(len(exec_)))
    return [
        _load(WHAT_AT),
        *[_unless(FORK, 1), _skip(5)],
        *[_unless(EXIT, 1), _skip(3 + len(fork))],
        *[_unless(EXEC, 1), _skip(1 + len(fork) + len(exit_))],
        _DROP,
        *fork,
        *exit_,
        *exec_,
        *match,
        _DROP,
    ]


def attach(sock: socket.socket, program: Program) -> None:
    """Put a program in place of the one before, at once; OSError where the kernel refuses."""
    # In one call: it is done at every fork of what is watched.
    words = chain.from_iterable(program)
    code = array("B", struct.pack("=" + _INSTRUCTION * len(program), *words))
    # struct sock_fprog: a length, padding, a pointer; the kernel copies what it points to.
    sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), code.buffer_info()[0])
    )
