"""Two supervisords of one conf, on made-up boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.model.supervisor import Supervisord
from tests.unit.test_diagnosis import BEAT, WORKER
from tests.unit.world import CONF, World

pytestmark = pytest.mark.usefixtures("approved_words")


def test_a_second_supervisord_on_one_conf_is_one_finding(world):
    other = world.supervisord("unix:///run/other.sock", age=100)
    for server in world.servers:
        world.program("beat", BEAT, server=server)
        world.program("worker", WORKER, server=server)
    for server, age in zip(world.servers, (5000, 90), strict=True):
        world.spawn("beat", server=server, age=age)
        world.spawn("worker", server=server, age=age)
    world.look()
    (found,) = world.findings
    assert found.kind == "double-supervisor"
    assert found.pids == (other.key.pid,)
    assert [t.via for t in found.stop] == ["advice"]


def second(world: World, conf: str, own: bool = True, **more: object) -> None:
    """A second supervisord, of another conf by its name, that runs the first one's programs.

    own: each conf holds the sections itself; else both include one file.
    """

    def file(server: Supervisord) -> str:
        return str(server.conf) if own else "/etc/conf.d/beat.conf"

    other = world.supervisord("unix:///run/other.sock", conf=conf, age=100)
    for server in list(world.servers):
        world.servers[world.servers.index(server)] = replace(server, **more)
        world.program("beat", BEAT, server=server, file=file(server))
        world.spawn("beat", server=server, age=5000 if server is not other else 90)
    world.look()


def test_one_conf_by_two_names_is_one_conf(world):
    second(world, "/etc/link.conf", conf_inode=(1, 7))
    assert [f.kind for f in world.findings] == ["double-supervisor"]
    assert any("as /etc/link.conf" in line for line in world.findings[0].evidence)


def test_one_conf_of_two_containers_is_two(world):
    second(world, CONF, conf_inode=(1, 7))
    own = world.procs[world.servers[1].key.pid]
    own.process = replace(own.process, pid_ns=2)
    world.look()
    assert "double-supervisor" not in [f.kind for f in world.findings]


def test_two_confs_that_include_the_same_sections_are_one_cause(world):
    second(world, "/etc/other.conf", own=False)
    assert [f.kind for f in world.findings] == ["double-supervisor"]


def test_two_confs_of_equal_sections_are_two(world):
    """A copied conf: its beat is told as a duplicate, each program with its own cure."""
    second(world, "/etc/other.conf")
    assert [f.kind for f in world.findings] == ["duplicate-beat"]


def test_one_conf_told_apart_by_its_environment_is_two(world):
    """%(ENV_TENANT)s in the conf: each supervisord runs programs of its own."""
    other = world.supervisord("unix:///run/other.sock", age=100)
    for server, tenant in zip(world.servers, ("red", "blue"), strict=True):
        world.program("beat", BEAT, server=server, cwd=f"/srv/{tenant}")
        world.spawn("beat", server=server, age=500)
    world.look()
    assert other.conf == world.servers[0].conf
    assert "double-supervisor" not in [f.kind for f in world.findings]
