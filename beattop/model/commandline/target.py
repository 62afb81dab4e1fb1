"""What really runs: the script or module behind interpreters, emulators and debuggers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Kind = Literal["program", "script", "module", "code"]

_PYTHON: Final = re.compile(
    r"(?:platform-)?(?:python|pypy|ipython|pythonw|graalpy|pyston)\d*(?:\.\d+)*[dmtuw]{0,3}"
    r"(?:-(?:dbg|intel64))?(?:\.exe)?",
    re.I,
)
# A shell variable that stands for the interpreter, unexpanded in a conf file.
_PYTHON_VARIABLE: Final = re.compile(r"\$\{?(?:[A-Z_]*_)?PYTHON(?:_?(?:BIN|EXE|PATH|3|CMD))?\b.*")
_PYTHON_BEGINS: Final = frozenset("pPig")
# A program in one file (zipapp, shiv, pex, par, xar), or what a pex unpacks and becomes.
_ZIPAPP: Final = re.compile(
    r".*\.(?:pex|pyzw?|par|xar)|.*/unzipped_pexes/[0-9a-f/]+|.*/venvs/[0-9a-f/]+/pex", re.S
)
_PYTHON_VALUED: Final = frozenset({"-X", "-W", "--check-hash-based-pycs"})
_WITH_VALUE: Final = frozenset("XW")

# Programs that run another Python program in their own process, and their options that take a
# word; those that start a process for it are in runners.py.
_HOSTS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(valued.split())
    for name, valued in {
        "debugpy": "--listen --connect --log-to --adapter-access-token --parent-session-pid",
        "ptvsd": "--host --port",
        "pydevd": "--client --port --vm_type --qt-support --access-token --ppid --mode --log-file",
        "coverage": "--source --rcfile --omit --include --context --data-file --concurrency",
        "cProfile": "-o -s --outfile --sort",
        "profile": "-o -s --outfile --sort",
        "pdb": "-c",
        "ipdb": "-c",
        "pudb": "-s",
        "trace": "-f --file -C --coverdir --ignore-module --ignore-dir",
        "memray": "-o --output -p --live-port",
        "pyinstrument": "-o --outfile -r --renderer -i --interval --load",
        "scalene": "--outfile --profile-only --profile-exclude --cpu-sampling-rate",
        "viztracer": "-o --output_file --tracer_entries --max_stack_depth --log_func_args",
        "kernprof": "-o --outfile -s --setup -p --prof-mod",
        "line_profiler": "-o",
        "memory_profiler": "-o --precision --backend",
        "gevent.monkey": "",
        "runpy": "",
    }.items()
}
_MODULES_ONLY: Final = frozenset({"trace", "profile", "cProfile", "runpy"})
_HOST_VERBS: Final = frozenset({"run"})
_EMULATORS: Final = re.compile(r"qemu-[\w-]+|rosetta|ld-(?:linux|musl)[\w.-]*|ld(?:64)?\.so[\d.]*")
_EMULATORS_BEGIN: Final = frozenset({"qe", "ro", "ld"})
_EMULATOR_VALUED: Final = frozenset(
    {"--preload", "--library-path", "--argv0", "--audit", "-L", "-0", "-E", "-U", "-cpu"}
)
MAX_HOPS: Final = 6


class Target(NamedTuple):
    """The program that a command line runs, its interpreter taken off."""

    kind: Kind
    """`program`: started directly; `script` and `module`: run by Python; `code`: python -c."""
    path: str
    """As typed: path, dotted module name or source text."""
    name: str
    """Last part of the path, or the module's whole name, in the spelling tables use."""
    args: Sequence[str]


def basename(path: str) -> str:
    """The last part of a path, without Nix's wrapping (`.celery-wrapped`) and Windows' ending."""
    name = path.rpartition("/")[2] or path.rstrip("/").rpartition("/")[2]
    if name.endswith("-wrapped") and name.startswith("."):
        return name[1:-8]
    return name.removesuffix(".exe")


