"""Each kind of finding where something about it is not known, not readable or not as usual.

What is said in each is approved word for word (approved.py); what must not be got wrong is asserted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.beat_down import beats_down
from beattop.diagnosis.duplicate_beat import respawning
from beattop.diagnosis.program_down import programs_down
from beattop.diagnosis.stale_pidfile import stale_pidfiles
from beattop.model.files import LastWords, Pidfile
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, BeatKey, LastExit, Program, Snapshot
from tests.unit import approved
from tests.unit.actions.scene import AT, URL, beat, config, program, snapshot, supervisord

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


# A pidfile whose pid is no beat

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


# No beat at all

GONE = replace(
    program("beat", None, state="FATAL"),
    last_exit=ended(1),
    last_error="ImportError: x",
    spawnerr="Exited too quickly (process log may have details)",
)
DOWN = replace(beat(GONE, health="down"), pid=None)


def down(
    gone: Program = GONE, *others: Program | Beat, servers: list | None = None, mine: Beat = DOWN
) -> list[Finding]:
    shot = snapshot(
        [gone, *(o for o in others if isinstance(o, Program))],
        [mine, *(o for o in others if isinstance(o, Beat))],
        supervisords=servers,
    )
    return tell(list(beats_down(shot, ())), shot)


DOWNS = {
    "FATAL": (NOTHING, "critical"),
    "BACKOFF": ({"state": "BACKOFF"}, "critical"),
    "EXITED": ({"state": "EXITED"}, "critical"),
    "UNKNOWN": ({"state": "UNKNOWN"}, "critical"),
    "state not known, it ended": ({"state": None}, "critical"),
    "state not known, never ran": ({"state": None, "last_exit": None, "spawnerr": ""}, "info"),
    "STOPPED": ({"state": "STOPPED"}, "info"),
    "STOPPED, no server": ({"state": "STOPPED"}, "info"),
    "STOPPED, not to start by itself": (
        {"state": "STOPPED", "last_exit": None, "config": config("beat", autostart=False)}, "info",
    ),
    "STOPPED, no conf": ({"state": "STOPPED", "config": None}, "info"),
    "FATAL, no conf": ({"config": None}, "critical"),
    "FATAL, no server": (NOTHING, "critical"),
    "killed": ({"last_exit": ended(None, "SIGKILL")}, "critical"),
    "never started": ({"spawnerr": "can't find command 'x'", "last_exit": None}, "critical"),
    "no words": ({"last_error": None, "spawnerr": ""}, "critical"),
}  # fmt: skip


@pytest.mark.parametrize("about", DOWNS)
def test_nobody_runs_the_beat(about: str) -> None:
    facts, severity = DOWNS[about]
    (found,) = down(replace(GONE, **facts), servers=[] if "no server" in about else None)
    assert (found.kind, found.severity) == ("beat-down", severity)
    assert found.since_at == (AT - 2 if {**{"last_exit": 1}, **facts}["last_exit"] else None)


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
def test_a_command_that_waits_is_told_as_that_a_beat_between_two_lives_not(state: str) -> None:
    up = replace(GONE, state=state)
    assert down(up) == []
    (found,) = down(replace(up, members=HOLDER.members))
    assert "its command has started no beat" in found.summary


OTHER = replace(program("beat-b", None, state="STOPPED"), last_exit=None)
IDLE = replace(beat(OTHER, health="down"), pid=None)


def test_programs_of_one_identity_are_one_finding_the_worst_named() -> None:
    for programs in ((OTHER, GONE), (GONE, OTHER)):
        shot = snapshot(programs, [IDLE, DOWN])
        (found,) = tell(list(beats_down(shot, ())), shot)
        assert found.severity == "critical" and "beat is FATAL" in found.summary
        assert {p.name for p in found.programs} == {"beat", "beat-b"}
    ended_by_itself = replace(GONE, state="EXITED")
    shot = snapshot([OTHER, ended_by_itself], [IDLE, DOWN])
    assert "beat is EXITED" in next(iter(beats_down(shot, ()))).summary


def test_namesakes_in_two_places_are_two_findings() -> None:
    elsewhere = replace(IDLE, key=BeatKey("proj", "/elsewhere", None))
    assert len(down(GONE, OTHER, elsewhere)) == 2


def test_a_redbeat_that_is_down() -> None:
    """Several redbeats are no duplicates, but that none runs is told."""
    (found,) = down(mine=replace(DOWN, scheduler="redbeat.RedBeatScheduler"))
    assert found.programs == (GONE.id,)


def test_what_has_another_finding_is_not_told_again() -> None:
    shot = snapshot([GONE], [DOWN])
    assert list(beats_down(shot, {GONE.id})) == []
    assert list(beats_down(snapshot([GONE], [replace(DOWN, program=None)]), ())) == []


BESIDE = {
    "another lives": (beat(HOLDER), False),
    "another tries to": (replace(beat(HOLDER, health="respawning"), pid=None), False),
    "another is down too": (replace(IDLE, program=None), True),
    "another is nowhere": (replace(beat(HOLDER), pid=None), True),
    "one of another app": (replace(beat(HOLDER), key=BeatKey("x", "/x", None)), True),
    "its own left-over": (
        replace(beat(None, 9), key=BeatKey("x", "/x", None), was="beat", was_supervisor=URL), False,
    ),
    "the left-over of a namesake": (
        replace(beat(None, 9), key=BeatKey("x", "/x", None), was="beat", was_supervisor="unix:///x"),
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("about", BESIDE)
def test_a_beat_that_lives_for_the_same_schedule(about: str) -> None:
    other, told = BESIDE[about]
    assert len(down(GONE, other)) == told
    shot = snapshot([GONE], [other, DOWN])
    assert len(list(beats_down(shot, ()))) == told


def test_a_beat_without_supervisor_is_nobodys_left_over() -> None:
    lost = replace(DOWN, supervisor=None, namespec=None)
    living = replace(beat(None, 9), key=BeatKey("x", "/x", None))
    assert len(down(GONE, living, mine=lost)) == 1


SERVERS = {
    "hangs": (supervisord(answers=False), False),
    "was not asked": (supervisord(answers=None), True),
    "does not run": (supervisord(answers=False, key=None), True),
}


@pytest.mark.parametrize("about", SERVERS)
def test_a_supervisord_that_hangs_is_told_instead(about: str) -> None:
    server, told = SERVERS[about]
    assert len(down(servers=[server])) == told
    shot = snapshot([replace(GONE, role="worker")], supervisords=[server])
    assert len(list(programs_down(shot, ()))) == told


# A program, no beat, that is down

PROGRAMS = {
    "FATAL": NOTHING,
    "FATAL by a signal": {"last_exit": ended(None, "SIGSEGV")},
    "FATAL, nothing known": {"last_exit": None, "last_error": None, "spawnerr": ""},
    "FATAL, no conf": {"config": None},
    "cannot be started": {"state": "BACKOFF", "spawnerr": "can't find command 'x'"},
    "cannot be started, no conf": {
        "state": "BACKOFF", "spawnerr": "can't find command 'x'", "config": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("about", PROGRAMS)
def test_a_program_is_down(about: str) -> None:
    for servers in ([supervisord()], []):
        shot = snapshot([replace(GONE, role="worker", **PROGRAMS[about])], supervisords=servers)
        (found,) = tell(list(programs_down(shot, ())), shot)
        assert (found.kind, found.severity) == ("program-down", "warning")
    assert list(programs_down(shot, {GONE.id})) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "BACKOFF"},
        {"state": "STOPPED"},
        {"role": "beat"},
        {"role": "worker+beat"},
        {"members": HOLDER.members},
        {"state": "STOPPED", "spawnerr": "can't find command 'x'"},
    ],
)
def test_no_program_is_down(facts: dict[str, Any]) -> None:
    assert list(programs_down(snapshot([replace(GONE, **{"role": "worker", **facts})]), ())) == []
