"""Whether two beats send one schedule: how sure that is, and the evidence that is told for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.identity import known_apart, link, strangers
from beattop.diagnosis.traits import Traits, normal_app, normal_broker
from beattop.model.commandline import CommandLine
from beattop.model.files import Handles
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Beat, BeatKey
from tests.unit.actions.scene import beat


@pytest.mark.parametrize(
    ("app", "package"),
    [
        (None, None),
        ("", None),
        (":", None),
        ("proj", "proj"),
        ("proj.celery", "proj"),
        ("proj.celery:app", "proj"),
        ("proj.celery.app", "proj"),
        ("proj.celery_app", "proj"),
        ("proj.celeryapp:x", "proj"),
        ("proj.tasks", "proj.tasks"),
        ("proj/celery.py", "proj"),
        (" ./proj ", "proj"),
        ("celery", "celery"),
        ("app", "app"),
        ("a..b", "a.b"),
        ("Xa", "Xa"),
        ("a.celery.b", "a.celery.b"),
    ],
)
def test_the_package_an_app_leads_to(app: str | None, package: str | None) -> None:
    assert normal_app(app) == package


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (None, None),
        ("", None),
        ("redis://h/", "redis://h:6379/0"),
        ("redis://u:**@h:6380/2", "redis://h:6380/2"),
        ("redis://localhost", "redis://127.0.0.1:6379/0"),
        ("redis://[::1]/0", "redis://127.0.0.1:6379/0"),
        ("rediss://h", "rediss://h:6379/0"),
        ("amqp://h//", "amqp://h:5672"),
        ("pyamqp://h/v", "amqp://h:5672/v"),
        ("h/v", "amqp://h:5672/v"),
        ("amqps://h", "amqps://h:5671"),
        ("sqs://h", "sqs://h:0"),
        ("amqp://one;amqp://two", "amqp://one:5672"),
        ("amqp://one,two", "amqp://one:5672"),
        ("sqs://", None),
        ("sqla+sqlite:///X", "sqla+sqlite://:0/X"),
        ("redis://h/X", "redis://h:6379/X"),
        ("memory://x", None),
        ("filesystem://x/y", None),
        ("://x", None),
        ("amqp://h:99999/", "amqp://h:99999/"),
    ],
)
def test_a_brokers_address_to_compare(url: str | None, address: str | None) -> None:
    assert normal_broker(url) == address


def open_(*paths: str, deleted: tuple[str, ...] = (), inode: int = 7, peers: tuple[str, ...] = ()):
    inodes = ((1, inode),) if paths else ()
    return Handles(ProcessKey(1, 1), paths, deleted, inodes, peers, True)


def rooted(inode: int | None) -> Handles:
    return replace(open_(), root=(1, inode) if inode else None)


def pair(a: dict[str, Any], b: dict[str, Any], both: dict[str, Any]) -> tuple[Beat, Beat]:
    one, two = beat(None, 11), beat(None, 22)
    return replace(one, **{**both, **a}), replace(two, **{**both, **b})


def key(app: str | None = "proj", cwd: str | None = "/srv/proj") -> BeatKey:
    return BeatKey(app, cwd, None)


def line(
    program: str | None = None, config: str | None = None, schedule: str | None = None
) -> CommandLine:
    return CommandLine("beat", program=program, config=config, schedule=schedule)


SAME = "both run app proj in /srv/proj"
NONE: dict[str, Any] = {}
KEEPS = {"schedule": "/s", "line": line(schedule="/s")}
# (one beat, the other, both, how sure, the evidence)
CERTAIN = (
    ({"pidfile": "/b"}, {"pidfile": "/b"}, NONE,
     ("both are told to hold the pidfile /b", SAME)),
    ({"pidfile": "/b", "pid_ns": 1}, {"pidfile": "/b", "pid_ns": 2}, {"handles": rooted(7)},
     ("both are told to hold the pidfile /b", SAME)),
    ({}, {}, KEEPS, ("both keep their schedule in /s", SAME)),
    ({}, {}, {"handles": open_("/s")}, ("both have the schedule file /s open", SAME)),
    ({"handles": open_("/b", "/a")}, {"handles": open_("/a", "/b")}, NONE,
     ("both have the schedule file /a open", SAME)),
    ({"handles": open_("/x"), **KEEPS}, {"handles": open_("/y")}, NONE,
     ("both have the schedule file /s open", SAME)),
    ({"handles": open_("/x")}, {"handles": open_("/y")}, NONE,
     ("both have the schedule file one file open", SAME)),
    ({"handles": open_("/s", "/q", deleted=("/s", "/q"), inode=1)}, {"handles": open_("/s", "/q")}, NONE,
     ("pid 11 holds the schedule file /q deleted: pid 22 replaced it", SAME)),
    ({"handles": open_()}, {"handles": open_("/s", deleted=("/s",)), }, KEEPS,
     ("pid 22 holds the schedule file /s deleted: pid 11 replaced it",
      "both keep their schedule in /s", SAME)),
    ({"key": key("x.a"), "handles": open_("/s", deleted=("/s",), inode=1)},
     {"key": key("x.b"), "handles": open_("/s")}, NONE,
     ("pid 11 holds the schedule file /s deleted: pid 22 replaced it",)),
    ({"key": key("x.a")}, {"key": key("x.b")}, {"handles": open_("/s")},
     ("both have the schedule file /s open",)),
    ({"key": key("x.a")}, {"key": key(None)}, {"handles": open_("/s")},
     ("both have the schedule file /s open",)),
    ({"key": key("proj.celery")}, {"key": key("proj", None)}, {"pidfile": "/b"},
     ("both are told to hold the pidfile /b", "one app: proj.celery and proj")),
    # A file that both have open outweighs what their options say.
    ({"broker_full": "redis://a"}, {"broker_full": "redis://b"}, {"handles": open_("/s")},
     ("both have the schedule file /s open", SAME)),
)  # fmt: skip
PERHAPS = "both run app proj, but in /a and /b: perhaps two projects"
A, B = {"key": key(cwd="/a")}, {"key": key(cwd="/b")}
LIKELY = (
    ({}, {}, NONE, "likely", SAME.replace(" in", ", in")),
    ({}, {}, {"broker_full": "redis://h"}, "likely",
     "both run app proj, in /srv/proj, both use the broker redis://h"),
    ({}, {}, {"handles": open_(peers=("h:2", "h:1"))}, "likely",
     "both run app proj, in /srv/proj, both are connected to h:1"),
    (A, B, {"broker_full": "redis://h"}, "likely",
     "both run app proj, both use the broker redis://h"),
    (A, B, NONE, "possible", PERHAPS),
    (A, B, {"handles": open_(peers=("h:1",))}, "possible",
     "both run app proj, both are connected to h:1, but in /a and /b: perhaps two projects"),
    ({"key": key(cwd="/x/releases/1")}, {"key": key(cwd="/x/releases/2")}, NONE, "likely",
     "both run app proj, from /x/releases/1 and /x/releases/2, one project"),
    ({"key": key(cwd="/x/releases/1"), "scheduler": "x:Y"}, {"key": key(cwd="/x/releases/2")}, NONE,
     "possible", "both run app proj, from /x/releases/1 and /x/releases/2, one project, "
     "their schedulers differ: x:Y, default"),
    ({"key": key(cwd="/a"), "env": (("PYTHONPATH", "rel:/srv/p"),)},
     {"key": key(cwd="/b"), "env": (("PYTHONPATH", "/srv/p:rel"),)},
     {"handles": open_(peers=("h:1",))}, "likely",
     "both run app proj, both are connected to h:1, from /a and /b, one project"),
    ({"key": key(cwd="/a"), "env": (("PYTHONPATH", "/srv/p"),)},
     {"key": key(cwd="/b"), "env": (("PYTHONPATH", "/srv/p"),)}, NONE, "possible", PERHAPS),
    ({"key": key(cwd="/a"), "env": (("PYTHONPATH", "rel"),)},
     {"key": key(cwd="/b"), "env": (("PYTHONPATH", "rel"),)}, NONE, "possible", PERHAPS),
    ({"key": key(cwd=None)}, {"key": key(cwd=None)}, NONE, "possible", "both run app proj"),
    ({"handles": open_(peers=("h:1",))}, {"handles": open_(peers=("h:2",))}, NONE, "possible",
     "both run app proj, in /srv/proj"),
    ({"handles": open_(peers=("h:1",))}, {"handles": open_()}, NONE, "likely",
     "both run app proj, in /srv/proj"),
    ({"handles": open_()}, {"handles": open_(peers=("h:1",))}, NONE, "likely",
     "both run app proj, in /srv/proj"),
    ({"handles": open_(peers=("h:1",))}, {"handles": None}, NONE, "likely",
     "both run app proj, in /srv/proj"),
    ({"scheduler": "x:Y"}, {}, NONE, "possible",
     "both run app proj, in /srv/proj, their schedulers differ: x:Y, default"),
    ({}, {"scheduler": "x:Y"}, NONE, "possible",
     "both run app proj, in /srv/proj, their schedulers differ: default, x:Y"),
    ({"scheduler": "x:Y"}, {}, {"schedule": "/s"}, "possible",
     "both run app proj, in /srv/proj, their schedulers differ: x:Y, default"),
    ({}, {"scheduler": "x:Y"}, {"schedule": "/s"}, "possible",
     "both run app proj, in /srv/proj, their schedulers differ: default, x:Y"),
    ({**A, "scheduler": "x:Y"}, B, NONE, "possible", PERHAPS),
    ({"scheduler": "x:RedBeat"}, {}, NONE, "possible",
     "both run app proj, in /srv/proj, their schedulers differ: x:RedBeat, default"),
    ({"key": key(None)}, {"key": key(None)}, {"line": line("/v/manage.py")}, "likely",
     "both run the same manage.py, in /srv/proj"),
    ({"key": key(None), "line": line("a/x.py")}, {"key": key(None), "line": line("x.py")}, NONE,
     "likely", "both run the same manage.py, in /srv/proj"),
    ({"key": key(None)}, {"key": key(None)}, NONE, "likely",
     "both run the same manage.py, in /srv/proj"),
    # In another pid namespace a path may be another file, and only a broker joins two.
    ({"pid_ns": 1}, {"pid_ns": 2}, {"broker_full": "redis://h", "pidfile": "/b"}, "likely",
     "both run app proj, in /srv/proj, both use the broker redis://h"),
    # Unless both have one root: `unshare`, by hand or in a program's command.
    ({"pid_ns": 1}, {"pid_ns": 2}, {"handles": rooted(7)}, "likely",
     "both run app proj, in /srv/proj"),
    ({"pid_ns": 1}, {"pid_ns": None}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({"pid_ns": None}, {"pid_ns": 1}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({"pid_ns": 1}, {"pid_ns": 1}, NONE, "likely", "both run app proj, in /srv/proj"),
    # What only one of the two tells is no difference.
    ({"broker_full": "redis://a"}, {}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({}, {"broker_full": "redis://a"}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({"key": key("proj.tasks")}, {}, NONE, "possible",
     "perhaps one app: proj.tasks and proj, in /srv/proj"),
    ({}, {"key": key("proj.tasks")}, NONE, "possible",
     "perhaps one app: proj and proj.tasks, in /srv/proj"),
    ({"env": (("DJANGO_SETTINGS_MODULE", "a"), ("CELERY_CONFIG_MODULE", "x"))},
     {"env": (("DJANGO_SETTINGS_MODULE", "a"),)}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({"line": line(config="a")}, {"line": line()}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({"line": line()}, {"line": line(config="a")}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({"line": line(config="a")}, {}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({}, {"line": line(config="a")}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({}, {}, {"line": line(config="a")}, "likely", "both run app proj, in /srv/proj"),
    ({"env": (("DJANGO_SETTINGS_MODULE", "a"),)}, {}, NONE, "likely", "both run app proj, in /srv/proj"),
    ({}, {}, {"env": (("DJANGO_SETTINGS_MODULE", "a"),)}, "likely", "both run app proj, in /srv/proj"),
    ({}, {"env": (("DJANGO_SETTINGS_MODULE", "a"),)}, NONE, "likely", "both run app proj, in /srv/proj"),
)  # fmt: skip


def test_two_apps_on_one_file_are_only_told_of() -> None:
    one, two = pair({"key": key("a")}, {"key": key("b")}, {"handles": open_("/s")})
    found = link(one, two)
    assert found is not None
    assert (found.a, found.b, found.certainty) == (one, two, "possible")
    assert found.evidence == (
        "both have the schedule file /s open",
        "but of two apps, a and b: each should have a -s of its own",
    )


DIFFER = (
    ({"broker_full": "redis://a"}, {"broker_full": "redis://b"},
     "brokers differ: redis://a:6379/0 and redis://b:6379/0"),
    ({"env": (("DJANGO_SETTINGS_MODULE", "a"),)}, {"env": (("DJANGO_SETTINGS_MODULE", "b"),)},
     "DJANGO_SETTINGS_MODULE differs: a and b"),
    ({"env": (("CELERY_CONFIG_MODULE", "a"),)}, {"env": (("CELERY_CONFIG_MODULE", "b"),)},
     "CELERY_CONFIG_MODULE differs: a and b"),
    ({"line": line(config="a")}, {"line": line(config="b")}, "--config differs: a and b"),
)  # fmt: skip
STRANGERS = (
    ({"key": key("a")}, {"key": key("b")}, {"pidfile": "/b"}),
    ({"key": key("a")}, {"key": key(None)}, NONE),
    ({"key": key(None)}, {"key": key("a")}, NONE),
    ({"key": key(None, None)}, {"key": key(None, None)}, NONE),
    ({"key": key(None, "/a")}, {"key": key(None, "/b")}, NONE),
    ({"key": key(None), "line": line("x.py")}, {"key": key(None), "line": line("y.py")}, NONE),
    ({"pid_ns": 1}, {"pid_ns": 2}, NONE),
    ({"pid_ns": 1, "handles": rooted(7)}, {"pid_ns": 2, "handles": rooted(8)}, {"pidfile": "/b"}),
    ({"pid_ns": 1, "handles": rooted(7)}, {"pid_ns": 2}, {"pidfile": "/b"}),
    ({"pid_ns": 1, "handles": rooted(None)}, {"pid_ns": 2, "handles": rooted(None)}, NONE),
    ({"key": key("proj.tasks"), "pid_ns": 1}, {"pid_ns": 2}, NONE),
    ({"key": key("proj.tasks", "/a")}, {"key": key("proj", "/b")}, NONE),
    ({"pid_ns": 1}, {"pid_ns": 2}, {"pidfile": "/b"}),
    ({}, {}, {"scheduler": "redbeat.RedBeatScheduler", "handles": open_("/s")}),
)  # fmt: skip


@pytest.mark.parametrize(("a", "b", "both", "evidence"), CERTAIN)
def test_one_file_is_certain(a: dict, b: dict, both: dict, evidence: tuple[str, ...]) -> None:
    one, two = pair(a, b, both)
    found = link(one, two)
    assert found is not None
    assert (found.a, found.b) == (one, two)
    assert (found.certainty, found.evidence) == ("certain", evidence)


@pytest.mark.parametrize(("a", "b", "both", "certainty", "told"), LIKELY)
def test_one_project_or_broker_is_likely_one_name_alone_possible(
    a: dict, b: dict, both: dict, certainty: str, told: str
) -> None:
    one, two = pair(a, b, both)
    found = link(one, two)
    assert found is not None
    assert (found.a, found.b) == (one, two)
    assert (found.certainty, found.evidence) == (certainty, (told,))
    assert known_apart(Traits.of(one), Traits.of(two)) is None


@pytest.mark.parametrize(("a", "b", "why"), DIFFER)
def test_a_known_difference_makes_two_schedules(a: dict, b: dict, why: str) -> None:
    assert link(*pair(a, b, NONE)) is None
    assert link(*pair(a, b, {"pidfile": "/b"})) is None
    assert known_apart(*map(Traits.of, pair(a, b, NONE))) == why
    assert known_apart(*map(Traits.of, pair({**a, "key": key("x")}, b, NONE))) is None


def test_what_sets_two_of_one_package_apart() -> None:
    one, two = pair(
        {"key": key("proj.tasks"), "broker_full": "redis://a"}, {"broker_full": "redis://b"}, NONE
    )
    told = "brokers differ: redis://a:6379/0 and redis://b:6379/0"
    assert known_apart(Traits.of(one), Traits.of(two)) == told


@pytest.mark.parametrize(
    ("a", "b", "apart"),
    [
        ({}, {}, False),
        ({"key": key("x")}, {"key": key("y")}, True),
        ({"key": key("proj.x")}, {"key": key("proj.y")}, False),
        ({"key": key(None)}, {}, False),
        ({"broker_full": "redis://a"}, {"broker_full": "redis://b"}, True),
        ({"key": key(None), "broker_full": "redis://a"}, {"broker_full": "redis://b"}, False),
        ({"broker_full": "redis://a"}, {"key": key(None), "broker_full": "redis://b"}, False),
    ],
)
def test_two_projects_whatever_they_share(a: dict, b: dict, apart: bool) -> None:
    assert strangers(*pair(a, b, NONE)) is apart


@pytest.mark.parametrize(("a", "b", "both"), STRANGERS)
def test_what_is_not_one_schedule(a: dict, b: dict, both: dict) -> None:
    assert link(*pair(a, b, both)) is None


def test_one_redbeat_beside_a_plain_beat_on_one_file_is_certain_all_the_same() -> None:
    one, two = pair({"scheduler": "redbeat:X"}, {}, {"pidfile": "/b"})
    for found in (link(one, two), link(two, one)):
        assert found is not None and found.certainty == "certain"
