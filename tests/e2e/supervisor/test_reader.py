"""Real supervisords, followed."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from beattop.model.process import Usage
from beattop.sources.supervisor import conf, discovery, follower, reader
from beattop.sources.supervisor.reader import SupervisorReading, SupervisorSource
from beattop.sources.supervisor.server import Server, parse
from tests.e2e.small import SLEEPER, Small, end, seen, supervisord, until

TWO = f"[program:a]\ncommand={SLEEPER}\n[program:b]\ncommand={SLEEPER}\n[group:g]\nprograms=b\n"


@contextmanager
def source(*named: Server, known: tuple[Server, ...] = ()) -> Iterator[SupervisorSource]:
    made = SupervisorSource(named, known)
    try:
        yield made
    finally:
        made.stop()


def first(made: SupervisorSource, *small: Small) -> SupervisorReading:
    made.observe([s.process for s in small])
    assert made.wait_first(10)
    return made.latest()


def status(made: SupervisorSource, name: str = "supervisor", target: str | None = None):
    return next(
        (s for s in made.latest().sources if s.name == name and target in (None, s.target)), None
    )


def test_two_at_once_over_both_transports():
    auth = ("ops", "p%w/@: ü")
    with supervisord(TWO) as one, supervisord(TWO, inet=auth) as two, source() as made:
        told = first(made, one, two)
        by_id = {s.id: s for s in told.supervisords}
        assert set(by_id) == {one.url, two.url}
        for small in (one, two):
            server = by_id[small.url]
            assert server.key == small.process.key and server.answers
            assert server.conf == str(small.conf) and server.root == ""
            assert server.log == f"{small.folder}/main.log"
            assert server.version and server.server_state == "RUNNING"
            assert server.ctl == ("supervisorctl", "-c", str(small.conf))
            names = [(p.group, p.name) for p in told.programs if p.supervisor == small.url]
            assert names == [("a", "a"), ("g", "b")]
            pids = {p.pid for p in told.programs if p.supervisor == small.url}
            assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
            written = [(c.group, c.name) for c in told.configs if c.supervisor == small.url]
            assert sorted(written) == [("a", "a"), ("g", "b")]
        assert {s.status for s in told.sources} == {"ok"}
        assert "p%w" not in repr(told)
        server = made.server(two.url)
        assert server is not None and server.password == "p%w/@: ü"


def test_one_that_hangs_is_told_and_holds_no_other():
    with supervisord(TWO) as one, supervisord(TWO) as two, source() as made:
        first(made, one, two)
        one.child.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        made.refresh()
        until(lambda: status(made, target=one.url).status == "timeout", 6)
        assert time.monotonic() - began < 2.5
        assert "SIGSTOP" in status(made, target=one.url).detail
        assert status(made, target=two.url).status == "ok"
        hung = next(s for s in made.latest().supervisords if s.id == one.url)
        assert hung.answers is False
        assert len([p for p in made.latest().programs if p.supervisor == one.url]) == 2
        one.child.send_signal(signal.SIGCONT)
        until(lambda: status(made, target=one.url).status == "ok", 6)


def test_one_that_hangs_from_the_beginning():
    with supervisord(TWO) as one, source() as made:
        one.child.send_signal(signal.SIGSTOP)
        made.observe([one.process])
        began = time.monotonic()
        assert made.wait_first(5)
        assert time.monotonic() - began < 3
        told = made.latest()
        assert [s.id for s in told.supervisords] == [one.url]
        assert status(made).status == "timeout"
        assert {c.name for c in told.configs} == {"a", "b"}
        one.child.send_signal(signal.SIGCONT)


def test_one_that_is_known_to_be_stopped_is_not_asked():
    with supervisord(TWO) as one, source() as made:
        first(made, one)
        process = one.process
        made.observe([process], [Usage(process.key, 1, 1, "T", 0.0, 0.0, None)])
        told = until(lambda: (s := status(made)).status == "timeout" and s, 1.0)
        assert f"kill -CONT {one.pid}" in told.detail
        made.observe([process], [Usage(process.key, 1, 1, "S", 0.0, 0.0, None)])
        until(lambda: status(made).status == "ok", 5)


def test_where_it_listens_without_its_conf(monkeypatch: pytest.MonkeyPatch):
    with supervisord(TWO) as one, supervisord(TWO, inet=("u", "p")) as two:
        assert discovery._listening(one.pid) == [one.url]
        assert discovery._listening(two.pid) == [two.url]

        def denied(pid: int) -> psutil.Process:
            raise psutil.AccessDenied(pid)

        # A stranger sees at least under which name the socket was bound.
        with monkeypatch.context() as patched:
            patched.setattr(discovery.psutil, "Process", denied)
            strangers = [discovery._listening(small.pid) for small in (one, two)]
        assert strangers == [[one.url], []]


def test_without_a_server_section():
    with supervisord(TWO, server=False) as one, source() as made:
        told = first(made, one)
        (server,) = told.supervisords
        assert (server.id, server.url, server.ctl) == (f"conf:{one.conf}", None, ())
        assert server.answers is None and server.key == one.process.key
        assert status(made).status == "absent" and "[unix_http_server]" in status(made).detail
        assert len(told.configs) == 2 and told.configs[0].supervisor == server.id


def test_without_an_rpc_interface():
    with supervisord(TWO, interface=False) as one, source() as made:
        first(made, one)
        assert status(made).status == "absent"
        assert "[rpcinterface:supervisor]" in status(made).detail


def test_a_hashed_password_needs_the_clear_one():
    hashed = "{SHA}" + hashlib.sha1(b"clear").hexdigest()
    with supervisord(TWO, inet=("ops", hashed)) as one:
        text = one.conf.read_text().replace("[supervisorctl]", "[x]")
        one.conf.write_text(text)
        with source() as made:
            first(made, one)
            assert status(made).status == "denied" and "{SHA}" in status(made).detail
        with source(known=(Server(one.url, "ops", "clear"),)) as made:
            assert len(first(made, one).programs) == 2
        named = parse(one.url.replace("//", "//ops:wrong@"))
        with source(named) as made:
            first(made)
            assert status(made).status == "denied" and "check both" in status(made).detail


def test_named_by_conf_by_url_and_unnamed():
    with supervisord(TWO) as one, supervisord(TWO) as two:
        for text in (str(two.conf), two.url):
            with source(parse(text)) as made:
                told = first(made, one, two)
                assert [s.id for s in told.supervisords] == [two.url]
                assert told.supervisords[0].key == two.process.key
                assert {c.supervisor for c in told.configs} == {two.url}
            with source(parse(text)) as made:
                told = first(made)
                assert [s.id for s in told.supervisords] == [two.url]
                assert len(told.programs) == 2


def test_a_name_means_its_process_however_long_the_conf_takes_to_read(
    monkeypatch: pytest.MonkeyPatch,
):
    """On a burning box that is seconds: until then it must not be told as one that is down."""
    read, may = conf.read, threading.Event()

    def slowly(*args: Any, **more: Any) -> Any:
        may.wait(20)
        return read(*args, **more)

    monkeypatch.setattr(conf, "read", slowly)
    with supervisord(TWO) as one, source(parse(str(one.conf))) as made:
        made.observe([one.process])
        until(lambda: all(f.looked for f in made._by_name), 10)
        assert made.latest().supervisords == ()
        may.set()
        assert [s.id for s in first(made, one).supervisords] == [one.url]


def test_named_but_not_running(tmp_path):
    with supervisord(TWO) as one:
        shutil.copy(one.conf, tmp_path / "s.conf")
    with source(parse(str(tmp_path / "s.conf"))) as made:
        told = first(made)
        (server,) = told.supervisords
        assert (server.id, server.key, server.answers) == (one.url, None, False)
        assert status(made).status == "down" and "does not run" in status(made).detail
        assert {c.name for c in told.configs} == {"a", "b"}
        assert told.programs == ()


def test_no_supervisord_at_all():
    with source() as made:
        first(made)
        assert status(made).status == "absent"
        assert "--supervisor" in status(made).detail


def test_one_that_ends_is_still_told_of(monkeypatch: pytest.MonkeyPatch):
    with source() as made:
        with supervisord(TWO) as one:
            first(made, one)
        made.observe([])
        told = made.latest()
        assert [(s.id, s.key, s.answers) for s in told.supervisords] == [(one.url, None, False)]
        assert status(made).status == "down" and "has ended" in status(made).detail
        assert told.programs == ()
        monkeypatch.setattr(reader, "_GHOST_S", 0.0)
        assert status(made).status == "absent"


def test_two_of_one_conf():
    with supervisord(TWO) as one, source() as made:
        os.unlink(one.folder / "s.sock")  # as a cleaner of /tmp does
        quiet = subprocess.DEVNULL
        twin = subprocess.Popen(one.argv, cwd=one.folder, stdout=quiet, stderr=quiet)
        try:
            until((one.folder / "s.sock").exists, 10)
            made.observe([one.process, seen(twin.pid)])
            assert made.wait_first(10)
            told = {s.key: s for s in made.latest().supervisords}
            assert told[seen(twin.pid).key].id == one.url
            robbed = told[one.process.key]
            assert (robbed.id, robbed.answers) == (f"conf:{one.conf}", False)
            assert f"answered by pid {twin.pid}" in status(made, target=robbed.id).detail
            assert len(made.latest().configs) == 4  # every program stands twice
        finally:
            end(twin)


def test_a_conf_changed_under_it(monkeypatch: pytest.MonkeyPatch):
    from beattop.sources.supervisor import subject

    monkeypatch.setattr(subject, "_CONF_AGAIN_S", 0.0)
    with supervisord(TWO) as one, source() as made:
        first(made, one)
        text = one.conf.read_text()
        one.conf.write_text(text + f"[program:c]\ncommand={SLEEPER}\n")
        made.refresh()
        told = until(lambda: (s := status(made, "conf")).status == "degraded" and s)
        assert "c is in the file, but not loaded" in told.detail
        one.conf.write_text(text + "[program:d]\ncommand=x\nstartsecs=soon\n")
        made.refresh()
        told = until(lambda: (s := status(made, "conf")).status == "down" and s)
        assert "[program:d]" in told.detail and "soon" in told.detail
        assert {c.name for c in made.latest().configs} == {"a", "b"}
        one.conf.write_text(text)
        made.refresh()
        until(lambda: status(made, "conf").status == "ok")


def test_a_mistake_in_a_thread_is_told(monkeypatch: pytest.MonkeyPatch):
    def broken(self, publish):
        raise RuntimeError("a mistake")

    with supervisord(TWO) as one, source() as made:
        first(made, one)
        monkeypatch.setattr(reader.ProcessSubject, "look", broken)
        made.refresh()
        told = until(lambda: (s := status(made)).status == "degraded" and s, 2)
        assert "RuntimeError: a mistake" in told.detail
        assert len(made.latest().supervisords) == 1
        monkeypatch.undo()
        made.refresh()
        until(lambda: status(made).status == "ok")


def test_it_asks_rarely(monkeypatch: pytest.MonkeyPatch):
    calls: list[float] = []
    real = reader.ProcessSubject.look

    def counted(self, publish):
        calls.append(time.monotonic())
        return real(self, publish)

    monkeypatch.setattr(reader.ProcessSubject, "look", counted)
    monkeypatch.setattr(follower, "CALM_S", 0.6)
    monkeypatch.setattr(follower, "CALL_SHARE", 0.0)
    with supervisord(TWO) as one, source() as made:
        first(made, one)
        until(lambda: len(calls) >= 3)
        assert calls[2] - calls[1] >= 0.55
        made.set_looping(True)
        made.refresh()
        count = len(calls)
        until(lambda: len(calls) > count)
        last = calls[-1]
        assert made._pace.interval_s(0.001) == 30
        made.refresh()  # the user's wish goes before the pace
        until(lambda: calls[-1] > last, 2)
