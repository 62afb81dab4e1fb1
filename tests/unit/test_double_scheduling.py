"""Beats that live side by side: who is kept, what is only possible, what is on purpose."""

from __future__ import annotations

import pytest

from beattop.diagnosis.pairs import Candidate, pairs
from beattop.diagnosis.traits import Traits
from beattop.model.files import ScheduleFile
from tests.unit.test_diagnosis import BEAT
from tests.unit.world import Proc, World

pytestmark = pytest.mark.usefixtures("approved_words")


def two(world: World) -> tuple[Proc, Proc]:
    world.program("beat", BEAT)
    world.program("other", f"{BEAT} -s other-schedule")
    return world.spawn("beat", age=500), world.spawn("other", age=400)


def sent(*entries: str) -> list[str]:
    head = "[2026-11-23 06:54:12,345: INFO/MainProcess] Scheduler: Sending due task"
    return [f"{head} {entry} (proj.task)" for entry in entries]


def test_two_schedulers_with_entries_of_their_own_are_possible_at_most(world):
    two(world)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "bill", "mail"), sent_ago=2)
    world.look()
    (found,) = world.findings
    assert (found.severity, found.certainty, found.stop) == ("info", "possible", ())
    assert any("clean" in line and "bill" in line for line in found.evidence)


def test_one_entry_that_both_send_is_evidence(world):
    two(world)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "count", "mail"), sent_ago=2)
    world.look()
    (found,) = world.findings
    assert found.severity == "critical"
    assert any("both send count" in line for line in found.evidence)


@pytest.mark.parametrize(("lines", "ago"), [(2, 2.0), (3, 500.0)], ids=["few", "old"])
def test_too_little_or_too_old_words_prove_nothing(world, lines, ago):
    two(world)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "bill", "mail")[:lines], sent_ago=ago)
    world.look()
    assert world.findings[0].severity == "critical"


def test_one_schedule_file_is_certain_whatever_the_logs_show(world):
    world.program("beat", f"{BEAT} -s /run/s")
    world.program("other", f"{BEAT} -s /run/s")
    world.spawn("beat", age=500)
    world.spawn("other", age=400)
    world.say("beat", *sent("clean", "clean", "count"), sent_ago=2)
    world.say("other", *sent("bill", "bill", "mail"), sent_ago=2)
    world.look()
    assert world.findings[0].certainty == "certain"


def test_what_is_only_possible_gets_no_change_to_copy(world):
    world.program("red", BEAT, cwd="/srv/red")
    world.program("blue", BEAT, cwd="/srv/blue")
    world.spawn("red", age=500)
    world.spawn("blue", age=400)
    world.look()
    (found,) = world.findings
    assert found.certainty == "possible"
    assert found.lasting.text.startswith("Only if they are one project")
    assert found.lasting.diff == ""


@pytest.mark.parametrize("order", ["abc", "bca", "cab"])
@pytest.mark.parametrize("by", ["broker", "settings"])
def test_a_beat_that_is_like_two_others_joins_them_not(order, by):
    """prod and staging in one folder, and a third whose broker is not known: nobody is stopped."""
    world = World()
    world.supervisord()
    for name, place in (("a", "prod"), ("b", "staging"), ("c", None)):
        broker = f"-b redis://{place}/0 " if place and by == "broker" else ""
        env = (("DJANGO_SETTINGS_MODULE", f"p.{place}"),) if place and by == "settings" else ()
        world.program(name, f"celery -A p {broker}beat", env=env)
    for number, name in enumerate(order):
        world.spawn(name, age=1000 - 100 * number)
    for _ in range(3):
        world.pass_(10)
        world.look()
    (found,) = world.findings
    assert (found.certainty, found.severity, found.stop) == ("possible", "info", ())
    assert any("but it may belong to another" in line for line in found.evidence)


def test_a_sure_duplicate_is_stopped_beside_a_doubtful_one():
    world = World()
    world.supervisord()
    world.program("prod", "celery -A p -b redis://prod/0 beat -s /s")
    world.program("prod2", "celery -A p beat -s /s")
    world.program("staging", "celery -A p -b redis://staging/0 beat")
    for number, name in enumerate(("prod", "prod2", "staging")):
        world.spawn(name, age=1000 - 100 * number)
    world.look()
    stopped = [t.namespec for f in world.findings for t in f.stop]
    assert stopped == ["prod2"]


DB = "django_celery_beat.schedulers:DatabaseScheduler"


