"""Following a log through everything that is done to logs."""

from __future__ import annotations

import os
import time
from functools import partial

import pytest

from beattop.sources.mainlog import follow
from beattop.sources.mainlog.blocks import backwards
from beattop.sources.mainlog.follow import MainLog
from tests.unit.mainlog.written import exited, log, spawned, started


def entry(n: int) -> bytes:
    return log([spawned(1_790_000_000.0 + n, n)])


def entries(*numbers: int) -> bytes:
    return b"".join(map(entry, numbers))


def pids(events):
    return [event.pid if event.kind == "spawned" else event.kind for event in events]


def test_the_past_is_told_apart_from_the_present(box, opened):
    box.write(entries(1, 2, 3))
    main = opened()
    assert [(past.name, past.spawns, past.complete) for past in main.pasts()] == [
        ("beat2", 3, True)
    ]
    assert main.complete
    assert main.poll() == []
    box.write(entries(4))
    assert pids(main.poll()) == [4]
    assert main.poll() == []
    assert main.pasts()[0].spawns == 3
    assert main.status().status == "ok"
    assert main.status().at == pytest.approx(time.time(), abs=60)


def test_nothing_new_costs_one_stat(box, opened, monkeypatch):
    box.write(entries(1, 2))
    main = opened()
    main.poll()

    def never(*_):
        raise AssertionError("read although nothing changed")

    monkeypatch.setattr(os, "pread", never)
    monkeypatch.setattr(os, "open", never)
    assert main.poll() == []


def test_a_line_written_in_pieces(box, opened):
    line = entry(2)
    box.write(entry(1) + line[:30])
    main = opened()
    assert main.pasts()[0].spawns == 1
    assert main.poll() == []
    box.write(line[30:50])
    assert main.poll() == []
    box.write(line[50:] + entry(3)[:-1])
    assert pids(main.poll()) == [2]
    box.write(b"\n")
    assert pids(main.poll()) == [3]


def test_an_endless_line_is_left_out(box, opened):
    box.write(entry(1) + b"x" * 100_000)
    main = opened()
    for _ in range(5):
        box.write(b"y" * 300_000)
        assert main.poll() == []
    box.write(b"z\n" + entry(2))
    assert pids(main.poll()) == [2]


def test_gone_and_back(box, opened):
    box.write(entries(1))
    main = opened()
    held = box.path.open("ab", buffering=0)
    box.path.unlink()
    held.write(entries(2))
    assert pids(main.poll()) == [2]
    assert main.status().status == "degraded"
    assert "gone" in main.status().detail
    held.close()
    box.write(entries(3))
    assert pids(main.poll()) == [3]
    assert main.status().status == "ok"


def test_not_there_yet(box, opened):
    main = opened()
    assert main.status().status == "absent"
    assert main.pasts() == ()
    assert not main.complete
    assert main.poll() == []
    box.write(entries(1, 2))
    assert main.poll() == []
    assert main.pasts()[0].spawns == 2
    box.write(entries(3))
    assert pids(main.poll()) == [3]


def test_not_readable(box, opened, monkeypatch):
    box.write(entries(1))
    box.path.chmod(0o600)

    def refuse(path, *args, **more):
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        main = opened()
    status = main.status()
    assert status.status == "denied"
    assert "(mode 0600)" in status.detail
    assert "sudo" in status.detail
    assert main.pasts() == ()
    assert main.poll() == []
    assert main.pasts()[0].spawns == 1
    assert main.status().status == "ok"


def test_permission_lost_and_given_back(box, opened, monkeypatch):
    box.write(entries(1))
    main = opened()
    box.rotate()
    box.write(entries(2))
    real = os.open

    def refuse(path, *args, **more):
        if str(path) == str(box.path):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *args, **more)

    monkeypatch.setattr(os, "open", refuse)
    assert main.poll() == []
    assert main.status().status == "denied"
    monkeypatch.undo()
    assert pids(main.poll()) == [2]
    assert main.status().status == "ok"


@pytest.mark.parametrize(
    "path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "syslog", "NONE", "", None, "/dev/null"]
)
def test_no_file_to_read(path, opened):
    main = MainLog("s", path)
    assert main.status().status == "absent"
    assert "logfile=" in main.status().detail
    assert main.poll() == []
    main.close()


def test_a_link_to_stdout_is_not_ours(tmp_path, opened):
    link = tmp_path / "supervisord.log"
    link.symlink_to("/dev/stdout")
    assert opened(link).status().status == "absent"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert opened(fifo).status().status == "absent"


def test_another_root(tmp_path, opened):
    real = tmp_path / "data"
    real.mkdir()
    (tmp_path / "var").symlink_to("/data")
    (real / "s.log").write_bytes(entries(1))
    main = opened("/var/s.log", str(tmp_path))
    assert main.pasts()[0].spawns == 1
    with (real / "s.log").open("ab") as file:
        file.write(entries(2))
    assert pids(main.poll()) == [2]


def test_only_the_end_of_a_long_log_is_read_at_once(box, opened, monkeypatch):
    monkeypatch.setattr(follow, "FIRST_BYTES", 4096)
    monkeypatch.setattr(follow, "backwards", partial(backwards, block=2048))
    box.write(entries(*range(1000)))
    main = opened()
    past = main.pasts()[0]
    assert 4096 / 70 < past.spawns < 8192 / 50
    assert past.recent[-1].pid == 999
    assert not past.complete
    assert not main.complete
    done = main.history().read()
    assert done.done
    assert done.pasts[0].spawns + past.spawns == 1000
    assert done.pasts[0].complete


def test_events_of_all_kinds_come_in_order(box, opened):
    box.write(entries(1))
    main = opened()
    events = [spawned(1_790_000_100.5, 9), exited(1_790_000_102.25), started(1_790_000_103.0)]
    box.write(log(events))
    assert main.poll() == events


def test_a_supervisord_in_another_zone(box, opened, monkeypatch):
    now = round(time.time(), 3)
    monkeypatch.setattr(
        "tests.unit.mainlog.written.stamp",
        lambda at: (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at - 5 * 3600))
            + f",{round(at * 1000) % 1000:03d}"
        ),
    )
    box.write(log([spawned(now, 1)]))
    os.utime(box.path, (now, now))
    main = opened()
    assert main.pasts()[0].first_at == pytest.approx(now, abs=0.002)
    assert "-5 h" in main.status().detail
    assert main.status().status == "ok"
    box.write(log([exited(now + 1)]))
    assert main.poll()[0].at == pytest.approx(now + 1, abs=0.002)
