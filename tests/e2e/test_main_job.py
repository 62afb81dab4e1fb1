"""The main job on real parts: the incident is seen, named, stopped and verified; and read-only."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.incident import Box
from tests.e2e.proxy import Proxy
from tests.e2e.terminal import Terminal, beattop
from tests.e2e.waiting import wait_until

WRITES = (
    "stop",
    "start",
    "signal",
    "reload",
    "clear",
    "shutdown",
    "restart",
    "remove",
    "add",
    "send",
)


@pytest.fixture(scope="module")
def box(tmp_path_factory) -> Iterator[Box]:
    with Box(tmp_path_factory.mktemp("main-job")) as made:
        made.two_beats(worker=True)
        made.up()
        made.wait_exits("beat2", 2)
        yield made


def document(box: Box, *words: object) -> dict:
    done = box.beattop("--once", "--json", "--supervisor", box.conf(), *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def loops_again(box: Box) -> None:
    """Whatever a test did, the loop goes round for the next one."""
    if box.state("beat2") in ("STOPPED", "FATAL"):
        box.rpc("startProcess", "beat2", False)
    before = len(box.exits("beat2"))
    wait_until(lambda: len(box.exits("beat2")) >= before + 2, "beat2 to loop again")


def test_the_first_document_names_it(box):
    found = document(box)
    (finding,) = found["findings"]
    assert (finding["kind"], finding["effect"], finding["severity"], finding["certainty"]) == (
        "duplicate-beat",
        "respawning",
        "critical",
        "certain",
    )
    assert [k["namespec"] for k in finding["keep"]] == ["beat"]
    (target,) = finding["stop"]
    assert (target["namespec"], target["via"]) == ("beat2", "xmlrpc")
    assert target["command"] == f"supervisorctl -c {box.conf()} stop beat2"
    assert (
        f"{box.conf()}:" in finding["lasting_fix"] and "[program:beat2]" in finding["lasting_fix"]
    )
    programs = {p["name"]: p for p in found["programs"]}
    beat2 = programs["beat2"]
    assert beat2["respawning"] and not programs["beat"]["respawning"]
    assert beat2["last_exit"]["status"] == 73
    assert beat2["last_exit"]["meaning"] == "cannot create (EX_CANTCREAT)"
    assert "already exists" in beat2["last_error"]
    assert beat2["history_complete"] and beat2["exits"] >= 2
    assert beat2["churn_pct"] > 5
    cpu = found["cpu"]
    assert cpu["busy_pct"] == pytest.approx(
        cpu["supervised_pct"] + cpu["churn_pct"] + cpu["other_pct"], abs=0.1
    )
    assert programs["worker"]["role"] == "worker"
    assert {p["role"] for p in programs["worker"]["processes"]} == {"worker", "pool"}


@pytest.mark.parametrize("lifecycle", ["connector", "log", "poll"])
def test_every_way_to_hear_of_deaths_names_it_and_counts_as_the_log_does(box, lifecycle):
    def logged() -> int:
        return box.log("main").count("exited: beat2 (exit status 73")

    before = logged()
    found = document(box, "--lifecycle", lifecycle)
    assert [f["kind"] for f in found["findings"]] == ["duplicate-beat"]
    (source,) = [s for s in found["sources"] if s["name"] == "lifecycle"]
    assert source["detail"][0] in {"connector": "ABC", "log": "BC", "poll": "C"}[lifecycle]
    beat2 = next(p for p in found["programs"] if p["name"] == "beat2")
    assert before <= beat2["exits"] <= logged()
    assert beat2["spawns"] - beat2["exits"] in (0, 1)


def test_text_check_and_metrics_tell_the_same(box):
    text = box.beattop("--once", "--supervisor", box.conf())
    assert text.returncode == 0 and "beat2 is a second beat" in text.stdout
    assert "\x1b" not in text.stdout
    check = box.beattop("check", "--supervisor", box.conf())
    assert check.returncode == 2
    assert check.stdout.startswith("BEATTOP CRITICAL - beat2") and check.stdout.count("\n") == 1
    metrics = box.beattop("metrics", "--supervisor", box.conf())
    assert metrics.returncode == 0 and metrics.stdout.endswith("# EOF\n")
    assert 'namespec="beat2"' in metrics.stdout


def test_a_recording_finds_the_same(box):
    tape = box.folder / "tape"
    done = box.beattop("record", tape, "--seconds", "3", "--supervisor", box.conf())
    assert done.returncode == 0, done.stderr
    again = box.beattop("replay", tape, "--once", "--json")
    assert again.returncode == 0, again.stderr
    (finding,) = json.loads(again.stdout)["findings"]
    assert finding["stop"][0]["namespec"] == "beat2"
    assert box.beattop("record", tape).returncode == 2


def test_read_only_asks_and_never_writes(box):
    plan = box.beattop("stop-duplicates", "--yes", "--read-only", "--supervisor", box.conf())
    assert plan.returncode == 4
    assert f"supervisorctl -c {box.conf()} stop beat2" in plan.stdout
    socket = Path(str(box.conf())).parent / "proxy.sock"
    proxy = Proxy(socket, box.url().removeprefix("unix://"))
    try:
        with Terminal(
            beattop("--read-only", "--supervisor", f"unix://{socket}"),
            box.env_of_viewer,
            box.folder,
        ) as screen:
            screen.wait("beat2")
            screen.wait("READ-ONLY")
            for key in "dySyRysyuyx":
                screen.press(key)
                screen.read(0.2)
            screen.press("\x1b")
            screen.read(0.2)
            screen.press("\x1bq")
            screen.press("q")
            screen.send(signal.SIGTERM)
            screen.end()
    finally:
        proxy.close()
    assert "supervisor.getAllProcessInfo" in proxy.methods
    for method in proxy.methods:
        verb = method.rpartition(".")[2]
        assert not verb.startswith(WRITES), proxy.methods
    assert box.state("beat2") != "STOPPED"


def test_d_stops_the_duplicate_on_a_real_terminal_and_u_starts_it_again(box):
    loops_again(box)
    with Terminal(beattop("--supervisor", box.conf()), box.env_of_viewer, box.folder) as screen:
        shown = screen.wait(
            lambda text: "beat2" in text.split("\n")[1], "the verdict in the second line"
        )
        assert "73" in shown
        screen.press("d")
        words = ("stop beat2", "stopProcess", "[ Cancel ]")  # it is drawn small first
        screen.wait(lambda text: all(word in text for word in words), "the whole dialog")
        screen.press("\r")  # the focus is on Cancel
        screen.wait(lambda text: "stopProcess" not in text, "the dialog to close")
        assert box.state("beat2") != "STOPPED"
        screen.press("d")
        screen.wait("stopProcess")
        screen.press("y")
        screen.wait("beat2 is stopped", within=90)
        assert box.state("beat2") == "STOPPED"
        assert box.state("beat") == "RUNNING"
        screen.press("u")
        screen.wait("startProcess")
        screen.press("y")
        wait_until(lambda: box.state("beat2") != "STOPPED", "beat2 to be started again", 30)
        screen.press("\x1b")
        screen.read(0.5)
        screen.send(signal.SIGTERM)
        assert screen.end() == 128 + signal.SIGTERM
        assert screen.restored()
    journal = Path(box.env_of_viewer["HOME"]) / ".local/state/beattop/journal.jsonl"
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    assert any("stopProcess" in json.dumps(e) for e in events)
    loops_again(box)


@pytest.mark.parametrize("size", [(200, 50), (120, 40), (80, 24), (80, 10), (40, 8)])
def test_the_first_lines_hold_program_cause_and_key_at_every_size(box, size):
    with Terminal(
        beattop("--supervisor", box.conf()), box.env_of_viewer, box.folder, *size
    ) as screen:
        top = lambda text: " ".join(text.split("\n")[:4])  # noqa: E731  header and three lines
        screen.wait(
            lambda text: all(sign in f" {top(text)} " for sign in ("beat2", "73", " d ")),
            "program, cause and key on top",
        )
        screen.press("q")
        assert screen.end() == 0
        assert screen.restored()


def test_sighup_restores_the_terminal(box):
    with Terminal(beattop("--supervisor", box.conf()), box.env_of_viewer, box.folder) as screen:
        screen.wait("beat2")
        screen.send(signal.SIGHUP)
        assert screen.end() == 128 + signal.SIGHUP
        assert screen.restored()


def test_a_signal_ends_a_look_without_a_word(box):
    process = subprocess.Popen(
        beattop("--once", "--observe", "60"),
        env=box.env_of_viewer,
        cwd=box.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    threads = Path(f"/proc/{process.pid}/task")
    wait_until(lambda: len(list(threads.iterdir())) > 1, "the collector's thread")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    assert (out, err) == (b"", b"")


def test_a_broken_pipe_is_quiet(box):
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{beattop()[0]}' -m beattop --once --json --observe 0 --supervisor '{box.conf()}' | true"],
        env=box.env_of_viewer, cwd=box.folder, capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.stderr == b""


def test_stop_duplicates_does_it_without_a_screen(box):
    loops_again(box)
    plan = box.beattop("stop-duplicates", "--supervisor", box.conf())
    assert plan.returncode == 0 and "stopProcess" in plan.stdout
    assert box.state("beat2") != "STOPPED"
    wrong = box.beattop("stop-duplicates", "nonsense", "--yes", "--supervisor", box.conf())
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1
    done = box.beattop("stop-duplicates", "--yes", "--supervisor", box.conf(), timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert box.state("beat2") == "STOPPED" and box.state("beat") == "RUNNING"
    after = document(box)
    assert [f for f in after["findings"] if f["severity"] != "info"] == []
    assert after["cpu"]["churn_pct"] == 0
    again = box.beattop("stop-duplicates", "--yes", "--supervisor", box.conf())
    assert again.returncode == 0
    assert box.beattop("check", "--supervisor", box.conf()).returncode == 0
    loops_again(box)
