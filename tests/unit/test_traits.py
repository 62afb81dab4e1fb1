"""What of a beat tells its project: folders, PYTHONPATH, a virtual environment, packages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.traits import Traits, akin, foreign, one_project, same_app
from beattop.model.commandline import CommandLine
from beattop.model.files import Handles
from beattop.model.process import ProcessKey
from beattop.model.snapshot import BeatKey
from tests.unit.actions.scene import beat


def traits(
    cwd: str | None = "/srv/p", *, app: str | None = "proj", path: str | None = None,
    venv: str | None = None, program: str | None = None, peer: str | None = None,
) -> Traits:  # fmt: skip
    env = {"PYTHONPATH": path, "VIRTUAL_ENV": venv}
    held = Handles(ProcessKey(1, 1), (), (), (), (peer,), True) if peer else None
    made = replace(
        beat(None, 7),
        key=BeatKey(app, cwd, None),
        env=tuple((name, value) for name, value in env.items() if value),
        line=CommandLine("beat", program=program) if program else None,
        handles=held,
    )
    return Traits.of(made)


PLACES = (
    (None, None), ("/", None), ("/root", None), ("/tmp", None), ("/home", None),
    ("/home/joe", None), ("/home/joe/p", "/home/joe/p"), ("/usr", None), ("/usr/lib", None),
    ("/etc", None), ("/opt", None), ("/srv", None), ("/var", None), ("/var/lib", None),
    ("/var/www", "/var/www"), ("/srv/x/releases/3", "/srv/x/"), ("/rootless", "/rootless"),
)  # fmt: skip


@pytest.mark.parametrize(("cwd", "place"), PLACES)
def test_where_a_project_may_be(cwd: str | None, place: str | None) -> None:
    assert traits(cwd).place == place


VENVS = (
    ({"program": "/srv/v/bin/celery"}, "/srv/v"),
    ({"program": "/usr/bin/celery"}, None),
    ({"program": "/usr/local/bin/celery"}, None),
    ({"program": "/bin/celery"}, None),
    ({"program": "/srv/v/sbin/celery"}, None),
    ({"program": "v/bin/celery"}, None),
    ({"program": "celery"}, None),
    ({}, None),
    ({"venv": "/e", "program": "/srv/v/bin/celery"}, "/e"),
)


@pytest.mark.parametrize(("facts", "venv"), VENVS)
def test_a_virtual_environment(facts: dict[str, Any], venv: str | None) -> None:
    assert traits(**facts).venv == venv


def test_all_that_may_tell_a_project() -> None:
    found = traits("/srv/x/releases/1", path="rel:/lib/a:/lib/b/current/src", venv="/e")
    assert found.paths == {"/lib/a", "/lib/b//src"}
    assert found.projects == {"/srv/x/releases/1", "/srv/x/", "/e", *found.paths}
    assert traits(None).projects == frozenset()


def test_what_a_command_line_and_the_environment_say() -> None:
    made = replace(
        beat(None, 7, schedule="/s", pidfile="/b"),
        line=CommandLine("beat", program="/x/manage.py", config="c", schedule="/s"),
        env=(("DJANGO_SETTINGS_MODULE", "a"), ("PATH", "/")),
        broker_full="redis://h",
        scheduler="x:Y",
        pid_ns=4,
    )
    found = Traits.of(made)
    assert (found.app, found.said, found.script) == ("proj", "proj", "manage.py")
    assert (found.config, found.settings) == ("c", (("DJANGO_SETTINGS_MODULE", "a"),))
    assert (found.broker, found.broker_said) == ("redis://h:6379/0", "redis://h")
    assert (found.scheduler, found.schedule, found.pidfile, found.pid_ns) == ("x:Y", None, "/b", 4)
    assert Traits.of(replace(made, scheduler=None)).schedule == "/s"
    assert Traits.of(beat(None, 7)).script == ""


# (one, the other, whether their apps are imported from one project)
PROJECTS = (
    ({}, {}, True),
    ({"cwd": "/srv/x/releases/1"}, {"cwd": "/srv/x/releases/2"}, True),
    ({"cwd": "/srv/a"}, {"cwd": "/srv/b"}, False),
    ({"path": "/l"}, {}, True),
    ({"path": "/l"}, {"path": "/l:/m"}, True),
    ({"path": "/l"}, {"path": "/m"}, False),
    ({"cwd": "/srv/a", "path": "/l", "peer": "h:1"}, {"cwd": "/srv/b", "path": "/l", "peer": "h:1"}, True),
    ({"cwd": "/srv/a", "path": "/l", "peer": "h:1"}, {"cwd": "/srv/b", "path": "/l", "peer": "h:2"}, False),
    ({"cwd": "/srv/a", "path": "/l"}, {"cwd": "/srv/b", "path": "/l"}, False),
    ({"cwd": "/srv/a", "path": "/l", "peer": "h:1"}, {"cwd": "/srv/b", "path": "/m", "peer": "h:1"}, False),
    ({"cwd": "/srv/a"}, {"cwd": "/srv/b", "path": "/srv/a"}, True),
    # Where any program may stand, what else there is has to tell.
    ({"cwd": "/"}, {"cwd": "/"}, True),
    ({"cwd": "/"}, {"cwd": "/tmp"}, False),
    ({"cwd": "/"}, {"cwd": "/srv/a"}, False),
    ({"cwd": None}, {"cwd": None}, False),
    ({"cwd": None}, {"cwd": "/"}, False),
    ({"cwd": None, "path": "/l"}, {"cwd": None, "path": "/l"}, True),
    ({"cwd": "/", "path": "/l"}, {"cwd": "/tmp", "path": "/l:/m"}, True),
    ({"cwd": "/", "path": "/l"}, {"cwd": "/", "path": "/m"}, False),
    ({"cwd": "/", "path": "/l"}, {"cwd": "/"}, False),
    ({"cwd": "/", "path": "/srv/a"}, {"cwd": "/srv/a"}, True),
    ({"cwd": "/", "venv": "/e"}, {"cwd": "/tmp", "venv": "/e"}, True),
    ({"cwd": "/", "venv": "/e"}, {"cwd": "/", "venv": "/f"}, False),
    ({"cwd": "/", "venv": "/e"}, {"cwd": "/"}, False),
    ({"cwd": None, "venv": "/e"}, {"cwd": "/", "venv": "/e"}, False),
)  # fmt: skip


@pytest.mark.parametrize(("a", "b", "one"), PROJECTS)
def test_one_project(a: dict[str, Any], b: dict[str, Any], one: bool) -> None:
    assert one_project(traits(**a), traits(**b)) is one
    assert one_project(traits(**b), traits(**a)) is one


APPS = (
    ({}, {}, True, False, False),
    ({"app": "proj.tasks"}, {}, False, True, False),
    ({"app": "proj.tasks"}, {"cwd": "/srv/q"}, False, False, False),
    ({"app": "proj.a"}, {"app": "proj.b"}, False, False, False),
    ({"app": "project"}, {}, False, False, True),
    ({"app": "blog"}, {}, False, False, True),
    ({"app": "x.proj"}, {}, False, False, False),
    ({"app": None}, {}, False, False, False),
    ({"app": None}, {"app": None}, True, False, False),
    ({"app": None, "cwd": None}, {"app": None, "cwd": None}, False, False, False),
    ({"app": None}, {"app": None, "cwd": "/srv/q"}, False, False, False),
    ({"app": None, "program": "a.py"}, {"app": None, "program": "x/a.py"}, True, False, False),
    ({"app": None, "program": "a.py"}, {"app": None, "program": "b.py"}, False, False, False),
)


@pytest.mark.parametrize(("a", "b", "same", "kin", "strange"), APPS)
def test_apps(a: dict[str, Any], b: dict[str, Any], same: bool, kin: bool, strange: bool) -> None:
    for one, two in ((traits(**a), traits(**b)), (traits(**b), traits(**a))):
        assert (same_app(one, two), akin(one, two), foreign(one, two)) == (same, kin, strange)


def test_no_scheduler_is_an_empty_word() -> None:
    assert traits().scheduler == ""