def test_of_two_schedulers_of_one_project_one_entry_sent_by_both_is_likely(world):
    world.program("beat", f"{BEAT} -S {DB}")
    world.program("other", BEAT)
    world.spawn("beat", age=500)
    world.spawn("other", age=400)
    world.look()
    assert world.findings[0].certainty == "possible"
    for name in ("beat", "other"):
        world.say(name, *sent("clean", "clean", "clean"), sent_ago=2)
    world.look()
    (found,) = world.findings
    assert (found.certainty, [t.namespec for t in found.stop]) == ("likely", ["other"])


def test_one_entry_sent_by_two_tenants_of_one_name_stays_possible(world):
    for tenant in ("red", "blue"):
        world.program(tenant, BEAT, cwd=f"/srv/{tenant}")
        world.spawn(tenant, age=500)
        world.say(tenant, *sent("clean", "clean", "clean"), sent_ago=2)
    world.look()
    assert world.findings[0].certainty == "possible"


STARTING = "[2026-11-23 06:54:12,345: INFO/MainProcess] beat: Starting..."
LOCKED = "[2026-11-23 06:54:12,345: INFO/MainProcess] beat: Acquired lock"


def redbeat(world: World, *, status: str = "absent", mtime_ago: float | None = None) -> None:
    """celery-redbeat is named in the settings: no command line tells, no schedule file is used."""
    for name in ("beat", "standby"):
        world.program(name, BEAT)
        world.spawn(name, age=500)
    mtime = None if mtime_ago is None else world.now - mtime_ago
    path = "/srv/proj/celerybeat-schedule"
    world.schedules[path] = ScheduleFile(path, status, mtime, None, None)


@pytest.mark.parametrize(("status", "ago"), [("absent", None), ("ok", 9000.0)])
def test_a_standby_of_a_scheduler_in_the_settings_is_by_design(world, status, ago):
    redbeat(world, status=status, mtime_ago=ago)
    world.say("beat", STARTING, LOCKED, *sent("clean", "clean"), sent_ago=2)
    world.say("standby", STARTING)
    world.look()
    assert world.findings == ()
    assert [b.health for b in world.snapshot.beats] == ["working", None]


def test_one_that_has_sent_nothing_yet_may_be_such_a_standby(world):
    redbeat(world)
    world.say("beat", *sent("clean", "clean", "clean"), sent_ago=2)
    world.say("standby", STARTING)
    world.look()
    (found,) = world.findings
    assert (found.certainty, found.stop) == ("possible", ())
    assert any("standby" in line for line in found.evidence)


def test_where_both_send_it_is_none(world):
    redbeat(world)
    for name in ("beat", "standby"):
        world.say(name, *sent("clean", "clean", "clean"), sent_ago=2)
    world.look()
    assert world.findings[0].certainty == "likely"


def test_a_schedule_file_that_neither_wrote_is_no_evidence(world):
    """Left from the days before the settings named another scheduler."""
    redbeat(world, status="ok", mtime_ago=9000.0)
    world.look()
    assert not any("keep their schedule" in e for f in world.findings for e in f.evidence)


def test_a_schedule_file_that_both_wrote_is_certain(world):
    redbeat(world, status="ok", mtime_ago=30.0)
    world.look()
    assert world.findings[0].certainty == "certain"


def test_another_tenant_by_its_environment_is_another_schedule(world):
    for tenant in ("red", "blue"):
        world.program(tenant, BEAT, env=(("TENANT", tenant),))
        world.spawn(tenant, age=500)
    world.look()
    assert world.findings == ()


def test_those_that_surely_are_one_stand_as_one_among_the_possible(world):
    two(world)
    world.program("away", BEAT, cwd="/srv/away")
    away = world.spawn("away", age=300)
    world.look()
    sure, maybe = world.findings
    assert (sure.certainty, maybe.certainty) == ("likely", "possible")
    assert maybe.pids == (away.pid,)
    assert "both run app" in maybe.summary


def test_three_of_one_name_are_told_as_three(world):
    for place in ("red", "green", "blue"):
        world.program(place, BEAT, cwd=f"/srv/{place}")
        world.spawn(place, age=500)
    world.look()
    (found,) = world.findings
    assert "all run app" in found.summary and "3 projects of one name" in found.summary


def beats_of_one_app(count: int, place: str, more: str = "") -> World:
    world = World()
    world.supervisord()
    for number in range(count):
        words = more.format(number)
        world.program(f"b{number}", f"{BEAT} {words}", cwd=place.format(number))
        world.spawn(f"b{number}", age=500 + number)
    world.look()
    return world


