"""A supervisord with a root and a pid namespace of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import psutil

from beattop.model.process import Process
from beattop.sources.celery.beatfiles import BeatFiles
from beattop.sources.proc import facts
from beattop.sources.proc.procfs import Procfs
from beattop.sources.supervisor.reader import SupervisorSource
from tests.e2e.small import until

HERE = str(Path(__file__).parents[3])
SCRIPT = """\
set -e
mount -t tmpfs none {root}
cd {root}
mkdir -p etc run var proc dev app {binds}
ln -s /run var/run
for x in {binds}; do mount --bind /$x $x; done
mount --bind /dev dev
mount -t proc proc proc
echo 'root:x:0:0:root:/:/bin/sh' > etc/passwd
cat > etc/supervisord.conf <<X
[unix_http_server]
file=/var/run/supervisor.sock
[supervisord]
logfile=/var/run/main.log
pidfile=/var/run/s.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:beat]
command={python} -m celery -A proj beat --pidfile=/var/run/b.pid
directory=/app
redirect_stderr=true
stdout_logfile=/var/run/beat.log
X
echo 'from celery import Celery; app = Celery("proj", broker="memory://")' > app/proj.py
exec chroot {root} {python} -m supervisor.supervisord -n -c /etc/supervisord.conf
"""
UNSHARE = ["unshare", *([] if os.geteuid() == 0 else ["-U", "-r"]), "-m", "-p", "-f"]


def possible() -> bool:
    if not shutil.which("unshare"):
        return False
    # -m alone is not enough where mount(2) is forbidden.
    probe = [*UNSHARE, "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0


def binds() -> str:
    """What Python needs of this machine, without the leading slash."""
    wanted = ["/usr", "/lib", "/lib64", "/bin", sys.prefix, sys.base_prefix, HERE]
    found: list[str] = []
    for path in wanted:
        if os.path.isdir(path) and not any(path.startswith(f"{f}/") for f in found):
            found.append(os.path.abspath(path))
    return " ".join(dict.fromkeys(path[1:] for path in found))


def process(procfs: Procfs, pid: int) -> Process:
    stat = procfs.stat(pid)
    assert stat is not None
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    found = facts.process(procfs, stat, facts.cmdline(procfs, pid), booted)
    assert found is not None
    return found


def check(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    script = SCRIPT.format(root=root, binds=binds(), python=sys.executable)
    child = subprocess.Popen(
        [*UNSHARE, "sh", "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    source = SupervisorSource()
    files = BeatFiles(source.server)
    try:
        family = psutil.Process(child.pid)

        def supervisord() -> int | None:
            for one in family.children(recursive=True):
                try:
                    if "supervisor.supervisord" in one.cmdline():
                        return one.pid
                except psutil.Error:
                    continue  # a step of the script that has just ended
            return None

        pid = until(supervisord, 10)
        inner = f"/proc/{pid}/root"
        until(lambda: os.path.exists(f"{inner}/run/b.pid"), 20)
        procfs = Procfs()
        found = [process(procfs, pid)]
        holder = int(Path(f"{inner}/run/b.pid").read_text())
        beats = [process(procfs, p.pid) for p in psutil.Process(pid).children()]
        found += [beat for beat in beats if beat.ns_pid == holder]
        source.observe(found)
        assert source.wait_first(10)
        told = source.latest()
        (server,) = told.supervisords
        assert (server.id, server.root) == (f"unix://{inner}/run/supervisor.sock", inner)
        assert server.answers and server.conf == "/etc/supervisord.conf"
        assert server.ctl == ("supervisorctl", "-s", server.id)
        assert [(p.name, p.pid) for p in told.programs] == [("beat", found[1].ns_pid)]
        assert found[1].ns_pid != found[1].pid
        assert told.configs[0].file == "/etc/supervisord.conf"
        files.observe(found, [], told.programs, told.configs, told.supervisords)
        assert files.wait_first(10)
        (pidfile,) = files.latest().pidfiles
        assert pidfile.path == f"{inner}/run/b.pid"
        assert (pidfile.pid, pidfile.holder) == (found[1].ns_pid, found[1].key)
        assert "/var/run/b.pid" in pidfile.named
        (words,) = files.latest().last_words
        assert words.path == f"{inner}/run/beat.log"
    finally:
        files.stop()
        source.stop()
        for one in psutil.Process(child.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # its parent's end was its own
                one.kill()
        child.kill()
        child.wait(10)


if possible():

    def test_in_a_container(tmp_path: Path):
        check(tmp_path)

else:
    warnings.warn("no namespaces here: nothing of containers is tested", stacklevel=1)
