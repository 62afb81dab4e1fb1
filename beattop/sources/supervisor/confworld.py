"""The world in which another supervisord's conf is parsed: its files, its root, nobody's code.

Used only inside the process that `confreader` is.
"""

from __future__ import annotations

import glob
import io
import os
import posixpath
import re
import tempfile
import types
from collections.abc import Iterable, Mapping
from configparser import MissingSectionHeaderError, ParsingError, RawConfigParser
from dataclasses import dataclass

from beattop.sources.rooted import inside, open_regular

_MOST_BYTES = 4 * 1024 * 1024  # of one conf file
_MOST_LINES = 200
_HEADER = re.compile(r"\[(?P<name>.+)\]")


class Text(io.StringIO):
    """A file's text that knows the name its own root has for it."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


class Files:
    """Files of one root: what was read of them, and what could not be."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.texts: dict[str, str] = {}
        self.signature: dict[str, list[int]] = {}
        """Path as reached -> [mtime_ns, size, inode] of each file read and each folder searched."""
        self.denied: list[str] = []
        self.parser: RawConfigParser | None = None
        self._sections: dict[str, dict[str, Section]] = {}

    def open(self, name: str, mode: str = "r") -> Text:
        """`name` of that root, opened for reading; raises OSError, also for what is no file."""
        path = inside(self.root, name)
        try:
            handle = open_regular(path)
        except PermissionError:
            self.denied.append(name)
            raise
        with open(handle, "rb") as file:
            found = os.fstat(handle)
            if found.st_size > _MOST_BYTES:
                raise OSError(f"{name} is no conf file")
            text = file.read(_MOST_BYTES).decode("utf-8", "surrogateescape")
        self.signature[path] = [found.st_mtime_ns, found.st_size, found.st_ino]
        self.texts[name] = text
        return Text(text, name)

    def exists(self, name: str) -> bool:
        """True for a name in that root, or one whose folder may not be searched."""
        try:
            os.stat(inside(self.root, name))
        except PermissionError:
            return True
        except OSError:
            return False
        return True

    def glob(self, pattern: str) -> list[str]:
        """Names of that root that fit; a folder that may not be listed is told."""
        folder, last = posixpath.split(pattern)
        if glob.has_magic(folder):
            return [hit[len(self.root) :] for hit in glob.glob(glob.escape(self.root) + pattern)]
        real = inside(self.root, folder)
        try:
            self.signature[real] = [os.stat(real).st_mtime_ns, 0, 0]
            os.scandir(real).close()
        except PermissionError:
            self.denied.append(folder)
        except OSError:
            return []
        hits = glob.glob(posixpath.join(glob.escape(real), last))
        return [posixpath.join(folder, posixpath.basename(hit)) for hit in hits]

    def section(self, name: str) -> tuple[str, Section]:
        """(file, how it stands there) of a section; of several the last, whose options count."""
        for file in reversed(self.texts):
            if file not in self._sections:
                self._sections[file] = _sections(self.texts[file])
            if name in self._sections[file]:
                return file, self._sections[file][name]
        return "", Section(0, [], None)

    def parse(
        self, parser: RawConfigParser, file: Iterable[str], source: str | None = None
    ) -> None:
        """RawConfigParser.read_file whose errors name the line, but do not quote it."""
        self.parser = parser
        name = source or getattr(file, "name", "?")
        try:
            RawConfigParser.read_file(parser, file, name)
        except MissingSectionHeaderError as error:
            raise ValueError(f"{name} line {error.lineno}: text before any [section]") from None
        except ParsingError as error:
            lines = ", ".join(str(number) for number, _ in error.errors[:5])
            raise ValueError(f"{name} line {lines}: neither a [section] nor key=value") from None

    def include(self, parser: RawConfigParser, name: str) -> list[str]:
        """UnhosedConfigParser.read of one file; an unreadable one is skipped, but told."""
        known = set(parser.sections())
        try:
            text = self.open(name)
        except OSError as error:
            if name not in self.denied:
                self.denied.append(f"{name} ({error.strerror or 'no file'})")
            return []
        self.parse(parser, text, name)
        for section in set(parser.sections()) - known:
            parser.section_to_file[section] = name  # type: ignore[attr-defined]
        return [name]


