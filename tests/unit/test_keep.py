"""Which beat goes on, why, and how each other one is ended: rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.diagnosis.keep import best, ctl, describe, keep, stop_beat, stop_program
from beattop.model.files import Handles
from beattop.model.process import ProcessKey
from beattop.model.snapshot import BeatKey, Program, ProgramId
from tests.unit.actions.scene import (
    AT,
    URL,
    beat,
    config,
    member,
    program,
    snapshot,
    supervisord,
)

CTL = "supervisorctl -c /etc/supervisord.conf"
PEERS = Handles(ProcessKey(1, 1), (), (), (), ("10.0.0.5:5672",), True)
FIRST = program("first", 301, conf=config("first", order=1))
SECOND = program("second", 302, conf=config("second", order=2))
# What makes a beat the one to keep, the strongest first, and what speaks against it.
FOR_IT = (
    ({"health": "working"}, {"health": "silent"}),
    ({"embedded": True}, {"embedded": False}),
    ({"holds_pidfile": True}, {"holds_pidfile": None}),
    ({"unmanaged": False}, {"unmanaged": True}),
    ({"started_at": AT - 500.0}, {"started_at": None}),
    ({"handles": PEERS}, {"handles": replace(PEERS, peers=())}),
    ({"process": ProcessKey(301, 100)}, {"process": None}),
    ({"program": FIRST.id}, {"program": None}),
    ({"pid": 301}, {"pid": None}),
)


@pytest.mark.parametrize("at", range(len(FOR_IT)))
def test_a_stronger_reason_outweighs_all_weaker_ones_together(at: int) -> None:
    """Alike in what is stronger still, and the other way round in all that is weaker."""
    plain = replace(beat(SECOND), process=ProcessKey(302, 100), started_at=AT - 500.0)
    kept = other = plain
    good, bad = FOR_IT[at]
    kept, other = replace(kept, **good), replace(other, **bad)
    for weaker, against in FOR_IT[at + 1 :]:
        kept, other = replace(kept, **against), replace(other, **weaker)
    shot = snapshot([FIRST, SECOND])
    assert best([other, kept], shot) == [kept, other]
    assert best([kept, other], shot) == [kept, other]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"started_at": AT - 90.0}, {"started_at": AT - 80.0}),
        ({"process": ProcessKey(9, 100)}, {"process": ProcessKey(9, 101)}),
        ({"program": FIRST.id}, {"program": SECOND.id}),
        ({"holds_pidfile": True}, {"holds_pidfile": False}),
        ({"handles": PEERS}, {"handles": None}),
        ({"pid": 301}, {"pid": 302}),
    ],
)
def test_the_older_the_earlier_in_the_conf_the_one_that_is_connected(good: dict, bad: dict) -> None:
    plain = replace(beat(SECOND), process=ProcessKey(302, 100), started_at=AT - 90.4)
    kept, other = replace(plain, **good), replace(plain, **bad)
    assert best([other, kept], snapshot([FIRST, SECOND])) == [kept, other]


def test_starts_within_one_second_are_told_apart_by_what_they_do() -> None:
    """Clock ticks and boot times are rounded: a fraction of a second is no seniority."""
    older = replace(beat(FIRST), started_at=AT - 90.4)
    connected = replace(beat(SECOND), started_at=AT - 90.0, handles=PEERS)
    assert best([older, connected], snapshot([FIRST, SECOND]))[0] is connected


def test_a_program_without_conf_comes_last_in_the_order_of_the_conf() -> None:
    late = program("late", 302, conf=config("late", order=700))
    bare = program("bare", 301, conf=None)
    plain = replace(beat(), pid=300, process=ProcessKey(300, 1), started_at=AT - 9)
    kept, other = replace(plain, program=late.id), replace(plain, program=bare.id)
    assert best([other, kept], snapshot([bare, late])) == [kept, other]


WHYS = (
    ({}, ""),
    ({"holds_pidfile": True, "pidfile": "/run/b.pid"}, "holds /run/b.pid"),
    ({"embedded": True}, "is embedded in a worker, which is never stopped for it"),
    ({"unmanaged": True}, "is not supervised"),
    ({"started_at": AT - 41.0}, "up 41 s"),
    ({"last_sent_at": AT - 590.0}, "last wrote or sent 10 min ago"),
    ({"last_sent_at": AT - 600.0}, ""),
    (
        {"holds_pidfile": True, "pidfile": "/b", "started_at": AT - 20.0, "last_sent_at": AT - 5.0},
        "holds /b, up 20 s, last wrote or sent 5.0 s ago",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("facts", "why"), WHYS)
def test_why_one_is_kept(facts: dict, why: str) -> None:
    found = keep(replace(beat(FIRST), **facts), snapshot([FIRST]))
    assert found.why == why
    assert (found.supervisor, found.namespec, found.pid) == (URL, "first", 301)
    assert (found.program, found.process) == (FIRST.id, ProcessKey(301, 3010))


ABOUT = (
    ({}, "pid 301: first, up ?, in /srv/proj"),
    ({"user": "app"}, "pid 301: first, up ?, in /srv/proj, user app"),
    ({"started_at": AT - 41.0}, "pid 301: first, up 41 s, in /srv/proj"),
    ({"key": BeatKey("proj", None, None)}, "pid 301: first, up ?"),
)


@pytest.mark.parametrize(("facts", "line"), ABOUT)
def test_one_line_on_a_beat(facts: dict, line: str) -> None:
    assert describe(replace(beat(FIRST), **facts), snapshot([FIRST])) == line


def test_the_call_by_hand_is_known_where_supervisorctl_can_reach_its_server() -> None:
    assert ctl(snapshot([FIRST]), FIRST, "stop") == f"{CTL} stop first"
    assert ctl(snapshot([FIRST], supervisords=[]), FIRST, "stop") is None
    assert ctl(snapshot([FIRST], supervisords=[supervisord(ctl=())]), FIRST, "stop") is None


UNREACHABLE = (
    [],
    [supervisord(answers=False)],
    [supervisord(answers=None)],
    [supervisord(writable=False)],
)


@pytest.mark.parametrize("servers", UNREACHABLE)
def test_what_its_server_cannot_be_asked_for_is_advice(servers: list) -> None:
    found = stop_program(FIRST, snapshot([FIRST], supervisords=servers), "surplus", 301)
    assert found.via == "advice"
    assert found.why == "surplus; its supervisord does not answer here"
    assert found.command == (f"{CTL} stop first" if servers else None)


def test_a_program_is_stopped_through_its_server() -> None:
    found = stop_program(FIRST, snapshot([FIRST]), "surplus", 301)
    assert (found.supervisor, found.namespec, found.pid) == (URL, "first", 301)
    assert (found.via, found.command, found.why) == ("xmlrpc", f"{CTL} stop first", "surplus")
    assert (found.program, found.process) == (FIRST.id, ProcessKey(301, 3010))
    child = replace(FIRST, members=(member(301), member(305, "other", ppid=301)))
    assert stop_program(child, snapshot([child]), "", 305).process == ProcessKey(305, 3050)
    assert stop_program(FIRST, snapshot([FIRST]), "surplus", None).process is None


def _with(*roles: str) -> Program:
    members = [member(401 + i, role) for i, role in enumerate(roles)]  # type: ignore[arg-type]
    return program("app", 401, members=members)


FALLEN = (
    (("wrapper", "beat", "worker"), "a worker (pid 403)"),
    (("worker+beat", "beat"), "a worker (pid 401)"),
    (("flower", "beat"), "a flower (pid 401)"),
    (("wrapper", "beat", "beat"), "2 beats"),
    (("wrapper", "beat", "other"), None),
    (("beat", "wrapper"), None),
)


@pytest.mark.parametrize(("roles", "fallen"), FALLEN)
def test_a_program_that_runs_more_than_a_beat_is_not_stopped_for_it(
    roles: tuple[str, ...], fallen: str | None
) -> None:
    app = _with(*roles)
    found = stop_program(app, snapshot([app]), "surplus", 402)
    if fallen is None:
        assert (found.via, found.command, found.why) == ("xmlrpc", f"{CTL} stop app", "surplus")
        return
    assert (found.via, found.command) == ("advice", "kill -TERM 402")
    assert found.why == f"surplus; but stopping app would stop {fallen} with it"
    assert stop_program(app, snapshot([app]), "surplus", None).command is None
    # Whose server does not answer is advice for that reason; what would fall is spared all the same.
    mute = snapshot([app], supervisords=[])
    assert stop_program(app, mute, "surplus", 402).command == "kill -TERM 402"


OTHER = "conf:/etc/other.conf"
STRANGERS = (
    ({}, "signal", "kill -TERM 77", "surplus"),
    ({"unit": "b.service"}, "advice", "systemctl stop b.service",
     "surplus; it belongs to the systemd unit b.service, which may start it again"),
    ({"container": "docker 1a2b"}, "advice", None,
     "surplus; it runs in a container (docker 1a2b): stop it there"),
    ({"runner": "honcho"}, "advice", "kill -TERM 77",
     "surplus; honcho started it and may start it again"),
    ({"supervisor": OTHER}, "advice", None, f"surplus; {OTHER} runs it: stop its program there"),
)  # fmt: skip


@pytest.mark.parametrize(("facts", "via", "command", "why"), STRANGERS)
def test_an_unsupervised_beat_is_ended_by_signal_or_by_who_would_start_it_again(
    facts: dict, via: str, command: str | None, why: str
) -> None:
    found = stop_beat(replace(beat(None, 77), **facts), snapshot(), "surplus")
    assert (found.via, found.command, found.why) == (via, command, why)
    assert (found.supervisor, found.namespec) == (facts.get("supervisor"), None)
    assert (found.pid, found.process, found.program) == (77, ProcessKey(77, 770), None)
    assert stop_beat(beat(None, 77), snapshot()).why == ""


@pytest.mark.parametrize(
    ("viewer", "uid", "user", "via", "owner"),
    [
        (1000, 1000, "app", "signal", ""),
        (0, 1000, "app", "signal", ""),
        (1001, 1000, "app", "advice", "app"),
        (1001, 1000, None, "advice", "uid 1000"),
    ],
)
def test_another_users_process_is_left_to_who_may_end_it(
    viewer: int, uid: int, user: str | None, via: str, owner: str
) -> None:
    shot = snapshot()
    shot = replace(shot, viewer=replace(shot.viewer, uid=viewer))
    found = stop_beat(replace(beat(None, 77), uid=uid, user=user), shot, "surplus")
    assert (found.via, found.command) == (via, "kill -TERM 77")
    told = f"surplus; it is {owner}'s process: {owner} or root may end it"
    assert found.why == (told if owner else "surplus")


def _embedded(of: Program | None, pid: int | None, main_pid: int | None, **more: object):
    return replace(beat(of, pid, embedded=True), main_pid=main_pid, **more)


WORKER = program("worker", 500, role="worker+beat")


def test_a_worker_is_never_stopped_for_its_beat_the_emergency_step_is_told() -> None:
    found = stop_beat(_embedded(WORKER, 501, 500), snapshot([WORKER]), "surplus")
    assert (found.via, found.command) == ("advice", "kill -TERM 501")
    assert found.why == (
        "surplus; take -B (--beat) out of [program:worker] and restart that worker when it is "
        "idle; never stop a worker for its beat. In an emergency kill -TERM 501 ends its embedded "
        "beat alone"
    )
    assert (found.supervisor, found.namespec, found.pid) == (URL, "worker", 501)
    assert (found.program, found.process) == (WORKER.id, ProcessKey(501, 5010))


@pytest.mark.parametrize(
    ("of", "pid", "where"),
    [
        (WORKER, 500, "[program:worker]"),
        (WORKER, None, "[program:worker]"),
        (replace(WORKER, config=None), 500, "its command"),
        (None, 500, "its command"),
    ],
)
def test_a_worker_that_beats_in_its_own_process_has_no_emergency_step(
    of: Program | None, pid: int | None, where: str
) -> None:
    shot = snapshot([of] if of else [])
    made = replace(_embedded(of, 500, 500), pid=pid)
    found = stop_beat(made, shot)
    assert found.command is None and found.via == "advice"
    assert found.why.startswith(f"take -B (--beat) out of {where} and restart")
    assert found.why.endswith("never stop a worker for its beat")


def test_a_left_over_worker_is_ended_when_idle() -> None:
    found = stop_beat(_embedded(None, 501, 500, origin="orphan"), snapshot(), "surplus")
    told = (
        "surplus; no supervisord holds that worker (pid 500) any more: when it is idle, "
        "kill -TERM 500 ends it with its beat; its running task is waited for"
    )
    assert (found.via, found.command) == ("advice", "kill -TERM 500")
    assert found.why == told + ". In an emergency kill -TERM 501 ends its beat alone"
    assert (found.pid, found.process) == (501, ProcessKey(501, 5010))
    found = stop_beat(_embedded(None, 500, 500, origin="orphan"), snapshot(), "surplus")
    assert found.why == told


def test_a_program_that_left_the_snapshot_is_treated_as_unsupervised() -> None:
    gone = replace(beat(None, 77), program=ProgramId(URL, "x", "x"))
    assert stop_beat(gone, snapshot()).via == "signal"
