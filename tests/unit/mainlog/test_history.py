"""The whole past: every file, any order of events, nothing counted twice."""

from __future__ import annotations

import gc
import gzip
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from beattop.model.lives import Lives, merge
from beattop.sources.mainlog.follow import MainLog
from tests.unit.mainlog.written import (
    BASE,
    exited,
    log,
    looping,
    running,
    spawned,
    stopped,
)


def whole(main: MainLog, told) -> dict:
    """Older and newest put together, as the model does it."""
    out = {past.name: past for past in told.pasts}
    for past in main.pasts():
        out[past.name] = merge(out[past.name], past) if past.name in out else past
    return out


def grep(folder: Path, pattern: bytes) -> int:
    return sum(
        len(re.findall(pattern, path.read_bytes())) for path in folder.glob("supervisord.log*")
    )


def test_counts_are_greps_over_all_files(shelf):
    main = MainLog("s", str(shelf))
    assert not main.complete
    told = main.history().read()
    assert told.done
    assert told.detail == ""
    assert told.read_bytes == told.total_bytes > 0
    assert told.oldest_at == BASE - 10
    past = whole(main, told)["beat2"]
    assert past.spawns == grep(shelf.parent, rb"spawned: 'beat2' with pid \d+\n") == 1000
    assert past.exits == grep(shelf.parent, rb"exited: beat2 \(.*\)\n") == 1000
    assert (past.loop_exits, past.loop_since_at, past.first_at) == (1000, BASE, BASE)
    assert past.complete
    assert whole(main, told)["beat"].first_at == BASE - 5
    main.close()


def test_a_budget_of_time_is_kept_and_reading_goes_on(shelf):
    main = MainLog("s", str(shelf))
    history = main.history()
    first = history.read(time.monotonic() - 1)
    assert not first.done
    assert 0 < first.read_bytes < first.total_bytes
    assert not any(past.complete for past in first.pasts)
    steps = 0
    while not history.read(time.monotonic() - 1).done:
        steps += 1
    assert steps > 5
    assert whole(main, history.progress())["beat2"].spawns == 1000
    main.close()


def test_newest_first(shelf):
    history = MainLog("s", str(shelf)).history()
    oldest = []
    while not (told := history.read(time.monotonic() - 1)).done:
        oldest.append(told.oldest_at)
    assert oldest == sorted(oldest, reverse=True)
    assert len(set(oldest)) > 5


def test_in_the_background(shelf):
    main = MainLog("s", str(shelf))
    told: list = []
    history = main.history()
    history.start(told.append)
    assert history.join(20)
    assert told[-1].done
    assert [t.read_bytes for t in told] == sorted(t.read_bytes for t in told)
    assert whole(main, told[-1])["beat2"].spawns == 1000


def test_cancelled(shelf):
    main = MainLog("s", str(shelf))
    told: list = []
    history = main.history()

    def stop(progress):
        told.append(progress)
        history.cancel()

    history.start(stop)
    assert history.join(20)
    assert not told[-1].done
    assert not any(past.complete for past in told[-1].pasts)
    assert not any(thread.name == "history" for thread in threading.enumerate())


def test_after_a_cancel_it_goes_on_where_it_was(shelf):
    before = open_files()
    main = MainLog("s", str(shelf))
    history = main.history()
    told: list = []
    history.start(lambda progress: history.cancel())
    assert history.join(20)
    history.start(told.append)
    assert history.join(20)
    assert told[-1].done
    assert whole(main, told[-1])["beat2"].spawns == 1000
    main.close()
    assert open_files() == before


def test_two_that_read_at_once_leave_python_as_it_was(shelf):
    usual = gc.get_threshold()
    one, other = MainLog("s", str(shelf)).history(), MainLog("t", str(shelf)).history()
    begun = threading.Event()

    def outlive(progress):
        begun.set()
        one.join(20)

    def begin(progress):
        if not begun.is_set():
            other.start(outlive)
            assert begun.wait(20)

    one.start(begin)
    assert begun.wait(20)
    assert one.join(20) and other.join(20)
    assert gc.get_threshold() == usual


