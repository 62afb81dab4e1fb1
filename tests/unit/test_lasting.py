"""The change that keeps a trouble from coming back: which, where, and its diff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis import lasting
from beattop.model.commandline import CommandLine
from beattop.model.finding import LastingFix
from beattop.model.snapshot import Beat, Program, Snapshot, Unmanaged
from beattop.model.supervisor import ProgramConfig
from tests.unit import approved
from tests.unit.actions.scene import AT, URL, beat, config, member, program, snapshot, supervisord

pytestmark = pytest.mark.usefixtures("approved_words")

FILE = "--- /etc/supervisord.conf\n+++ /etc/supervisord.conf\n"


def conf(*lines: str, line: int = 7) -> ProgramConfig:
    return config("b", lines=lines, line=line)


def tell(fix: LastingFix) -> LastingFix:
    approved.note([fix], AT)
    return fix


SECTION = "[program:b]"


def test_a_place_names_file_line_and_section() -> None:
    assert lasting.place(conf()) == "/etc/supervisord.conf:7 [program:b]"
    assert lasting.place(conf(line=0)) == "/etc/supervisord.conf [program:b]"
    assert lasting.place(replace(conf(), file="")) == "[program:b]"


PIDFILES = (
    ("command=celery beat --pidfile=/b -l info", "command=celery beat --pidfile= -l info"),
    ("command=celery beat --pidfile /b", "command=celery beat --pidfile="),
    ("command=sh -c 'celery --pidfile=/b'", "command=sh -c 'celery --pidfile='"),
    ("command=celery beat ", "command=celery beat --pidfile="),
    ("command=sh -c 'celery beat'", None),
    ('command=sh -c "celery beat"', None),
    ("command=celery beat; x", None),
    ("command=celery beat \\", None),
    ("x=1", None),
)  # fmt: skip


@pytest.mark.parametrize(("line", "after"), PIDFILES)
def test_a_beat_that_keeps_no_pidfile(line: str, after: str | None) -> None:
    wanted = f"{FILE}@@ -7,2 +7,2 @@\n [program:b]\n-{line}\n+{after}\n" if after else ""
    assert lasting.without_pidfile(conf(SECTION, line)) == wanted


def test_a_command_of_several_lines_that_keeps_no_pidfile() -> None:
    assert lasting.without_pidfile(conf(SECTION, "command=celery", " beat")) == ""
    assert lasting.without_pidfile(conf(SECTION, "command=celery", "x=1")) != ""
    fix = lasting.without_pidfile(conf(SECTION, "command=celery", " --pidfile=/b", "x=1"))
    assert fix.endswith("- --pidfile=/b\n+ --pidfile=\n x=1\n")
    assert lasting.without_pidfile(conf(SECTION)) == ""


B = program("b", 201)
LINES = (SECTION, "command=celery worker -B")
WORKER = replace(program("w", 300, role="worker+beat"), config=config("w", lines=LINES))


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ([supervisord("unix:///other", ctl=("no",)), supervisord()],
         "then supervisorctl -c /etc/supervisord.conf update"),
        ([supervisord(ctl=())], "then supervisorctl update"),
        ([], "then supervisorctl update"),
    ],
)  # fmt: skip
def test_how_a_changed_conf_is_made_to_count(servers: list, words: str) -> None:
    assert lasting.reread(snapshot([B], supervisords=servers), B) == words


@pytest.mark.parametrize("numprocs", [None, 1, 2])
def test_a_program_too_many(numprocs: int | None) -> None:
    made = config("b", numprocs=numprocs, lines=LINES) if numprocs else None
    fix = tell(lasting.unwanted(replace(B, config=made), snapshot([B]), "a already is"))
    assert ("numprocs=1" in fix.text) == (numprocs == 2)
    assert (fix.file, fix.line) == (("/etc/supervisord.conf", 7) if made else (None, 0))


def stranger(**facts: Any) -> Beat:
    return replace(beat(None, 77), **facts)


STRANGERS: dict[str, dict[str, Any]] = {
    "by hand": {},
    "a unit": {"unit": "b.service", "runner": "honcho"},
    "a runner": {"runner": "honcho"},
}


@pytest.mark.parametrize("about", STRANGERS)
def test_what_starts_a_stranger_is_removed(about: str) -> None:
    held = stranger(**STRANGERS[about])
    for refused in (B, replace(B, config=None)):
        tell(lasting.respawning([refused], held, snapshot([refused])))
    tell(lasting.double(beat(B), [held], snapshot([B])))


# What a program leaves behind

ORPHAN = {"origin": "orphan", "was": "b", "was_supervisor": URL}


def root(
    pid: int = 77,
    role: str = "beat",
    *,
    pgrp: int = 50,
    ppid: int = 1,
    session: int = 1,
    line: CommandLine | None = None,
) -> Unmanaged:
    found = member(pid, role, ppid=ppid)  # type: ignore[arg-type]
    process = replace(found.process, pgrp=pgrp, session=session)
    found = replace(found, process=process, line=line or CommandLine(role))  # type: ignore[arg-type]
    return Unmanaged(found, role, "orphan", "b", 0.0, 1, was_supervisor=URL)  # type: ignore[arg-type]


def left(
    thing: Beat | Unmanaged, *, unmanaged: Sequence[Unmanaged] = (), programs: Sequence[Program] | None = None,
    **entries: Any,
) -> LastingFix:  # fmt: skip
    own = replace(B, config=config("b", lines=(SECTION, "command=sh run.sh"), **entries))
    shot = snapshot([own] if programs is None else programs)
    return tell(lasting.leftover(thing, replace(shot, unmanaged=tuple(unmanaged))))


def test_the_beat_of_a_worker_that_was_killed() -> None:
    told = "take -B (--beat) out"
    with_b = CommandLine("worker+beat")
    assert told in left(root(line=with_b)).text
    assert told in left(root(line=CommandLine("pool", child=True))).text
    assert told not in left(root(role="worker+beat", line=with_b)).text
    assert told not in left(root(line=CommandLine("beat"))).text
    assert told in left(stranger(**ORPHAN, line=with_b)).text
    assert told not in left(stranger(**ORPHAN, line=with_b, embedded=True)).text
    assert told not in left(stranger(**ORPHAN, line=CommandLine("beat"))).text
    assert told not in left(stranger(**ORPHAN, line=None)).text


@pytest.mark.parametrize(
    "command", ["celery beat --detach", "celery beat -D -l info", "celery -A-D x"]
)
def test_a_command_that_detaches(command: str) -> None:
    fix = left(stranger(**ORPHAN), command=command)
    assert ("take --detach out" in fix.text) == ("-A-D" not in command)


SESSIONS = (
    ("command=setsid celery beat", "command=celery beat"),
    ("command = /usr/bin/setsid -f -w celery beat", "command = celery beat"),
    ("command=sh -c 'setsid celery beat'", "command=sh -c 'celery beat'"),
    ("command=./resetsid celery beat", None),
)


@pytest.mark.parametrize(("line", "after"), SESSIONS)
def test_a_command_that_leaves_supervisords_session(line: str, after: str | None) -> None:
    own = replace(B, config=config("b", lines=(SECTION, line)))
    fix = left(root(session=77, pgrp=77), programs=[own])
    assert "stay in the foreground" in fix.text
    assert fix.diff.endswith(f"+{after}\n" if after else "")
    assert bool(fix.diff) == bool(after)


def test_a_shell_that_passes_no_signal_on() -> None:
    told = "set stopasgroup=true"
    assert told in left(root()).text
    assert told not in left(root(), stopasgroup=True).text
    assert told in left(stranger(**ORPHAN), unmanaged=[root(78, pgrp=78)]).text
    assert told not in left(stranger(**ORPHAN), unmanaged=[root(78), root(77, pgrp=77)]).text
    assert told in left(stranger(**ORPHAN), unmanaged=[root(77)]).text


def test_a_supervisord_that_was_killed() -> None:
    for outlived in (root(pgrp=77), root(pgrp=9, ppid=9)):
        assert lasting.outlived(outlived)
        assert "outlived a supervisord" in left(outlived).text
    assert not lasting.outlived(root())


def test_a_left_over_of_a_program_that_is_not_known() -> None:
    other = replace(B, id=program("b", url="unix:///other").id, config=conf(SECTION))
    assert "`exec` the real thing and set" in left(root(), programs=[other]).text
    assert "`exec` the real thing and set" in left(root(), programs=[]).text
    assert (
        "`exec` the real thing and set"
        in left(root(), programs=[program("x"), replace(B, config=None)]).text
    )


def test_a_left_over_that_holds_the_pidfile_is_ended_when_its_program_takes_over() -> None:
    fix = tell(lasting.respawning([B], stranger(**ORPHAN), snapshot([B])))
    assert fix.text.startswith("End the beat left over from b (pid 77) when b is to take over. ")


# Beats that all live

EMBEDDED = beat(WORKER, 301, embedded=True)


def both(kept: Beat, *surplus: Beat, shot: Snapshot | None = None) -> LastingFix:
    return tell(lasting.double(kept, surplus, shot or snapshot([B, WORKER])))


def test_an_embedded_beat_is_taken_out_of_its_worker() -> None:
    fix = both(EMBEDDED, beat(B))
    assert "then start b again as the one beat" in fix.text
    assert "-command=celery worker -B\n+command=celery worker\n" in fix.diff
    assert both(beat(B), EMBEDDED).text == fix.text
    two = replace(EMBEDDED, pid=302)
    assert "as the one beat" not in both(EMBEDDED, two).text
    bare = snapshot([B, replace(WORKER, config=None)])
    assert both(beat(B), EMBEDDED, shot=bare).text.startswith(
        "Take -B (--beat) out of the command, restart w when"
    )
    gone = both(beat(B), replace(EMBEDDED, namespec=None), shot=snapshot([B]))
    assert "restart the worker when" in gone.text
    # A worker that nobody supervises has no conf to change.
    free = replace(EMBEDDED, program=None, namespec=None, supervisor=None)
    assert "Remove what starts" in both(beat(B), replace(free, unmanaged=True)).text


FLAGS = (
    ("celery worker -B", "celery worker"),
    ("celery worker --beat -l info", "celery worker -l info"),
    ("celery worker --be", "celery worker"),
    ("celery worker -EB -l info", "celery worker -E -l info"),
    ("celery worker -BE", "celery worker -E"),
    ("celery worker -DB", "celery worker -D"),
    ("celery worker -BB", "celery worker"),
    ("sh -c 'celery worker -B'", "sh -c 'celery worker'"),
    ('sh -c "celery worker --beat"', 'sh -c "celery worker"'),
    ("celery -A Bee worker --beats", None),
    ("celery -Bx worker", None),
)


@pytest.mark.parametrize(("command", "after"), FLAGS)
def test_the_flag_that_embeds_a_beat(command: str, after: str | None) -> None:
    made = replace(WORKER, config=config("w", lines=(SECTION, f"command={command}")))
    diff = both(beat(B), EMBEDDED, shot=snapshot([B, made])).diff
    assert diff.endswith(f"-command={command}\n+command={after}\n" if after else "")
    assert bool(diff) is (after is not None)


def test_which_of_several_causes_is_cured() -> None:
    assert "exec" in both(beat(B), stranger(), stranger(**ORPHAN)).text
    assert "Remove what starts" in both(beat(B), beat(B, 8), stranger()).text


def made(name: str, pid: int, **more: Any) -> Program:
    return replace(program(name, pid), config=config(name, lines=LINES, **more))


def test_a_program_that_starts_two_beats_is_not_removed() -> None:
    fix = both(beat(B), beat(B, 8))
    assert "start one beat only" in fix.text
    assert "remove" not in fix.text
    assert fix.diff == ""
    assert fix.section == "program:b"


def test_each_program_that_is_too_many_is_named() -> None:
    c, d = made("c", 202, line=17), made("d", 203, line=27)
    shot = snapshot([B, c, d])
    fix = both(beat(B), beat(c), beat(c, 9), beat(d), shot=shot)
    assert fix.section == "program:c"
    assert "Do the same in /etc/supervisord.conf:27 [program:d]." in fix.text
    own = both(beat(B), beat(B, 8), beat(c), shot=shot)
    assert own.section == "program:c"
    assert "Let the command of b start one beat only" in own.text.replace(": l", ": L")


def test_a_section_is_named_once_and_a_program_without_one_by_its_name() -> None:
    c, bare = made("c", 202, line=17), replace(made("d", 203), config=None)
    twin = replace(c, id=c.id._replace(name="c2"))
    shot = snapshot([B, c, twin, bare])
    assert "Do the same" not in both(beat(B), beat(c), beat(twin, 9), shot=shot).text
    assert "Do the same in d." in both(beat(B), beat(c), beat(bare), shot=shot).text
    first = both(beat(B), beat(bare), beat(c), shot=shot)
    assert "Do the same in /etc/supervisord.conf:17 [program:c]." in first.text


def test_what_one_process_too_many_hides_is_told_too() -> None:
    """numprocs=2, and each process starts two beats: with one process there still are two."""
    one = made("b", 201, numprocs=2)
    twin = replace(one, id=one.id._replace(name="b2"))
    fix = both(beat(one), beat(one, 8), beat(twin, 9), beat(twin, 10), shot=snapshot([one, twin]))
    assert "numprocs=1" in fix.text
    assert "start one beat only" in fix.text


def test_each_worker_that_embeds_a_beat_too_many_is_named() -> None:
    other = replace(made("x", 400, line=17), role="worker+beat")
    second = replace(EMBEDDED, pid=402, program=other.id, namespec="x")
    free = replace(EMBEDDED, pid=403, program=None, namespec=None, supervisor=None)
    shot = snapshot([B, WORKER, other])
    fix = both(beat(B), EMBEDDED, beat(B, 8), free, second, shot=shot)
    assert "Do the same in /etc/supervisord.conf:17 [program:x]." in fix.text
    assert "Do the same" not in both(beat(B), EMBEDDED, beat(B, 8), free, shot=shot).text
    # The one that is kept has no section, and goes on with its beat.
    assert "a program of its own" not in both(free, EMBEDDED, shot=shot).text


def test_beats_in_one_worker_leave_none_without_it_whatever_is_known_of_its_section() -> None:
    bare = snapshot([replace(WORKER, config=None)])
    assert "a program of its own" in both(EMBEDDED, replace(EMBEDDED, pid=302), shot=bare).text


OWN_BEAT = replace(
    WORKER, config=config("w", lines=("[program:w]", "command=celery -A proj worker -B"), after=())
)


@pytest.mark.parametrize(
    ("other", "section"),
    [
        ([], True),
        ([beat(B)], False),
        ([beat(B, app="blog")], True),
        ([stranger()], True),
    ],
)
def test_a_beat_comes_for_the_one_that_a_worker_loses_where_no_other_program_sends(
    other: list[Beat], section: bool
) -> None:
    killed = replace(root(line=CommandLine("worker+beat")), was="w")
    embedded = beat(OWN_BEAT, 301, embedded=True)
    bare = replace(program("bare"), config=None)
    fix = lasting.leftover(killed, snapshot([B, OWN_BEAT, bare], [embedded, *other]))
    assert ("+[program:w-beat]" in fix.diff) is section
    assert "+command=celery -A proj worker\n" in fix.diff


def test_no_section_is_named_as_one_that_is_there() -> None:
    killed = replace(root(line=CommandLine("worker+beat")), was="w")
    there = program("w-beat")
    fix = lasting.leftover(killed, snapshot([OWN_BEAT, there], [beat(OWN_BEAT, 301)]))
    assert fix.diff == ""


def test_beats_in_all_workers_of_one_section_leave_none_without_it() -> None:
    twin = replace(WORKER, id=WORKER.id._replace(name="w2"))
    fix = both(EMBEDDED, replace(EMBEDDED, pid=302, program=twin.id), shot=snapshot([WORKER, twin]))
    assert "a program of its own" in fix.text
    other = replace(made("x", 400), role="worker+beat")
    second = replace(EMBEDDED, pid=402, program=other.id, namespec="x")
    fix = both(EMBEDDED, second, shot=snapshot([WORKER, other]))
    assert "a program of its own" not in fix.text
    assert fix.section == "program:x"


@pytest.mark.parametrize("owner", ["unix:///other", None])
def test_a_program_that_cannot_be_seen(owner: str | None) -> None:
    unseen = replace(beat(None, 8), supervisor=owner, unmanaged=False)
    fix = both(beat(B), unseen)
    assert f"configuration of {owner or 'supervisord'}," in fix.text


@pytest.mark.parametrize("pidfile", [None, "/run/b.pid"])
def test_where_no_pidfile_turns_a_second_one_away_that_is_told(pidfile: str | None) -> None:
    second = program("b2", 202)
    fix = both(beat(B, pidfile=pidfile), beat(second), shot=snapshot([B, second]))
    assert ("Celery 5 keeps no pidfile" in fix.text) == (pidfile is None)
