"""The transport against servers that are hostile, slow or something else; what is really sent."""

from __future__ import annotations

import os
import socket
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beattop.sources.supervisor.client import READ_METHODS, ReadClient
from beattop.sources.supervisor.errors import explain
from beattop.sources.supervisor.reader import SupervisorSource
from beattop.sources.supervisor.server import Server, parse
from beattop.sources.supervisor.transport import CALL_ERRORS
from tests.e2e.small import SLEEPER, supervisord

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"


@contextmanager
def listening(path: str, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """A unix socket whose connections `serve` handles, one after the other."""
    ended = threading.Event()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(8)
        server.settimeout(0.1)

        def run() -> None:
            while not ended.is_set():
                try:
                    link, _ = server.accept()
                except TimeoutError:
                    continue
                with link:
                    try:
                        serve(link)
                    except OSError:
                        continue

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def request_of(link: socket.socket) -> bytes:
    request = b""
    while b"</methodCall>" not in request:
        request += link.recv(65536)
    return request


def dripping(head: bytes) -> Callable[[socket.socket], None]:
    def serve(link: socket.socket) -> None:
        request_of(link)
        link.sendall(head)
        for _ in range(20):
            link.sendall(b"x")
            time.sleep(0.05)

    return serve


def saying(raw: bytes) -> Callable[[socket.socket], None]:
    def serve(link: socket.socket) -> None:
        request_of(link)
        link.sendall(raw)

    return serve


@pytest.mark.parametrize(
    ("serve", "status"),
    [
        (lambda link: link.close(), "down"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "down"),
        (saying(HEAD + b"\r\n<html>hello</html>"), "down"),
        (saying(HEAD + b"Content-Length: 999\r\n\r\n<methodResponse>"), "down"),
        (saying(b"HTTP/1.0 501 Unsupported method ('POST')\r\n\r\n"), "down"),
        (saying(b"HTTP/1.0 401 no\r\n\r\n"), "denied"),
        (saying(HEAD + b"\r\n" + b"x" * (17 << 20)), "down"),
        (dripping(HEAD + b"\r\n"), "timeout"),
        (dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "), "timeout"),
        (lambda link: time.sleep(1.0), "timeout"),
    ],
    ids=["closes", "ssh", "html", "short", "501", "401", "flood", "drip", "drip-head", "silent"],
)
def test_odd_servers(tmp_path: Path, serve: Callable[[socket.socket], None], status: str):
    path = str(tmp_path / "s")
    with listening(path, serve):
        began = time.monotonic()
        with pytest.raises(CALL_ERRORS) as caught:
            ReadClient(Server(f"unix://{path}"), timeout=0.5).who()
        assert time.monotonic() - began < 2
        assert explain(caught.value, path)[0] == status


def test_nobody_there(tmp_path: Path):
    path = str(tmp_path / "s")
    with pytest.raises(FileNotFoundError):
        ReadClient(Server(f"unix://{path}")).who()
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(path)
    with pytest.raises(ConnectionRefusedError):
        ReadClient(Server(f"unix://{path}")).who()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectionRefusedError):
        ReadClient(Server(f"unix://{tmp_path}/file")).who()


def test_a_full_queue_is_a_timeout(tmp_path: Path):
    path = str(tmp_path / "s")
    waiting: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(0)
        try:
            for _ in range(3):
                link = socket.socket(socket.AF_UNIX)
                link.settimeout(0.05)
                waiting.append(link)
                try:
                    link.connect(path)
                except OSError:
                    break
            with pytest.raises(TimeoutError):
                ReadClient(Server(f"unix://{path}"), timeout=0.3).who()
        finally:
            for link in waiting:
                link.close()


def test_a_path_longer_than_a_unix_socket_takes():
    with supervisord(f"[program:a]\ncommand={SLEEPER}\n") as one:
        deep = one.folder / ("d" * 100) / ("e" * 100)
        deep.mkdir(parents=True)
        os.symlink(one.folder / "s.sock", deep / "s.sock")
        client = ReadClient(Server(f"unix://{deep}/s.sock"))
        assert client.who()[0] == one.pid
        assert client.version()
        states = client.read_programs("id")
        assert [(p.name, p.state) for p in states] in ([("a", "STARTING")], [("a", "RUNNING")])
        assert "spawned: 'a'" in client.main_log(-2000, 0)
        assert client.tail("a", "stdout") == ""
        handles = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            client.who()
        assert len(os.listdir("/proc/self/fd")) == handles


def test_threads_share_a_client():
    with supervisord(f"[program:a]\ncommand={SLEEPER}\n") as one:
        client = ReadClient(Server(one.url), timeout=10)
        failures: list[BaseException] = []
        pids: set[int] = set()

        def ask() -> None:
            try:
                pids.update(client.who()[0] for _ in range(25))
            except CALL_ERRORS as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (failures, pids) == ([], {one.pid})


def test_only_questions_are_ever_sent():
    """A recording proxy in front of a real supervisord hears all that the source says."""
    methods: list[str] = []

    def relay(link: socket.socket, to: str) -> None:
        link.settimeout(5)
        with socket.socket(socket.AF_UNIX) as real:
            real.settimeout(5)
            real.connect(to)
            request = request_of(link)
            _, method = xmlrpc.client.loads(request.partition(b"\r\n\r\n")[2])
            methods.append(method or "?")
            real.sendall(request)
            while data := real.recv(65536):
                link.sendall(data)

    with supervisord(f"[program:a]\ncommand={SLEEPER}\n") as one:
        proxy = f"{one.folder}/proxy.sock"
        with listening(proxy, lambda link: relay(link, f"{one.folder}/s.sock")):
            source = SupervisorSource([parse(f"unix://{proxy}")])
            try:
                source.observe([])
                assert source.wait_first(10)
                assert [p.name for p in source.latest().programs] == ["a"]
                for _ in range(3):
                    seen = len(methods)
                    source.refresh()
                    end = time.monotonic() + 5
                    while len(methods) == seen and time.monotonic() < end:
                        time.sleep(0.01)
                    assert len(methods) > seen
            finally:
                source.stop()
    assert "supervisor.getAllProcessInfo" in methods
    assert set(methods) <= READ_METHODS
