"""Nothing that a plan or its outcome says is obeyed by a terminal, whatever a name, a path or a
word holds: they are cleaned where they enter, and where they are told once more."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beattop.actions.duplicates import run
from beattop.actions.plan import (
    plan_duplicates,
    plan_finding_alternative,
    plan_pidfile,
    plan_program,
    wanted_programs,
)
from beattop.actions.refuse import RefusingExecutor
from beattop.model.files import Pidfile
from beattop.model.finding import Finding
from beattop.model.plan import Outcome, Plan
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, Program, Snapshot
from beattop.model.source import SourceStatus
from beattop.sources.supervisor.server import Server
from tests.unit.actions import scene
from tests.unit.actions.fake import World
from tests.unit.actions.scene import beat, finding, frame, keep, member, outsider, program, target

EVIL = "\x1b[2Jowned\x07\u202e"
URL = f"unix:///run/{EVIL}.sock"
FIRST = program(f"one{EVIL}", 201, url=URL)
SECOND = program(f"two{EVIL}", 202, url=URL, respawning=True, lives=(1.0, 1.4))
KEPT = beat(FIRST, app=f"proj{EVIL}")


def box(*programs: Program, beats: Iterable[Beat] = (), path: Path | str = "") -> Snapshot:
    files = [held(path)] if path else []
    return scene.snapshot(
        programs, [*(beat(p, app=f"proj{EVIL}") for p in programs), *beats],
        supervisords=[scene.supervisord(URL)], pidfiles=files,
    )  # fmt: skip


def held(path: Path | str) -> Pidfile:
    at = os.stat(path).st_mtime if Path(path).exists() else None
    who = ProcessKey(55, 550)
    return Pidfile(str(path), "ok", 55, at, who, (f"sleep{EVIL}",), f"joe{EVIL}")


def duplicate(stops: Program = SECOND, **more: object) -> Finding:
    kept = replace(keep(KEPT), why=f"holds {EVIL}")
    made = finding([target(stops, why=f"surplus {EVIL}")], [kept], lasting=f"remove {EVIL}")
    return replace(made, summary=f"two {EVIL}", **more)


def stale(heir: Program, path: Path | str, certainty: str = "certain") -> Finding:
    return finding(
        [], kind="stale-pidfile", pidfile=str(path), programs=(heir.id,), certainty=certainty,
        lasting=f"remove {EVIL}",
    )  # fmt: skip


def said(plan: Plan) -> Iterator[str]:
    yield from (plan.title, *plan.advice, *plan.warnings, *plan.lasting)
    yield from (step.call for step in plan.steps)


def clean(texts: Iterable[str]) -> None:
    found = [text.partition("by hand: ")[0] for text in texts]
    assert any("owned" in text for text in found)
    assert [text for text in found if {*text} & {*"\x1b\x07\u202e"}] == []


def test_plans_against_duplicates() -> None:
    shell = replace(SECOND, respawning=False, members=(member(202, "wrapper"), member(203)))
    behind = box(FIRST, beats=[beat(shell, 203)])
    for shot, found in (
        (box(FIRST, SECOND), duplicate()),
        (replace(behind, programs=(FIRST, shell)), duplicate(shell)),
        (replace(box(FIRST, SECOND), supervisords=()), duplicate()),
        (box(FIRST), replace(duplicate(), stop=(outsider(77, "advice", EVIL),))),
        (box(FIRST), replace(duplicate(), stop=(replace(outsider(77, "advice", EVIL), pid=None),))),
    ):
        clean(said(plan_duplicates([found], shot)))
    with pytest.raises(ValueError, match="owned") as caught:
        wanted_programs([EVIL], scene.snapshot())
    clean([str(caught.value)])


@pytest.mark.parametrize("verb", ["stop", "start", "restart"])
def test_plans_for_programs(verb: str) -> None:
    worker = program(f"w{EVIL}", 300, url=URL, role="worker")
    down = program(f"down{EVIL}", None, url=URL, state="STOPPED")
    shot = box(FIRST, worker, down)
    for chosen in ([FIRST], [worker], [down], [FIRST, worker, down], [SECOND]):
        clean(said(plan_program(verb, chosen, shot)))  # type: ignore[arg-type]


def test_plans_against_pidfiles(tmp_path: Path) -> None:
    path = f"/run/{EVIL}.pid"
    file = held(path)
    for fact in (
        file,
        replace(file, pid=None, holder=None),
        replace(file, holder=None),
        replace(file, status="absent"),
    ):
        for certainty in ("certain", "likely"):
            shot = replace(box(SECOND), pidfiles=(fact,))
            clean(said(plan_pidfile(stale(SECOND, path, certainty), shot)))


def test_plans_of_a_hand_over() -> None:
    calm = replace(SECOND, respawning=False, state="STOPPED", pid=None, members=())
    holder = beat(None, 77)
    for heir in (SECOND, calm):
        for certainty in ("certain", "possible"):
            found = duplicate(heir, alternatives=(outsider(77, why=EVIL),), certainty=certainty)
            clean(said(plan_finding_alternative(found, box(heir, beats=[holder]))))
    clean(said(plan_finding_alternative(duplicate(), box(SECOND))))


def test_stop_duplicates_in_print() -> None:
    shot = replace(
        box(FIRST, SECOND), sources=(SourceStatus("supervisor", URL, "timeout", f"hangs {EVIL}"),)
    )
    for findings in (
        [duplicate()],
        [duplicate(certainty="possible")],
        [replace(stale(SECOND, "/run/b"), summary=f"refused {EVIL}")],
    ):
        out, err = io.StringIO(), io.StringIO()
        run(frame(shot, findings), RefusingExecutor("read-only"), (), True, out, err)
        clean([*out.getvalue().splitlines(), *err.getvalue().splitlines()])


def test_the_change_to_copy_follows_its_fix() -> None:
    found = duplicate()
    fix = replace(found.lasting, diff="+autostart=false\n")
    out, err = io.StringIO(), io.StringIO()
    shot = box(FIRST, SECOND)
    run(frame(shot, [replace(found, lasting=fix)]), RefusingExecutor("x"), (), False, out, err)
    assert "    +autostart=false\n" in out.getvalue()


def does(world: World, plan: Plan) -> Outcome:
    outcome = world.do(plan)
    texts = [outcome.summary]
    for check in (*world.checks, *outcome.checks):
        texts += [check.label, check.detail]
    if outcome.further is not None:
        texts += said(outcome.further)
    clean(texts)
    clean(world.journal.read_text().splitlines())
    return outcome


@pytest.mark.parametrize("file", ["names it", "names another", "is gone", "is a folder"])
def test_the_stop_of_a_duplicate(tmp_path: Path, file: str) -> None:
    path = tmp_path / f"{EVIL}.pid"
    if file == "is a folder":
        path.mkdir()
    elif file != "is gone":
        path.write_text("201\n" if file == "names it" else "7\n")
    shot = box(FIRST, SECOND)
    kept = replace(shot.beats[0], pidfile=str(path))
    shot = replace(shot, beats=(kept, *shot.beats[1:]))
    outcome = does(World(tmp_path, shot), plan_duplicates([duplicate()], shot))
    assert outcome.status == ("done" if file == "names it" else "failed")


def test_what_is_left_over(tmp_path: Path) -> None:
    members = (member(202, "wrapper"), member(203, ppid=202))
    shell = replace(SECOND, respawning=False, members=members)
    shot = replace(box(FIRST), programs=(FIRST, shell))
    outcome = does(World(tmp_path, shot), plan_program("stop", [shell], shot))
    assert outcome.further is not None


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("with_file", [True, False])
def test_an_heir(tmp_path: Path, taken: bool, with_file: bool) -> None:
    path = tmp_path / f"{EVIL}.pid"
    path.write_text("55\n")
    world = World(tmp_path, box(SECOND, path=path))
    world.proc.add(55, ppid=1)
    plan = plan_pidfile(stale(SECOND, path), world.shot)
    if not with_file:
        plan = plan_finding_alternative(
            duplicate(alternatives=(outsider(77, why=EVIL),)), world.shot
        )

    def take() -> None:
        path.write_text(f"{world.server.spawn(SECOND.namespec)}\n")

    if taken:
        world.clock.after(2.0, take)
    assert does(world, plan).status == ("done" if taken or not with_file else "failed")


def test_an_heir_that_was_stopped_meanwhile(tmp_path: Path) -> None:
    holder = beat(None, 77)
    world = World(tmp_path, box(SECOND, beats=[holder]))
    plan = plan_finding_alternative(duplicate(alternatives=(outsider(77, why=EVIL),)), world.shot)
    world.server.put(SECOND.namespec, "STOPPED")
    assert does(world, plan).status == "changed"


def test_a_supervisord_without_a_usable_address(tmp_path: Path) -> None:
    world = World(tmp_path, box(FIRST, SECOND))
    plan = plan_duplicates([duplicate()], world.shot)
    world.address = None
    assert does(world, plan).status == "blind"

    def connect(_: Server) -> object:
        raise ValueError(f"no address: {EVIL}")

    world.address = Server(URL)
    world.executor._connect = connect  # type: ignore[assignment]
    assert does(world, plan).status == "blind"
