"""A supervisord's conf as it would read it itself: programs, servers, log, or what is wrong."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import beattop
from beattop.model.source import Status
from beattop.model.supervisor import ProgramConfig
from beattop.sources.proc.facts import listed
from beattop.sources.rooted import inside
from beattop.sources.supervisor.server import Server, bare
from beattop.sources.supervisor.variants import variants
from beattop.text import MASK, clean, count, listing, safe, safe_argv

DEADLINE_S = 8.0
_SCRIPT = Path(__file__).with_name("confreader.py")
_MOST_PROGRAMS = 10_000
Signature = tuple[tuple[str, tuple[int, int, int]], ...]


@dataclass(frozen=True, slots=True)
class ConfReading:
    """What one conf file and its includes say. Text is cleaned, secrets are masked."""

    path: str
    """As its own root names it."""
    status: Status
    """ok; degraded: would not load again; denied; absent; down: broken; timeout."""
    detail: str = ""
    programs: tuple[ProgramConfig, ...] = ()
    """Their `supervisor` is empty: see `of`."""
    servers: tuple[Server, ...] = field(default=(), repr=False)
    ctl: Server | None = field(default=None, repr=False)
    """What [supervisorctl] connects to; None where it has no such section of its own."""
    log: str | None = None
    """Main log, or "syslog"."""
    signature: Signature = ()

    def of(self, supervisor_id: str, cwd: str | None = None) -> tuple[ProgramConfig, ...]:
        """The programs as that supervisord's; those that name no directory start in its `cwd`."""
        return tuple(
            replace(program, supervisor=supervisor_id, directory=program.directory or cwd)
            for program in self.programs
        )

    def stale(self) -> bool:
        """True where a file or a folder of includes is not as it was read."""
        return any(_stamp(path) != stamp for path, stamp in self.signature)


def read(
    path: str,
    *,
    root: str = "",
    cwd: str | None = None,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    node: str | None = None,
    deadline_s: float = DEADLINE_S,
) -> ConfReading:
    """Read the conf at `path` of `root` as a supervisord with that directory and environment does.

    `args` are the options of its command line besides -c; `env` its whole environment, which goes
    no further than into the reading process, None where it is not known. Never raises: whatever
    fails is in the status. Takes some 0.2 s of CPU in a process of its own, `deadline_s` at most.
    """
    package = importlib.util.find_spec("supervisor")
    if package is None or package.origin is None:
        return ConfReading(path, "down", "supervisor's own parser is not installed with beattop")
    request = {
        "conf": path,
        "root": root,
        "cwd": cwd,
        "args": list(args),
        "env": None if env is None else dict(env),
        "node": node or os.uname().nodename,
        # Where to import from, and nowhere else: not the working directory, not PYTHONPATH.
        "path": [str(Path(package.origin).parents[1]), str(Path(beattop.__file__).parents[1])],
    }
    try:
        told = _ask(request, deadline_s)
    except subprocess.TimeoutExpired:
        words = f"reading it takes more than {deadline_s:.0f} s: is a slow or hung disk involved?"
        return ConfReading(path, "timeout", words, signature=_sign((), path, root))
    except (OSError, ValueError) as error:
        words = f"its reader failed: {safe(str(error))[:300]}"
        return ConfReading(path, "down", words, signature=_sign((), path, root))
    return _reading(told, path, root, env is None)


def _ask(request: Mapping[str, object], deadline_s: float) -> dict[str, object]:
    command = [sys.executable, "-I", str(_SCRIPT)]
    pipe = subprocess.PIPE
    # A session of its own: Ctrl-C in the terminal is for the screen.
    child = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/", start_new_session=True
    )
    try:
        out, errors = child.communicate(json.dumps(request).encode(), deadline_s)
    except subprocess.TimeoutExpired:
        child.kill()
        # One in an uninterruptible read is reaped by subprocess when it comes back.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=0.5)
        raise
    if child.returncode:
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ValueError(last or f"it ended with status {child.returncode}")
    answer = json.loads(out)
    if not isinstance(answer, dict):
        raise ValueError("it gave no answer")
    return answer


def _reading(told: dict[str, object], path: str, root: str, blind: bool) -> ConfReading:
    found = _dicts(told["programs"])[:_MOST_PROGRAMS]
    apart = variants([_environment(p) for p in found])
    programs = tuple(_program({**p, "variants": v}) for p, v in zip(found, apart, strict=True))
    status, detail = _judge(told, path)
    if status == "ok" and blind and any("%(ENV_" in p.command for p in programs):
        status, detail = (
            "degraded",
            (
                "it uses %(ENV_…)s, and supervisord's environment may not be read: run beattop as "
                "its owner or with sudo"
            ),
        )
    ctl = told["ctl"]
    log = told["log"]
    return ConfReading(
        path=path,
        status=status,
        detail=detail,
        programs=programs,
        servers=tuple(_server(s, "url", path) for s in _dicts(told["servers"])),
        ctl=_server(ctl, "serverurl", path) if isinstance(ctl, dict) else None,
        log=clean(log) if isinstance(log, str) else None,
        signature=_sign(told["signature"], path, root),
    )


