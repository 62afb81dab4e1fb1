"""The words above the table: what stands in the first three lines, at every size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.diagnosis.supervisord import not_answering
from beattop.model.snapshot import Burnt
from beattop.model.source import SourceStatus
from beattop.ui.calm import calm_words
from beattop.ui.cpubar import cost, cpubar
from beattop.ui.header import Condition, header
from beattop.ui.keymap import Keymap
from beattop.ui.line import line, paragraph, plain, width, wrap
from beattop.ui.room import room
from beattop.ui.verdict import verdict
from tests.ui import frames
from tests.ui.conftest import SIZES

shown = Keymap().shown
WIDTHS = (200, 160, 120, 100, 80, 60, 50, 40)


def top(frame, size, **kw):
    space = room(size[1])
    head = header(frame, Condition(age_s=0.3), size[0], with_cpu=not space.cpu_rows)
    return [
        head,
        *verdict(frame, size[0], shown, more=space.more_findings, facts=space.facts, **kw),
    ]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_program_cause_and_key_within_three_lines(size):
    text = plain(top(frames.incident(), size)[:3])
    assert "beat2" in text
    assert "second beat of" in text
    assert " d  stop beat2" in text
    assert "73" in text


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_in_read_only_the_key_shows_the_plan(size):
    text = plain(top(frames.incident(), size, read_only=True)[:3])
    assert " d  plan" in text


@pytest.mark.parametrize("answers", [True, False])
def test_no_key_promises_what_its_supervisord_would_not_do(answers):
    one = frames.incident()
    loop = replace(one.findings[0], kind="respawn-loop", stop=())
    servers = tuple(replace(s, answers=answers) for s in one.snapshot.supervisords)
    told = replace(one, findings=(loop,), snapshot=replace(one.snapshot, supervisords=servers))
    words = plain(verdict(told, 120, shown))
    name = loop.programs[0].namespec
    assert (f" S  stop {name}" if answers else f" S  plan: stop {name}") in words


@pytest.mark.parametrize("width_", WIDTHS)
@pytest.mark.parametrize(
    "make", [frames.incident, frames.calm, frames.hostile, frames.no_supervisord, frames.no_celery]
)
def test_nothing_is_wider_than_the_pane(width_, make):
    frame = make()
    lines = [
        *top(frame, (width_, 50)), *top(frame, (width_, 8)),
        *cpubar(frame.snapshot, width_, 1), *cpubar(frame.snapshot, width_, 2, 0.05),
    ]  # fmt: skip
    assert max(width(line) for line in lines) <= width_


def test_several_findings_are_counted_and_named():
    one = frames.incident()
    more = tuple(
        replace(one.findings[0], identity=str(n), short=f"finding {n}", summary=f"finding {n}")
        for n in range(6)
    )
    frame = replace(one, findings=(*one.findings, *more))
    text = plain(verdict(frame, 120, shown, more=3))
    assert "finding 0" in text and "finding 1" in text
    assert "4 more findings" in text
    small = plain(verdict(frame, 40, shown, more=0, facts=False))
    assert " v  +6" in small and len(small.splitlines()) == 2


def test_calm_is_one_grey_line():
    lines = verdict(frames.calm(), 120, shown)
    assert len(lines) == 1
    assert {span.ink for span in lines[0]} == {"dim"}
    assert (
        plain(lines).strip()
        == "All 12 programs steady. One beat for proj. Last exit 3 d ago (beat)."
    )


def test_a_state_that_is_not_known_is_not_called_steady():
    frame = frames.calm()
    programs = tuple(replace(p, state=None) for p in frame.snapshot.programs[:3])
    blind = replace(frame, snapshot=replace(frame.snapshot, programs=programs))
    words = plain(verdict(blind, 120, shown)).strip()
    assert words.startswith("Nothing wrong seen, but the state of 3 programs is not known.")
    programs = (replace(frame.snapshot.programs[0], state="BACKOFF"), *frame.snapshot.programs[1:])
    begun = replace(frame, snapshot=replace(frame.snapshot, programs=programs))
    words = plain(verdict(begun, 120, shown)).strip()
    assert words.startswith("Nothing wrong seen; 1 program starting or stopping.")


def test_a_periodic_program_between_two_lives_is_steady():
    snapshot = frames.calm().snapshot
    *rest, last = snapshot.programs
    resting = replace(snapshot, programs=(*rest, replace(last, pid=None, periodic=True)))
    assert calm_words(resting) == calm_words(snapshot)
    stopped = replace(snapshot, programs=(*rest, replace(last, pid=None)))
    assert calm_words(stopped).startswith("11 of 12 programs steady, 1 not running")


def test_beats_of_namesakes_are_one_for_each_project():
    snapshot = frames.calm().snapshot
    (beat,) = snapshot.beats
    other = replace(beat, key=beat.key._replace(cwd="/srv/other"), pid=77)
    two = replace(snapshot, beats=(beat, other))
    assert "One beat for each of 2 projects proj." in calm_words(two)
    same = replace(snapshot, beats=(beat, replace(beat, pid=77)))
    assert "2 beats for proj." in calm_words(same)


@pytest.mark.parametrize("size", [200, 120, 80, 40])
def test_a_supervisord_that_is_gone_is_named_with_why_and_the_key(size):
    server = "unix:///var/run/a/rather/long/path/to/supervisor.sock"
    why = "the socket does not exist: supervisord does not run"
    word = SourceStatus("supervisor", server, "down", why)
    snapshot = frames.incident().snapshot
    gone = replace(snapshot.supervisords[0], id=server, key=None, answers=False)
    seen = replace(snapshot, supervisords=(gone,), sources=(word,), limited_to=(server,))
    (found,) = not_answering(seen)
    frame = replace(frames.incident(), snapshot=seen, findings=(found,))
    text = plain(verdict(frame, size, shown, more=0, facts=False))
    assert "does not answer: the" in " ".join(text.split()), text
    assert " v " in text.splitlines()[1]


def test_what_is_not_seen_is_told_with_what_would_mend_it():
    frame = frames.incident()
    snapshot = replace(frame.snapshot, sources=frames.sources(mainlog=("denied", "run as root")))
    text = plain(verdict(replace(frame, snapshot=snapshot), 120, shown))
    assert "mainlog /var/log/supervisor/supervisord.log denied: run as root" in text


def test_words_for_boxes_with_nothing_on_them():
    assert calm_words(frames.no_supervisord().snapshot).startswith("No supervisord and no Celery")
    assert "None of them runs Celery" in calm_words(frames.no_celery().snapshot)


def test_before_the_first_frame():
    assert "Looking at the box" in plain(verdict(None, 80, shown))
    assert "Looking failed: boom" in plain(verdict(None, 80, shown, trouble="boom"))


def test_costs_are_told_with_and_without_a_price():
    snapshot = frames.incident().snapshot
    assert cost(snapshot, None).startswith("≈ 34 core-hours since ")
    # 79 % of a core, 730 hours a month
    assert cost(snapshot, 0.05).endswith(", costs 28.84 a month")
    assert cost(replace(snapshot, burnt=Burnt()), 0.05) == ""
    assert cost(replace(snapshot, burnt=Burnt(120.0)), None) == "≈ 120 core-seconds"


def test_the_bars_parts_are_as_long_as_their_shares():
    bar = plain(cpubar(frames.incident().snapshot, 120, 2)[:1])
    work, churn, other = (bar.count(sign) for sign in "█▒░")
    whole = work + churn + other + bar[bar.index("▕") : bar.index("▏")].count(" ")
    assert churn / whole == pytest.approx(79 / 200, abs=0.02)
    assert work / whole == pytest.approx(12 / 200, abs=0.02)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition(age_s=7.0), "data 7 s old"),
        (Condition(age_s=None), "no data yet"),
        (Condition(trouble="the collector ended: boom"), "the collector ended: boom"),
        (Condition(read_only=True), "READ-ONLY"),
        (Condition(paused=True), "PAUSED"),
        (Condition(title="demo"), "beattop demo"),
    ],
)
def test_the_header_tells_its_condition(condition, words):
    assert words in plain([header(frames.incident(), condition, 120)])


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({}, "supervisor not asked yet"),
        ({"key": None}, "supervisor does not run"),
        ({"id": "conf:/etc/s.conf", "url": None}, "supervisor has no server"),
    ],
)
def test_the_header_says_why_a_supervisord_told_nothing(server, words):
    frame = frames.incident()
    (told,) = frame.snapshot.supervisords
    unasked = replace(told, version=None, answered_at=None, answers=None, **server)
    silent = replace(frame, snapshot=replace(frame.snapshot, supervisords=(unasked,)))
    assert words in plain([header(silent, Condition(age_s=0.1), 120)])


def test_the_header_names_sources_in_trouble():
    frame = frames.incident()
    bad = replace(
        frame,
        snapshot=replace(frame.snapshot, sources=frames.sources(mainlog=("denied", "run as root"))),
    )
    assert "mainlog denied" in plain([header(bad, Condition(age_s=0.1), 120)])


def test_the_header_tells_where_a_replay_is():
    frame = replace(frames.incident(), position=(36, 1200), playing=10.0)
    assert "REPLAY 37/1200 ×10" in plain([header(frame, Condition(live=False), 120)])
    assert " 37/1200 ×10" in plain([header(frame, Condition(live=False), 40, with_cpu=True)])


def several(more: int):
    frame = frames.incident()
    first = frame.findings[0]
    others = tuple(
        replace(first, kind="respawn-loop", programs=(frames.pid_(f"job{n}"),), keep=(), stop=(), pids=(),
                summary=f"job{n} dies every second (exit 1).", short=f"job{n} dies", identity=f"x{n}")
        for n in range(more)
    )  # fmt: skip
    return replace(frame, findings=(first, *others))


@pytest.mark.parametrize("size", [*SIZES, (30, 6), (20, 4)], ids=str)
def test_with_many_findings_the_first_ones_key_stays_and_the_rest_is_counted(size):
    lines = plain(top(several(9), size)).split("\n")
    assert "beat2" in lines[1]
    assert " d  stop" in " ".join(lines[1:3])
    told = [f"job{n}" for n in range(9) if any(f"job{n} dies" in line for line in lines)]
    if size[0] >= 30:
        hidden = 9 - len(told)
        assert f"v  +{hidden}" in lines[2] or f"{hidden} more findings" in lines[-1] or not hidden
    assert all(len(line) <= size[0] for line in lines)


@pytest.mark.parametrize("size", [(80, 24), (80, 10), (40, 8)], ids=str)
def test_an_address_never_hides_the_cause(size):
    frame = frames.incident()
    one = frame.findings[0]
    where = f"({frames.URL})"
    named = replace(
        one,
        summary=f"beat2 {where} is a second beat of proj and dies every 2.7 s (exit 73): beat {where} (pid 4690) holds it.",
        short=f"beat2 {where} respawns every 2.7 s (73): beat {where} holds the pidfile",
    )
    text = plain(top(replace(frame, findings=(named,)), size)[1:3])
    assert "beat2" in text and "holds" in text and " d  stop" in text


def test_what_spends_shows_costs_once():
    frame = frames.incident()
    once = plain(verdict(frame, 120, shown, costs=False))
    assert "core-hours" not in once and "loses nothing" in once
    assert "core-hours" in plain(verdict(frame, 160, shown))


def test_before_supervisord_was_heard_nothing_is_concluded():
    frame = frames.no_supervisord()
    early = tuple(s for s in frame.snapshot.sources if s.name != "supervisor")
    unheard = replace(frame.snapshot, sources=early)
    assert calm_words(unheard).startswith("Gathering")
    assert calm_words(frame.snapshot).startswith("No supervisord")


def test_a_long_lead_takes_no_room_from_the_lines_below():
    lead = line("remove /run/a/rather/long/name.pid  ")
    rows = plain(paragraph("it names pid 21070, which is no beat", 40, "", 8, lead)).split("\n")
    assert rows == [
        "remove /run/a/rather/long/name.pid  it",
        "        names pid 21070, which is no",
        "        beat",
    ]
    rows = plain(paragraph("sometimes", 40, "", 8, lead)).split("\n")
    assert rows == ["remove /run/a/rather/long/name.pid", "        sometimes"]


def test_a_word_of_no_width_is_not_lost():
    assert wrap("one \u0301 two", 4) == ["one \u0301", "two"]
    assert wrap("four \u0301 four", 4) == ["four", "\u0301", "four"]
