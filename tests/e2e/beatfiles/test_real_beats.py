"""Real beats, their pidfile, schedule and last words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from beattop.model.words import last_error
from beattop.sources.celery.beatfiles import BeatFiles, BeatReading
from beattop.sources.supervisor.reader import SupervisorSource
from tests.e2e.small import Small, seen, supervisord, until

APP = """\
from celery import Celery
app = Celery("proj", broker="memory://")
app.conf.beat_schedule = {"tick": {"task": "proj.tick", "schedule": 1.0}}
"""
BEAT = f"{sys.executable} -m celery -A proj beat -l info --pidfile=b.pid"


@contextmanager
def watching(small: Small) -> Iterator[BeatFilesOf]:
    source = SupervisorSource()
    files = BeatFiles(source.server)
    try:
        yield BeatFilesOf(small, source, files)
    finally:
        files.stop()
        source.stop()


class BeatFilesOf:
    def __init__(self, small: Small, source: SupervisorSource, files: BeatFiles) -> None:
        self.small, self.source, self.files = small, source, files

    def look(self) -> BeatReading:
        found = [self.small.process]
        for child in psutil.Process(self.small.pid).children():
            try:
                found.append(seen(child.pid))
            except (psutil.Error, OSError):
                continue  # ended while we looked
        self.source.observe(found)
        assert self.source.wait_first(10)
        told = self.source.latest()
        self.files.observe(found, [], told.programs, told.configs, told.supervisords)
        assert self.files.wait_first(10)
        return self.files.latest()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "proj.py").write_text(APP)
    return tmp_path


def test_two_beats_of_one_pidfile(project: Path):
    programs = "".join(
        f"[program:{name}]\ncommand={BEAT} -s {name}-schedule\ndirectory={project}\n"
        f"autorestart=true\nstartsecs=0\nredirect_stderr=true\nstdout_logfile=%(here)s/{name}.log\n"
        for name in ("one", "two")
    )
    with supervisord(programs) as small, watching(small) as box:
        until((project / "b.pid").exists, 20)

        def complete():
            told = box.look()
            words = {w.name: w for w in told.last_words}
            refused = [w for w in words.values() if "already exists" in (last_error(w.lines) or "")]
            sent = [w for w in words.values() if w.sent_at is not None]
            return told if told.pidfiles and refused and sent else None

        told = until(complete, 30, "a refusal and a working beat")
        (pidfile,) = told.pidfiles
        winner = psutil.Process(int((project / "b.pid").read_text()))
        assert (pidfile.path, pidfile.status) == (f"{project}/b.pid", "ok")
        assert pidfile.holder is not None and pidfile.holder.pid == winner.pid == pidfile.pid
        assert pidfile.holder_started_at is not None and pidfile.mtime_at is not None
        assert pidfile.holder_started_at < pidfile.mtime_at
        assert "beat" in pidfile.holder_argv
        own = next(a for a in winner.cmdline() if a.endswith("-schedule"))
        schedules = {s.path: s for s in told.schedules}
        assert set(schedules) == {f"{project}/one-schedule", f"{project}/two-schedule"}
        until(lambda: {s.path: s for s in box.look().schedules}[f"{project}/{own}"].status == "ok")
        sender = next(w for w in told.last_words if w.sent_at is not None)
        assert own.startswith(sender.name)
        assert abs((sender.sent_at or 0) - os.stat(sender.path or "").st_mtime) < 60
        handles = {h.key.pid: h for h in told.handles}
        assert handles[winner.pid].readable
        assert {s.name: s.status for s in told.sources}["pidfile"] == "ok"


def test_celery_4s_default_pidfile_is_told_only_if_a_beat_holds_it(project: Path):
    command = f"{sys.executable} -m celery -A proj beat"
    with (
        supervisord(f"[program:old]\ncommand={command}\ndirectory={project}\n") as small,
        watching(small) as box,
    ):
        until(lambda: any(h.readable for h in box.look().handles), 20)
        assert box.look().pidfiles == ()
        pid = psutil.Process(small.pid).children()[0].pid
        (project / "celerybeat.pid").write_text("1\n")  # left behind by something else
        box.files.refresh()
        assert box.look().pidfiles == ()
        (project / "celerybeat.pid").write_text(f"{pid}\n")
        told = until(lambda: box.look().pidfiles, 15)
        assert (told[0].path, told[0].pid) == (f"{project}/celerybeat.pid", pid)


def test_a_schedule_deleted_under_its_beat(project: Path):
    """As dbm.gnu does it; dbm.dumb keeps no file open, so a stand-in holds one."""
    holder = project / "celery"
    holder.write_text(
        "import sys, time\nfile = open('celerybeat-schedule', 'w')\ntime.sleep(120)\n"
    )
    program = f"[program:b]\ncommand={sys.executable} {holder} beat -A p\ndirectory={project}\n"
    with supervisord(program) as small, watching(small) as box:
        until((project / "celerybeat-schedule").exists, 10)
        path = f"{project}/celerybeat-schedule"
        inode = os.stat(path)
        (told,) = until(lambda: [h for h in box.look().handles if h.schedules], 10)
        assert (told.schedules, told.deleted) == ((path,), ())
        assert told.inodes == ((inode.st_dev, inode.st_ino),)
        os.unlink(path)
        (told,) = until(lambda: [h for h in box.look().handles if h.deleted], 10)
        assert (told.schedules, told.deleted) == ((path,), (path,))
        assert told.inodes == ((inode.st_dev, inode.st_ino),)
        assert told.pipes == 0
