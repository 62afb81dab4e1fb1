"""The filter's language."""

from __future__ import annotations

import pytest

from beattop.ui.query import parse
from beattop.ui.rows import Row
from tests.ui.frames import pid_

LOOP = Row(
    pid_("beat2"), "program", "beat2", program=pid_("beat2"), pid=4711, role="beat", state="RESPAWNING", cpu=79.0,
    churn=79.0, rss=45_000_000, age_s=1.3, spawns_per_min=22.5, median_s=2.2, last_exit="73 cannot create",
    command="celery -A proj beat", finding="duplicate-beat critical",
)  # fmt: skip
CALM = Row(
    pid_("web"),
    "program",
    "web",
    pid=99,
    role="other",
    state="RUNNING",
    cpu=0.2,
    age_s=9e5,
    command="gunicorn [x]",
)


@pytest.mark.parametrize(
    "text",
    ["beat2", "BEAT", "role:beat", "state:respawning", "cpu>5", "cpu>=79 role:beat", "role:worker,beat", "!web",
     "rss>40M", "up<1min", "spawns>20", "exit:73", "pid:4711", "pid=4711", "finding:duplicate", "life<3s", "!role:other",
     "-A", "churn>1 !state:running", "command:proj", "up<1m", "rss<1gb", "cannot"],
)  # fmt: skip
def test_matches_the_loop_and_not_the_calm(text):
    query = parse(text)
    assert query and not query.trouble
    assert query(LOOP)
    assert not query(CALM)


@pytest.mark.parametrize("text", ["", "   ", "role:"])
def test_nothing_filters_nothing(text):
    assert not parse(text)


def test_what_is_not_known_matches_no_comparison():
    assert not parse("churn<5")(CALM)
    assert not parse("churn>=0")(CALM)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rolle:beat", "no field rolle"),
        ("cqu>5", "no number cqu"),
        ("cpu>5x", "cpu has no unit x"),
        ("rss>5h", "rss has no unit h: b k"),
    ],
)
def test_what_is_not_understood_is_said(text, words):
    assert words in parse(text).trouble


@pytest.mark.parametrize(
    "text", ["[", "(", "\\", "%s", "a:b:c", ">", "cpu>", "!!", "unix:///x", "日本"]
)
def test_odd_text_is_a_word(text):
    parse(text)(LOOP)


def test_brackets_are_looked_for_as_they_are():
    assert parse("[x]")(CALM)
    assert not parse("[x]")(LOOP)


@pytest.mark.parametrize("text", ["cpu>", "rss>=", "up<x", "life=soon"])
def test_a_comparison_without_a_number_filters_nothing_and_says_so(text):
    query = parse(text)
    assert not query
    assert "wants a number" in query.trouble
