"""The log through supervisord's own readLog."""

from __future__ import annotations

import os
import xmlrpc.client

import pytest
from supervisor.options import readFile

from beattop.model.supervisor import ProgramState
from beattop.sources.mainlog import rpclog
from beattop.sources.mainlog.rpclog import RpcLog
from tests.unit.mainlog.written import exited, log, spawned


class Server:
    """readLog as supervisor/rpcinterface.py does it, calls counted."""

    def __init__(self, path):
        self.path = path
        self.calls = 0
        self.error = None

    def read_log(self, offset, length):
        self.calls += 1
        if self.error is not None:
            raise self.error
        try:
            return readFile(str(self.path), offset, length).decode()
        except UnicodeDecodeError:
            raise xmlrpc.client.ProtocolError("/RPC2", 500, "Internal Server Error", {}) from None

    def write(self, *events):
        with self.path.open("ab") as file:
            file.write(log(list(events)))


@pytest.fixture
def server(tmp_path):
    (tmp_path / "s.log").touch()
    return Server(tmp_path / "s.log")


def entry(n, name="beat2"):
    return spawned(1_790_000_000.0 + n, n, name)


def program(name, pid, start_at):
    return ProgramState("s", name, name, "RUNNING", 0.0, pid, start_at, 0.0, "", 0, None, None)


def pids(events):
    return [event.pid if event.kind == "spawned" else event.kind for event in events]


def test_nothing_is_asked_before_the_first_poll(server):
    main = RpcLog("s", server.read_log)
    assert server.calls == 0
    assert main.pasts() == ()
    assert main.status().status == "degraded"


def test_past_and_present(server):
    server.write(*map(entry, range(10)), exited(1_790_000_010.5))
    main = RpcLog("s", server.read_log, "the file may be read by root alone")
    assert main.poll() == []
    (past,) = main.pasts()
    assert (past.spawns, past.exits, past.complete) == (10, 1, False)
    server.write(entry(20), entry(21))
    assert pids(main.poll()) == [20, 21]
    assert main.poll() == []
    assert server.calls == 3, "one call a poll"
    assert main.status().status == "degraded"
    assert "root alone" in main.status().detail


def test_rotation_between_two_looks(server):
    server.write(*map(entry, range(10)))
    main = RpcLog("s", server.read_log)
    main.poll()
    server.path.rename(server.path.with_name("s.log.1"))
    server.path.touch()
    server.write(entry(30))
    got = main.poll()
    assert pids(got) == ["gap", 30]
    server.write(entry(31))
    assert pids(main.poll()) == [31]
    assert "more was written" in main.status().detail


def test_a_burst_longer_than_the_usual_look(server):
    server.write(entry(0))
    main = RpcLog("s", server.read_log)
    main.poll()
    server.write(*map(entry, range(1, 2000)))
    assert pids(main.poll()) == list(range(1, 2000))


def test_a_burst_beyond_measure_is_a_gap(server):
    server.write(entry(0))
    main = RpcLog("s", server.read_log)
    main.poll()
    server.write(*map(entry, range(1, 40_000)))
    got = pids(main.poll())
    assert got[0] == "gap"
    assert got[-1] == 39_999
    assert len(got) < 39_999


def test_a_line_that_is_half_written(server):
    server.write(entry(0))
    main = RpcLog("s", server.read_log)
    main.poll()
    line = log([entry(1)])
    with server.path.open("ab", buffering=0) as file:
        file.write(line[:20])
        assert main.poll() == []
        file.write(line[20:])
    assert pids(main.poll()) == [1]


def test_equal_lines_are_not_lost(server):
    server.write(entry(0), entry(1), entry(1), entry(1))
    main = RpcLog("s", server.read_log)
    main.poll()
    server.write(entry(1), entry(2))
    assert pids(main.poll())[-1] == 2


def test_a_cut_within_a_character(server):
    server.write(*(entry(n, "bücher" * 3) for n in range(3000)))
    main = RpcLog("s", server.read_log)
    for n in range(40):
        server.write(entry(5000 + n, "x" * (n % 7 + 1)))
        main.poll()
        assert main.status().status == "degraded"
    assert {past.name for past in main.pasts()} == {"bücher" * 3, "x"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionRefusedError(111, "refused"), "down"),
        (TimeoutError(), "timeout"),
        (xmlrpc.client.Fault(20, "NO_FILE"), "degraded"),
        (xmlrpc.client.ProtocolError("/RPC2", 401, "Unauthorized", {}), "denied"),
    ],
)
def test_what_may_go_wrong(server, error, status):
    server.write(entry(0))
    main = RpcLog("s", server.read_log)
    server.error = error
    assert main.poll() == []
    assert main.status().status == status
    server.error = None
    main.poll()
    assert main.pasts()[0].spawns == 1


def test_an_empty_log(server):
    main = RpcLog("s", server.read_log)
    assert main.poll() == []
    server.write(entry(1))
    assert pids(main.poll()) == [1]
    os.truncate(server.path, 0)
    assert pids(main.poll()) in ([], ["gap"])


def test_what_comes_between_two_looks_tells_the_writers_zone(server, monkeypatch):
    now = 1_790_018_000.0
    monkeypatch.setattr(rpclog.time, "time", lambda: now)
    server.write(spawned(now - 5 * 3600 - 30, 1, "beat2"))
    main = RpcLog("s", server.read_log)
    main.poll()
    now += 10
    server.write(spawned(now - 5 * 3600 - 7, 2, "beat2"))
    assert [event.at for event in main.poll()] == [now - 7]
    now += 10
    server.write(spawned(now - 5 * 3600 - 1, 3, "beat2"))
    assert [event.at for event in main.poll()] == [now - 1], "and it is learnt once"


def test_the_start_of_a_process_tells_the_writers_zone_at_the_first_look(server):
    now = 1_790_018_000.0
    server.write(
        spawned(now + 9 * 3600 - 90, 1, "beat2"),
        spawned(now + 9 * 3600 - 60.4, 2, "beat"),
        spawned(now + 9 * 3600 - 20, 3, "beat2"),
    )
    asked = []

    def programs():
        asked.append(1)
        return (program("beat", 2, now - 61), program("beat2", 0, now - 90))

    main = RpcLog("s", server.read_log, programs=programs)
    main.poll()
    assert {past.name: past.recent[-1].at for past in main.pasts()} == {
        "beat": now - 60.4,
        "beat2": now - 20,
    }
    main.poll()
    assert asked == [1]


def test_programs_that_cannot_be_asked_leave_the_log_as_it_is(server):
    def programs():
        raise TimeoutError

    server.write(entry(1))
    main = RpcLog("s", server.read_log, programs=programs)
    main.poll()
    assert main.pasts()[0].spawns == 1
    assert main.status().status == "degraded"
