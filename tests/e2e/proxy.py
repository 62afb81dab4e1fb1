"""A unix socket in front of a real supervisord that writes down every method called."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

_METHOD = re.compile(rb"<methodName>([^<]*)</methodName>")


class Proxy:
    """Passes bytes both ways, one thread a connection, until closed."""

    def __init__(self, listen: Path, target: str) -> None:
        self.methods: list[str] = []
        self._target = target
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(listen))
        self._socket.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, note: bool) -> None:
        seen = b""
        try:
            while data := source.recv(65536):
                if note:
                    seen += data
                    found = _METHOD.findall(seen)
                    if found:
                        self.methods += [method.decode() for method in found]
                        seen = b""
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
