"""The log of a real supervisord that rotates while it is followed."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from beattop.model.lives import Lives, merge
from beattop.sources.mainlog.follow import MainLog

PROGRAMS = 12


@pytest.fixture
def supervisord(tmp_path):
    """Twelve programs that exit at once with 73, and a log of 2 KB a file."""
    conf = tmp_path / "s.conf"
    conf.write_text(
        f"[supervisord]\nlogfile={tmp_path}/s.log\nlogfile_maxbytes=2KB\nlogfile_backups=200\n"
        f"pidfile={tmp_path}/s.pid\nnodaemon=true\nchildlogdir={tmp_path}\n"
        + "".join(
            f"[program:it's-{n}]\ncommand=/bin/sh -c 'exit 73'\nstartsecs=0\nautorestart=true\n"
            for n in range(PROGRAMS)
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def test_every_spawn_and_exit_through_rotation(supervisord, tmp_path):
    path = tmp_path / "s.log"
    main = MainLog("s", str(path))
    lives: dict[str, Lives] = {}
    events = 0

    def look():
        for past in main.pasts() if not lives else ():
            lives[past.name] = Lives.from_past(past)
        new = main.poll()
        for event in new:
            if event.name:
                lives.setdefault(event.name, Lives("s", event.name, True)).add(event)
        return len(new)

    deadline = time.monotonic() + 60
    while not (tmp_path / "s.log.5").exists():
        assert time.monotonic() < deadline, "supervisord did not rotate its log"
        events += look()
        supervisord.poll()
        time.sleep(0.02)  # the pace of looking, not a wait for anything
    supervisord.terminate()
    supervisord.wait(20)
    events += look()
    assert main.status().status == "ok"

    text = b"".join(file.read_bytes() for file in tmp_path.glob("s.log*"))
    fresh = MainLog("s", str(path))
    told = fresh.history().read()
    older = {past.name: past for past in told.pasts}
    assert told.done
    assert len(lives) == PROGRAMS
    for name, each in lives.items():
        spawns = len(re.findall(rb"spawned: '%s' with pid" % re.escape(name.encode()), text))
        exits = len(re.findall(rb"exited: %s \(exit status 73;" % re.escape(name.encode()), text))
        assert (each.spawns, each.exits) == (spawns, exits)
        assert dict(each.exit_counts) == {"73": exits}
        newest = [past for past in fresh.pasts() if past.name == name]
        whole = merge(older[name], newest[0]) if newest else older[name]
        assert (whole.spawns, whole.exits, whole.complete) == (spawns, exits, True)
    fresh.close()
    main.close()
