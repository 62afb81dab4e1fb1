"""Beats that all live: everything is sent twice, and nothing loops."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import Box
from tests.e2e.verdict import double, look, mend, mended, targets


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as made:
        yield made


def _plain(box: Box, *words: object) -> list[str]:
    return [*box.celery, *map(str, words), "--loglevel=INFO"]


def test_two_programs_without_a_pidfile(box: Box) -> None:
    """Celery 5 writes no pidfile unless told, so both live."""
    box.app()
    box.program("beat", box.beat())
    box.up()
    box.wait_beat("beat")
    box.program("scheduler", box.beat(schedule=None))
    box.update("scheduler")
    box.wait_beat("scheduler")
    double(look(box).only("duplicate-beat"), box.pid("beat"), [("scheduler", "xmlrpc")])
    mend(box)
    mended(box, [box.pid("beat")], "scheduler")


@pytest.mark.long
@pytest.mark.parametrize(
    "spelling",
    [
        ["--app=proj.celery:app", "beat"],
        ["-A", "proj.celery", "beat"],
        ["--app", "proj", "beat", "-s", "{folder}/run/other"],
        ["-Aproj", "beat"],
        ["--workdir", "{folder}/app", "-A", "proj.celery:app", "beat"],
    ],
    ids=["app=module:app", "module", "app-space", "glued", "workdir"],
)
def test_spellings_of_one_app(box: Box, spelling: list[str]) -> None:
    box.app("celery", where="app/proj")
    box.write("app/proj/__init__.py", "")
    box.program("beat", _plain(box, "-A", "proj", "beat"))
    words = [word.format(folder=box.folder) for word in spelling]
    away = "app" if "--workdir" not in spelling else "."
    box.program("scheduler", _plain(box, *words), directory=away, startsecs=0)
    box.up()
    box.wait_beat("beat")
    box.wait_beat("scheduler")
    found = look(box).only("duplicate-beat")
    assert found["certainty"] in ("certain", "likely")
    assert found["effect"] == "double-scheduling"
    keep = found["keep"][0]["pid"]
    pids = {name: box.pid(name) for name in ("beat", "scheduler")}
    (surplus,) = [name for name, pid in pids.items() if pid != keep]
    double(found, keep, [(surplus, "xmlrpc")])
    mend(box)
    mended(box, [keep], surplus)


@pytest.mark.long
def test_the_app_in_the_environment(box: Box) -> None:
    box.app()
    box.program("beat", _plain(box, "-A", "proj", "beat"))
    box.program("scheduler", _plain(box, "beat"), env={"CELERY_APP": "proj"})
    box.up()
    box.wait_beat("beat")
    box.wait_beat("scheduler")
    found = look(box).only("duplicate-beat")
    assert found["effect"] == "double-scheduling"


@pytest.mark.long
def test_releases_on_one_broker(box: Box) -> None:
    """The old release's program was never removed: releases/1 and releases/2."""
    box.app(where="releases/1", broker_url="memory://")
    box.app(where="releases/2", broker_url="memory://")
    url = {"CELERY_BROKER_URL": "memory://broker.invalid/0"}
    for number in (1, 2):
        box.program(
            f"beat-{number}",
            _plain(box, "-A", "proj", "beat"),
            directory=f"releases/{number}",
            env=url,
        )
    box.up()
    box.wait_beat("beat-1")
    box.wait_beat("beat-2")
    found = look(box).only("duplicate-beat")
    assert (found["effect"], found["certainty"]) == ("double-scheduling", "likely")
    assert "one project" in " ".join(found["evidence"])
    mend(box)
    assert sorted(box.state(f"beat-{n}") for n in (1, 2)) == ["RUNNING", "STOPPED"]
    look(box).healthy()


@pytest.mark.long
def test_numprocs_of_three_without_a_pidfile(box: Box) -> None:
    box.app()
    box.program(
        "beat",
        box.beat(),
        numprocs=3,
        process_name="%(program_name)s_%(process_num)02d",
        stdout_logfile=box.folder / "log" / "beat_%(process_num)02d.log",
    )
    box.up()
    for number in range(3):
        box.wait_beat(f"beat_{number:02}")
    found = look(box).only("duplicate-beat")
    keep = found["keep"][0]["namespec"]
    stop = {f"beat:beat_{n:02}" for n in range(3)} - {keep}
    assert set(targets(found)) == {(name, "xmlrpc") for name in stop}
    assert "numprocs=1" in found["lasting_fix"]
    mend(box)
    mended(box, [found["keep"][0]["pid"]], *stop)


