"""What a supervisord's command line says: that it is one, with which options and which conf."""

from __future__ import annotations

import getopt
import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from beattop.sources.rooted import inside

# supervisor.options.ServerOptions and Options, the same letters from 3.0 to 4.3.
_SHORT = "h?c:vnu:m:d:l:y:z:e:j:i:q:a:kts"
_FLAGS = ("help", "version", "nodaemon", "nocleanup", "strip_ansi", "silent")
_VALUES = (
    *("configuration", "user", "umask", "directory", "logfile", "logfile_maxbytes"),
    *("logfile_backups", "loglevel", "pidfile", "identifier", "childlogdir", "minfds"),
    *("minprocs", "profile_options"),
)
_LONG = [*_FLAGS, *(f"{name}=" for name in _VALUES)]
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*t?d?$")
_SCRIPT = re.compile(r"supervisord(?:-?[\d.]+)?(?:\.py|\.pyz|\.pex)?$")
_MODULE = re.compile(r"supervisor\.supervisord$")
# Interpreter options that take a word of their own, python(1).
_PYTHON_WORD = frozenset({"-W", "-X", "-Q", "--check-hash-based-pycs"})


@dataclass(frozen=True, slots=True)
class Invocation:
    """A supervisord's command line, taken apart."""

    script: str | None
    """Its sys.argv[0]; None for `-m supervisor.supervisord`, where only Python knows it."""
    options: tuple[str, ...]
    """Its options without the conf file's, as getopt spells them."""
    conf: str | None
    """The -c or --configuration option as typed; None where it searches."""


def invocation(argv: Sequence[str]) -> Invocation | None:
    """`argv` as a supervisord's, or None where it is something else's (a shell's, an editor's)."""
    words = list(argv)
    while words and not words[-1]:
        words.pop()  # what setproctitle leaves behind
    if not words:
        return None
    name = posixpath.basename(words[0])
    if _PYTHON.fullmatch(name):
        return _under_python(words[1:])
    return _parse(words[0], words[1:]) if _SCRIPT.fullmatch(name) else None


def _under_python(words: list[str]) -> Invocation | None:
    while words:
        word = words.pop(0)
        if word == "-m":
            fits = words and _MODULE.fullmatch(words[0])
            return _parse(None, words[1:]) if fits else None
        if word in ("-c", "-"):
            return None
        if word in _PYTHON_WORD:
            del words[:1]
        elif not word.startswith("-"):
            fits = _SCRIPT.fullmatch(posixpath.basename(word))
            return _parse(word, words) if fits else None
    return None


def _parse(script: str | None, words: list[str]) -> Invocation | None:
    try:
        found, rest = getopt.getopt(words, _SHORT, _LONG)
    except getopt.GetoptError:
        return None
    names = {name for name, _ in found}
    if rest or names & {"-h", "-?", "--help", "-v", "--version"}:
        return None  # it only prints and ends
    conf = next((v for n, v in found if n in ("-c", "--configuration")), None)
    options: list[str] = []
    for name, value in found:
        if name in ("-c", "--configuration"):
            continue
        takes_value = f"{name[1:]}:" in _SHORT or f"{name[2:]}=" in _LONG
        options += [name, value] if takes_value else [name]
    return Invocation(script, tuple(options), conf)


def conf_path(call: Invocation, cwd: str | None, root: str) -> tuple[str | None, bool]:
    """(its conf file as its own root names it, whether that is certain).

    Without -c the places are supervisor.options.Options.searchpaths, relative to its own working
    directory. (None, False) where nothing was found, or a relative path has no known directory.
    """
    if call.conf is not None:
        if call.conf.startswith("/"):
            return posixpath.normpath(call.conf), True
        return (posixpath.normpath(posixpath.join(cwd, call.conf)), True) if cwd else (None, False)
    certain = cwd is not None and call.script is not None
    for place in _search(call.script):
        if cwd is None and not place.startswith("/"):
            continue
        full = posixpath.join(cwd or "/", place)
        if os.path.exists(inside(root, full)):
            return posixpath.normpath(full), certain
    return None, False


def _search(script: str | None) -> list[str]:
    places = ["supervisord.conf", "etc/supervisord.conf"]
    if script is not None:
        here = posixpath.dirname(posixpath.dirname(script))
        beside = (posixpath.join(here, p) for p in ("etc/supervisord.conf", "supervisord.conf"))
        places = [*beside, *places]
    return [*places, "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"]