def test_closed_while_it_reads(shelf):
    before = open_files()
    main = MainLog("s", str(shelf))
    history = main.history()
    history.start(lambda progress: history.close())
    assert history.join(20)
    main.close()
    assert open_files() == before


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_descriptors_are_given_back(shelf):
    before = open_files()
    main = MainLog("s", str(shelf))
    history = main.history()
    assert open_files() > before + 1
    history.start(lambda _: None)
    history.join(20)
    main.close()
    assert open_files() == before
    main = MainLog("s", str(shelf))
    main.history().close()
    main.close()
    assert open_files() == before


def test_packed_files(shelf):
    for n in (2, 3):
        path = shelf.with_name(f"supervisord.log.{n}")
        shelf.with_name(f"supervisord.log.{n}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    main = MainLog("s", str(shelf))
    told = main.history().read()
    past = whole(main, told)["beat2"]
    assert (past.spawns, past.loop_exits, past.loop_since_at) == (1000, 1000, BASE)
    assert past.complete


def test_files_by_date(shelf):
    for n, date in ((1, "20260103"), (2, "20260102"), (3, "20260101")):
        shelf.with_name(f"supervisord.log.{n}").rename(shelf.with_name(f"supervisord.log-{date}"))
    main = MainLog("s", str(shelf))
    past = whole(main, main.history().read())["beat2"]
    assert (past.spawns, past.loop_exits, past.complete) == (1000, 1000, True)


def test_rotation_before_and_while_it_is_read(shelf):
    def rotate():
        for n in range(5, 0, -1):
            old = shelf if n == 1 else shelf.with_name(f"supervisord.log.{n - 1}")
            if old.exists():
                old.rename(shelf.with_name(f"supervisord.log.{n}"))
        shelf.write_bytes(log(looping(50, BASE + 5000.0)))

    main = MainLog("s", str(shelf))
    rotate()
    history = main.history()
    history.read(time.monotonic() - 1)
    rotate()
    for path in shelf.parent.glob("supervisord.log.[345]"):
        path.unlink()
    told = history.read()
    assert told.done
    past = whole(main, told)["beat2"]
    assert (past.spawns, past.complete) == (1000, True), "the newer files are the follower's"


def test_copied_and_cut_before_it_is_read(shelf):
    main = MainLog("s", str(shelf))
    for n in (3, 2, 1):
        shelf.with_name(f"supervisord.log.{n}").rename(shelf.with_name(f"supervisord.log.{n + 1}"))
    shelf.with_name("supervisord.log.1").write_bytes(shelf.read_bytes())
    os.truncate(shelf, 0)
    assert main.poll() == []
    past = whole(main, main.history().read())["beat2"]
    assert (past.spawns, past.complete) == (1000, True)


def test_a_number_that_is_missing(shelf):
    shelf.with_name("supervisord.log.2").unlink()
    main = MainLog("s", str(shelf))
    told = main.history().read()
    assert told.done
    assert "missing" in told.detail
    assert not whole(main, told)["beat2"].complete
    assert whole(main, told)["beat2"].gap


def test_a_file_that_cannot_be_read(shelf):
    path = shelf.with_name("supervisord.log.2")
    path.unlink()
    path.mkdir()
    main = MainLog("s", str(shelf))
    told = main.history().read()
    assert told.done
    assert "supervisord.log.2" in told.detail
    assert not whole(main, told)["beat2"].complete


@pytest.mark.parametrize("damage", [b"", b"not gzip", b"\x1f\x8b\x08garbage"])
def test_a_packed_file_that_is_broken(shelf, damage):
    path = shelf.with_name("supervisord.log.2")
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name("supervisord.log.2.gz").write_bytes(damage or packed[: len(packed) // 2])
    main = MainLog("s", str(shelf))
    told = main.history().read()
    assert told.done
    assert "supervisord.log.2.gz" in told.detail
    past = whole(main, told)["beat2"]
    assert not past.complete
    assert past.spawns >= 500


def test_a_way_of_packing_that_is_not_known(shelf):
    shelf.with_name("supervisord.log.3").rename(shelf.with_name("supervisord.log.3.xz"))
    told = MainLog("s", str(shelf)).history().read()
    assert ".xz" in told.detail
    assert not any(past.complete for past in told.pasts)


def test_a_file_cut_while_it_is_read(shelf):
    main = MainLog("s", str(shelf))
    history = main.history()
    os.truncate(shelf.with_name("supervisord.log.1"), 500)
    told = history.read()
    assert told.done
    assert "shorter" in told.detail
    assert whole(main, told)["beat2"].gap


def test_names_only_in_the_newest_part_are_complete_in_the_end(shelf):
    with shelf.open("ab") as file:
        file.write(log(looping(3, BASE + 9000.0, "late")))
    main = MainLog("s", str(shelf))
    past = whole(main, main.history().read())["late"]
    assert (past.spawns, past.first_at, past.complete) == (3, BASE + 9000, True)


def test_nothing_older(tmp_path):
    path = tmp_path / "supervisord.log"
    path.write_bytes(log(looping(3, float(BASE))))
    main = MainLog("s", str(path))
    told = main.history().read()
    assert told.done
    assert (told.read_bytes, told.total_bytes) == (0, 0)
    assert whole(main, told)["beat2"].spawns == 3


def test_no_log_at_all(tmp_path):
    told = MainLog("s", str(tmp_path / "none")).history().read()
    assert told.done
    assert told.pasts == ()
    assert told.detail


def test_a_stop_in_an_old_file_ends_the_run_there(tmp_path, small):
    path = tmp_path / "supervisord.log"
    old = [*looping(300, BASE - 5000.0), spawned(BASE - 900.0), stopped(BASE - 890.0)]
    new = looping(300, BASE - 600.0)
    path.with_name("supervisord.log.1").write_bytes(log([*old, *new[:500]]))
    path.write_bytes(log(new[500:]))
    main = MainLog("s", str(path))
    past = whole(main, main.history().read())["beat2"]
    assert (past.spawns, past.exits) == (601, 600)
    assert (past.loop_exits, past.loop_since_at) == (300, BASE - 600)


def test_lives_go_on_from_all_of_it(shelf):
    main = MainLog("s", str(shelf))
    told = main.history().read()
    (newest,) = [past for past in main.pasts() if past.name == "beat2"]
    lives = Lives.from_past(newest)
    with shelf.open("ab") as file:
        file.write(log(looping(2, BASE + 2500.0)))
    for event in main.poll():
        lives.add(event)
    older = next(past for past in told.pasts if past.name == "beat2")
    past = merge(older, lives.past())
    assert (past.spawns, past.loop_exits, past.loop_since_at) == (1002, 1002, BASE)
    assert past.complete


@pytest.mark.long
@pytest.mark.parametrize("names", [1, 300, 1000])
def test_nothing_is_missed_within_20_mb_of_memory(tmp_path, names):
    """Measured in a process of its own."""
    at, n = 1_780_000_000.0, 0
    for number in range(2, -1, -1):
        data = bytearray()
        while len(data) < 20_000_000:
            for make, after in ((spawned, 0.0), (running, 1.0), (exited, 2.0)):
                data += log([make(at + after + i / 500, name=f"w{i}") for i in range(names)])
            at += 3.0
            n += names
        (tmp_path / f"supervisord.log{f'.{number}' if number else ''}").write_bytes(data)
    code = """
import re, sys
from beattop.sources.mainlog.follow import MainLog

def most():
    # Not ru_maxrss: that begins with the memory of the parent.
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

before = most()
main = MainLog("s", sys.argv[1])
told = main.history().read()
grown = most() - before
spawns = sum(past.spawns for past in (*told.pasts, *main.pasts()))
print(spawns, grown / 1024)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "supervisord.log")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    spawns, memory = map(float, run.stdout.split())
    assert spawns == n
    assert memory < 20
