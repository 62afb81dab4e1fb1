"""Why a program dies, and what is told to mend it."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT, WORKER

pytestmark = pytest.mark.usefixtures("approved_words")

OLD_ORDER = "/srv/v/bin/python /srv/v/bin/celery beat -A proj"
FLOCK = f"/usr/bin/flock -n /run/l {BEAT}"


@pytest.mark.parametrize(
    ("command", "words", "status", "effect", "cure"),
    [
        (WORKER, "supervisor: couldn't chdir to /gone: ENOENT", 127, "no such directory", "folder"),
        (WORKER, "supervisor: couldn't setuid to 9: x", 127, "user refused", "user="),
        (WORKER, "supervisor: couldn't exec /x: EACCES", 127, "cannot be executed", "mode"),
        (WORKER, "/bin/sh: 1: celery: not found", 127, "command not found", "path"),
        (OLD_ORDER, "Error: No such option '-A'.", 2, "old option order", "celery -A APP beat"),
        (WORKER, "OSError: [Errno 98] Address already in use", 1, "port taken", "port"),
        (WORKER, "OSError: [Errno 28] No space left on device", 70, "disk full", "room"),
        (WORKER, "OSError: [Errno 30] Read-only file system: '/x'", 1, "read-only disk", "mounted"),
        (WORKER, "OSError: [Errno 24] Too many open files", 1, "file limit", "minfds"),
        (WORKER, "MemoryError", 1, "out of memory", "more memory"),
        (WORKER, "OSError: [Errno 12] Cannot allocate memory", 1, "out of memory", "more memory"),
        (WORKER, "KeyError: 'DATABASE_URL'", 2, "KeyError", "last words name"),
        (WORKER, "a.b.ImproperlyConfigured: no key", 1, "ImproperlyConfigured", "last words name"),
        (WORKER, "OperationalError", 1, "OperationalError", "last words name"),
        (WORKER, "Some ValueError: was logged", 1, "unknown", "log"),
        (WORKER, "", 120, "output lost", "disk is full"),
        (FLOCK, "", 1, "lock taken", "one is enough"),
        (BEAT, "", 1, "unknown", "log"),
        (WORKER, "", 0, "exits at once", "autorestart=unexpected"),
    ],
)
def test_a_loop_is_told_with_its_cause(world, command, words, status, effect, cure):
    world.program("it", command, startsecs=5.0)
    if words:
        world.say("it", words, "supervisor: child process was not spawned")
    world.loop("it", 3, status=status, life=1.5)
    (found,) = world.findings
    assert (found.kind, found.effect) == ("respawn-loop", effect)
    assert cure in found.lasting.text


@pytest.mark.parametrize(
    ("signal", "effect", "cure"),
    [
        ("SIGKILL", "killed", "OOM"),
        ("SIGSEGV", "native crash", "core dump"),
        ("SIGTERM", "killed", "who sends it SIGTERM"),
    ],
)
def test_a_loop_of_signals_is_told_with_who_or_what_to_look_for(world, signal, effect, cure):
    world.program("it", WORKER)
    world.loop("it", 3, signal=signal)
    (found,) = world.findings
    assert (found.effect, cure in found.lasting.text) == (effect, True)


@pytest.mark.parametrize(("command", "kind"), [(BEAT, "beat-down"), (WORKER, "program-down")])
def test_what_went_fatal_is_told_with_its_cure_before_the_start(world, command, kind):
    world.program("it", command, state="FATAL")
    world.loop("it", 1, status=127)
    world.state("it", "FATAL")
    world.say("it", "supervisor: couldn't chdir to /gone: ENOENT")
    world.look()
    (found,) = world.findings
    assert found.kind == kind
    assert "orrect directory=, or make that folder, then supervisorctl" in found.lasting.text


def test_a_calm_line_is_no_cause(world):
    world.program("beat", BEAT)
    world.say("beat", "[2026-11-23 06:54:12,345: INFO/MainProcess] beat: Starting...")
    world.loop("beat", 3, status=124)
    assert "Starting" not in world.findings[0].summary