@pytest.mark.long
def test_two_supervisords(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.program(
        "beat", box.beat(), server="other", stdout_logfile=box.folder / "log/other-beat.log"
    )
    box.up()
    box.wait_beat("beat")
    box.wait_log("other-beat", "beat: Starting")
    found = look(box).only("duplicate-beat")
    kept = found["keep"][0]["supervisor"]
    surplus = ({box.url("main"), box.url("other")} - {kept}).pop()
    assert [t["supervisor"] for t in found["stop"]] == [surplus]
    mend(box)
    states = {box.url(name): box.state("beat", name) for name in ("main", "other")}
    assert states == {kept: "RUNNING", surplus: "STOPPED"}
    after = look(box)
    after.healthy()
    assert after.working() == [found["keep"][0]["pid"]]


@pytest.mark.long
def test_a_worker_that_embeds_a_beat_beside_a_beat(box: Box) -> None:
    """The stand-alone program is stopped now; the text says how it is turned round for good."""
    box.app()
    box.program("beat", box.beat())
    box.program("worker", box.worker(concurrency=2, more=["-B", "-s", box.folder / "run/embedded"]))
    box.up()
    box.wait_beat("beat")
    box.wait_beat("worker")
    seen = look(box)
    found = seen.only("duplicate-beat")
    embedded = next(b for b in seen.beats if b["embedded"])
    double(found, embedded["pid"], [("beat", "xmlrpc")])
    assert embedded["pid"] != box.pid("worker")
    assert "-B" in found["lasting_fix"] and "[program:worker]" in found["lasting_fix"]
    mend(box)
    mended(box, [embedded["pid"]], "beat")
    assert box.state("worker") == "RUNNING"


@pytest.mark.long
def test_a_loop_beside_a_worker_that_embeds_a_beat(box: Box) -> None:
    """One key ends the loop and the beat whose pidfile it wants; the worker's beat stays."""
    box.two_beats()
    box.program("worker", box.worker(more=["-B", "-s", box.folder / "run/embedded"]))
    box.up()
    box.wait_exits("beat2", 2)
    box.wait_beat("worker")
    seen = look(box)
    loop, beside = seen.findings
    assert (loop["programs"], beside["programs"]) == (["beat2"], ["beat"]), seen.told
    (stays,) = [b["pid"] for b in seen.beats if b["namespec"] == "worker"]
    mend(box)
    mended(box, [stays], "beat", "beat2")
    assert box.state("worker") == "RUNNING"


@pytest.mark.long
def test_two_workers_that_embed_a_beat_are_told_and_left_alone(box: Box) -> None:
    box.app()
    for name in ("w1", "w2"):
        more = ["-B", "-s", box.folder / f"run/{name}"]
        box.program(name, box.worker(name=name, more=more))
    box.up()
    box.wait_beat("w1")
    box.wait_beat("w2")
    found = look(box).only("duplicate-beat")
    assert found["effect"] == "double-scheduling"
    ((name, via),) = targets(found)
    assert name in ("w1", "w2") and via == "advice"
    assert "-B" in found["stop"][0]["why"] and "idle" in found["stop"][0]["why"]
    before = box.processes()
    said = mend(box, status=1)
    assert "-B" in said
    assert before <= box.processes()
    assert len(look(box).working()) == 2


@pytest.mark.long
def test_a_foreign_beat_beside_a_supervised_one(box: Box) -> None:
    """nohup from a debugging session: no pidfile, so both live; the stranger goes."""
    box.app()
    foreign = box.daemon(box.beat(schedule="run/other-schedule"))
    box.wait_beat("nohup")
    box.program("beat", box.beat())
    box.program("worker", box.worker())
    box.up()
    box.wait_beat("beat")
    found = look(box).only("duplicate-beat")
    double(found, box.pid("beat"), [(None, "signal")])
    assert found["stop"][0]["command"] == f"kill -TERM {foreign.pid}"
    mend(box)
    assert not foreign.alive
    mended(box, [box.pid("beat")])
    assert box.state("worker") == "RUNNING"


@pytest.mark.long
def test_a_foreign_beat_in_a_shell_is_ended_not_the_shell(box: Box) -> None:
    """`sh -c 'celery beat; echo ended'` by hand: the beat goes, the shell sees it end."""
    box.app()
    box.program("beat", box.beat())
    box.up()
    box.wait_beat("beat")
    words = " ".join(box.beat(schedule="run/other"))
    shell = box.daemon(["/bin/sh", "-c", f"{words}; echo ended"], name="hand")
    box.wait_beat("hand")
    seen = look(box)
    found = seen.only("duplicate-beat")
    double(found, box.pid("beat"), [(None, "signal")])
    assert found["stop"][0]["pid"] != shell.pid
    mend(box)
    box.wait_log("hand", "ended")
    mended(box, [box.pid("beat")])


@pytest.mark.long
def test_four_beats_of_every_sort_are_one_finding(box: Box) -> None:
    box.app()
    box.program("beat", box.beat())
    box.program("scheduler", box.beat(schedule="run/two"))
    box.program("worker", box.worker(more=["-B", "-s", box.folder / "run/three"]))
    box.up()
    foreign = box.daemon(box.beat(schedule="run/four"))
    for name in ("beat", "scheduler", "worker", "nohup"):
        box.wait_beat(name)
    seen = look(box)
    found = seen.only("duplicate-beat")
    embedded = next(b["pid"] for b in seen.beats if b["embedded"])
    assert [k["pid"] for k in found["keep"]] == [embedded]
    wanted = {("beat", "xmlrpc"), ("scheduler", "xmlrpc"), (None, "signal")}
    assert set(targets(found)) == wanted
    assert "4 times" in found["summary"]
    mend(box)
    assert not foreign.alive
    mended(box, [embedded], "beat", "scheduler")


@pytest.mark.long
def test_a_foreign_beat_whose_runner_would_start_it_again(box: Box) -> None:
    """Under honcho: SIGTERM would end its neighbours and be no cure. A person decides."""
    box.app()
    box.program("beat", box.beat())
    box.up()
    box.wait_beat("beat")
    runner = box.write("bin/honcho", "import subprocess, sys\nsubprocess.run(sys.argv[2:])\n")
    words = [sys.executable, runner, "start", *box.beat(schedule="run/other")]
    foreign = box.daemon(words, name="runner")
    box.wait_beat("runner")
    found = look(box).only("duplicate-beat")
    double(found, box.pid("beat"), [(None, "advice")])
    assert found["pids"] != [foreign.pid]
    assert "honcho" in found["stop"][0]["why"] + found["lasting_fix"]
    before = box.processes()
    mend(box, status=1)
    assert before <= box.processes()
