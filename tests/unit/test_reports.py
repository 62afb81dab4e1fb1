"""The faces without a screen: the public document, the check line, metrics, text."""

from __future__ import annotations

import http.client
import json
import re
import threading
from dataclasses import replace

import click
import pytest

from beattop.model.frame import Frame
from beattop.model.snapshot import CpuSplit
from beattop.model.source import SourceStatus
from beattop.reports import check, metrics, once
from beattop.reports.document import document
from tests import shape
from tests.unit.test_diagnosis import WORKER, seed
from tests.unit.world import World

PROGRAM = {
    "supervisor", "group", "name", "namespec", "role", "state", "state_at", "pid", "started_at", "uptime_s",
    "respawning", "periodic", "spawns_per_min", "spawns", "exits", "first_seen_at", "history_complete",
    "lifetime_median_s", "last_exit", "cpu_pct", "churn_pct", "rss_bytes", "last_error", "processes",
}  # fmt: skip
FINDING = {
    "kind", "severity", "certainty", "summary", "effect", "programs", "pids", "evidence", "keep", "stop", "lasting_fix",
}  # fmt: skip


def frame_of(world: World) -> Frame:
    return Frame(world.snapshot, world.findings, ())


@pytest.fixture
def incident() -> Frame:
    world = World()
    world.supervisord()
    seed(world)
    world.program("worker", WORKER)
    world.spawn("worker", age=50)
    world.process("/srv/v/bin/celery -A shop beat", age=900, cwd="/srv/shop")
    world.loop("beat2", 4)
    return frame_of(world)


@pytest.fixture
def calm() -> Frame:
    world = World()
    world.supervisord()
    world.program("worker", WORKER)
    world.spawn("worker", age=50)
    world.look()
    return frame_of(world)


def test_the_document_has_every_field_of_the_contract(incident, calm):
    shape.check(json.loads(json.dumps(document(calm))))
    value = json.loads(json.dumps(document(incident)))
    shape.check(value)
    assert value["schema"] == "beattop/1"
    assert {"version", "host", "at", "observed_s", "read_only", "cpu", "sources"} <= set(value)
    assert set(value["cpu"]) == {"cores", "busy_pct", "supervised_pct", "churn_pct", "other_pct"}
    for program in value["programs"]:
        assert set(program) >= PROGRAM
    beat2 = next(p for p in value["programs"] if p["name"] == "beat2")
    assert beat2["last_exit"] == {
        "status": 73,
        "signal": None,
        "at": pytest.approx(beat2["last_exit"]["at"]),
        "meaning": "cannot create (EX_CANTCREAT)",
    }
    assert beat2["respawning"] and beat2["spawns"] == beat2["exits"] == 4
    assert beat2["churn_pct"] == beat2["cpu_pct"] > 0
    (stranger,) = value["unmanaged"]
    assert {"pid", "role", "origin", "was", "argv", "started_at", "cpu_pct", "rss_bytes"} <= set(
        stranger
    )
    assert (stranger["origin"], stranger["was"]) == ("foreign", None)
    for beat in value["beats"]:
        assert set(beat) == {
            "key",
            "pid",
            "namespec",
            "supervisor",
            "embedded",
            "health",
            "pidfile",
            "schedule",
            "scheduler",
        }
        assert set(beat["key"]) == {"app", "cwd", "broker"}
    (finding,) = value["findings"]
    assert set(finding) >= FINDING
    assert set(finding["stop"][0]) >= {"supervisor", "namespec", "pid", "via", "command"}
    assert set(finding["keep"][0]) >= {"supervisor", "namespec", "pid"}
    assert finding["stop"][0]["pid"] is None  # between two lives


def test_what_is_not_known_is_null_never_zero(calm):
    value = document(calm)
    assert value["cpu"]["busy_pct"] is None
    (program,) = value["programs"]
    assert (
        program["cpu_pct"] is None
        and program["spawns_per_min"] is None
        and program["last_exit"] is None
    )


def test_passwords_do_not_leave(incident):
    world = World()
    world.supervisord()
    world.program("worker", "celery -A p -b redis://:geheim@h/0 worker")
    world.spawn("worker", "celery -A p -b redis://:**@h/0 worker", age=5)
    world.look()
    frame = frame_of(world)
    for text in (
        json.dumps(document(frame)["beats"]),
        metrics.exposition(frame),
        "\n".join(once.lines(frame)),
    ):
        assert "geheim" not in text


def test_check_tells_the_verdict_and_the_figures(incident, calm):
    assert check.status(incident) == check.CRITICAL
    text = check.line(incident)
    assert re.match(r"BEATTOP CRITICAL - beat2 .*\| ", text) and "\n" not in text
    words, _, figures = text.partition(" | ")
    assert "|" not in words
    assert all(re.fullmatch(r"[a-z]+=(?:[\d.]+%?|U)(?:;[\d.]*)*", f) for f in figures.split())
    assert check.status(calm) == check.OK
    assert check.line(calm).startswith("BEATTOP OK - 1 program steady")
    assert len(check.line(incident, oneline=True)) < len(text)


def test_what_is_not_known_is_not_called_well(calm):
    (one,) = calm.snapshot.programs
    programs = (
        one,
        replace(one, state="STARTING"),
        replace(one, pid=None, state="STOPPED"),
        replace(one, pid=None, state=None),
    )
    half = replace(calm, snapshot=replace(calm.snapshot, programs=programs))
    words = "1 program steady, 1 starting or stopping, 1 not running, the state of 1 not known"
    assert words in check.line(half)
    text = click.unstyle("\n".join(once.lines(half)))
    assert f"Nothing wrong seen: {words}" in text and "All well" not in text