def is_python(word: str) -> bool:
    """Whether `word` names a Python interpreter."""
    name = basename(word)
    if name[:1] in _PYTHON_BEGINS:
        return bool(_PYTHON.fullmatch(name))
    return word[:1] == "$" and bool(_PYTHON_VARIABLE.fullmatch(word))


def is_zipapp(path: str) -> bool:
    """Whether `path` is a Python program in one file, or a pex's cache of one."""
    return bool(_ZIPAPP.fullmatch(path))


def locate(argv: Sequence[str]) -> Target | None:
    """What `argv` runs; None for an empty one and for an interactive interpreter."""
    words = argv
    for _ in range(MAX_HOPS):
        if not words:
            return None
        if is_python(words[0]):
            target = _python(words)
        else:
            target = Target("program", words[0], basename(words[0]), words[1:])
            if target.name[:2] in _EMULATORS_BEGIN and _EMULATORS.fullmatch(target.name):
                words = words[_skip(words, 1, _EMULATOR_VALUED) :]
                continue
        if target is None or target.kind == "code":
            return target
        if target.kind == "script" and is_python(target.path):
            # binfmt_misc's P flag: the emulator, the program, then argv[0] again.
            words = [target.path, *target.args]
            continue
        if is_zipapp(target.path) and target.args and target.args[0][:2] == "-m":
            # A pex without an entry point takes an interpreter's arguments.
            words = ["python", *target.args]
            continue
        inside = _hosted(target)
        if inside is None:
            return target
        words = inside
    return None


def _skip(words: Sequence[str], index: int, valued: frozenset[str]) -> int:
    """Index of the first word that is no option."""
    while index < len(words) and words[index][:1] == "-" and words[index] != "-":
        if words[index] == "--":
            return index + 1
        index += 2 if words[index] in valued else 1
    return index


def _python(words: Sequence[str]) -> Target | None:
    """The script, module or code that an interpreter's command line names (python(1))."""
    index, end = 1, len(words)
    while index < end:
        word = words[index]
        index += 1
        if word in _PYTHON_VALUED:
            index += 1
        elif word[:1] != "-":
            return Target("script", word, basename(word), words[index:])
        elif word == "-":
            return None
        elif word == "--":
            continue
        elif word[:2] != "--":
            found = _python_cluster(word, words, index)
            if found is not None:
                return found
            index += word[-1] in _WITH_VALUE and not set(word[1:-1]) & _WITH_VALUE
    return None


def _python_cluster(word: str, words: Sequence[str], index: int) -> Target | None:
    """`-m name`, `-mname`, `-um name` and the same for -c; None for flags."""
    for at in range(1, len(word)):
        letter = word[at]
        if letter in _WITH_VALUE:
            return None
        if letter in "mc":
            value = word[at + 1 :]
            if not value:
                value, index = (words[index] if index < len(words) else ""), index + 1
            if letter == "c":
                return Target("code", value, "", words[index:])
            return Target("module", value, value.removesuffix(".__main__"), words[index:])
    return None


def _hosted(target: Target) -> Sequence[str] | None:
    """The command line of what a debugger, profiler or the like runs in the same process."""
    name = target.name.removesuffix(".py")
    valued = _HOSTS.get(name) if name in _HOSTS else _HOSTS.get(name.partition(".")[0])
    if valued is None or (target.kind == "program" and name in _MODULES_ONLY):
        return None
    args = target.args
    index = 0
    while index < len(args):
        word = args[index]
        if word == "--file" and name == "pydevd":
            return _as_python(args[index + 1 :])
        if word == "-m":
            return ["python", *args[index:]]
        if word[:1] == "-" and word not in {"-", "--"}:
            index += 2 if word in valued or word.startswith("--configure-") else 1
        elif word in _HOST_VERBS or word == "--":
            index += 1
        else:
            return _as_python(args[index:])
    return None


def _as_python(words: Sequence[str]) -> Sequence[str]:
    return ["python", *words]