@pytest.mark.parametrize(
    ("place", "more", "certainty"),
    [
        ("/srv/proj", "", "likely"),
        ("/srv/proj", "-s run/{}", "likely"),
        ("/srv/proj", "-s run/one", "certain"),
        ("/srv/t{}", "", "possible"),
    ],
)
def test_many_beats_of_one_app_are_one_finding_by_few_comparisons(place, more, certainty):
    world = beats_of_one_app(40, place, more)
    (found,) = world.findings
    assert (found.certainty, len(found.pids)) == (certainty, 39)
    living = [Candidate(b, Traits.of(b), frozenset(), False, False) for b in world.snapshot.beats]
    assert len(list(pairs(living))) < 3 * 40


def test_many_tenants_with_brokers_of_their_own_are_not_compared():
    world = World()
    world.supervisord()
    for number in range(40):
        line = BEAT.replace("-A proj", f"-A proj -b redis://h/{number}")
        world.program(f"b{number}", line, cwd=f"/srv/t{number}")
        world.spawn(f"b{number}", age=500)
    world.look()
    assert world.findings == ()
    living = [Candidate(b, Traits.of(b), frozenset(), False, False) for b in world.snapshot.beats]
    assert list(pairs(living)) == []


def test_an_app_within_another_is_possible_until_both_send_one_entry(world):
    world.program("beat", BEAT)
    world.program("other", BEAT.replace("-A proj", "-A proj.tasks:app"))
    world.spawn("beat", age=500)
    world.spawn("other", age=400)
    world.look()
    (found,) = world.findings
    assert (found.certainty, found.stop) == ("possible", ())
    for name in ("beat", "other"):
        world.say(name, *sent("clean", "clean", "clean"), sent_ago=2)
    world.look()
    (found,) = world.findings
    assert (found.certainty, [t.namespec for t in found.stop]) == ("likely", ["other"])


@pytest.mark.parametrize(("one", "two"), [("proj.shop", "proj.blog"), ("shop", "blog")])
def test_apps_side_by_side_in_one_folder_are_several(world, one, two):
    for app in (one, two):
        world.program(app, BEAT.replace("-A proj", f"-A {app}"))
        world.spawn(app, age=500)
    world.look()
    assert world.findings == ()


def one_open_file(world: World) -> None:
    """Two apps, started in one folder without a -s of their own."""
    for app in ("shop", "blog"):
        world.program(app, BEAT.replace("-A proj", f"-A {app}"))
        world.holds(world.spawn(app, age=500), "/srv/proj/celerybeat-schedule")


def test_two_apps_that_fight_for_one_schedule_file_are_no_duplicate_to_stop(world):
    one_open_file(world)
    world.look()
    (found,) = world.findings
    assert (found.severity, found.certainty, found.stop) == ("info", "possible", ())
    assert "two apps' schedules in one file" in found.summary
    assert any("-s of its own" in line for line in found.evidence)


def test_unless_both_send_one_entry(world):
    one_open_file(world)
    for name in ("shop", "blog"):
        world.say(name, *sent("clean", "clean", "clean"), sent_ago=2)
    world.look()
    assert world.findings[0].certainty == "likely"


def placed(one: dict[str, object], two: dict[str, object], peers=()) -> World:
    """Two beats of app proj, in the folders, PYTHONPATHs and venvs given."""
    world = World()
    world.supervisord()
    for name, where in (("one", one), ("two", two)):
        env = (("PYTHONPATH", where["path"]),) if "path" in where else ()
        line = BEAT.replace("/srv/v", str(where.get("venv", "/srv/v")))
        world.program(name, line, cwd=where["cwd"], env=env)
        world.holds(world.spawn(name, age=500), peers=(where["peer"],) if "peer" in where else ())
    world.look()
    return world


