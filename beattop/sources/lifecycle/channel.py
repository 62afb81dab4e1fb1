"""One socket that hears the kernel's process events."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator

from beattop.sources.lifecycle import netlink
from beattop.sources.lifecycle.filter import Program, attach
from beattop.sources.lifecycle.source import Unavailable

_SO_RCVBUFFORCE, _SO_MEMINFO = 33, 55
_SK_MEMINFO_DROPS = 8  # place in what SO_MEMINFO tells (linux/sock_diag.h)
_BUFFER = 4 << 20
_EVENT_COST = 832  # bytes of the buffer that one event takes (measured)
_MOST_AT_ONCE = 20_000
_INITIAL_NAMESPACES = {"pid": 0xEFFFFFFC, "user": 0xEFFFFFFD}  # linux/proc_ns.h
_DEADLINE_S = 0.2


def _refuse_foreign_namespaces() -> None:
    """Elsewhere the kernel stays silent, or sends events with other pids."""
    for name, inode in _INITIAL_NAMESPACES.items():
        try:
            found = os.stat(f"/proc/self/ns/{name}").st_ino
        except OSError as error:
            raise Unavailable(f"its {name} namespace is unknown ({error.strerror})") from error
        if found != inode:
            raise Unavailable(
                f"beattop runs in a {name} namespace of its own (a container)", "run it on the host"
            )


class Channel:
    """A bound socket whose LISTEN was acknowledged and that has proved to hear this box."""

    def __init__(self) -> None:
        """Raises Unavailable with the reason and what would mend it."""
        _refuse_foreign_namespaces()
        self.overflows = 0
        """How often the kernel found the buffer full; each time it dropped until it was empty."""
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK,
                socket.SOCK_DGRAM | socket.SOCK_CLOEXEC,
                netlink.NETLINK_CONNECTOR,
            )
        except OSError as error:
            raise Unavailable(
                f"the kernel has no connector ({error.strerror})", "a kernel with CONFIG_CONNECTOR"
            ) from error
        try:
            self._begin()
        except BaseException:
            self._socket.close()
            raise

    def _begin(self) -> None:
        try:
            self._socket.bind((0, 1 << (netlink.CN_IDX_PROC - 1)))
            self._grow()
            self._listen()
        except PermissionError as error:
            raise Unavailable(
                f"Linux {platform.release()} tells only root of process events",
                "run as root or with CAP_NET_ADMIN, or use Linux 6.6 or later",
            ) from error
        except ConnectionRefusedError as error:
            raise Unavailable(
                "beattop runs in a network namespace of its own", "run it on the host's network"
            ) from error
        except OSError as error:
            raise Unavailable(f"the connector refused: {error.strerror}") from error
        self._prove()
        # Linux 6.6 and later take a mask; older ones do not know the message and drop it.
        with contextlib.suppress(OSError):
            self._send(netlink.LISTEN, netlink.FORK | netlink.EXEC | netlink.EXIT)

    def _grow(self) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except OSError:  # needs CAP_NET_ADMIN; else net.core.rmem_max is the limit
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)

    @property
    def capacity(self) -> int:
        """How many events the buffer holds."""
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // _EVENT_COST

    def _send(self, operation: int, kinds: int | None = None) -> int:
        token = random.getrandbits(32)
        self._socket.send(netlink.request(operation, token, kinds))
        return token

    def _listen(self) -> None:
        # Without a mask at first: a masked listener is not sent the answer.
        token = self._send(netlink.LISTEN)
        for raw in self._until(time.monotonic() + _DEADLINE_S):
            number = netlink.answer(raw, token)
            if number == 0:
                return
            if number is not None:
                raise OSError(number, os.strerror(number))
        raise Unavailable("the kernel did not acknowledge the wish to listen", passing=True)

    def _prove(self) -> None:
        """Start a thread and wait for its birth to be told: cheaper than forking the whole app."""
        thread = threading.Thread(target=_nothing, name="beattop-self-test")
        thread.start()
        pid, tid = os.getpid(), thread.native_id
        for raw in self._until(time.monotonic() + _DEADLINE_S):
            if tid is not None and netlink.thread_born(raw, pid, tid):
                return
        raise Unavailable("the kernel acknowledged, yet tells nothing", passing=True)

    def _until(self, deadline: float) -> Iterator[bytes]:
        ready = select.poll()
        ready.register(self._socket, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready.poll(left * 1000)
            yield from self.read()

    def fileno(self) -> int:
        """For poll(2)."""
        return self._socket.fileno()

    def read(self) -> list[bytes]:
        """All messages that wait, oldest first; counts an overflow instead of raising it."""
        found: list[bytes] = []
        receive = self._socket.recv
        while len(found) < _MOST_AT_ONCE:
            try:
                found.append(receive(256, socket.MSG_DONTWAIT))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                # Told once for each congestion; what was kept is still to be read.
                self.overflows += 1
        return found

    def dropped(self) -> int:
        """Events that the kernel could not deliver so far; 0 where it does not tell (< 4.12)."""
        try:
            raw = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
            return int(struct.unpack("=9I", raw)[_SK_MEMINFO_DROPS])
        except (OSError, struct.error):
            return 0

    def attach(self, program: Program) -> None:
        """Let only what `program` keeps come in from now on; OSError where it is refused."""
        attach(self._socket, program)

    def close(self) -> None:
        """Stop listening."""
        # Before Linux 6.6 the kernel counts listeners and does not notice a closed socket.
        with contextlib.suppress(OSError):
            self._send(netlink.IGNORE)
        self._socket.close()


def _nothing() -> None:
    """Be born, and end."""
