"""A pidfile whose pid is no beat, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.diagnosis.stale_pidfile import stale_pidfiles
from beattop.model.files import Pidfile
from beattop.model.process import ProcessKey
from beattop.model.snapshot import BeatKey, Program
from tests.unit.actions.scene import AT, snapshot
from tests.unit.test_situations import (
    FILE,
    HOLDER,
    KEPT,
    LOOP,
    NOTHING,
    PATH,
    REFUSED,
    TAKEN,
    ended,
    tell,
    words,
)

pytestmark = pytest.mark.usefixtures("approved_words")


OTHERS = Pidfile(
    PATH, "ok", 77, AT - 4000, ProcessKey(77, 770), ("/bin/sleep", "9"), "root", AT - 100
)

STALE = {
    "as usual": (OTHERS, NOTHING),
    "of nobody known": (replace(OTHERS, holder_user=None, holder_argv=()), NOTHING),
    "of unknown age": (replace(OTHERS, mtime_at=None), NOTHING),
    "of a process of unknown age": (replace(OTHERS, holder_started_at=None), NOTHING),
    "of an older process": (replace(OTHERS, holder_started_at=AT - 5000), NOTHING),
    "of a process begun 2 s after it": (replace(OTHERS, holder_started_at=AT - 3998), NOTHING),
    "of a Celery": (
        replace(OTHERS, holder_started_at=None, holder_argv=("/v/bin/python", "/v/bin/celery", "x")),
        NOTHING,
    ),
    "of a Celery, no conf": (
        replace(OTHERS, holder_started_at=None, holder_argv=("celery",)), {"config": None},
    ),
    "no conf": (OTHERS, {"config": None}),
    "FATAL": (OTHERS, {"respawning": False, "state": "FATAL", "pid": None, "members": ()}),
    "no words": (OTHERS, {"last_words": None}),
    "of a long command": (replace(OTHERS, holder_argv=("/opt/x/", *"123456789")), NOTHING),
    "of a process begun 2.5 s after it": (replace(OTHERS, holder_started_at=AT - 3997.5), NOTHING),
    "by its own log": (
        OTHERS,
        {"respawning": False, "state": "STARTING", "last_exit": None, "uptime_s": 1.0,
         "last_words": words("beat2", TAKEN, TAKEN)},
    ),
}  # fmt: skip

PROVEN = {"as usual", "of an older process", "of a process of unknown age", "of unknown age", "no conf",
          "FATAL", "no words", "of a process begun 2 s after it", "of a long command",
          "of a process begun 2.5 s after it", "by its own log"}  # fmt: skip


@pytest.mark.parametrize("about", STALE)
def test_a_pidfile_that_is_no_beats(about: str) -> None:
    file, facts = STALE[about]
    loop = replace(LOOP, **facts)
    shot = snapshot([loop], [replace(REFUSED, pid=None)], pidfiles=[file])
    (found,) = tell(list(stale_pidfiles(shot)), shot)
    proven = about in PROVEN or about == "of nobody known"
    assert found.certainty == ("certain" if proven else "likely")
    assert found.pidfile == (PATH if proven else None)
    assert found.stop == ()


def test_a_beat_of_another_project_that_holds_the_file() -> None:
    blog = replace(KEPT, key=BeatKey("blog", "/srv/blog", None))
    shot = snapshot([HOLDER, LOOP], [blog, REFUSED], pidfiles=[FILE])
    (found,) = tell(list(stale_pidfiles(shot)), shot)
    assert (found.certainty, found.pidfile, found.stop) == ("likely", None, ())
    assert "the beat of app blog, another project" in found.evidence[0]
    assert "No beat runs for app proj." in found.summary


def test_a_program_whose_beat_is_not_known() -> None:
    celery = replace(OTHERS, holder_started_at=None, holder_argv=("celery",))
    shot = snapshot([LOOP], pidfiles=[celery])
    (found,) = tell(list(stale_pidfiles(shot)), shot)
    assert found.certainty == "likely"


FREED = {
    "gone": (replace(OTHERS, status="absent", holder=None, pid=None), NOTHING),
    "without a number": (replace(OTHERS, status="garbage", holder=None, pid=None), NOTHING),
    "of nobody": (replace(OTHERS, holder=None), NOTHING),
    "of nobody, no words, between two lives": (
        replace(OTHERS, holder=None), {"last_words": None, "pid": None, "members": ()},
    ),
}  # fmt: skip


@pytest.mark.parametrize("about", FREED)
def test_what_barred_it_bars_nobody_any_more(about: str) -> None:
    file, facts = FREED[about]
    loop = replace(LOOP, **facts)
    shot = snapshot([loop], [replace(REFUSED, pid=None)], pidfiles=[file])
    (found,) = tell(list(stale_pidfiles(shot)), shot)
    assert (found.certainty, found.pidfile, found.stop) == ("likely", None, ())
    assert "its next try should be let in" in found.summary
    unseen = replace(file, status="denied")
    assert list(stale_pidfiles(replace(shot, pidfiles=(unseen,)))) == []


def test_a_later_beat_that_has_the_files_pid_by_chance() -> None:
    file = replace(FILE, holder_started_at=AT - 10)
    shot = snapshot([HOLDER, LOOP], [KEPT, REFUSED], pidfiles=[file])
    (found,) = tell(list(stale_pidfiles(shot)), shot)
    assert (found.certainty, found.pidfile) == ("certain", PATH)


@pytest.mark.parametrize(
    ("loop", "file"),
    [
        (replace(LOOP, role="worker"), OTHERS),
        (replace(LOOP, respawning=False, state="STOPPED", last_words=None), OTHERS),
        (replace(LOOP, last_exit=ended(1), last_words=None), OTHERS),
        (LOOP, None),
        (LOOP, FILE),
    ],
)
def test_no_stale_pidfile(loop: Program, file: Pidfile | None) -> None:
    shot = snapshot(
        [HOLDER, loop], [KEPT, replace(REFUSED, pid=None)], pidfiles=[file] if file else []
    )
    assert list(stale_pidfiles(shot)) == []


def test_a_refusal_by_a_file_that_is_nobodys_by_now_waits_for_the_next_try() -> None:
    file = replace(OTHERS, holder=None, pid=None)
    shot = snapshot([HOLDER, LOOP], [KEPT, replace(REFUSED, pid=None)], pidfiles=[file])
    (found,) = tell(list(stale_pidfiles(shot)), shot)
    assert (found.certainty, found.stop, found.pidfile) == ("likely", (), None)
    assert "next try" in found.lasting.text
