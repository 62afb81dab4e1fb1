"""Confs read by supervisor's own parser, without anyone's code being run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from beattop.sources.supervisor import conf
from beattop.sources.supervisor.conf import ConfReading, read

BASE = "[supervisord]\nlogfile=%(here)s/main.log\n"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


class Box:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, text: str, **more) -> ConfReading:
        path = self.put("s.conf", BASE + text)
        return read(str(path), **{"cwd": str(self.folder), "env": {}, **more})


def test_everything_a_program_says(box: Box):
    told = box.read(
        "environment=CELERY_APP=proj,TOKEN=hunter2\n"
        "[unix_http_server]\nfile=%(here)s/s.sock\nusername=u\npassword=s3cr\n"
        "[inet_http_server]\nport=*:9001\n"
        "[supervisorctl]\nserverurl=unix://%(here)s/s.sock\n"
        "; a comment\n"
        "[program:beat]\n"
        "command=%(ENV_V)s/bin/celery beat -b redis://:s3cr@h --password hunter2 100%%\n"
        "directory=app\nuser=deploy\nautostart=false\nautorestart=true\nstartsecs=0\n"
        "startretries=7\nexitcodes=0,2\nstopsignal=INT\nstopwaitsecs=60\nstopasgroup=true\n"
        'redirect_stderr=true\nstdout_logfile=o.log\nenvironment=BROKER_URL="amqp://u:s3cr@h"\n\n',
        env={"V": "/srv/v"},
    )
    assert (told.status, told.detail) == ("ok", "")
    (beat,) = told.of("id", "/cwd")
    assert beat.supervisor == "id"
    assert beat.command == "/srv/v/bin/celery beat -b redis://:**@h --password ** 100%"
    assert (beat.directory, beat.user) == (f"{box.folder}/app", "deploy")
    assert (beat.autostart, beat.autorestart) == (False, "true")
    assert (beat.startsecs, beat.startretries, beat.exitcodes) == (0, 7, (0, 2))
    assert (beat.stopsignal, beat.stopwaitsecs) == ("SIGINT", 60)
    assert (beat.stopasgroup, beat.killasgroup, beat.redirect_stderr) == (True, True, True)
    assert (beat.stdout_log, beat.stderr_log) == (f"{box.folder}/o.log", None)
    assert beat.env == (("BROKER_URL", "amqp://u:**@h"), ("CELERY_APP", "proj"))
    assert (beat.section, beat.file, beat.line) == ("program:beat", f"{box.folder}/s.conf", 13)
    assert beat.lines[0] == "[program:beat]" and beat.lines[-1].startswith("environment=")
    for secret in ("hunter2", "s3cr"):
        where = repr(told).find(secret)
        assert where < 0, repr(told)[where - 80 : where + 80]
    assert [s.url for s in told.servers] == [f"unix://{box.folder}/s.sock", "http://localhost:9001"]
    assert (told.servers[0].username, told.servers[0].password) == ("u", "s3cr")
    assert told.ctl is not None and told.ctl.url == f"unix://{box.folder}/s.sock"
    assert told.log == f"{box.folder}/main.log"


def test_groups_numprocs_and_kinds(box: Box):
    told = box.read(
        "[program:w]\ncommand=w %(process_num)d\nnumprocs=2\nnumprocs_start=5\n"
        "process_name=%(program_name)s_%(process_num)02d\n"
        "[program:solo]\ncommand=solo\n"
        "[group:g]\nprograms=w\n"
        "[fcgi-program:f]\ncommand=f\nsocket=unix:///run/f.sock\nsocket_owner=nobody\n"
        "[eventlistener:e]\ncommand=e\nevents=TICK_60,CUSTOM_EVENT\nresult_handler=evil:thing\n"
    )
    assert told.status == "ok"
    names = [(p.group, p.name, p.section, p.order, p.numprocs) for p in told.programs]
    assert names == [
        ("g", "w_05", "program:w", 0, 2),
        ("g", "w_06", "program:w", 1, 2),
        ("solo", "solo", "program:solo", 2, 1),
        ("f", "f", "fcgi-program:f", 3, 1),
        ("e", "e", "eventlistener:e", 4, 1),
    ]
    assert [p.command for p in told.programs][:2] == ["w 5", "w 6"]
    assert {p.directory for p in told.of("id", "/cwd")} == {"/cwd"}


def test_includes_and_their_lines(box: Box):
    box.put("conf.d/20.conf", "\n\n[program:two]\ncommand=two %(here)s\n")
    box.put("conf.d/10.conf", "[program:one]\ncommand=one\n[supervisorctl]\nserverurl=x\n")
    told = box.read("[include]\nfiles = conf.d/*.conf none/*.conf %(ENV_X)s.ini\n", env={"X": "a"})
    found = [(p.name, p.file.rpartition("/")[2], p.line) for p in told.programs]
    assert found == [("one", "10.conf", 1), ("two", "20.conf", 3)]
    assert told.programs[1].command == f"two {box.folder}/conf.d"
    assert told.ctl is None  # supervisorctl itself follows no [include]
    assert not told.stale()
    box.put("conf.d/30.conf", "[program:three]\ncommand=x\n")
    assert told.stale()


def test_a_change_is_noticed(box: Box):
    told = box.read("[program:a]\ncommand=x\n")
    assert not told.stale()
    box.put("s.conf", BASE)
    assert told.stale()
    gone = read(str(box.folder / "no.conf"), env={})
    assert (gone.status, gone.stale()) == ("absent", False)
    box.put("no.conf", BASE)
    assert gone.stale()


def test_plugins_are_not_imported(box: Box, monkeypatch: pytest.MonkeyPatch):
    mark = box.folder / "imported"
    evil = f"open({str(mark)!r}, 'w')\ndef thing(*a, **k): pass\nclass Handler: pass\n"
    for name in ("evil.py", "supervisor.py", "sitecustomize.py", "json.py"):
        box.put(name, evil)
    monkeypatch.setenv("PYTHONPATH", str(box.folder))
    monkeypatch.chdir(box.folder)
    told = box.read(
        "[rpcinterface:evil]\nsupervisor.rpcinterface_factory=evil:thing\nx=1\n"
        "[ctlplugin:evil]\nsupervisor.ctl_factory=evil:thing\n"
        "[eventlistener:e]\ncommand=e\nevents=TICK_60\nresult_handler=evil:thing\n",
        env={"PYTHONPATH": str(box.folder)},
    )
    assert told.status == "ok" and len(told.programs) == 1
    assert not mark.exists()


def test_nothing_is_written(box: Box):
    before = sorted(p.name for p in box.folder.rglob("*"))
    box.read("[program:a]\ncommand=x\n", env={"TMPDIR": str(box.folder)})
    assert sorted(p.name for p in box.folder.rglob("*")) == [*before, "s.conf"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[program:a]\ncommand=x\nstartsecs=soon\n", ["[program:a]", "soon", "s.conf"]),
        ("[program:a]\ncommand=%(ENV_NONE)s\n", ["ENV_NONE", "not set"]),
        ("[program:a]\ncommand=date +%d\n", ["badly formatted", "%%"]),
        ("[program:a]\n", ["does not specify a command"]),
        ("[group:g]\nprograms=none\n", ["unknown program"]),
        ("garbage hunter2\n[x]\nmore\n", ["s.conf line 7, 9", "key=value"]),
        ("[include]\n", ["no files setting"]),
        ("[program:a]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n", ["killasgroup"]),
    ],
)
def test_broken_in_supervisors_words(box: Box, text: str, words: list[str]):
    told = box.read("[unix_http_server]\nfile=/run/s.sock\n[program:good]\ncommand=x\n" + text)
    assert told.status == "down"
    assert "could not restart with it" in told.detail
    for word in words:
        assert word in told.detail
    assert "hunter2" not in told.detail and "\n" not in told.detail
    if "garbage" not in text and "include" not in text:
        # What can be read is read all the same.
        assert [p.name for p in told.programs] == ["good"]
        assert [s.url for s in told.servers] == ["unix:///run/s.sock"]


def test_what_is_no_conf(box: Box):
    os.mkfifo(box.folder / "fifo")
    began = time.monotonic()
    assert read(str(box.folder / "fifo"), env={}).status == "down"
    assert read(str(box.folder), env={}).status == "down"
    assert read("/dev/zero", env={}).status == "down"
    assert time.monotonic() - began < 5
    part = box.put("part.conf", "[program:a]\ncommand=x\n")
    assert "supervisord section" in read(str(part), env={}).detail


def test_a_fifo_among_the_includes(box: Box):
    (box.folder / "conf.d").mkdir()
    os.mkfifo(box.folder / "conf.d/x.conf")
    told = box.read("[include]\nfiles=conf.d/*\n[program:a]\ncommand=x\n")
    assert told.status == "denied" and "x.conf" in told.detail
    assert [p.name for p in told.programs] == ["a"]


def test_a_log_folder_that_is_gone(box: Box):
    told = box.read("[program:a]\ncommand=x\nstdout_logfile=/no/such/o.log\n")
    assert told.status == "degraded" and "/no/such/o.log" in told.detail
    assert told.programs[0].stdout_log == "/no/such/o.log"


def test_an_unknown_environment_is_lenient(box: Box):
    told = box.read("[program:a]\ncommand=%(ENV_V)s/bin/celery beat\n", env=None)
    assert told.status == "degraded" and "environment may not be read" in told.detail
    assert told.programs[0].command == "%(ENV_V)s/bin/celery beat"


def test_another_root(box: Box):
    root = box.folder / "root"
    box.put("root/etc/s.conf", BASE + "[include]\nfiles=/srv/conf.d/*.conf\n")
    box.put("root/data/a.conf", "[program:a]\ncommand=x %(here)s\nuser=nosuchuser\n")
    (root / "srv").mkdir()
    os.symlink("/data", root / "srv/conf.d")  # absolute, as in many images
    told = read("/etc/s.conf", root=str(root), cwd="/", env={}, node="inside")
    assert told.status == "ok"
    assert [(p.command, p.file) for p in told.programs] == [("x /srv/conf.d", "/srv/conf.d/a.conf")]
    assert told.log == "/etc/main.log"


def test_command_line_options_count(box: Box):
    told = box.read("", args=["-n", "-l", "/var/log/other.log"])
    assert told.log == "/var/log/other.log"
    assert box.read("logfile=syslog\n").log == "syslog"
    assert box.read("logfile=/dev/stdout\n").log == "/dev/stdout"


def test_a_deadline(box: Box, monkeypatch: pytest.MonkeyPatch):
    slow = box.put("slow.py", "import time\ntime.sleep(60)\n")
    monkeypatch.setattr(conf, "_SCRIPT", slow)
    began = time.monotonic()
    told = box.read("", deadline_s=0.5)
    assert told.status == "timeout" and time.monotonic() - began < 5
    broken = box.put("broken.py", "raise SystemExit('no \x1b[2J such')\n")
    monkeypatch.setattr(conf, "_SCRIPT", broken)
    told = box.read("")
    assert told.status == "down" and "reader failed" in told.detail and "\x1b" not in told.detail


def test_a_flood_of_processes(box: Box):
    told = box.read(
        "[program:a]\ncommand=x\nnumprocs=100000000\nprocess_name=%(process_num)d\n"
        "[program:b]\ncommand=x\n"
    )
    assert told.status == "down" and "numprocs" in told.detail
    assert [p.name for p in told.programs] == ["b"]


def test_the_environment_of_a_process():
    assert conf.environ(os.getpid()) is not None
    assert conf.environ(2**22 - 1) is None
    assert sys.executable  # the reader runs under the same Python
