"""An action that the journal knows no end of: its beattop was killed in the middle of it."""

from __future__ import annotations

from collections.abc import Mapping

from beattop.actions.clock import Clock
from beattop.actions.journal import Journal
from beattop.actions.process_table import ProcessTable
from beattop.text import safe

KILLED = "its beattop was killed"
_NO_PID = 1 << 31
_NO_TIME = 1 << 40
"""Of a damaged line: no clock and no calendar takes it."""


def interrupted(journal: Journal, proc: ProcessTable, clock: Clock) -> str:
    """What an earlier beattop on this host did not bring to its end, in words; "" for nothing.

    It is told once: from then on the journal has an end of it.
    """
    told = ""
    for action, lines in _open(journal).items():
        begun = lines[0]
        if begun.get("host") != journal.host or _lives(begun, proc, clock):
            continue
        journal.write(action, "result", clock.now(), {"status": "interrupted", "summary": KILLED})
        done = [_line(line) for line in lines[1:]]
        what = f"the last of it was: {done[-1]}" if done else "nothing of it is known"
        told = (
            f"a beattop (pid {begun['pid']}) was killed in the middle of "
            f"{safe(str(begun['title']))!r} at {clock.moment(_at(begun))}; {what}. "
            "Look at what it left"
        )
    return told


def _open(journal: Journal) -> dict[str, list[Mapping[str, object]]]:
    """The lines of each action that has a plan and no result, oldest first."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for line in journal.recent():
        action = str(line.get("action"))
        if line.get("event") == "plan":
            found |= {action: [line]} if _whole(line) else {}
        elif line.get("event") == "result":
            found.pop(action, None)
        elif action in found:
            found[action].append(line)
    return found


def _whole(line: Mapping[str, object]) -> bool:
    """Whether it is a plan as this program writes them."""
    pid, at = line.get("pid"), line.get("at")
    numbers = isinstance(pid, int) and 0 < pid < _NO_PID and isinstance(at, int | float)
    return numbers and 0 < _at(line) < _NO_TIME and "title" in line


def _at(line: Mapping[str, object]) -> float:
    at = line["at"]
    assert isinstance(at, int | float)
    return at


def _lives(begun: Mapping[str, object], proc: ProcessTable, clock: Clock) -> bool:
    """Whether that beattop is at work still: its pid may be another's by now."""
    pid = begun["pid"]
    assert isinstance(pid, int)
    found = proc.stat(pid)
    return found is not None and not found.ended and clock.now() - proc.age(found) <= _at(begun) + 1


def _line(line: Mapping[str, object]) -> str:
    if line.get("event") == "call":
        return safe(f"{line.get('call')}: {line.get('result')}")
    return safe(f"{line.get('label')}: {line.get('detail')}")
