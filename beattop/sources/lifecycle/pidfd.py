"""Exit statuses of other people's children, from a pidfd (ioctl PIDFD_GET_INFO, linux/pidfd.h)."""

from __future__ import annotations

import fcntl
import os
import struct

_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, struct pidfd_info), 64 bytes
_INFO_EXIT = 1 << 3  # from Linux 6.15 on, once the process was reaped
_MASK = struct.Struct("=Q")
_EXIT_CODE_AT = 60


def open_pidfd(pid: int) -> int | None:
    """A descriptor that polls readable when the process ends; None where there is none to be had.

    Linux < 5.3, a process that ended, or no descriptor left.
    """
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def wait_status(fd: int) -> int | None:
    """As wait(2) gives it, for a reaped process; None before, and on kernels that do not tell."""
    info = bytearray(64)
    _MASK.pack_into(info, 0, _INFO_EXIT)
    try:
        fcntl.ioctl(fd, _GET_INFO, info)
    except OSError:
        return None
    if not _MASK.unpack_from(info)[0] & _INFO_EXIT:
        return None
    return int(struct.unpack_from("=i", info, _EXIT_CODE_AT)[0])