def _judge(told: Mapping[str, object], path: str) -> tuple[Status, str]:
    errors, notes, denied = (
        [safe(str(word))[:400] for word in _list(told[key])]
        for key in ("errors", "notes", "denied")
    )
    if clean(path) in denied:
        return "denied", (
            "no permission to read it: run beattop as its owner or with sudo to see what the "
            "programs are configured to do"
        )
    if errors and errors[0].startswith("could not find config file"):
        return "absent", "the file does not exist (any more): supervisord could not restart with it"
    if errors:
        more = f" (and {count(len(errors) - 1, 'more error')})" if len(errors) > 1 else ""
        return "down", f"supervisord could not restart with it: {errors[0]}{more}"
    if denied:
        return "denied", (
            f"it includes {listing(denied)}, which may not be read: run beattop as its owner or "
            "with sudo"
        )
    if notes:
        return "degraded", f"supervisord could not restart with it: {listing(sorted(set(notes)))}"
    return "ok", ""


def _program(told: Mapping[str, object]) -> ProgramConfig:
    """One program; raises KeyError or TypeError where our own reader broke its word."""
    values: dict[str, object] = {**told, "supervisor": ""}
    for key in (
        "group",
        "name",
        "directory",
        "user",
        "stdout_log",
        "stderr_log",
        "section",
        "file",
    ):
        value = values[key]
        values[key] = clean(value) if isinstance(value, str) else None
    values["env"] = tuple(
        (k, safe(v, value=True)) for k, v in sorted(_environment(told).items()) if listed(k)
    )
    values["command"] = command(str(told["command"]))
    lines = [str(line) for line in _list(told["lines"])]
    after = told["after"]
    rows = _lines([*lines, *(str(line) for line in _list(after))])
    values["lines"] = rows[: len(lines)]
    values["after"] = None if after is None else rows[len(lines) :]
    values["exitcodes"] = tuple(_list(told["exitcodes"]))
    return ProgramConfig(**values)  # type: ignore[arg-type]  # the fields are the keys


def _environment(told: Mapping[str, object]) -> dict[str, str]:
    """All that a program's section sets; never kept as a whole."""
    env = told["env"]
    assert isinstance(env, dict)
    return {clean(str(name)): str(value) for name, value in env.items()}


_ENVIRONMENT = re.compile(r"[;#\s]*environment\s*[=:]", re.I)
_VARIABLE = re.compile(r"[\s,;#]*(?P<name>\w+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s,\"']*)")


def _lines(raw: Sequence[str]) -> tuple[str, ...]:
    """A section as it stands in its file, but of its environment only what may be known."""
    out: list[str] = []
    variables = False
    for line in raw:
        found = _ENVIRONMENT.match(line)
        # A value goes on in indented lines, with blank ones and comments between (configparser).
        if found or (line.strip() and line[0] not in " \t;#"):
            variables = found is not None
        told = _variables(line, found.end() if found else 0) if variables else line
        shown = command(told)
        # Tabs stay, so that a diff fits the file; what is masked fits none anyway.
        out.append(_tabbed(told) if shown == clean(told) else shown)
    return tuple(out)


def _tabbed(line: str) -> str:
    body, end = (line[:-1], "\r") if line.endswith("\r") else (line, "")
    return "\t".join(clean(part) for part in body.split("\t")) + end


def _variables(line: str, at: int) -> str:
    """One line of `environment=`, the values of all but the allow-listed names masked."""
    out = line[:at]
    while found := _VARIABLE.match(line, at):
        value = found["value"]
        out += line[at : found.start("value")] + (value if listed(found["name"]) else MASK)
        at = found.end()
    # Whatever is left is a comment, or a value that goes on from the line before or to the next.
    return out + (line[at:] if not line[at:].strip(", \t") else f" {MASK}")


def command(text: str) -> str:
    """A command line as one string, cleaned and masked word by word."""
    shown = safe(text)
    try:
        words = shlex.split(clean(text))
    except ValueError:
        return shown
    for word, masked in zip(words, safe_argv(words), strict=True):
        if word != masked:
            # The word alone: its text may stand within others too.
            whole = rf"(?<![^\s'\"]){re.escape(word)}(?![^\s'\"])"
            shown = re.sub(whole, lambda _, masked=masked: masked, shown)  # type: ignore[misc]
    return shown


def _server(told: Mapping[str, object], key: str, path: str) -> Server:
    def text(name: str) -> str | None:
        value = told.get(name)
        return value if isinstance(value, str) else None

    return Server(bare(text(key) or "") or None, text("username"), text("password"), path)


def _dicts(value: object) -> list[dict[str, object]]:
    return [entry for entry in _list(value) if isinstance(entry, dict)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        return -(error.errno or 1), 0, 0
    if stat.S_ISDIR(found.st_mode):
        return found.st_mtime_ns, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def _sign(told: object, path: str, root: str) -> Signature:
    """As the reader saw the files; the main file always, so that a cure is noticed."""
    found = dict(told) if isinstance(told, dict) else {}
    stamps = {str(name): tuple(stamp) for name, stamp in found.items()}
    main = inside(root, path)
    stamps.setdefault(main, _stamp(main))
    return tuple(sorted(stamps.items()))


def environ(pid: int) -> dict[str, str] | None:
    """A process's whole environment, for `read` alone; None where it may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            raw = file.read(1 << 20)
    except OSError:
        return None
    pairs: Iterable[tuple[bytes, bytes, bytes]] = (p.partition(b"=") for p in raw.split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, mark, value in pairs if mark and name}
