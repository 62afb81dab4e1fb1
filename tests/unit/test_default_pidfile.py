"""The pidfile that Celery 3 and 4 take unasked, and pids that came to it from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_diagnosis import BEAT, REFUSED
from tests.unit.test_refusals import PIDFILE, refused
from tests.unit.world import World

pytestmark = pytest.mark.usefixtures("approved_words")


DEFAULT = "/srv/proj/celerybeat.pid"

REFUSED_4 = ("ERROR: Pidfile (celerybeat.pid) already exists.", REFUSED[1])

"""As Celery 3 and 4 say it: the default pidfile, relative to the working directory."""


@pytest.mark.parametrize(
    "command",
    [BEAT, "/srv/v/bin/celery beat -A proj", "/srv/v/bin/celerybeat -A proj"],
    ids=["4.4", "4.4 old order", "3.1"],
)
def test_the_default_pidfile_of_celery_3_and_4(world, command):
    """No --pidfile anywhere; measured with 4.4.7: both start in one directory, one exits 73."""
    world.program("beat", command)
    world.program("beat2", command)
    first = world.spawn("beat", age=3600)
    world.pidfile(DEFAULT, first, age=3599)
    world.say("beat2", *(line.format(pid=first.pid) for line in REFUSED_4))
    world.look()
    world.pass_(1)
    world.loop("beat2", 3)
    (found,) = world.findings
    assert (found.kind, found.effect, found.certainty) == (
        "duplicate-beat",
        "respawning",
        "certain",
    )
    assert [k.pid for k in found.keep] == [first.pid]
    assert [(t.namespec, t.via) for t in found.stop] == [("beat2", "xmlrpc")]
    assert DEFAULT in found.summary


def test_a_stale_default_pidfile(world):
    world.program("beat", BEAT)
    stranger = world.process("/bin/sleep 1000", age=100, uid=0, cwd="/")
    world.pidfile(DEFAULT, stranger, age=4000)
    world.say("beat", *(line.format(pid=stranger.pid) for line in REFUSED_4))
    world.loop("beat", 3)
    (found,) = world.findings
    assert (found.kind, found.pidfile) == ("stale-pidfile", DEFAULT)


def test_on_a_network_file_system_nothing_here_proves_it_stale(world):
    """The pid is some process of this host, but a beat of another host may have written it."""
    world.program("beat", BEAT)
    stranger = world.process("/bin/sleep 1000", age=100, uid=0, cwd="/")
    world.pidfile(DEFAULT, stranger, age=4000)
    world.pidfiles[DEFAULT] = replace(world.pidfiles[DEFAULT], shared="nfs4")
    world.say("beat", *(line.format(pid=stranger.pid) for line in REFUSED_4))
    world.loop("beat", 3)
    (found,) = world.findings
    assert (found.kind, found.certainty, found.pidfile) == ("stale-pidfile", "likely", None)
    assert any("lies on nfs4" in line for line in found.evidence)
    assert "rm " not in found.lasting.text and "another host" in found.lasting.text


def test_a_default_pidfile_in_another_directory_is_another_projects(world):
    world.program("beat", BEAT)
    world.program("red", "/srv/v/bin/celery -A red beat", cwd="/srv/red")
    first = world.spawn("beat", age=3600)
    world.spawn("red", age=3600)
    world.pidfile(DEFAULT, first, age=3599)
    world.look()
    assert world.findings == ()


def two_projects(world: World, *, age: float = 499) -> int:
    """Two projects with one copied --pidfile: shop's beat holds it, blog's is refused."""
    shop = f"/v/bin/python /v/bin/celery -A shop beat --pidfile={PIDFILE}"
    world.program("shop", shop, cwd="/srv/shop")
    world.program("blog", shop.replace("-A shop", "-A blog"), cwd="/srv/blog")
    first = world.spawn("shop", age=500)
    world.pidfile(PIDFILE, first, age=age)
    world.loop("blog", times=4, status=73)
    world.say("blog", *refused(first.pid, 2))
    world.look()
    return first.pid


def test_a_pidfile_copied_into_another_project_makes_no_duplicate(world):
    pid = two_projects(world)
    (found,) = world.findings
    assert (found.kind, found.severity, found.certainty) == ("stale-pidfile", "critical", "likely")
    assert (found.stop, found.pidfile) == ((), None)
    assert "the beat of app shop, another project" in found.summary
    assert "No beat runs for app blog" in found.summary
    assert "--pidfile of its own" in found.lasting.text
    assert str(pid) in found.summary


def test_a_pid_recycled_by_another_projects_beat_is_stale(world):
    two_projects(world, age=9000)
    (found,) = world.findings
    assert (found.kind, found.certainty) == ("stale-pidfile", "certain")
    assert found.pidfile == PIDFILE
