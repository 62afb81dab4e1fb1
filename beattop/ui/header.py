"""The top line: which box, how old the picture is, what of the looking is in trouble. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from time import localtime, strftime
from typing import Final

from beattop.model.frame import Frame
from beattop.model.snapshot import Snapshot
from beattop.model.supervisor import Supervisord
from beattop.text import count, duration
from beattop.ui import glyphs
from beattop.ui.cpubar import mini
from beattop.ui.line import Line, Span, cut, justified, line, width

_STEPS: Final = {"A": "connector", "B": "log", "C": "poll"}
_STALE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What the header tells besides the snapshot."""

    title: str | None = None
    read_only: bool = False
    live: bool = True
    age_s: float | None = None
    """Age of the newest sample."""
    trouble: str | None = None
    """The collector's own."""
    paused: bool = False
    interval_s: float = 1.0


def header(frame: Frame | None, condition: Condition, size: int, *, with_cpu: bool = False) -> Line:
    """The header for `size` cells; `with_cpu` where the CPU bar has no line of its own."""
    name = "beattop" if not condition.title else f"beattop {condition.title}"
    left: list[tuple[int, Line]] = [
        (3 if with_cpu else 1, line(("beattop" if size < 60 else name, "title")))
    ]
    right: list[tuple[int, Line]] = []
    if frame is not None:
        snapshot = frame.snapshot
        left.append((2, line((snapshot.host.name, "bold"))))
        if with_cpu:
            left.append((1, mini(snapshot.cpu, 16 if size >= 70 else 0, words=size >= 70)))
        left.append((7, line(f"up {duration(snapshot.at - snapshot.host.boot_at)}")))
        left.append((6, line("load " + " ".join(f"{value:.1f}" for value in snapshot.load))))
        right += _sources(snapshot)
        right += _position(frame, short=size < 60)
    right += _age(condition)
    if condition.paused:
        right.append((0, line((" PAUSED ", "badge"))))
    if condition.read_only:
        right.append((0, line((" READ-ONLY " if size >= 60 else " RO ", "badge"))))
    return _fitted(left, right, size)


def _age(condition: Condition) -> list[tuple[int, Line]]:
    if condition.trouble:
        return [(1, line((f"{glyphs.CRITICAL} {condition.trouble}", "critical")))]
    if not condition.live:
        return []
    if condition.age_s is None:
        return [(4, line(("no data yet", "dim")))]
    if condition.age_s > max(_STALE_S, 3 * condition.interval_s):
        return [(1, line((f"{glyphs.WARNING} data {_ago(condition.age_s)} old", "warning")))]
    return [(8, line((f"data {max(0.0, condition.age_s):.0f} s", "dim")))]


def _sources(snapshot: Snapshot) -> list[tuple[int, Line]]:
    out: list[tuple[int, Line]] = []
    servers = snapshot.supervisords
    answers = [s.answered_at for s in servers if s.answered_at is not None]
    if len(servers) == 1:
        if answers or servers[0].answers is not False:  # else its trouble says it
            told = (
                f"asked {_ago(snapshot.at - answers[0])} ago" if answers else _unasked(servers[0])
            )
            out.append((5, line(" ".join(filter(None, ("supervisor", servers[0].version, told))))))
    elif servers:
        oldest = f", asked {_ago(snapshot.at - min(answers))} ago" if answers else ""
        out.append((5, line(f"{count(len(servers), 'supervisord')}{oldest}")))
    trouble = []
    for source in snapshot.sources:
        if source.name == "lifecycle":
            step = _STEPS.get(source.detail[:1])
            out.append((9, line((step or "lifecycle", "dim")))) if step else None
        if (
            source.status in {"degraded", "denied", "timeout", "down"}
            and source.name != "lifecycle"
        ):
            trouble.append(f"{source.name} {source.status}")
    trouble = list(dict.fromkeys(trouble))
    if trouble:
        words = trouble[0] if len(trouble) == 1 else f"{trouble[0]} +{len(trouble) - 1}"
        out.append((3, (Span(f"{glyphs.WARNING} {words}", "warning", "screen.findings"),)))
    return out


def _unasked(server: Supervisord) -> str:
    """Why it has told nothing."""
    if server.key is None:
        return "does not run"
    return "has no server" if server.id.startswith("conf:") else "not asked yet"


def _position(frame: Frame, *, short: bool) -> list[tuple[int, Line]]:
    if frame.position is None:
        return []
    index, total = frame.position
    name = "" if short else "REPLAY "
    speed = f" ×{frame.playing:g}" if frame.playing else ""
    clock = strftime("%a %H:%M:%S", localtime(frame.snapshot.at))
    return [
        (1, line((f" {name}{index + 1}/{total}{speed} ", "badge"))),
        (2, line((clock, "bold"))),
    ]


def _fitted(left: list[tuple[int, Line]], right: list[tuple[int, Line]], size: int) -> Line:
    """All parts that fit, the least important left out first."""
    for limit in range(9, 0, -1):
        ends = [
            _joined([part for rank, part in side if rank <= limit], glyphs.DOT)
            for side in (left, right)
        ]
        if width(ends[0]) + width(ends[1]) + 4 <= size:
            return justified((Span(" "), *ends[0]), (*ends[1], Span(" ")), size)
    return cut((Span(" "), *ends[1], Span(" "), *ends[0]), size)


def _joined(parts: list[Line], dot: str) -> Line:
    out: list[Span] = []
    for number, part in enumerate(parts):
        if number:
            bare = number == 1 or any(span.ink == "badge" for span in (out[-1], part[0]))
            out.append(Span("  " if bare else f" {dot} ", "dim"))
        out += part
    return tuple(out)


def _ago(seconds: float) -> str:
    """Whole seconds: a tenth that flickers tells nothing."""
    return f"{max(0.0, seconds):.0f} s" if seconds < 99.5 else duration(seconds)
