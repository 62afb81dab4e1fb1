"""A log that is rotated, packed, cut or replaced while it is followed."""

from __future__ import annotations

import gzip
import os
import random
import threading

import pytest
from supervisor.loggers import LevelsByName, LogRecord, RotatingFileHandler

from beattop.sources.mainlog import follow, rotation
from tests.unit.mainlog.test_follow import entries, entry, pids


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


def test_a_rotated_file_beside_leaves_the_past_incomplete(box, opened):
    box.write(entries(1))
    box.rotate()
    box.write(entries(2))
    assert not opened().complete


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


def test_a_file_that_hides_while_it_is_renamed_brings_nothing_twice(box, opened, monkeypatch):
    box.write(entries(0))
    main = opened()
    for n in range(1, 4):
        box.rotate(9)
        box.write(entries(n))
        assert pids(main.poll()) == [n]
    box.rotate(9)
    box.write(entries(4))
    # Ours, now .1, is left out of the listing; the times tell nothing of the older ones.
    monkeypatch.setattr(main._chain, "_begun_at", 0.0)
    listed = rotation.rotated

    def hiding(path):
        older, words = listed(path)
        return [file for file in older if file.number != 1], words

    monkeypatch.setattr(rotation, "rotated", hiding)
    assert pids(main.poll()) == ["gap", 4], "what hid may have been two"


@pytest.mark.parametrize("times", [1, 3, 20, 60])
def test_what_rotates_while_the_files_are_opened_is_read_in_order(box, opened, monkeypatch, times):
    box.write(entries(0))
    main = opened()
    written, left, real = 1, times, rotation.open_regular
    box.rotate(400)
    box.write(entries(1))

    def rotating(path):
        nonlocal written, left
        fd = real(path)
        for _ in range(2 if left else 0):
            written += 1
            box.rotate(400)
            box.write(entries(written))
        left = max(0, left - 1)
        return fd

    monkeypatch.setattr(rotation, "open_regular", rotating)
    got = []
    while left:
        got += pids(main.poll())
    got += pids(main.poll())
    assert got == list(range(1, written + 1))


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
