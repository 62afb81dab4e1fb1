"""Reads one supervisord's conf with supervisor's own parser, in a process of its own.

Run by `conf.read` as a script: one JSON request on stdin, one JSON answer on stdout. In its own
process because supervisor's parser expands from a global environment, exits on errors and imports
whatever [rpcinterface:*], result_handler and [ctlplugin:*] name. Here nothing of that is imported,
nothing is looked up in user databases, nothing is written, and every file is reached through the
other supervisord's root and taken from its working directory.
"""

from __future__ import annotations

import json
import os
import posixpath
import resource
import signal
import sys
from collections.abc import Iterable, Mapping
from configparser import Error, RawConfigParser
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from beattop.sources.supervisor.confworld import World

_MOST_MEMORY = 1 << 30
_MOST_CPU_S = 10
_MOST_PROCESSES = 5000


class Refused(Exception):
    """supervisor's parser gave up; the words are its own."""


class Reading:
    """supervisor.options.ServerOptions over one conf, as far as it goes."""

    def __init__(self, request: Mapping[str, object]) -> None:
        from supervisor import options  # noqa: PLC0415

        from beattop.sources.supervisor.confworld import World  # noqa: PLC0415

        self.world: World = World(options, request)
        self.errors: list[str] = []
        self.conf = str(request["conf"])
        os.environ.clear()
        os.environ.update(self.world.env or {})
        self.server = options.ServerOptions()
        self._parse_section = self.server._processes_from_section
        self._disarm()
        args = request["args"]
        self._realize([*(args if isinstance(args, list) else ()), "-c", self.conf])

    def _disarm(self) -> None:
        def refuse(message: object) -> NoReturn:
            raise Refused(str(message))

        server = self.server
        server.usage = refuse
        server.open = self.world.files.open
        server.exists = self.world.files.exists
        server.get_plugins = lambda *_: []
        server.import_spec = lambda spec: spec
        server._processes_from_section = self._section

    def _section(
        self, parser: RawConfigParser, section: str, group: str, kind: object = None
    ) -> list[object]:
        """One section's processes, marked with it; a broken one does not take the others along."""
        try:
            if self._numprocs(section) > _MOST_PROCESSES:
                raise ValueError(f"numprocs is more than {_MOST_PROCESSES:,}")
            made: list[object] = self._parse_section(parser, section, group, kind)
        except (ValueError, Error) as error:
            self.errors.append(f"[{section}] {error} ({self.file(section)})")
            return []
        for process in made:
            process.origin = section  # type: ignore[attr-defined]
        return made

    def _realize(self, args: list[str]) -> None:
        try:
            self.server.realize(args=args, doc="", progname="supervisord")
        except (Refused, ValueError, Error) as error:
            self.errors.append(str(error))
            if self.parser is not None:
                self._salvage(self.parser)

    @property
    def parser(self) -> RawConfigParser | None:
        """The parser with whatever was read; None where the file could not be."""
        return self.world.files.parser

    def file(self, section: str) -> str:
        """The file that holds a section, as its own root names it."""
        known: Mapping[str, str] = getattr(self.parser, "section_to_file", {})
        return known.get(section, self.conf)

    def _salvage(self, parser: RawConfigParser) -> None:
        """After a refusal: the programs that can be read all the same, each as its own group."""
        from supervisor import options  # noqa: PLC0415

        root = self.server.configroot.supervisord
        if getattr(root, "process_group_configs", None):
            return
        root.process_group_configs = []
        for section in parser.sections():
            kind, _, name = section.partition(":")
            if kind != "program" or not name:
                continue
            made = self._section(parser, section, name, options.ProcessConfig)
            root.process_group_configs.append(
                options.ProcessGroupConfig(self.server, name, 999, made)
            )

    def programs(self) -> Iterable[dict[str, object]]:
        """Each process of each program, in the order of the file."""
        root = self.server.configroot.supervisord
        names = self.parser.sections() if self.parser is not None else []
        order = {name: place for place, name in enumerate(names)}
        found = [
            (group.name, process)
            for group in getattr(root, "process_group_configs", ())
            for process in group.process_configs
        ]
        found.sort(key=lambda pair: order[pair[1].origin])
        for number, (group, process) in enumerate(found):
            yield self._program(group, process, number)

    def _program(self, group: str, process: object, number: int) -> dict[str, object]:
        from supervisor import datatypes  # noqa: PLC0415

        get = process.__dict__.__getitem__
        restart = {datatypes.RestartUnconditionally: "true", False: "false"}
        section = get("origin")
        file, text = self.world.files.section(section)
        return {
            "group": group,
            "name": get("name"),
            "command": get("command"),
            "directory": self._place(get("directory")),
            "user": self._raw(section, "user"),
            "autostart": bool(get("autostart")),
            "autorestart": restart.get(get("autorestart"), "unexpected"),
            "startsecs": get("startsecs"),
            "startretries": get("startretries"),
            "exitcodes": list(get("exitcodes")),
            "stopsignal": signal.Signals(get("stopsignal")).name,
            "stopwaitsecs": get("stopwaitsecs"),
            "stopasgroup": bool(get("stopasgroup")),
            "killasgroup": bool(get("killasgroup")),
            "redirect_stderr": bool(get("redirect_stderr")),
            "stdout_log": self._place(get("stdout_logfile")),
            "stderr_log": self._place(get("stderr_logfile")),
            "env": dict(get("environment") or {}),
            "section": section,
            "file": file or self.file(section),
            "line": text.line,
            "lines": text.lines,
            "after": text.after,
            "unended": text.unended,
            "numprocs": self._numprocs(section),
            "order": number,
        }

    def _numprocs(self, section: str) -> int:
        raw = self._raw(section, "numprocs") or "1"
        return int(raw) if raw.strip().isdigit() else 1

    def _place(self, path: object) -> str | None:
        if not isinstance(path, str):
            return None  # none, or AUTO: only supervisord itself knows that name
        return posixpath.normpath(posixpath.join(self.world.cwd, path))

    def _raw(self, section: str, option: str) -> str | None:
        assert self.parser is not None
        return self.parser.get(section, option, fallback=None)

    def servers(self) -> list[dict[str, object]]:
        """Where it listens, unix sockets first as supervisord itself prefers them."""
        root = self.server.configroot.supervisord
        found = getattr(root, "server_configs", None)
        if found is None and self.parser is not None:
            try:
                found = self.server.server_configs_from_parser(self.parser)
            except (ValueError, Error) as error:
                self.errors.append(str(error))
        out = []
        for server in found or ():
            url = f"unix://{server['file']}" if "file" in server else None
            url = url or f"http://{server['host'] or 'localhost'}:{server['port']}"
            out.append({"url": url, **{k: server[k] for k in ("username", "password")}})
        return sorted(out, key=lambda entry: not entry["url"].startswith("unix:"))

    def ctl(self) -> dict[str, object] | None:
        """[supervisorctl] of the main file: supervisorctl follows no [include]."""
        parser, section = self.parser, "supervisorctl"
        if parser is None or not parser.has_section(section) or self.file(section) != self.conf:
            return None
        out: dict[str, object] = {
            option: self._expanded(section, option)
            for option in ("serverurl", "username", "password")
        }
        url = str(out["serverurl"] or "http://localhost:9001")
        if url.startswith("unix://"):
            url = f"unix://{self.world.full(url[7:])}"
        return {**out, "serverurl": url}

    def _expanded(self, section: str, option: str) -> str | None:
        get = self.parser.saneget  # type: ignore[union-attr]
        try:
            value: str | None = get(section, option, None, expansions={"here": self.server.here})
        except ValueError:
            return None
        return value

    def log(self) -> str | None:
        """The main log's path, "syslog", or what the conf says where it was refused."""
        path = self.server.logfile
        if path is None and self.parser is not None:
            path = (
                self._raw("supervisord", "logfile")
                if self.parser.has_section("supervisord")
                else None
            )
        return None if path is None else path if path == "syslog" else self.world.full(path)


def answer(request: Mapping[str, object]) -> dict[str, object]:
    """The answer to one request; conf.py describes both."""
    reading = Reading(request)
    files = reading.world.files
    programs, servers = list(reading.programs()), reading.servers()
    return {
        "errors": reading.errors,
        "notes": reading.world.notes,
        "denied": files.denied,
        "signature": files.signature,
        "programs": programs,
        "servers": servers,
        "ctl": reading.ctl(),
        "log": reading.log(),
    }


def main() -> None:
    """One request, one answer, within bounds of memory and time."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    request = json.load(sys.stdin)
    # Isolated mode has neither the working directory nor PYTHONPATH; only what we name is added.
    sys.path += [place for place in request["path"] if place not in sys.path]
    json.dump(answer(request), sys.stdout)


if __name__ == "__main__":
    main()
