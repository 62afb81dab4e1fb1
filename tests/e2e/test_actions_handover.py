"""Hand-overs and stale pidfiles on a real supervisord, with a script that takes its pidfile."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.plan import plan_finding_alternative, plan_pidfile
from beattop.model.files import Pidfile
from beattop.model.finding import Finding, Target
from beattop.model.process import ProcessKey
from tests.e2e.incident import Box
from tests.e2e.looking import Looking, key_of
from tests.unit.actions import scene

# As Celery does: refuse where the pid in the file lives, by kill(pid, 0) alone.
BEAT = """#!/bin/sh
sleep 1.1
if [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; then exit 73; fi
echo $$ > "$1"
exec sleep 600
"""


class Refused:
    """A supervised beat that loops, since a pidfile names a process outside."""

    def __init__(self, folder: Path, box: Box) -> None:
        self.box = box
        self.path = folder / "run" / "beat.pid"
        script = box.write("app/beat.sh", BEAT)
        self.foreign = box.daemon(["/bin/sleep", "600"])
        self.path.write_text(f"{self.foreign.pid}\n")
        box.program("beat", ["/bin/sh", script, self.path])
        box.up()
        box.wait_exits("beat", 2)
        self.look = Looking(box, looping={"beat": [1.1, 1.2]})
        self.fact = Pidfile(
            str(self.path), "ok", self.foreign.pid, os.stat(self.path).st_mtime, self.key
        )
        self.look.shot = replace(self.look.shot, pidfiles=(self.fact,))

    @property
    def key(self) -> ProcessKey:
        return key_of(self.foreign.pid)

    def finding(self, kind: str) -> Finding:
        heir = self.look.program("beat")
        pid = self.foreign.pid
        foreign = Target(
            None, None, pid, "signal", f"kill -TERM {pid}", process=self.key, why="nohup"
        )
        return scene.finding(
            [scene.target(heir)],
            kind=kind,
            alternatives=(foreign,),
            pidfile=str(self.path),
        )


def test_the_schedule_is_handed_over(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        refused = Refused(tmp_path, box)
        plan = plan_finding_alternative(refused.finding("duplicate-beat"), refused.look.shot)
        step = replace(plan.steps[0], pidfile=refused.fact)
        outcome = refused.look.do(replace(plan, steps=(step,)))
        assert outcome.status == "done", outcome
        assert not refused.foreign.alive
        assert box.pidfile() == box.pid("beat")
        took = refused.look.by_name(outcome)["took-over"]
        assert f"beat (pid {box.pid('beat')}) holds {refused.path}" in took.detail
        assert refused.look.executor.undo_plan() is None


def test_a_stale_pidfile_is_removed_and_its_process_spared(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        refused = Refused(tmp_path, box)
        plan = plan_pidfile(refused.finding("stale-pidfile"), refused.look.shot)
        outcome = refused.look.do(plan)
        assert outcome.status == "done", outcome
        assert refused.foreign.alive
        assert box.pidfile() == box.pid("beat")
        assert f'unlink(\\"{refused.path}\\")' in refused.look.journal.read_text()


def test_no_hand_over_to_one_that_was_stopped_meanwhile(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        refused = Refused(tmp_path, box)
        plan = plan_finding_alternative(refused.finding("duplicate-beat"), refused.look.shot)
        box.rpc("stopProcess", "beat")
        outcome = refused.look.do(plan)
        assert outcome.status == "changed"
        assert "beat, which was to take over, is STOPPED now" in outcome.summary
        assert refused.foreign.alive


@pytest.mark.long
def test_an_heir_that_hesitates_is_told_loudly(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        refused = Refused(tmp_path, box)
        plan = plan_finding_alternative(refused.finding("duplicate-beat"), refused.look.shot)
        step = replace(plan.steps[0], pidfile=refused.fact)
        box.write("app/beat.sh", "sleep 1.1; exit 73")
        box.wait_exits("beat", len(box.exits("beat")) + 1)  # the last that read the old one
        outcome = refused.look.do(replace(plan, steps=(step,)))
        assert outcome.status == "failed"
        assert "HAS NOT TAKEN OVER" in outcome.summary
        assert outcome.further is not None
        box.write("app/beat.sh", BEAT)
        assert refused.look.do(outcome.further).status == "done"
        assert box.state("beat") == "RUNNING"


def test_confined_to_its_own_tree(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.program("web", ["/bin/sleep", "600"])
        box.up()
        stranger = box.daemon(["/bin/sleep", "600"])
        look = Looking(box, roles={"web": "other"}, confined=True)
        away = scene.outsider(stranger.pid)
        plan = look.do(scene_plan(replace(away, process=key_of(stranger.pid)), look))
        assert plan.status == "refused"
        assert stranger.alive
        inside = replace(away, pid=look.program("web").pid, process=key_of(box.pid("web")))
        assert look.do(scene_plan(inside, look)).status == "done"


def scene_plan(target: Target, look: Looking):  # type: ignore[no-untyped-def]
    from beattop.actions.steps import Parts, signal_step

    parts = Parts.empty()
    assert target.process is not None
    parts.steps.append(signal_step(target, target.process))
    return parts.plan("End it", look.shot)