@dataclass
class Section:
    """A section's text in its file."""

    line: int
    """Of its header, from 1."""
    lines: list[str]
    """Trailing blank ones left out."""
    after: list[str] | None
    """The line after these, [] for none; None where it is cut short."""
    unended: bool = False
    """Whether `lines` end the file without a newline."""


def _sections(text: str) -> dict[str, Section]:
    """Each section as it last stands in a file."""
    # Only where configparser splits too; splitlines() would also at a form feed.
    rows = text.split("\n")
    unended = bool(rows[-1])
    if not unended:
        rows.pop()
    heads = [(at, found["name"]) for at, row in enumerate(rows) if (found := _HEADER.match(row))]
    ends = [at for at, _ in heads[1:]] + [len(rows)]
    out: dict[str, Section] = {}
    for (begin, name), end in zip(heads, ends, strict=True):
        last = max(at for at in range(begin, end) if rows[at].strip())
        cut = min(last + 1, begin + _MOST_LINES)
        after = rows[cut : cut + 1] if cut == last + 1 else None
        out[name] = Section(begin + 1, rows[begin:cut], after, unended and cut == len(rows))
    return out


class World:
    """supervisor.options, patched so that it sees only what the other supervisord would."""

    def __init__(self, options: types.ModuleType, request: Mapping[str, object]) -> None:
        self.files = Files(str(request["root"]))
        self.notes: list[str] = []
        self.env = request["env"] if isinstance(request["env"], dict) else None
        self.cwd = str(request["cwd"] or "")
        self._patch(options, str(request["node"]))

    def full(self, path: str) -> str:
        """A path as that process would resolve it, `~` by its own HOME and no user database."""
        if path == "~" or path.startswith("~/"):
            path = (self.env or {}).get("HOME", "~") + path[1:]
        return posixpath.normpath(posixpath.join(self.cwd or "/", path))

    def folder_of(self, path: str) -> str:
        """existing_dirpath, as a note instead of a refusal: it was there when supervisord began."""
        if not posixpath.dirname(path):
            return path  # a bare name, or syslog
        if not self.files.exists(posixpath.dirname(self.full(path))):
            self.notes.append(f"the folder of {path} does not exist")
        return self.full(path)

    def expand(self, text: str, known: Mapping[str, object], name: str) -> str:
        """supervisor.options.expand with shorter words, lenient where no environment is known."""
        names = _Names(known, self.env is None)
        try:
            return text % names
        except KeyError as error:
            raise ValueError(f"{name} names {error.args[0]}, which is not set for it") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} is badly formatted ({error}): write %% for a %") from None

    def _patch(self, options: types.ModuleType, node: str) -> None:
        from supervisor import datatypes, events  # noqa: PLC0415

        files = self.files
        parser = options.UnhosedConfigParser
        parser.read = lambda this, name, **_: files.include(this, name)
        parser.read_file = lambda this, file, source=None: files.parse(this, file, source)
        put = {
            "glob": types.SimpleNamespace(glob=files.glob),
            "platform": types.SimpleNamespace(node=lambda: node),
            "expand": self.expand,
            "normalize_path": self.full,
        }
        both = {
            "existing_dirpath": self.folder_of,
            "existing_directory": self.full,
            # User databases may be slow, remote, or another root's: ids are not needed here.
            "name_to_uid": lambda name: -1,
            "gid_for_uid": lambda uid: -1,
            "colon_separated_user_group": lambda name: (-1, -1),
        }
        options.__dict__.update(put, **both)
        datatypes.__dict__.update(both)
        events.EventTypes = _AnyEvent("EventTypes", (), {})
        tempfile.tempdir = "/tmp"  # gettempdir() would try the folder by writing to it


class _Names(dict[str, object]):
    def __init__(self, known: Mapping[str, object], lenient: bool) -> None:
        super().__init__(known)
        self._lenient = lenient

    def __missing__(self, key: str) -> object:
        if self._lenient and key.startswith("ENV_"):
            return f"%({key})s"
        raise KeyError(key)


class _AnyEvent(type):
    def __getattr__(cls, name: str) -> str:  # events that unimported plugins would register
        return name
