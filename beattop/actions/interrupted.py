"""An action that the journal knows no end of: its beattop was killed in the middle of it."""

from __future__ import annotations

from collections.abc import Mapping

from beattop.actions.clock import Clock
from beattop.actions.journal import Journal
from beattop.actions.process_table import ProcessTable
from beattop.text import safe

KILLED = "its beattop was killed"


def interrupted(journal: Journal, proc: ProcessTable, clock: Clock) -> str:
    """What an earlier beattop on this host did not bring to its end, in words; "" for nothing.

    It is told once: from then on the journal has an end of it.
    """
    told = ""
    for action, lines in _open(journal).items():
        begun, last = lines[0], lines[-1]
        if begun.get("host") != journal.host or _lives(begun, proc, clock):
            continue
        journal.write(action, "result", clock.now(), {"status": "interrupted", "summary": KILLED})
        at = begun.get("at")
        when = clock.moment(float(at)) if isinstance(at, int | float) else "?"
        done = [_line(line) for line in lines[1:] if line.get("event") in ("call", "check")]
        what = (
            f"the last of it was: {done[-1]}"
            if last is not begun and done
            else "nothing of it is known"
        )
        told = (
            f"a beattop (pid {begun.get('pid')}) was killed in the middle of "
            f"{safe(str(begun.get('title', '?')))!r} at {when}; {what}. Look at what it left"
        )
    return told


def _open(journal: Journal) -> dict[str, list[Mapping[str, object]]]:
    """The lines of each action that has a plan and no result, oldest first."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for line in journal.recent():
        action = str(line.get("action"))
        if line.get("event") == "plan":
            found[action] = [line]
        elif line.get("event") == "result":
            found.pop(action, None)
        elif action in found:
            found[action].append(line)
    return found


def _lives(begun: Mapping[str, object], proc: ProcessTable, clock: Clock) -> bool:
    """Whether that beattop is at work still: its pid may be another's by now."""
    pid, at = begun.get("pid"), begun.get("at")
    found = proc.stat(pid) if isinstance(pid, int) else None
    if found is None or found.ended or not isinstance(at, int | float):
        return False
    return clock.now() - proc.age(found) <= at + 1


def _line(line: Mapping[str, object]) -> str:
    if line.get("event") == "call":
        return safe(f"{line.get('call')}: {line.get('result')}")
    return safe(f"{line.get('label')}: {line.get('detail')}")
