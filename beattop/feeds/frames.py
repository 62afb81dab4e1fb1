"""Samples folded into frames: timeline, diagnosis and the story of what happened."""

from __future__ import annotations

import threading
from collections import deque

from beattop.diagnosis import diagnose
from beattop.model.exits import exit_meaning
from beattop.model.finding import Finding
from beattop.model.frame import Event, Frame
from beattop.model.logevents import LogEvent
from beattop.model.sample import Sample
from beattop.model.snapshot import ProgramId, Snapshot
from beattop.model.timeline import Timeline
from beattop.text import duration

MOST_EVENTS = 2000


class Frames:
    """One frame for each sample; the events of all are kept. `add` is for one thread."""

    def __init__(self, window_s: float | None) -> None:
        self._timeline = Timeline(window_s)
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._frozen: tuple[Event, ...] = ()
        self._lock = threading.Lock()
        self._findings: dict[str, Finding] = {}
        self._told: LogEvent | None = None
        self._spawned: dict[tuple[str, str], float] = {}
        self._number = 0
        self._sources: dict[tuple[str, str], str] = {}

    def add(self, sample: Sample) -> Frame:
        """The frame of the next sample."""
        snapshot = self._timeline.add(sample)
        findings = diagnose(snapshot)
        self._number += 1
        before = len(self._events), self._events[-1] if self._events else None
        self._log_events(snapshot)
        self._finding_events(findings, sample.at)
        self._source_events(snapshot)
        if (len(self._events), self._events[-1] if self._events else None) != before:
            self._freeze()
        return Frame(snapshot, findings, self._frozen, self._number)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()

    def tell(self, event: Event) -> None:
        """Add what a face did, an action's step; for any thread."""
        self._events.append(event)
        self._freeze()

    def _freeze(self) -> None:
        # Locked, so that an older picture never takes a newer one's place.
        with self._lock:
            self._frozen = tuple(self._events)

    def _log_events(self, snapshot: Snapshot) -> None:
        new: list[LogEvent] = []
        for event in reversed(self._timeline.events):
            if event is self._told:
                break
            new.append(event)
        if new:
            self._told = new[0]
        names: dict[tuple[str, str], ProgramId | None] = {}
        for found in snapshot.programs:
            key = (found.id.supervisor, found.id.name)
            # The log's bare name may stand for processes of several groups.
            names[key] = None if key in names else found.id
        for event in reversed(new):
            key = (event.supervisor, event.name)
            program = names.get(key)
            text, bad = self._words(event, program)
            if event.kind == "spawned" and program is not None:
                self._spawned[key] = event.at
            self._events.append(Event(event.at, event.kind, program, event.pid, text, bad))

    def _words(self, event: LogEvent, program: ProgramId | None) -> tuple[str, bool]:
        name = program.namespec if program else event.name
        if event.kind == "spawned":
            return f"{name} spawned, pid {event.pid}", False
        if event.kind in ("exited", "stopped"):
            began = self._spawned.get((event.supervisor, event.name))
            after = f" after {duration(event.at - began)}" if began is not None else ""
            how = event.signal or f"{event.status}"
            meaning = exit_meaning(event.status, event.signal)
            verb = "exited" if event.kind == "exited" else "was stopped:"
            bad = event.kind == "exited" and (event.signal is not None or bool(event.status))
            return f"{name} {verb} {how} ({meaning}){after}", bad
        if event.kind == "running":
            return f"{name} is RUNNING", False
        if event.kind == "fatal":
            return f"{name} is FATAL: supervisord gave it up", True
        return f"{name or 'supervisord'}: {event.kind} {event.text}".strip(), False

    def _finding_events(self, findings: tuple[Finding, ...], at: float) -> None:
        now = {f.identity: f for f in findings}
        for identity, finding in now.items():
            if identity not in self._findings:
                program = finding.programs[0] if finding.programs else None
                bad = finding.severity != "info"
                self._events.append(Event(at, "finding", program, None, finding.summary, bad))
        for identity, finding in self._findings.items():
            if identity not in now:
                program = finding.programs[0] if finding.programs else None
                text = f"over: {finding.short or finding.summary}"
                self._events.append(Event(at, "finding-over", program, None, text))
        self._findings = now

    def _source_events(self, snapshot: Snapshot) -> None:
        for source in snapshot.sources:
            key = (source.name, source.target)
            before = self._sources.get(key)
            if before is not None and before != source.status:
                text = f"{source.name} {source.target}: {source.status} {source.detail}".strip()
                self._events.append(
                    Event(snapshot.at, "source", None, None, text, source.status != "ok")
                )
            self._sources[key] = source.status
