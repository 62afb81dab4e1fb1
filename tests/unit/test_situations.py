"""Each kind of finding where something about it is not known, not readable or not as usual.

What is said in each is approved word for word (approved.py); what must not be got wrong is asserted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.duplicate_beat import respawning
from beattop.model.files import LastWords, Pidfile
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, BeatKey, LastExit, Program, Snapshot
from tests.unit import approved
from tests.unit.actions.scene import AT, URL, beat, config, program, snapshot

pytestmark = pytest.mark.usefixtures("approved_words")

PATH = "/run/beat.pid"
TAKEN = f"ERROR: Pidfile ({PATH}) already exists."
NOTHING: dict[str, Any] = {}


def words(name: str, *lines: str, mtime_at: float | None = AT - 1) -> LastWords:
    return LastWords(URL, name, name, lines, mtime_at, None, f"/var/log/{name}.log")


def ended(status: int | None = 73, signal: str | None = None) -> LastExit:
    return LastExit(status, signal, AT - 2, "cannot create")


def tell(found: Sequence[Finding], shot: Snapshot) -> list[Finding]:
    approved.note(found, shot.at)
    return list(found)


# A beat that holds a pidfile, and one that it turns away

HOLDER = program("beat", 201)
KEPT = replace(beat(HOLDER, pidfile=PATH), holds_pidfile=True, started_at=AT - 500)
FILE = Pidfile(PATH, "ok", 201, AT - 499, ProcessKey(201, 2010), ("celery", "beat"))
LOOP = replace(
    program("beat2", 202, respawning=True),
    last_exit=ended(),
    last_words=words("beat2", TAKEN, "Seems we're already running? (pid: 201)"),
    spawns_per_min=20.0,
    lifetime_median_s=2.2,
    loop_since_at=AT - 300,
    loop_exits=7,
    churn_pct=40.0,
)
REFUSED = beat(LOOP, pidfile=PATH, health="respawning")


def refused(
    loop: Program = LOOP,
    kept: Beat = KEPT,
    *,
    file: Pidfile | None = FILE,
    others: Sequence[Program] = (),
    mine: Beat | None = REFUSED,
) -> list[Finding]:
    shot = snapshot(
        [HOLDER, loop, *others],
        [kept, *([mine] if mine else ())],
        pidfiles=[file] if file else [],
    )
    return tell(list(respawning(shot)), shot)


LOOPS = {
    "as usual": NOTHING,
    "its exits not counted": {"loop_exits": 0, "loop_since_at": None, "spawns_per_min": None},
    "its exits counted since nobody knows when": {"loop_since_at": None},
    "between two lives, nothing measured": {
        "pid": None, "members": (), "churn_pct": None, "lifetime_median_s": None,
    },
    "no exit seen yet": {"last_exit": None},
}  # fmt: skip


@pytest.mark.parametrize("about", LOOPS)
def test_a_refused_beat(about: str) -> None:
    (found,) = refused(replace(LOOP, **LOOPS[about]))
    assert (found.kind, found.certainty) == ("duplicate-beat", "certain")
    assert [k.pid for k in found.keep] == [201]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat2", "xmlrpc")]


FILES = {
    "no file that can be read": None,
    "a file without a number": replace(FILE, pid=None, holder=None, status="garbage"),
    "a file of unknown age": replace(FILE, mtime_at=None),
    "a file that is gone": replace(FILE, status="absent", pid=None, holder=None, mtime_at=None),
}


@pytest.mark.parametrize("about", FILES)
def test_the_holder_is_found_without_the_file(about: str) -> None:
    """By the pid that its words name; by the path that both are told to hold."""
    for lines in ((TAKEN, "Seems we're already running? (pid: 201)"), (TAKEN,)):
        loop = replace(LOOP, last_words=words("beat2", *lines))
        (found,) = refused(loop, file=FILES[about])
        assert [k.pid for k in found.keep] == [201]


def test_a_pid_that_is_no_beat_any_more_leaves_the_path_to_tell() -> None:
    loop = replace(LOOP, last_words=words("beat2", TAKEN, "already running? (pid: 999)"))
    (found,) = refused(loop, file=None)
    assert [k.pid for k in found.keep] == [201]


def test_the_words_name_another_beat_than_the_path() -> None:
    third = program("third", 203)
    rival = replace(beat(third, pidfile=PATH), started_at=AT - 900)
    shot = snapshot([HOLDER, LOOP, third], [rival, KEPT, REFUSED])
    (found,) = tell(list(respawning(shot)), shot)
    assert [k.pid for k in found.keep] == [201]


@pytest.mark.parametrize(
    ("kept", "certainty"),
    [(KEPT, "certain"), (replace(KEPT, holds_pidfile=None), "likely"),
     (replace(KEPT, holds_pidfile=False), "likely")],
)  # fmt: skip
def test_exit_73_without_words_is_only_as_sure_as_the_file(kept: Beat, certainty: str) -> None:
    (found,) = refused(replace(LOOP, last_words=None), kept)
    assert found.certainty == certainty


def test_words_make_it_certain_whatever_the_file_says() -> None:
    (found,) = refused(kept=replace(KEPT, holds_pidfile=False))
    assert found.certainty == "certain"


# Neither file nor words: exit 73 beside a living beat of one identity

BLIND = replace(LOOP, last_words=None)
NO_FILE = replace(REFUSED, pidfile=None)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (replace(KEPT, pidfile=None), True),
        (replace(KEPT, pidfile=None, key=BeatKey("proj", "/elsewhere", None)), False),
        (replace(KEPT, pidfile=None, key=BeatKey("other", "/srv/proj", None)), False),
        (replace(KEPT, pidfile=None, pid=None), False),
        (replace(KEPT, pidfile=None, health="respawning"), False),
        (replace(KEPT, pidfile=None, program=LOOP.id), False),
    ],
)
def test_exit_73_beside_a_living_beat_of_one_identity(kept: Beat, told: bool) -> None:
    found = refused(BLIND, kept, file=None, mine=NO_FILE)
    assert [f.keep[0].pid for f in found] == ([201] if told else [])
    assert all(f.pidfile is None for f in found)


def test_a_pid_that_ended_is_not_said_to_be_the_living_ones() -> None:
    (found,) = refused(BLIND, replace(KEPT, pidfile=None), file=replace(FILE, pid=9, holder=None))
    assert [line for line in found.evidence if "names pid 9" in line and "that is" in line] == []
    assert any("names pid 9" in line for line in found.evidence)


def test_exit_73_of_a_program_that_is_no_beat_of_the_snapshot_tells_nothing() -> None:
    assert refused(BLIND, replace(KEPT, pidfile=None), file=None, mine=None) == []


def test_a_worker_that_is_refused_is_no_duplicate_beat() -> None:
    assert refused(replace(LOOP, role="worker")) == []


def test_a_stale_file_explains_it_and_no_other_beat() -> None:
    """The file is older than the process that has its pid now."""
    assert refused(file=replace(FILE, holder_started_at=AT - 10)) == []


# Several, and strangers

THIRD = replace(LOOP, id=program("beat3").id, pid=203, churn_pct=None, loop_since_at=AT - 900)


def test_several_refused_by_one_are_one_finding() -> None:
    (found,) = refused(others=[THIRD])
    assert [p.name for p in found.programs] == ["beat2", "beat3"]
    assert found.since_at == AT - 900 and found.churn_pct == 40.0
    (found,) = refused(others=[replace(THIRD, loop_since_at=None)])
    assert found.since_at == AT - 300


STRANGER = replace(KEPT, program=None, supervisor=None, namespec=None, unmanaged=True)


@pytest.mark.parametrize(
    ("kept", "others", "offered"),
    [
        (STRANGER, [], [201]),
        (STRANGER, [THIRD], []),
        (replace(STRANGER, unit="beat.service"), [], []),
        (replace(STRANGER, runner="honcho"), [], []),
        (replace(STRANGER, origin="orphan", was="beat", was_supervisor=URL), [], [201]),
        (replace(KEPT, supervisor=None), [], []),
    ],
)
def test_a_stranger_that_holds_it_may_hand_over_to_a_single_program(
    kept: Beat, others: list, offered: list
) -> None:
    (found,) = refused(kept=kept, others=others)
    assert [t.pid for t in found.alternatives] == offered


def test_a_stranger_and_programs_without_conf() -> None:
    assert refused(replace(LOOP, config=None), STRANGER)
    assert refused(replace(LOOP, config=None))
    assert refused(
        replace(LOOP, config=config("beat2", numprocs=2, lines=("[program:beat2]", "numprocs=2")))
    )
