"""A snapshot of a Box for tests of actions: supervisord's word and /proc, nothing diagnosed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from beattop.actions.executor import LiveExecutor
from beattop.actions.journal import Journal
from beattop.actions.process_table import ProcessTable, key
from beattop.model.finding import Finding
from beattop.model.plan import Check, Outcome, Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, Member, Program, Snapshot
from beattop.sources.supervisor.server import Server
from tests.e2e.incident import Box
from tests.unit.actions import scene

PROC = ProcessTable()


def member(pid: int, role: Any = "beat") -> Member:
    found = PROC.stat(pid)
    assert found is not None, f"pid {pid} does not live"
    made = scene.member(pid, role, start=found.start_ticks, ppid=found.ppid)
    return replace(made, process=replace(made.process, pgrp=found.pgrp))


def tree(pid: int) -> list[int]:
    """`pid` and all below it."""
    return [pid, *(below for child in PROC.children(pid) for below in tree(child))]


class Looking:
    """Looks at a box's "main" supervisord and acts on it.

    `looping` names the respawning programs with the lifetimes of their lives; `roles` the roles
    of other programs; `conf` the entries of their sections that differ from the default.
    """

    def __init__(
        self,
        box: Box,
        *,
        looping: Mapping[str, Sequence[float]] | None = None,
        roles: Mapping[str, str] | None = None,
        conf: Mapping[str, Mapping[str, Any]] | None = None,
        beats: Mapping[str, Mapping[str, Any]] | None = None,
        confined: bool = False,
    ) -> None:
        self.box, self.looping, self.roles = box, looping or {}, roles or {}
        self.conf, self.beats = conf or {}, beats or {}
        self.checks: list[Check] = []
        self.journal = box.folder / "state" / "journal.jsonl"
        self.shot = self.look()
        self.executor = LiveExecutor(
            Server,
            lambda: self.shot,
            Journal(self.journal),
            frozenset({box.url()}) if confined else None,
        )

    def look(self) -> Snapshot:
        url = self.box.url()
        main = self.box.servers["main"].pid
        found = PROC.stat(main)
        assert found is not None
        programs = [self._program(info, url) for info in self.box.rpc("getAllProcessInfo")]
        server = scene.supervisord(
            url, key=key(found), ctl=("supervisorctl", "-c", str(self.box.conf()))
        )
        beats = [
            self._beat(p) for p in programs if p.role == "beat" and (p.members or p.respawning)
        ]
        return scene.snapshot(programs, beats, supervisords=[server])

    def _program(self, info: Mapping[str, Any], url: str) -> Program:
        name, group, pid = info["name"], info["group"], info["pid"]
        role: Any = self.roles.get(name, "beat")
        members = []
        if pid and PROC.stat(pid):
            pids = [p for p in tree(pid) if PROC.stat(p)]
            members = [member(p, "wrapper" if len(pids) > 1 and p == pid else role) for p in pids]
        lives = self.looping.get(name, ())
        return scene.program(
            name,
            pid or None,
            group=group,
            url=url,
            role=role,
            state=info["statename"],
            respawning=name in self.looping,
            members=members,
            lives=lives,
            conf=scene.config(name, group, url, **{"stopwaitsecs": 5.0, **self.conf.get(name, {})}),
        )

    def _beat(self, found: Program) -> Beat:
        last = found.members[-1].process.pid if found.members else None
        health = "respawning" if found.respawning else "working"
        more = dict(self.beats.get(found.id.name, {}))
        made = scene.beat(found, last, health=health, **more)
        return replace(made, process=found.members[-1].key if found.members else None)

    def program(self, name: str) -> Program:
        return next(p for p in self.shot.programs if p.id.name == name)

    def duplicates(self, kept: str, *surplus: str) -> Finding:
        """The finding that names `kept` and the `surplus` programs."""
        beat = next(b for b in self.shot.beats if b.program and b.program.name == kept)
        targets = [scene.target(self.program(name)) for name in surplus]
        return scene.finding(targets, [scene.keep(beat)])

    def do(self, plan: Plan) -> Outcome:
        self.checks = []
        return self.executor.execute(plan, self.checks.append)

    def by_name(self, outcome: Outcome, step: int = 0) -> dict[str, Check]:
        return {c.name: c for c in outcome.checks if c.step == step}


def key_of(pid: int) -> ProcessKey:
    found = PROC.stat(pid)
    assert found is not None
    return key(found)


def loop_script(box: Box, life: float, name: str = "loop.sh") -> list[str]:
    """A program that ends with status 73 after `life` seconds, as a refused beat does."""
    path: Path = box.write(f"app/{name}", f"#!/bin/sh\nsleep {life}\nexit 73\n")
    return ["/bin/sh", str(path)]
