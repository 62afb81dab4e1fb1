"""One look as text for people: the verdict first, then programs by pain, then the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from beattop.model.cost import burnt, monthly
from beattop.model.finding import Finding
from beattop.model.frame import Frame
from beattop.model.snapshot import Program, Snapshot, Unmanaged
from beattop.model.standing import standing
from beattop.reports.check import calm
from beattop.text import count, duration, moment, size

_SIGNS = {
    "critical": ("✖", "X", "red"),
    "warning": ("▲", "!", "yellow"),
    "info": ("·", "-", "cyan"),
}
_PERCENT_WIDTH = 6


def lines(frame: Frame, ascii_only: bool = False, price: float | None = None) -> Iterable[str]:
    """The report, line by line, styled with ANSI (the caller strips it where it is not wanted).

    `price` of a core-hour, in whatever money, tells what the churn costs a month.
    """
    snapshot = frame.snapshot
    yield _headline(snapshot)
    spent = [burnt(snapshot), monthly(snapshot, price)]
    if any(spent):
        yield f"respawning has burnt {', costs '.join(filter(None, spent))}"
    yield ""
    told = [f for f in frame.findings if f.severity != "info"]
    if not told:
        blind = standing(snapshot.programs).unknown > 0
        well = "Nothing wrong seen" if blind else "All well"
        yield click.style(f"{well}: {calm(snapshot)}.", fg="yellow" if blind else "green")
    for finding in frame.findings:
        yield from _finding(finding, snapshot, ascii_only)
    if snapshot.programs:
        yield ""
        yield from _table(snapshot)
    if snapshot.unmanaged:
        yield ""
        yield click.style("OUTSIDE SUPERVISOR", bold=True)
        yield from (_stranger(u, snapshot) for u in snapshot.unmanaged)
    troubles = [s for s in snapshot.sources if s.status not in ("ok", "absent")]
    if troubles:
        yield ""
        yield click.style("NOT SEEN", bold=True)
        for source in troubles:
            target = f" {source.target}" if source.target else ""
            yield f"  {source.name}{target}: {source.status}. {source.detail}"
    if not snapshot.supervisords:
        yield ""
        yield (
            "No supervisord found. If one runs, name it: beattop --supervisor CONF (or "
            "unix:///PATH), or look as root."
        )


def _headline(snapshot: Snapshot) -> str:
    cpu = snapshot.cpu
    head = f"beattop on {snapshot.host.name}"
    if snapshot.viewer.read_only:
        head += " (read-only)"
    if cpu.busy_pct is not None:
        head += (
            f": {cpu.busy_pct:.0f} % busy of {cpu.cores * 100} % ({count(cpu.cores, 'core')}): "
            f"work {cpu.supervised_pct:.0f} %, churn {cpu.churn_pct:.0f} %, "
            f"other {cpu.other_pct:.0f} %"
        )
    return click.style(head, bold=True) + f", observed {duration(snapshot.observed_s)}"


def _finding(finding: Finding, snapshot: Snapshot, ascii_only: bool) -> Iterable[str]:
    sign, plain, colour = _SIGNS[finding.severity]
    mark = plain if ascii_only else sign
    yield click.style(
        f"{mark} {finding.severity.upper()} {finding.kind} ({finding.certainty})",
        fg=colour,
        bold=True,
    )
    yield f"  {finding.summary}"
    if finding.since_at is not None:
        yield f"  since     {moment(finding.since_at, snapshot.at)}{_or_before(finding, snapshot)}"
    for line in finding.evidence:
        yield f"  evidence  {line}"
    for kept in finding.keep:
        yield f"  keep      {kept.namespec or 'pid ' + str(kept.pid)}: {kept.why}"
    for target in finding.stop:
        name = target.namespec or f"pid {target.pid}"
        how = "by hand" if target.via == "advice" else target.via
        yield f"  stop      {name} ({how}): {target.why}"
        if target.command:
            yield f"            {target.command}"
    for target in finding.alternatives:
        yield f"  or        {target.command}: {target.why}"
    if finding.lasting.text:
        yield f"  for good  {finding.lasting.text}"
    yield from (f"    {row}" for row in finding.lasting.diff.splitlines())
    if finding.lasting.ticket:
        yield f"  ticket    {finding.lasting.ticket}"


def _or_before(finding: Finding, snapshot: Snapshot) -> str:
    """What to add where old logs that were not read may tell of an earlier begin."""
    for program in snapshot.programs:
        unread = not program.history_complete and program.loop_since_at == finding.since_at
        if unread and program.id in finding.programs and program.past:
            return "" if program.past.settled else " or before: older logs are not read"
    return ""


def _table(snapshot: Snapshot) -> Iterable[str]:
    programs = sorted(snapshot.programs, key=_pain)
    rows = [_row(p, snapshot) for p in programs]
    head = (
        "PROGRAM",
        "ROLE",
        "STATE",
        "CPU%",
        "CHURN%",
        "RSS",
        "UP",
        "SPAWNS",
        "/MIN",
        "LAST EXIT",
    )
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    right = {3, 4, 5, 6, 7, 8}

    def put(row: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    yield click.style(put(head), bold=True)
    for program, row in zip(programs, rows, strict=True):
        text = put(row)
        yield click.style(text, fg="red") if program.respawning else text


def _pain(program: Program) -> tuple[bool, bool, float, str]:
    return (
        not program.respawning,
        program.state not in ("FATAL", "BACKOFF"),
        -(program.cpu_pct or 0.0),
        program.namespec,
    )


def _row(program: Program, snapshot: Snapshot) -> tuple[str, ...]:
    state = "respawning" if program.respawning else (program.state or "?").lower()
    last = program.last_exit
    ended = "–"
    if last is not None:
        ended = f"{last.signal or last.status} {last.meaning} {moment(last.at, snapshot.at)}"
    return (
        program.namespec,
        program.role,
        state,
        _percent(program.cpu_pct),
        _percent(program.churn_pct),
        size(program.rss_bytes),
        duration(program.uptime_s),
        "–" if program.spawns is None else f"{program.spawns:,}",
        "–" if program.spawns_per_min is None else f"{program.spawns_per_min:.1f}",
        ended,
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _stranger(root: Unmanaged, snapshot: Snapshot) -> str:
    process = root.member.process
    age = duration(snapshot.at - process.started_at)
    was = f" of {root.was}" if root.was else ""
    return (
        f"  pid {process.pid}  {root.role}  {root.origin}{was}  up {age}  {' '.join(process.argv)}"
    )
