"""What is told where nothing is wrong, and of what cannot be seen. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from beattop.model.frame import Frame
from beattop.model.snapshot import Program, Snapshot
from beattop.model.standing import standing
from beattop.text import count, duration
from beattop.ui import glyphs
from beattop.ui.line import EMPTY, Line, cut, fit, justified, line, wrap

_SENTENCES: Final = re.compile(r"(?<=[.;]) (?=[A-Z])")
Shown = Callable[[str], str]
"""The key of a command, as it stands on the screen."""


def blindness(snapshot: Snapshot, size: int, shown: Shown, *, supervisor: bool = True) -> Line:
    """One line on what is not seen and what would mend it; empty where all is seen.

    Without `supervisor`, of what supervisord tells a finding speaks already.
    """
    bad = [
        s
        for s in snapshot.sources
        if s.status in {"degraded", "denied", "timeout", "down"}
        and s.detail
        and (supervisor or s.name != "supervisor")
    ]
    if not bad:
        return EMPTY
    first = bad[0]
    where = f" {first.target}" if first.target and len(first.target) < 40 else ""
    more = f" (+{len(bad) - 1})" if len(bad) > 1 else ""
    text = f" {glyphs.INFO} {first.name}{where} {first.status}: {first.detail}{more}"
    return justified(line((text, "dim")), line((f"{shown('findings')} all ", "dim")), size)


def calm(frame: Frame, size: int, shown: Shown) -> list[Line]:
    """The verdict where nothing is wrong: grey, a line or two."""
    snapshot = frame.snapshot
    words = calm_words(snapshot)
    notes = [f for f in frame.findings if f.severity == "info"]
    out = [cut(line((f" {text}", "dim")), size) for text in _short(words, size - 2)]
    if notes and size >= 60:
        text = f" {glyphs.INFO} {notes[0].short or notes[0].summary}" + (
            f" (+{len(notes) - 1})" if len(notes) > 1 else ""
        )
        out.append(
            justified(line((text, "dim")), line((f"{shown('findings')} evidence ", "dim")), size)
        )
    return out


def _short(words: str, size: int) -> list[str]:
    """As many of the sentences, from the first on, as two lines hold."""
    sentences = _SENTENCES.split(words)
    for number in range(len(sentences), 0, -1):
        lines = wrap(" ".join(sentences[:number]), size)
        if len(lines) <= 2:
            return lines
    return [*lines[:1], fit(" ".join(lines[1:]), size).rstrip()]


def unheard(snapshot: Snapshot) -> bool:
    """True until every supervisord was looked at once: before that, none is no news."""
    return not snapshot.supervisords and all(s.name != "supervisor" for s in snapshot.sources)


def calm_words(snapshot: Snapshot) -> str:
    """One sentence or three for a box without trouble, or without anything to look at."""
    if unheard(snapshot):
        return "Gathering: supervisord is being looked for."
    if not snapshot.supervisords and not snapshot.unmanaged:
        return "No supervisord and no Celery on this box, as far as this user sees."
    if not snapshot.supervisords:
        loose = count(len(snapshot.unmanaged), "Celery process", "Celery processes")
        return f"No supervisord here; {loose} outside of any."
    programs = snapshot.programs
    parts = [_steady(programs)]
    if not snapshot.beats and not snapshot.unmanaged and not any(_celery(p) for p in programs):
        parts.append("None of them runs Celery.")
    elif beats := _beats(snapshot):
        parts.append(beats)
    exits = [(p.last_exit.at, p) for p in programs if p.last_exit is not None and not p.periodic]
    if exits:
        at, who = max(exits, key=lambda e: e[0])
        parts.append(f"Last exit {duration(snapshot.at - at)} ago ({who.namespec}).")
    return " ".join(parts)


def _celery(program: Program) -> bool:
    return program.role not in {"other", "wrapper", "supervisord"}


def _steady(programs: Sequence[Program]) -> str:
    if not programs:
        return "supervisord has no programs yet."
    all_ = standing(programs)
    if all_.unknown:
        return (
            f"Nothing wrong seen, but the state of {count(all_.unknown, 'program')} is not known."
        )
    if all_.passing:
        return f"Nothing wrong seen; {count(all_.passing, 'program')} starting or stopping."
    if not all_.idle:
        return (
            f"All {count(len(programs), 'program')} steady."
            if len(programs) > 1
            else "The one program is steady."
        )
    whole = count(len(programs), "program")
    return f"{all_.steady} of {whole} steady, {all_.idle} not running by design or request."


def _beats(snapshot: Snapshot) -> str:
    alive = [b for b in snapshot.beats if b.health != "down" and b.pid is not None]
    apps = Counter(b.key.app or "an app without a name" for b in alive)
    keys = Counter(key.app or "an app without a name" for key in {b.key for b in alive})
    if not apps:
        return "No beat runs here." if any(_celery(p) for p in snapshot.programs) else ""
    words = []
    for place, (app, number) in enumerate(sorted(apps.items())):
        single = number == keys[app]  # one a project, and two projects may share a name
        beats = f" {'beat' if single else 'beats'}" if place == 0 else ""
        whom = f"each of {number} projects {app}" if single and number > 1 else app
        words.append(f"{'one' if single else number}{beats} for {whom}")
    return _sentence(", ".join(words))


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."
