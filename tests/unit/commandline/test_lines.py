"""Labelled command lines of every kind are read as people read them."""

from __future__ import annotations

import pytest

from beattop.model.commandline import classify
from tests.unit.commandline.labelled import FLAGS, LINES, Labelled, labelled

ALL = [line for path in sorted(LINES.glob("*.txt")) for line in labelled(path.stem)]


@pytest.mark.parametrize("line", ALL, ids=lambda line: line.where)
def test_reads_a_line_as_labelled(line: Labelled) -> None:
    found = classify(line.argv)
    assert found.role == line.role
    assert found.inner_role == line.inner_role
    assert {name: getattr(found, name) for name in line.values} == line.values
    assert found.queues == line.queues
    assert {flag for flag in FLAGS.values() if getattr(found, flag)} == line.flags
    if line.inner:
        assert found.inner == line.inner


def test_there_is_a_line_of_every_role() -> None:
    roles = {line.role for line in ALL} | {line.inner_role for line in ALL if line.inner_role}
    assert roles == {
        *("beat", "worker", "worker+beat", "flower", "events", "control", "multi", "pool"),
        *("wrapper", "other"),
    }
    assert len(ALL) > 600


@pytest.mark.parametrize("line", [x for x in ALL if x.role == "wrapper"], ids=lambda x: x.where)
def test_a_wrapper_leads_to_what_it_quotes(line: Labelled) -> None:
    found = classify(line.argv)
    assert found.inner
    inside = classify(found.inner)
    assert inside.role == found.inner_role == found.leads_to
    assert inside.inner is None


@pytest.mark.parametrize(
    "line",
    [x for x in ALL if x.where.startswith("console") and x.argv[0] == "celery"],
    ids=lambda x: x.where,
)
def test_every_way_to_start_the_umbrella_command_reads_alike(line: Labelled) -> None:
    expected = classify(line.argv)
    for start in (
        ["/srv/v/bin/celery"],
        ["/srv/v/bin/python3.12", "/srv/v/bin/celery"],
        ["python", "-u", "-m", "celery"],
        ["python3", "-X", "dev", "-W", "ignore", "-m", "celery"],
    ):
        found = classify([*start, *line.argv[1:]])
        assert found.role == expected.role
        assert (found.app, found.pidfile, found.schedule, found.queues, found.old_order) == (
            expected.app,
            expected.pidfile,
            expected.schedule,
            expected.queues,
            expected.old_order,
        )


def test_a_program_says_where_it_stands() -> None:
    assert classify(["python", "/v/bin/celery", "beat"]).program == "/v/bin/celery"
    assert classify(["python", "-m", "celery", "beat"]).program == "celery"
    assert classify(["python", "manage.py", "celerybeat"]).program == "manage.py"
    assert classify(["python", "manage.pyc", "celery", "beat"]).role == "beat"
    assert classify(["/v/bin/celerybeat"]).subcommand == "beat"
    assert classify(["[celery beat] -A shop beat"]).program is None


@pytest.mark.parametrize(
    "title",
    [
        "[celery beat] -A shop beat -s /s --pidfile= -l info",
        "[celeryd: w1@box:MainProcess] -active- (-A shop worker -B -Q a,b)",
        "[celeryd: w1@box:ForkPoolWorker-1]",
        "[celery beat]",
    ],
)
def test_a_title_reads_alike_padded_and_split(title: str) -> None:
    whole = classify([title])
    assert whole.title
    assert classify([title, "", "", ""]) == whole
    assert classify([title + " "]) == whole
    assert classify(title.split(" ")) == whole


def test_a_line_in_one_word_is_split_as_psutil_splits_it() -> None:
    assert classify(["celery -A shop beat"]).role == "beat"
    assert classify(["celery -A shop beat", "", ""]).role == "beat"
    assert classify(["/opt/my celery/python", "x"]).role == "other"
