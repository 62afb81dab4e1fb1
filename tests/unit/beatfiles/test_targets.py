"""Which files belong to which beat."""

from __future__ import annotations

from dataclasses import replace

from beattop.model.files import LastWords
from beattop.model.members import Lines
from beattop.model.process import ProcessKey
from beattop.model.supervisor import Supervisord
from beattop.sources.celery.programlogs import program_logs
from beattop.sources.celery.targets import Targets, targets
from tests.unit.supervisor.people import config, process, state

SERVER = Supervisord(
    "s", ProcessKey(100, 1000), "/c", "/proc/100/root", None, None, None, None, None, (), None
)


def of(*processes, configs=(), words=()) -> Targets:
    return targets(processes, configs, [SERVER], words, Lines())


def paths(found) -> list[tuple[str, bool]]:
    return [(one.path, one.guessed) for one in found]


def test_a_beat_with_a_pidfile():
    told = of(process(42, "celery -A p beat --pidfile run/b.pid -s x", cwd="/srv", pid_ns=7))
    assert paths(told.pidfiles) == [("/srv/run/b.pid", False)]
    assert told.pidfiles[0].pid_ns == 7
    assert paths(told.schedules) == [("/srv/x", False)]
    assert [(h.schedule, h.fork) for h in told.holders] == [("/srv/x", False)]


def test_defaults_are_guesses():
    told = of(process(42, "celery -A p beat", cwd="/srv"))
    assert paths(told.pidfiles) == [("/srv/celerybeat.pid", True)]
    assert paths(told.schedules) == [("/srv/celerybeat-schedule", False)]


def test_an_empty_pidfile_is_none():
    assert of(process(42, "celery -A p beat --pidfile=", cwd="/srv")).pidfiles == ()


def test_the_environment_counts():
    told = of(process(42, "celery -A p beat", cwd="/srv", env={"CELERY_BEAT_PIDFILE": "e.pid"}))
    assert paths(told.pidfiles) == [("/srv/e.pid", False)]


def test_other_schedulers_keep_no_file():
    told = of(process(42, "celery -A p beat -S redbeat.RedBeatScheduler", cwd="/srv"))
    assert told.schedules == () and told.holders[0].schedule is None


def test_a_worker_with_beat_and_its_forks():
    argv = "celery -A p worker -B"
    told = of(
        process(42, argv, cwd="/srv"),
        process(43, argv, ppid=42, cwd="/srv"),
        process(44, argv, ppid=42, cwd="/srv"),
    )
    assert [(h.process.pid, h.fork) for h in told.holders] == [(42, False), (43, True), (44, True)]
    assert len(told.schedules) == 1
    plain = "celery -A p worker"
    told = of(process(42, plain, cwd="/srv"), process(43, plain, ppid=42, cwd="/srv"))
    assert told.holders == () and told.pidfiles == ()


def test_programs_without_a_process():
    written = config("b", "b", command="celery -A p beat --pidfile b.pid", directory="/srv")
    told = of(configs=[replace(written, supervisor="s")])
    assert paths(told.pidfiles) == [("/srv/b.pid", False)]
    assert told.pidfiles[0].supervisor == "s"
    assert paths(told.schedules) == [("/srv/celerybeat-schedule", False)]


def test_a_refusal_names_its_file():
    written = config("b", "b", command="celery -A p beat", directory="/srv", supervisor="s")
    words = LastWords(
        "s", "b", "b", ("ERROR: Pidfile (celerybeat.pid) already exists.",), 1, None, "/l"
    )
    told = of(configs=[written], words=[words])
    assert paths(told.pidfiles) == [("/srv/celerybeat.pid", False)]


def test_a_supervisord_that_is_not_looked_at_keeps_its_files_to_itself():
    def under(supervisord: int) -> list[tuple[str, bool]]:
        argv = "celery -A p beat --pidfile b.pid"
        people = (
            process(supervisord, "/usr/bin/python3 /usr/bin/supervisord -c /c"),
            process(41, "sh -c beat", ppid=supervisord, cwd="/srv"),
            process(42, argv, ppid=41, cwd="/srv"),
        )
        return paths(of(*people).pidfiles)

    assert under(100) == [("/srv/b.pid", False)]
    assert under(101) == []


def test_nobody_is_no_trouble():
    assert of(process(1, "nginx")) == Targets()


def test_program_logs():
    known = replace(state("b", "b"), stdout_log="/log/o", stderr_log="e.log")
    written = config("c", "c", command="celery -A p beat", supervisor="s", stdout_log="/log/c")
    stream = config("d", "d", supervisor="s", stdout_log="/dev/stdout")
    supervisord = process(100, "supervisord", cwd="/srv")
    found = program_logs([supervisord], [known], [written, stream], [SERVER], 1000.0)
    assert [(log.name, log.stdout, log.stderr, log.root) for log in found] == [
        ("b", "/log/o", "/srv/e.log", "/proc/100/root"),
        ("c", "/log/c", None, "/proc/100/root"),
    ]


def test_on_a_large_box_only_what_matters():
    many = [config(f"p{i}", f"p{i}", supervisor="s", stdout_log=f"/log/{i}") for i in range(200)]
    beat = config("beat", "beat", command="celery beat", supervisor="s", stdout_log="/log/b")
    failing = replace(state("p7", "p7"), state="BACKOFF", stdout_log="/log/7")
    found = program_logs([], [failing], [*many, beat], [SERVER], 1000.0)
    assert [(log.name, log.troubled) for log in found] == [("p7", True), ("beat", False)]
