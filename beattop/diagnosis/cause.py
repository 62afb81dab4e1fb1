"""Why a program dies, by its last words and how it ended, and what mends that."""

from __future__ import annotations

import posixpath
import re

from beattop.model.beats import config_line
from beattop.model.snapshot import Program


def ran(program: Program) -> bool:
    """Whether there was a process at all: none where the command is missing or not executable.

    After one that ended too early supervisord says "Exited too quickly", after one that ended
    unexpectedly "Bad exit code -1" (its process.py).
    """
    return not program.spawnerr or program.spawnerr.startswith(_RAN)


def cause(program: Program) -> tuple[str, str]:
    """(effect in a word or two, what to do), by its last words and exits."""
    words = program.last_error or ""
    exit_ = program.last_exit
    line = config_line(program.config) if program.config else None
    if exit_ is not None and exit_.signal == "SIGKILL":
        return "killed", (
            "look for the OOM killer (dmesg, journalctl -k) or memory limits, then give it less to "
            "do or more memory"
        )
    if exit_ is not None and exit_.signal in _NATIVE:
        return "native crash", (
            "native code crashed: see its core dump (coredumpctl), and which C extension or "
            "library changed last"
        )
    dated = line is not None and line.old_order and exit_ is not None and exit_.status == 2
    if dated or _GLOBAL.search(words):
        return "old option order", _OLD_ORDER
    for sign, effect, cure in _CAUSES:
        if sign in words:
            return effect, cure
    if exit_ is not None and exit_.status == 1 and _lock_runner(program):
        return "lock taken", "another process holds the lock that its command takes: one is enough"
    if exit_ is not None and exit_.status == 127:
        return "command not found", "correct the command's path"
    if exit_ is not None and exit_.signal is not None:
        return "killed", f"find who sends it {exit_.signal}"
    if exit_ is not None and exit_.status == 0:
        return "exits at once", (
            "it ends with status 0: supervisord starts it again for ever. Let it stay in the "
            "foreground, or set autorestart=unexpected"
        )
    if exit_ is not None and exit_.status == 120:
        return "output lost", (
            "Python could not write out what it had printed: see whether the disk is full, or who "
            "reads its output"
        )
    if raised := _RAISED.match(words):
        return raised[1], "mend what its last words name"
    return "unknown", "read its log (l) for its last words"


def _lock_runner(program: Program) -> bool:
    """Whether its command gives up at once where another holds its lock: flock(1) -n."""
    words = program.config.command.split() if program.config else []
    return any(
        posixpath.basename(word) == "flock" and {"-n", "--nonblock", "--nb"} & set(words[at:])
        for at, word in enumerate(words)
    )


def remedy(program: Program) -> str:
    """What to do before a program that was given up is started again."""
    if not ran(program):
        return "correct its command"
    effect, cure = cause(program)
    if effect != "unknown":
        return cure
    return "mend what its last words name" if program.last_error else cure


_RAN = ("Exited too quickly", "Bad exit code")
# `KeyError: 'DATABASE_URL'`, `django.core.exceptions.ImproperlyConfigured: …`.
_RAISED = re.compile(
    r"(?:[a-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Configured|NotFound|Failed|Failure))(?::|$)"
)
_NATIVE = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"})
_OLD_ORDER = (
    "Celery 5 takes -A and other options of all commands before the subcommand only: "
    "`celery -A APP beat`, not `celery beat -A APP`"
)
# Options of `celery` itself, which a subcommand of Celery 5 does not know (celery.bin.celery).
_GLOBAL = re.compile(
    r"[Nn]o such option:? '?(?:-A|--app|-b|--broker|--result-backend|--loader|--config|--workdir)\b"
    r"|You are using `?\S+`? as an option of"
)
_CAUSES: tuple[tuple[str, str, str], ...] = (
    ("supervisor: couldn't chdir", "no such directory", "correct directory=, or make that folder"),
    ("supervisor: couldn't setuid", "user refused", "correct user=, or run supervisord as root"),
    ("supervisor: couldn't exec", "cannot be executed", "correct the command's path and mode"),
    ("ModuleNotFoundError", "import error", "deploy the missing module, or correct the import"),
    ("ImportError", "import error", "deploy the missing module, or correct the import"),
    ("No module named", "import error", "deploy the missing module, or correct the import"),
    ("Unable to load celery application", "app not found", "correct -A and the directory"),
    ("No such option", "bad option", "correct the command's options for this Celery"),
    ("no such option", "bad option", "correct the command's options for this Celery"),
    ("Got unexpected extra argument", "bad option", "correct the command for this Celery"),
    ("Pidfile (", "pidfile taken", "another process holds its pidfile; give each its own"),
    ("Address already in use", "port taken", "another process holds its port"),
    ("Permission denied", "permission denied", "correct the owner or mode of what it names"),
    ("No space left on device", "disk full", "make room on the file system that it writes to"),
    ("Read-only file system", "read-only disk", "see why that file system is mounted read-only"),
    ("Too many open files", "file limit", "raise its limit of open files (minfds, ulimit -n)"),
    ("MemoryError", "out of memory", "give it more memory, or less to do"),
    ("Cannot allocate memory", "out of memory", "give it more memory, or less to do"),
    ("SyntaxError", "syntax error", "mend the code it names"),
    ("command not found", "command not found", "correct the command's path"),
    ("Connection refused", "connection refused", "start what it connects to"),
)
