"""Shell text split into simple commands, near enough to see what it starts.

Not a shell: nothing is expanded but `$@`, `$*` and `$0`…`$9`; quotes and backslashes go, words
stay as typed. Whatever is cut off, unbalanced or hostile yields what can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

LONGEST: Final = 65_536
"""Characters of shell text looked at; no command line that people write is longer."""
_MOST_WORDS: Final = 4096
_HEREDOC: Final = frozenset({"<<", "<<-"})
_MOST_HEREDOCS: Final = 8

# In order: blanks and line continuations, a comment, redirections, operators, pieces of a word.
_TOKEN: Final = re.compile(
    r"""(?P<blank>(?:[ \t\r]|\\\n)+)
      |(?P<redirect>\d*(?:>>|>\||>&|<&|&>>|&>|<<<|<<-?|<>|>|<))
      |(?P<operator>&&|\|\||;;|\|&|[;&|()\n])
      |(?P<single>'[^']*'?)
      |(?P<double>"(?:[^"\\]|\\.)*"?)
      |(?P<command>\$\([^()]*(?:\([^()]*\)[^()]*)*\)|`[^`]*`)
      |(?P<escape>\\.?)
      |(?P<plain>[^\s'"\\;&|()<>`$\#]+|[$\#`])
    """,
    re.X | re.S,
)
_ESCAPED: Final = re.compile(r"\\([$`\"\\\n])")
# Words that may stand before a command and start none.
_KEYWORDS: Final = "if then elif else do while until ! { } time coproc fi done"
_RESERVED: Final = frozenset(_KEYWORDS.split())
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_ARGUMENTS: Final = frozenset({"$@", "$*", "${@}", "${*}"})


def commands(text: str, arguments: Sequence[str] = ()) -> Iterator[list[str]]:
    """The simple commands of `text` in order, assignments and reserved words taken off.

    `arguments` are what follows the text on the command line: `$0`, `$1`, ….
    """
    words: list[str] = []
    for word in _words(text[:LONGEST]):
        if word is None:
            command = _command(words, arguments)
            if command:
                yield command
            words = []
        elif len(words) < _MOST_WORDS:
            words.append(word)
    command = _command(words, arguments)
    if command:
        yield command


def _command(words: list[str], arguments: Sequence[str]) -> list[str]:
    start = 0
    while start < len(words) and (words[start] in _RESERVED or ASSIGNMENT.match(words[start])):
        start += 1
    out: list[str] = []
    for word in words[start:]:
        if word[:1] != "$":
            out.append(word)
        elif word in _ARGUMENTS:
            out.extend(arguments[1:_MOST_WORDS])
        elif len(word) == 2 and word[1].isdigit() and int(word[1]) < len(arguments):
            out.append(arguments[int(word[1])])
        else:
            out.append(word)
    return out


def _words(text: str) -> Iterator[str | None]:
    """Words, and None where a command ends."""
    word: str | None = None
    target: str | None = None
    heredocs: list[str] = []
    at, end = 0, len(text)
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at += 1
            continue
        at = found.end()
        kind, piece = found.lastgroup, found[0]
        if kind == "plain" and piece == "#" and word is None:
            newline = text.find("\n", at)
            at = end if newline < 0 else newline
            continue
        if kind in {"blank", "operator", "redirect"}:
            if word is not None and target is None:
                yield word
            elif word and target in _HEREDOC:
                heredocs.append(word)
            if kind == "redirect" or word is not None:
                target = piece if kind == "redirect" else None
            word = None
            if kind == "operator":
                target = None
                yield None
                if piece == "\n":
                    at = _behind(text, at, heredocs)
                    heredocs = []
            continue
        word = (word or "") + _unquoted(kind, piece)
    if word is not None and target is None:
        yield word


def _behind(text: str, at: int, heredocs: Sequence[str]) -> int:
    """Index behind the here-documents that begin at `at`; an open one is not skipped."""
    for word in heredocs[:_MOST_HEREDOCS]:
        end = re.compile(rf"^\t*{re.escape(word)}$", re.M).search(text, at)
        at = end.end() if end else at
    return at


def _unquoted(kind: str | None, piece: str) -> str:
    if kind == "single":
        return piece[1:].removesuffix("'")
    if kind == "double":
        inner = piece[1:-1] if len(piece) > 1 and piece.endswith('"') else piece[1:]
        return _ESCAPED.sub(_escaped, inner)
    if kind == "escape":
        return "" if piece == "\\\n" else piece[1:]
    return piece


def _escaped(found: re.Match[str]) -> str:
    return "" if found[1] == "\n" else found[1]
