"""OpenMetrics for a Prometheus fleet: written to a textfile, or served on a port."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from beattop import __version__
from beattop.model.finding import SEVERITIES
from beattop.model.frame import Frame
from beattop.model.snapshot import Program

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def _label(value: object) -> str:
    return str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _line(name: str, labels: dict[str, object], value: float | None) -> str:
    inside = ",".join(f'{key}="{_label(v)}"' for key, v in labels.items())
    number = "NaN" if value is None else f"{value:.10g}"
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _family(name: str, kind: str, text: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [f"# TYPE {name} {kind}", f"# HELP {name} {text}", *found] if found else []


def exposition(frame: Frame) -> str:
    """One frame in the OpenMetrics text format, ended by `# EOF`."""
    snapshot = frame.snapshot
    cpu = snapshot.cpu
    programs = snapshot.programs

    def each(name: str, value: Callable[[Program], float | None]) -> Iterable[str]:
        for p in programs:
            number = value(p)
            if number is not None:
                labels: dict[str, object] = {
                    "supervisor": p.id.supervisor,
                    "namespec": p.namespec,
                    "role": p.role,
                }
                yield _line(name, labels, number)

    split = {
        "busy": cpu.busy_pct,
        "supervised": cpu.supervised_pct,
        "churn": cpu.churn_pct,
        "other": cpu.other_pct,
    }
    out = [
        *_family(
            "beattop_build",
            "info",
            "Version.",
            [_line("beattop_build_info", {"version": __version__}, 1)],
        ),
        *_family(
            "beattop_cpu_cores",
            "gauge",
            "Cores in use, by what for.",
            (
                _line("beattop_cpu_cores", {"kind": kind}, value / 100)
                for kind, value in split.items()
                if value is not None
            ),
        ),
        *_family(
            "beattop_beats",
            "gauge",
            "Living beats.",
            [_line("beattop_beats", {}, sum(b.pid is not None for b in snapshot.beats))],
        ),
        *_family(
            "beattop_findings",
            "gauge",
            "Findings by kind and severity.",
            (
                _line("beattop_findings", {"kind": kind, "severity": severity}, number)
                for (kind, severity), number in sorted(_counted(frame).items())
            ),
        ),
        *_family(
            "beattop_worst",
            "gauge",
            "0 calm, 1 info, 2 warning, 3 critical.",
            [_line("beattop_worst", {}, _worst(frame))],
        ),
        *_family(
            "beattop_program_respawning",
            "gauge",
            "1 while a program respawns.",
            each("beattop_program_respawning", lambda p: float(p.respawning)),
        ),
        *_family(
            "beattop_program_up",
            "gauge",
            "1 while a program has a process.",
            each("beattop_program_up", lambda p: float(p.pid is not None)),
        ),
        *_family(
            "beattop_program_spawns",
            "counter",
            "Spawns since the oldest event known.",
            each("beattop_program_spawns_total", lambda p: p.spawns),
        ),
        *_family(
            "beattop_program_exits",
            "counter",
            "Exits nobody asked for, since the oldest event known.",
            each("beattop_program_exits_total", lambda p: p.exits),
        ),
        *_family(
            "beattop_program_cpu_cores",
            "gauge",
            "Cores a program uses, living and reaped.",
            each("beattop_program_cpu_cores", lambda p: _cores(p.cpu_pct)),
        ),
        *_family(
            "beattop_program_rss_bytes",
            "gauge",
            "Resident memory of a program's processes.",
            each("beattop_program_rss_bytes", lambda p: p.rss_bytes),
        ),
        *_family(
            "beattop_source_ok",
            "gauge",
            "1 while a source is read well.",
            (
                _line(
                    "beattop_source_ok",
                    {"source": s.name, "target": s.target},
                    float(s.status == "ok"),
                )
                for s in snapshot.sources
            ),
        ),
        "# EOF",
    ]
    return "\n".join(out) + "\n"


def _cores(pct: float | None) -> float | None:
    return None if pct is None else pct / 100


def _counted(frame: Frame) -> dict[tuple[str, str], int]:
    out: dict[tuple[str, str], int] = {}
    for finding in frame.findings:
        key = (finding.kind, finding.severity)
        out[key] = out.get(key, 0) + 1
    return out


def _worst(frame: Frame) -> int:
    ranks = [len(SEVERITIES) - SEVERITIES.index(f.severity) for f in frame.findings]
    return max(ranks, default=0)


def write_textfile(frame: Frame, path: Path) -> None:
    """Write for node_exporter's textfile collector: whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(exposition(frame))
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def server(address: tuple[str, int], latest: Callable[[], Frame | None]) -> ThreadingHTTPServer:
    """An HTTP server that answers /metrics from the newest frame; OSError if it cannot bind."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version, sys_version = f"beattop/{__version__}", ""

        def do_HEAD(self) -> None:
            """As GET, without the body; http.server's errors know that themselves."""
            self.do_GET()

        def do_GET(self) -> None:
            frame = latest()
            if self.path.split("?")[0] not in ("/", "/metrics"):
                self.send_error(404, "see /metrics")
                return
            if frame is None:
                self.send_error(503, "no sample yet")
                return
            body = exposition(frame).encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: stderr is for trouble."""

    found = ThreadingHTTPServer(address, Handler)
    found.daemon_threads = True
    return found
