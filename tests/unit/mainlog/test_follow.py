"""Following a log through everything that is done to logs."""

from __future__ import annotations

import gzip
import os
import random
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from supervisor.loggers import LevelsByName, LogRecord, RotatingFileHandler

from beattop.sources.mainlog import follow
from beattop.sources.mainlog.blocks import backwards
from beattop.sources.mainlog.follow import MainLog
from tests.unit.mainlog.written import exited, log, spawned, started


def entry(n: int) -> bytes:
    return log([spawned(1_790_000_000.0 + n, n)])


def entries(*numbers: int) -> bytes:
    return b"".join(map(entry, numbers))


class Box:
    """A log, and who writes it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "supervisord.log"
        self.file = None

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def rotate(self, most: int = 5) -> None:
        for n in range(most, 0, -1):
            old = self.numbered(n - 1)
            if old.exists():
                old.rename(self.numbered(n))

    def numbered(self, n: int) -> Path:
        return self.path if n == 0 else self.path.with_name(f"supervisord.log.{n}")


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


@pytest.fixture
def opened(box):
    logs = []

    def begin(path=None, root="") -> MainLog:
        logs.append(MainLog("s", str(path or box.path), root))
        return logs[-1]

    yield begin
    for each in logs:
        each.close()


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


def test_rotation_loses_nothing(box, opened):
    box.write(entries(1))
    main = opened()
    box.write(entries(2))
    assert pids(main.poll()) == [2]
    box.write(entries(3))
    box.rotate()
    box.write(entries(4))
    assert pids(main.poll()) == [3, 4]
    box.write(entries(5))
    assert pids(main.poll()) == [5]
    assert main.status().status == "ok"


def test_several_rotations_between_two_looks(box, opened):
    box.write(entries(1))
    main = opened()
    for n in range(2, 6):
        box.write(entries(n))
        box.rotate()
    box.write(entries(6))
    assert pids(main.poll()) == [2, 3, 4, 5, 6]
    assert main.status().status == "ok"


def test_rotation_beyond_the_last_number_is_a_gap(box, opened):
    box.write(entries(1))
    main = opened()
    for n in range(2, 7):
        box.write(entries(n))
        box.rotate(most=2)
    box.write(entries(7))
    got = pids(main.poll())
    assert got == [2, "gap", 5, 6, 7]
    assert main.status().status == "degraded"
    assert not main.complete


def test_renamed_but_still_written_to(box, opened):
    # logrotate's create: supervisord writes on to the old file until it is told to reopen.
    box.write(entries(1))
    main = opened()
    old = box.path.open("ab", buffering=0)
    box.rotate()
    box.path.touch()
    assert main.poll() == []
    old.write(entries(2))
    assert pids(main.poll()) == [2]
    old.write(entries(3))
    old.close()
    box.write(entries(4))
    assert pids(main.poll()) == [3, 4]


def test_compressed_at_once(box, opened):
    box.write(entries(1))
    main = opened()
    box.write(entries(2))
    packed = box.path.with_name("supervisord.log.1.gz")
    packed.write_bytes(gzip.compress(box.path.read_bytes()))
    box.path.unlink()
    box.write(entries(3))
    assert pids(main.poll()) == [2, 3]
    assert main.status().status == "ok"


def test_rotated_by_date(box, opened):
    box.write(entries(1))
    main = opened()
    box.write(entries(2))
    box.path.rename(box.path.with_name("supervisord.log-20260101"))
    box.write(entries(3))
    assert pids(main.poll()) == [2, 3]


def test_copied_and_cut(box, opened):
    box.write(entries(1, 2))
    main = opened()
    box.write(entries(3))
    box.numbered(1).write_bytes(box.path.read_bytes())
    os.truncate(box.path, 0)
    assert pids(main.poll()) == [3]
    box.write(entries(4))
    assert pids(main.poll()) == [4]
    assert main.status().status == "ok"


def test_cut_and_grown_again_beyond_the_old_end(box, opened):
    box.write(entries(1))
    main = opened()
    os.truncate(box.path, 0)
    box.write(entries(10, 11, 12))
    assert pids(main.poll()) == ["gap", 10, 11, 12]


def test_cut_without_a_copy_is_a_gap(box, opened):
    box.write(entries(1, 2))
    main = opened()
    os.truncate(box.path, 0)
    box.write(entries(3))
    events = main.poll()
    assert pids(events) == ["gap", 3]
    assert events[0].name == ""
    assert main.status().status == "degraded"
    assert "cut" in main.status().detail


def test_replaced_by_another_file(box, opened, tmp_path):
    box.write(entries(1))
    main = opened()
    other = tmp_path / "other"
    other.write_bytes(entries(2))
    other.rename(box.path)
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


def test_a_link_moved_by_a_deploy(tmp_path, opened):
    for release in ("1", "2"):
        (tmp_path / release).mkdir()
    (tmp_path / "1" / "s.log").write_bytes(entries(1))
    (tmp_path / "current").symlink_to("1")
    main = opened(tmp_path / "current" / "s.log")
    (tmp_path / "2" / "s.log").write_bytes(entries(2))
    (tmp_path / "new").symlink_to("2")
    (tmp_path / "new").rename(tmp_path / "current")
    got = []
    for _ in range(follow._LOCATE_EVERY + 1):
        got += pids(main.poll())
    assert got == [2]


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


def test_a_rotated_file_beside_leaves_the_past_incomplete(box, opened):
    box.write(entries(1))
    box.rotate()
    box.write(entries(2))
    assert not opened().complete


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


def test_whatever_the_order_of_writing_rotating_and_looking(box, opened):
    for seed in range(40):
        chance = random.Random(seed)
        for path in box.path.parent.iterdir():
            path.unlink()
        box.write(entries(0))
        main = opened()
        got: list = [0]
        n = 1
        rotations = 0
        for _ in range(60):
            act = chance.choice(["write", "write", "half", "rotate", "look", "look"])
            if act == "rotate" and rotations < 4:
                box.rotate()
                rotations += 1
            elif act == "look":
                got += pids(main.poll())
                rotations = 0
                continue
            line = entry(n)
            cut = chance.choice([0, 20]) if act == "half" else 0
            box.write(line[:cut])
            if cut and chance.random() < 0.5:
                got += pids(main.poll())
                rotations = 0
            box.write(line[cut:])
            n += 1
        got += pids(main.poll())
        assert got == list(range(n)), seed
        main.close()


def test_supervisors_own_handler_rotating_at_full_speed(box, opened):
    handler = RotatingFileHandler(str(box.path), maxBytes=4000, backupCount=60)
    handler.setFormat("%(message)s")
    total = 3000  # some 50 rotations: none falls off the end, however slow we are
    main = opened()

    def write():
        for n in range(total):
            handler.emit(LogRecord(LevelsByName.INFO, entry(n)))

    writer = threading.Thread(target=write)
    writer.start()
    events = []
    while writer.is_alive():
        events += main.poll()
    writer.join()
    handler.close()
    events += main.poll()
    got = [event.pid for event in events if event.kind == "spawned"]
    # Renaming fifty files while we list them may hide one: then a gap is told in its place.
    told = any(event.kind == "gap" for event in events)
    assert told or got == list(range(total))
    assert got == sorted(set(got)) and got[-1] == total - 1
    assert box.numbered(40).exists()