@pytest.mark.parametrize(
    ("one", "two", "grades"),
    [
        ({"cwd": "/"}, {"cwd": "/"}, ["likely"]),
        ({"cwd": "/", "venv": "/srv/a/v"}, {"cwd": "/", "venv": "/srv/b/v"}, ["possible"]),
        ({"cwd": "/", "path": "/srv/a"}, {"cwd": "/", "path": "/srv/b"}, ["possible"]),
        ({"cwd": "/", "path": "/srv/a"}, {"cwd": "/root", "path": "/srv/a"}, ["likely"]),
        ({"cwd": "/", "path": "/srv/a"}, {"cwd": "/srv/a"}, ["likely"]),
        ({"cwd": "/root"}, {"cwd": "/home/app"}, ["likely"]),
        ({"cwd": "/srv/a", "path": "/lib"}, {"cwd": "/srv/b", "path": "/lib"}, ["possible"]),
        (
            {"cwd": "/srv/a", "path": "/lib", "peer": "10.0.0.1:6379"},
            {"cwd": "/srv/b", "path": "/lib", "peer": "10.0.0.1:6379"},
            ["likely"],
        ),
        ({"cwd": "/srv/a", "path": "/x"}, {"cwd": "/srv/a", "path": "/y"}, ["possible"]),
        ({"cwd": "/srv/a", "path": "/x"}, {"cwd": "/srv/a"}, ["likely"]),
        ({"cwd": "/srv/a", "venv": "/v1"}, {"cwd": "/srv/a", "venv": "/v2"}, ["likely"]),
        ({"cwd": "/srv/a", "peer": "h1:6379"}, {"cwd": "/srv/b", "peer": "h2:6379"}, []),
        ({"cwd": "/srv/a", "peer": "h1:6379"}, {"cwd": "/srv/b", "peer": "h1:6379"}, ["possible"]),
        ({"cwd": "/srv/a", "peer": "h1:6379"}, {"cwd": "/srv/a", "peer": "h2:6379"}, ["possible"]),
    ],
)
def test_what_folders_and_brokers_tell_of_one_project(one, two, grades):
    assert [f.certainty for f in placed(one, two).findings] == grades


def test_another_file_of_an_environment_is_another_schedule(world):
    """What it holds may be wiped from /proc (setproctitle)."""
    for tenant in ("red", "blue"):
        world.program(tenant, f"dotenv -f {tenant}.env run -- {BEAT}")
        world.spawn(tenant, BEAT, age=500)
    world.look()
    assert world.findings == ()


def tenants(world, one, two, **more):
    for name, number in (("red", one), ("blue", two)):
        variants = (("LICENSEE", number),) if number else ()
        world.program(name, f"{BEAT} -s run/{name}", variants=variants, **more)
        world.spawn(name, age=500)
        world.say(name, "beat: Starting...", "Scheduler: Sending due task a (p.a)", sent_ago=1)
    world.look()


@pytest.mark.parametrize(
    ("one", "two", "certainty"), [(1, 2, "possible"), (1, 1, "likely"), (1, 0, "likely")]
)
def test_sections_whose_environment_differs_may_be_tenants(world, one, two, certainty):
    tenants(world, one, two)
    (found,) = world.findings
    assert found.certainty == certainty
    told = "but the environment= of their sections differs in LICENSEE: perhaps two tenants"
    assert (told in found.evidence) == (certainty == "possible")


def test_one_section_is_one_tenant(world):
    tenants(world, 1, 2, section="program:beat")
    assert world.findings[0].certainty == "likely"


def test_of_three_the_two_of_one_tenant_are_told_apart_from_the_third(world):
    for name, number in (("red", 1), ("blue", 2), ("rose", 1)):
        variants = (("LICENSEE", number),)
        world.program(name, f"{BEAT} -s run/{name}", variants=variants)
        world.spawn(name, age={"red": 500, "blue": 400, "rose": 300}[name])
        world.say(name, "beat: Starting...", "Scheduler: Sending due task a (p.a)", sent_ago=1)
    world.look()
    sure = [f for f in world.findings if f.certainty == "likely"]
    assert [{t.namespec for t in (*f.keep, *f.stop)} for f in sure] == [{"red", "rose"}]


def test_variants_of_two_confs_are_not_comparable(world):
    other = world.supervisord("unix:///run/other.sock", "/etc/other.conf")
    for name, number, server in (("red", 1, None), ("blue", 2, other)):
        variants = (("LICENSEE", number),)
        world.program(name, f"{BEAT} -s run/{name}", variants=variants, server=server)
        world.spawn(name, age=500, server=server)
    world.look()
    assert not any("LICENSEE" in line for f in world.findings for line in f.evidence)


def test_one_schedule_file_is_one_schedule_for_all_tenants(world):
    for name, number in (("red", 1), ("blue", 2)):
        world.program(name, f"{BEAT} -s run/s", variants=(("LICENSEE", number),))
        world.holds(world.spawn(name, age=500), "/srv/proj/run/s")
    world.schedule("/srv/proj/run/s", age=1)
    world.look()
    (found,) = world.findings
    assert found.certainty == "certain"