def test_a_blind_check_is_unknown(calm):
    blind = replace(calm.snapshot, sources=(SourceStatus("processes", "/proc", "denied", "no"),))
    assert check.status(replace(calm, snapshot=blind)) == check.UNKNOWN
    denied = replace(
        calm.snapshot,
        sources=(
            SourceStatus("processes", "/proc", "ok"),
            SourceStatus("supervisor", "u", "denied", "no"),
        ),
    )
    assert check.status(replace(calm, snapshot=denied)) == check.UNKNOWN


def test_a_supervisord_that_is_not_there_is_no_ok(calm):
    ok = SourceStatus("supervisor", "unix:///one.sock", "ok")
    down = SourceStatus("supervisor", "unix:///two.sock", "down", "the socket does not exist")
    for sources in ((down,), (ok, down), (down, SourceStatus("mainlog", "/l", "ok"))):
        frame = replace(
            calm,
            snapshot=replace(
                calm.snapshot, sources=(SourceStatus("processes", "/proc", "ok"), *sources)
            ),
        )
        assert check.status(frame) == check.UNKNOWN
        assert "unix:///two.sock is not seen (down): the socket does not exist |" in check.line(
            frame
        )
        assert (
            check.line(frame, oneline=True)
            == "UNKNOWN: supervisord unix:///two.sock is not seen (down)"
        )
    quiet = SourceStatus("supervisor", "", "absent", "none found")
    frame = replace(
        calm,
        snapshot=replace(calm.snapshot, sources=(SourceStatus("processes", "/proc", "ok"), quiet)),
    )
    assert check.status(frame) == check.OK


def test_metrics_are_openmetrics(incident):
    text = metrics.exposition(incident)
    assert text.endswith("# EOF\n")
    families: dict[str, str] = {}
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families
            families[name] = kind
        elif not line.startswith("#"):
            match = re.fullmatch(r'([a-z_]+)(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? \S+', line)
            assert match, line
            base = re.sub(r"_(?:total|info)$", "", match[1])
            assert base in families or match[1] in families, line
            if families.get(base) == "counter":
                assert match[1].endswith("_total")
    assert re.search(r'beattop_program_respawning\{.*namespec="beat2".*\} 1\n', text)
    assert re.search(r'beattop_findings\{kind="duplicate-beat",severity="critical"\} 1\n', text)


def test_the_textfile_is_whole_or_not_there(incident, tmp_path):
    path = tmp_path / "beattop.prom"
    metrics.write_textfile(incident, path)
    assert path.read_text() == metrics.exposition(incident)
    assert [p.name for p in tmp_path.iterdir()] == ["beattop.prom"]
    with pytest.raises(OSError):
        metrics.write_textfile(incident, tmp_path / "none" / "x")


def test_the_text_says_what_to_do(incident, calm):
    text = click.unstyle("\n".join(once.lines(incident)))
    assert "supervisorctl -c /etc/supervisor/supervisord.conf stop beat2" in text
    assert "OUTSIDE SUPERVISOR" in text
    assert text.index("CRITICAL") < text.index("PROGRAM")
    assert "All well: 1 program steady." in click.unstyle("\n".join(once.lines(calm)))


def test_the_text_says_what_the_churn_costs_where_a_price_is_known(incident, calm):
    churn = incident.snapshot.cpu.churn_pct
    with_price = "\n".join(once.lines(incident, price=0.1))
    assert f"costs {churn / 100 * 730 * 0.1:,.2f} a month" in with_price
    assert "a month" not in "\n".join(once.lines(incident))
    assert "burnt" not in "\n".join(once.lines(calm, price=0.1))


def test_a_box_without_supervisord_says_what_to_do():
    world = World()
    world.look()
    text = "\n".join(once.lines(frame_of(world)))
    assert "No supervisord found" in text and "--supervisor" in text


NO_CPU = CpuSplit(2, None, None, None, None)
PERFDATA = re.compile(
    r"('[^'=|]+'|[^\s'=|]+)=(U|-?[0-9.]+(%|s|us|ms|B|KB|MB|GB|TB|c)?)"
    r"(;(@?[-0-9.:~]*)){0,2}(;-?[0-9.]*){0,2}"
)
"""Monitoring Plugins Development Guidelines, "Performance data"."""


def test_the_check_line_follows_the_guidelines(incident, calm):
    for frame in (incident, calm, Frame(replace(calm.snapshot, cpu=NO_CPU), (), ())):
        text = check.line(frame)
        assert "\n" not in text and text.count("|") == 1
        for item in text.split(" | ")[1].split(" "):
            assert PERFDATA.fullmatch(item), item
        short = check.line(frame, oneline=True)
        assert "\n" not in short and "|" not in short


@pytest.fixture
def served(incident):
    """An exporter's address, and what it shows."""
    shown: list[Frame | None] = [incident]
    server = metrics.server(("127.0.0.1", 0), lambda: shown[0])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], shown
    server.shutdown()
    thread.join()
    server.server_close()


def ask(port: int, method: str, path: str) -> tuple[int, int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    length = int(answer.headers["Content-Length"])
    found = answer.status, length, answer.read(), answer.headers["Server"]
    connection.close()
    return found


def test_the_exporter_answers_get_and_head_alike(served):
    port, shown = served
    for path, status in (("/metrics", 200), ("/metrics?x=1", 200), ("/", 200), ("/x", 404)):
        got, length, body, server = ask(port, "GET", path)
        assert (got, length) == (status, len(body)) and server.startswith("beattop/")
        assert "Python" not in server
        assert ask(port, "HEAD", path)[:3] == (status, length, b"")
    shown[0] = None
    assert ask(port, "GET", "/metrics")[0] == ask(port, "HEAD", "/metrics")[0] == 503
