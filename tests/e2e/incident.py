"""Real incidents for tests: real supervisords, real Celery, ended whatever happens to the test.

    with Box(tmp_path) as box:
        box.app("proj", import_cpu=1.2, second=("beat2",))
        box.program("beat", box.beat(pidfile="run/beat.pid"))
        box.program("beat2", box.beat(pidfile="run/beat.pid"))
        box.up()
        box.wait_exits("beat2", 2)
        assert box.rpc("getProcessInfo", "beat")["statename"] == "RUNNING"

Relative paths are under `box.folder`. Programs without a celery take any argv. A guard process
ends all that carries the box's mark in its environment when the box is left, when pytest is
killed, and in any case after `life` seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beattop.demo import environment, project
from beattop.demo.family import Family, Identity, alive, identity, send
from beattop.demo.lifeline import Lifeline
from tests.e2e.server import Server, free_port
from tests.e2e.waiting import wait_until

PIDFILE = "run/beat.pid"
SCHEDULE = "run/beat-schedule"
Argv = Sequence[object]


@dataclass(frozen=True)
class Daemon:
    """A process outside every supervisord, left to init."""

    process: Identity
    output: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return alive(self.process)


class Box:
    """A folder with projects, supervisords and daemons of one test."""

    def __init__(self, folder: Path, *, life: float = 300.0) -> None:
        self.folder = folder
        self.servers: dict[str, Server] = {}
        self.daemons: list[Daemon] = []
        self._lifeline = Lifeline(  # no subreaper: an orphan must become init's, as in life
            Path(tempfile.gettempdir()), "bt-", life_s=life, grace_s=0, subreaper=False
        )
        self.env = {**environment.clean(folder / "home"), **self._lifeline.mark}
        for name in ("app", "home", "log", "run"):
            (folder / name).mkdir(exist_ok=True)
        self.supervisord = environment.program("supervisor.supervisord", "supervisord")
        self.celery = environment.program("celery", "celery")

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *error: object) -> None:
        left = self._lifeline.close()
        assert not left, f"could not be ended: {left}"

    # What is written before up()

    def write(self, path: str, text: str) -> Path:
        """A file under the box's folder."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def app(
        self,
        name: str = "proj",
        *,
        where: str = "app",
        import_cpu: float = 0.0,
        every: float = 2.0,
        second: tuple[str, ...] = (),
        pidfile: str = PIDFILE,
        schedule: str = SCHEDULE,
        broker: str = "broker",
        broker_url: str | None = None,
        more: str = "",
    ) -> Path:
        """A project with one task and one schedule entry, `every` seconds.

        import_cpu: CPU seconds its import costs; env={"IMPORT_CPU_S": "0"} of a program overrides.
        second: programs that at the first start wait for another to hold `pidfile`, so that who
        wins is sure. broker: folder of the file system broker. more: lines after the module.
        """
        for part in ("messages", "control"):
            (self.folder / broker / part).mkdir(parents=True, exist_ok=True)
        text = project.app_module(
            name,
            root=self.folder,
            import_cpu_s=import_cpu,
            every_s=every,
            second=second,
            pidfile=pidfile,
            schedule=schedule,
            broker=broker,
            broker_url=broker_url,
            more=more,
        )
        return self.write(f"{where}/{name}.py", text)

    def beat(
        self,
        app: str = "proj",
        *,
        pidfile: str | None = None,
        schedule: str | None = SCHEDULE,
        more: Argv = (),
    ) -> list[str]:
        """A beat's command line; no --pidfile and no -s where None."""
        words: list[object] = [*self.celery, "-A", app, "beat", "-l", "info"]
        if pidfile:
            words += [f"--pidfile={self.folder / pidfile}"]
        if schedule:
            words += ["-s", self.folder / schedule]
        return [str(word) for word in (*words, *more)]

    def worker(
        self, app: str = "proj", *, name: str | None = None, concurrency: int = 1, more: Argv = ()
    ) -> list[str]:
        """A worker's command line; more=["-B"] embeds a beat."""
        words: list[object] = [*self.celery, "-A", app, "worker", "-l", "info", "-c", concurrency]
        if name:
            words += ["-n", f"{name}@%h"]
        return [str(word) for word in (*words, *more)]

    def server(
        self,
        name: str = "main",
        *,
        http: str | None = "unix",
        user: str | None = None,
        password: str | None = None,
        more: str = "",
    ) -> Server:
        """Declare a supervisord: http is "unix", "inet" (loopback) or None.

        more: lines of its [supervisord] section and any sections after it. Undeclared ones are
        made with a unix socket at the first program() that names them.
        """
        run = self._lifeline.folder  # short: a socket's path holds 107 bytes
        self.servers[name] = server = Server(
            name,
            self.folder,
            socket=run / f"{name}.sock" if http == "unix" else None,
            port=free_port() if http == "inet" else None,
            user=user,
            password=password,
            more=more,
        )
        return server

    def program(
        self,
        name: str,
        command: Argv | str,
        *,
        server: str = "main",
        directory: str = "app",
        env: Mapping[str, str] | None = None,
        more: str = "",
        **entries: object,
    ) -> None:
        """A program of a supervisord; `entries` (startsecs=0, user="x", ...) as in the conf.

        command: an argv, escaped here, or the text after `command=` as it stands. more: further
        lines of the section.
        """
        pairs = ",".join(f'{key}="{project.value(word)}"' for key, word in (env or {}).items())
        text = command if isinstance(command, str) else project.command(*command)
        values: dict[str, object] = {
            "command": text,
            "directory": self.folder / directory,
            "environment": pairs or None,
            "autorestart": "true",
            "stopwaitsecs": 5,
            "redirect_stderr": "true",
            "stdout_logfile": self.folder / "log" / f"{name}.log",
            **entries,
        }
        self._server(server).sections.append(project.section(f"program:{name}", values) + more)

    def section(self, name: str, server: str = "main", **entries: object) -> None:
        """Any other section: section("group:jobs", programs="a,b")."""
        self._server(server).sections.append(project.section(name, entries))

    def two_beats(
        self, first: str = "beat", second: str = "beat2", *, worker: bool = False
    ) -> None:
        """The original incident: two programs run one beat with one pidfile, `first` holds it."""
        self.app(import_cpu=1.2, second=(second,))
        for name in (first, second):
            self.program(name, self.beat(pidfile=PIDFILE))
        if worker:
            self.program("worker", self.worker(), env={"IMPORT_CPU_S": "0"})

    # What runs

    def up(self, *names: str, within: float = 20.0) -> None:
        """Write the conf of each supervisord (of all that are not up), start it, see it answer."""
        for name in names or [name for name, server in self.servers.items() if not server.up]:
            server = self.servers[name]
            server.write(as_root=os.geteuid() == 0)
            server.process = self._lifeline.start(
                [*self.supervisord, "-n", "-c", str(server.conf)],
                env=self.env,
                cwd=self.folder,
                output=server.output,
            )
            ready = server.answers if server.url else server.mainlog.exists
            self.wait(ready, f"supervisord {name} to answer", within=within)

    def update(self, *groups: str, server: str = "main") -> None:
        """Start programs that were declared after up(), as `supervisorctl update` does."""
        self.servers[server].write(as_root=os.geteuid() == 0)
        self.rpc("reloadConfig", server=server)
        for group in groups:
            self.rpc("addProcessGroup", group, server=server)

    def daemon(
        self,
        argv: Argv,
        *,
        directory: str = "app",
        env: Mapping[str, str] | None = None,
        name: str = "nohup",
    ) -> Daemon:
        """Run argv as somebody does by hand: `nohup … &` in a shell that ends; init adopts it."""
        output = self.folder / "log" / f"{name}.log"
        shell = subprocess.run(
            ["/bin/sh", "-c", 'nohup "$@" >"$0" 2>&1 </dev/null & echo $!', str(output)]
            + [str(word) for word in argv],
            cwd=self.folder / directory,
            env={**self.env, **(env or {})},
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=10,
            check=True,
        )
        process = identity(int(shell.stdout))
        assert process, f"it ended at once: {output.read_text()}"
        self._lifeline.adopt(process)
        self.daemons.append(Daemon(process, output))
        return self.daemons[-1]

    def beattop(
        self, *words: object, stdin: str = "", timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run beattop beside the box, with nobody's configuration, and wait for its end."""
        return subprocess.run(
            [sys.executable, "-m", "beattop", *(str(word) for word in words)],
            cwd=self.folder,
            env=self.env_of_viewer,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @property
    def env_of_viewer(self) -> dict[str, str]:
        """For whoever looks at the box: ended with it too, its source importable."""
        source = str(Path(project.__file__).resolve().parents[2])
        return {**self.env, "PYTHONPATH": source, "TERM": "xterm-256color"}

    # What can be asked

    def places(self) -> tuple[str, ...]:
        """Paths and addresses that stand in whatever is said of this box."""
        folders = (f"{self.folder}/", f"{self._lifeline.folder}/")
        return (*folders, *(server.url for server in self.servers.values() if server.port))

    def rpc(self, method: str, *args: Any, server: str = "main", timeout: float = 10.0) -> Any:
        """Call supervisor.`method`: rpc("getProcessInfo", "beat")."""
        return self.servers[server].rpc(method, *args, timeout=timeout)

    def state(self, program: str, server: str = "main") -> str:
        """RUNNING, STOPPED, ... of a namespec."""
        return str(self.rpc("getProcessInfo", program, server=server)["statename"])

    def conf(self, server: str = "main") -> Path:
        return self.servers[server].conf

    def url(self, server: str = "main") -> str:
        return self.servers[server].url

    def pid(self, program: str, server: str = "main") -> int:
        """The last pid that the main log gives for a program; 0 for none."""
        return (self.servers[server].spawns(program) or [0])[-1]

    def age(self, pid: int) -> float:
        """Seconds since a process began."""
        who = identity(pid)
        assert who, f"{pid} is gone"
        up = float(Path("/proc/uptime").read_text().split()[0])
        return up - who.ticks / os.sysconf("SC_CLK_TCK")

    def exits(self, program: str, server: str = "main") -> list[str]:
        """How its lives ended, oldest first: "exit status 73; not expected"."""
        return self.servers[server].exits(program)

    def log(self, program: str) -> str:
        """What a program (or a daemon) printed."""
        path = self.folder / "log" / f"{program}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def pidfile(self, path: str = PIDFILE) -> int:
        """The pid in a pidfile; 0 where there is none."""
        target = self.folder / path
        text = target.read_text().strip() if target.exists() else ""
        return int(text) if text.isdigit() else 0

    def processes(self) -> set[Identity]:
        """Every living process of the box."""
        family = Family(str(self._lifeline.folder))
        for who in (*(server.process for server in self.servers.values()), *self._daemon_ids()):
            if who:
                family.add(who)
        return family.living()

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal one process of the box, and none other."""
        who = identity(pid)
        assert who in self.processes(), f"{pid} is no process of this box"
        assert send(who, number)

    # What is waited for

    def wait(self, done: Callable[[], object], what: str, within: float = 40.0) -> None:
        """Until `done()` is true; fails with the ends of all logs after `within` seconds."""
        try:
            wait_until(done, what, within)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self._tails()])) from None

    def wait_exits(
        self, program: str, times: int, *, server: str = "main", within: float = 40.0
    ) -> None:
        """Until a program ended unasked `times` times in all."""
        self.wait(
            lambda: len(self.exits(program, server)) >= times, f"{times} exits of {program}", within
        )

    def wait_log(self, program: str, words: str, *, within: float = 40.0) -> None:
        """Until a program or daemon printed `words`."""
        self.wait(lambda: words in self.log(program), f"{words!r} from {program}", within)

    def wait_beat(self, program: str, *, within: float = 40.0) -> None:
        """Until a program or daemon is a beat that sends."""
        self.wait_log(program, "beat: Starting", within=within)

    def wait_state(
        self, program: str, state: str, *, server: str = "main", within: float = 40.0
    ) -> None:
        """Until supervisord says `state`. Asking wakes it: prefer the other waits for loops."""
        self.wait(lambda: self.state(program, server) == state, f"{program} {state}", within)

    def _server(self, name: str) -> Server:
        return self.servers.get(name) or self.server(name)

    def _daemon_ids(self) -> Iterator[Identity]:
        return (daemon.process for daemon in self.daemons)

    def _tails(self) -> Iterator[str]:
        for path in sorted((self.folder / "log").iterdir()):
            tail = "\n  ".join(path.read_text(errors="replace").splitlines()[-8:])
            yield f"{path.name}:\n  {tail}"
