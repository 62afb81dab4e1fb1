"""Where the CPU goes: work, churn, other, as a bar and in words. Pure."""

from __future__ import annotations

from beattop.model.cost import burnt, monthly
from beattop.model.snapshot import CpuSplit, Snapshot
from beattop.ui import glyphs
from beattop.ui.line import Line, Span, cut, line, width


def cpubar(snapshot: Snapshot, size: int, rows: int, price: float | None = None) -> list[Line]:
    """The bar in one line with short words, or in two with what the churn costs."""
    cpu = snapshot.cpu
    if cpu.busy_pct is None:
        return [line(" CPU  ", ("measuring …", "dim"))][:rows] + [()] * (rows - 1)
    total = f" {cpu.busy_pct:.0f} % of {100 * cpu.cores} %"
    if rows >= 2:
        words = f"{total} ({cpu.cores} cores)" if cpu.cores != 1 else f"{total} (1 core)"
        graph = _bar(cpu, max(10, size - 8 - len(words)))
        return [
            cut(line(" CPU  ", *graph, (words, "bold")), size),
            cut(_legend(snapshot, price), size),
        ]
    legend = _short(cpu) if size >= 70 else _short(cpu, signs=False)
    graph = _bar(cpu, max(4, size - 10 - len(total) - width(legend)))
    return [cut(line(" CPU  ", *graph, (total, "bold"), "  ", *legend), size)]


def mini(cpu: CpuSplit, size: int, *, words: bool = True) -> Line:
    """The split for a header: a small bar of `size` cells, if any, and figures."""
    if cpu.busy_pct is None:
        return line(("CPU …", "dim"))
    graph = _bar(cpu, size) if size else ()
    busy = f"{cpu.busy_pct:.0f} %"
    if words:
        return (
            *line(("CPU ", "dim")),
            *graph,
            *line((f" {busy}  ", "bold")),
            *_short(cpu, signs=False),
        )
    churn = cpu.churn_pct or 0.0
    return line(
        ("CPU ", "dim"),
        *graph,
        (busy, "bold"),
        *([(f" churn {churn:.0f} %", "churn")] if churn >= 0.5 else []),
    )


def _bar(cpu: CpuSplit, size: int) -> Line:
    whole = max(100.0 * cpu.cores, cpu.busy_pct or 0.0, 1.0)
    spans = [Span(glyphs.BAR_LEFT, "dim")]
    used, level = 0, 0.0
    parts = (
        (cpu.supervised_pct, glyphs.WORK, "work"),
        (cpu.churn_pct, glyphs.CHURN, "churn"),
        (cpu.other_pct, glyphs.OTHER, "other"),
    )
    for value, sign, ink in parts:
        level += value or 0.0
        end = min(
            size, max(round(size * level / whole), used + (1 if (value or 0.0) >= 0.5 else 0))
        )
        spans.append(Span(sign * (end - used), ink))
        used = end
    return (*spans, Span(" " * (size - used)), Span(glyphs.BAR_RIGHT, "dim"))


def _short(cpu: CpuSplit, *, signs: bool = True) -> Line:
    def part(value: float | None, sign: str, name: str, ink: str) -> list[Span]:
        figure = glyphs.DASH if value is None else f"{value:.0f}"
        quiet = (value or 0.0) < 0.5
        return [
            *([Span(f"{sign} ", "other" if ink == "churn" and quiet else ink)] if signs else []),
            Span(f"{name} {figure}", "churn" if ink == "churn" and not quiet else ""),
        ]

    return (
        *part(cpu.supervised_pct, glyphs.WORK, "work", "work"), Span("  " if signs else " "),
        *part(cpu.churn_pct, glyphs.CHURN, "churn", "churn"), Span("  " if signs else " "),
        *part(cpu.other_pct, glyphs.OTHER, "other", "other"),
    )  # fmt: skip


def _legend(snapshot: Snapshot, price: float | None) -> Line:
    cpu = snapshot.cpu
    spans = [
        Span("       "),
        Span(f"{glyphs.WORK} ", "work"),
        Span(f"work {cpu.supervised_pct or 0.0:.0f} %"),
    ]
    churn = cpu.churn_pct or 0.0
    spans += [
        Span("   "),
        Span(f"{glyphs.CHURN} ", "churn" if churn >= 0.5 else "other"),
        Span(f"churn {churn:.0f} %", "churn" if churn >= 0.5 else ""),
    ]
    spent = cost(snapshot, price)
    if spent and churn >= 0.5:
        spans.append(Span(f" {spent}"))
    return (
        *spans,
        Span("   "),
        Span(f"{glyphs.OTHER} ", "other"),
        Span(f"other {cpu.other_pct or 0.0:.0f} %"),
    )


def cost(snapshot: Snapshot, price: float | None) -> str:
    """ "≈ 34 core-hours since Tue 04:12, costs 28.84 a month"; "" for nothing."""
    past = burnt(snapshot)
    if not past:
        return ""
    future = monthly(snapshot, price)
    return f"{glyphs.ABOUT} {past}" + (f", costs {future}" if future else "")
