"""Applies a unified diff as strictly as `patch --fuzz=0` does, by the line numbers that it names."""

from __future__ import annotations

import re

_HUNK = re.compile(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@")
_UNENDED = "\\ No newline at end of file\n"


def apply(text: str, diff: str) -> str:
    """`text` after `diff`; an AssertionError where it does not fit to the letter."""
    old, new, *rows = _split(diff)
    assert old.startswith("--- ") and new == f"+++ {old[4:]}"
    lines = _split(text)
    moved = 0
    while rows:
        head = _HUNK.fullmatch(rows.pop(0).rstrip("\n"))
        assert head is not None
        begin, size, to, after = map(int, head.groups())
        body: list[str] = []
        while rows and not rows[0].startswith("@@"):
            row = rows.pop(0)
            if row == _UNENDED:
                body[-1] = body[-1].removesuffix("\n")
            else:
                body.append(row)
        before = [row[1:] for row in body if row[0] in " -"]
        wanted = [row[1:] for row in body if row[0] in " +"]
        assert (len(before), len(wanted)) == (size, after), diff
        at = begin - 1 + moved if size else begin + moved
        assert to == (at + 1), diff
        assert lines[at : at + size] == before, diff
        kinds = "".join(row[0] for row in body)
        above, below = len(kinds) - len(kinds.lstrip()), len(kinds) - len(kinds.rstrip())
        # patch and git take context that ends before it begins for the file's end.
        assert above <= below or at + size == len(lines), diff
        lines[at : at + size] = wanted
        moved += after - size
    return "".join(lines)


def _split(text: str) -> list[str]:
    """Lines that end at a newline alone, as patch sees them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
