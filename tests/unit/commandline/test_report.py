"""`beattop classify`: one answer a line, in order, passwords masked, bad lines told apart."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.reports.classify import run


def answers(*lines: str) -> tuple[int, list[dict[str, object]]]:
    out = io.StringIO()
    status = run(lines, out)
    return status, [json.loads(line) for line in out.getvalue().splitlines()]


def asked(*argv: str) -> str:
    return json.dumps({"argv": argv, "cwd": None})


def test_every_field_is_there_in_its_order() -> None:
    line = "celery -A shop -b redis://:pw@r/0 worker -B -Q a,b -n w@%h --pidfile= -s /s"
    status, (found,) = answers(asked(*line.split()))
    assert status == 0
    assert list(found) == [
        *("role", "app", "broker", "pidfile", "schedule", "scheduler", "queues", "hostname"),
    ]
    assert found == {
        "role": "worker+beat",
        "app": "shop",
        "broker": "redis://:**@r/0",
        "pidfile": "",
        "schedule": "/s",
        "scheduler": None,
        "queues": ["a", "b"],
        "hostname": "w@%h",
    }


def test_answers_stand_in_the_order_of_the_lines() -> None:
    status, found = answers(asked("celery", "beat"), asked("ls"), asked("sh", "-c", "celery beat"))
    assert (status, [x["role"] for x in found]) == (0, ["beat", "other", "wrapper"])


@pytest.mark.parametrize(
    ("broker", "shown"),
    [
        ("amqp://u:pw@h1//;amqp://u:pw@h2//", "amqp://u:**@h1//;amqp://u:**@h2//"),
        ("redis://:p;w,x@h:6379/0", "redis://:**@h:6379/0"),
        ("redis://:p w\n@h:6379/0", "redis://:**@h:6379/0"),
        ("amqp://me@shop.de:p/w@h//", "amqp://me@shop.de:**@h//"),
        ("u:pw@h:5672/v", "u:**@h:5672/v"),
        ("localhost:5672", "localhost:5672"),
        ("", ""),
        ("%(ENV_BROKER_URL)s", "%(ENV_BROKER_URL)s"),
    ],
)
def test_only_the_password_is_masked(broker: str, shown: str) -> None:
    _, (found,) = answers(asked("celery", "-b", broker, "beat"))
    assert found["broker"] == shown


@pytest.mark.parametrize(
    "line",
    [
        *("", "\n", "nonsense", "{", "[]", "3", "null", '"celery beat"', "{}", '{"argv": null}'),
        *('{"argv": "celery"}', '{"argv": ["celery", 3]}', '{"argv": ["celery", null]}'),
        *('{"argv": [["celery"]]}', '{"argv": ["celery"], "cwd": 3}', "\x00", "[" * 100_000),
        *("9" * 10_000, '{"argv": [' * 50_000),
    ],
    ids=lambda line: line[:24],
)
def test_a_bad_line_is_told_and_the_rest_is_read(line: str) -> None:
    status, found = answers(asked("celery", "beat"), line, asked("celery", "worker"))
    assert status == 2
    assert [set(x) == {"error"} for x in found] == [False, True, False]
    assert found[1]["error"]
    assert (found[0]["role"], found[2]["role"]) == ("beat", "worker")


def test_what_may_be_left_out_or_added() -> None:
    assert answers('{"argv": []}')[1][0]["role"] == "other"
    assert answers('{"argv": ["celery", "beat"]}')[0] == 0
    assert answers('{"argv": ["celery", "beat"], "cwd": "/srv", "note": 3}\n')[0] == 0


def test_each_answer_leaves_before_the_next_line_is_read() -> None:
    out = io.StringIO()

    def lines() -> Iterator[str]:
        for count in range(3):
            assert out.getvalue().count("\n") == count
            yield asked("celery", "beat")

    assert run(lines(), out) == 0


def test_hostile_words_neither_raise_nor_reach_a_terminal() -> None:
    out = io.StringIO()
    words = ["celery", "-A", "\udcff\x1b[2J\x00\u202e", "beat", "-s", "a\nb", "\x9b"]
    assert run([json.dumps({"argv": words})], out) == 0
    assert out.getvalue().isascii()
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue())["app"] == "\udcff\x1b[2J\x00\u202e"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.text(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
)
def test_any_text_gives_one_answer_a_line(lines: list[str]) -> None:
    status, found = answers(*lines)
    assert len(found) == len(lines)
    assert status == (2 if any("error" in x for x in found) else 0)
