"""A supervisord that hangs, refuses, does not run or runs twice, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beattop.diagnosis.supervisord import denied, doubles, not_answering
from beattop.model.finding import Finding
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Program, Snapshot
from beattop.model.source import SourceStatus
from beattop.model.supervisor import Supervisord
from tests.unit.actions.scene import URL, config, member, program, snapshot, supervisord
from tests.unit.test_alone import tell

pytestmark = pytest.mark.usefixtures("approved_words")


# supervisords

ASKED = SourceStatus("supervisor", URL, "timeout", "no answer in 1.5 s")

MUTE = supervisord(answers=False)


def servers(
    server: Supervisord, status: SourceStatus | None = ASKED, *, state: str | None = None,
    programs: tuple[Program, ...] = (), limited: tuple[str, ...] = (),
) -> Snapshot:  # fmt: skip
    own = replace(member(100, "supervisord", start=1000), state=state or "S")
    other = member(999, "supervisord")
    return replace(
        snapshot(programs, supervisords=[server],
                 sources=[SourceStatus("conf", URL, "down"), SourceStatus("supervisor", "x", "down"),
                          *([status] if status else [])]),
        supervisord_members=((("x"), other), *(((URL, own),) if state else ())),
        limited_to=limited,
    )  # fmt: skip


def zombie(name: str) -> Program:
    return program(name, 7, members=[replace(member(7), state="Z")])


HANGS = {
    "hangs": servers(MUTE),
    "hangs, no detail": servers(MUTE, replace(ASKED, detail="")),
    "hangs, asleep": servers(MUTE, state="S"),
    "stopped": servers(MUTE, state="T"),
    "traced": servers(MUTE, state="t"),
    "down": servers(MUTE, replace(ASKED, status="down")),
    "one not reaped": servers(MUTE, programs=(zombie("a"), program("b", 8))),
    "two not reaped": servers(MUTE, programs=(zombie("a"), zombie("b"), program("c"))),
    "asked by its URL": servers(replace(MUTE, id="conf:/x"), state="S"),
}


@pytest.mark.parametrize("about", HANGS)
def test_a_supervisord_that_hangs(about: str) -> None:
    (found,) = tell(list(not_answering(HANGS[about])))
    assert found.severity == "critical"
    assert found.effect == ("stopped" if about in ("stopped", "traced") else "hung")
    assert list(not_answering(HANGS[about], {HANGS[about].supervisords[0].id})) == []


GONE = supervisord(key=None, answers=None)

ANSWERING = {
    "it answers": servers(supervisord()),
    "it was not asked": servers(supervisord(answers=None)),
    "nothing is known": servers(MUTE, None),
    "it is well": servers(MUTE, replace(ASKED, status="ok")),
    "it refuses": servers(MUTE, replace(ASKED, status="denied")),
    "it does not run, and nobody named it": servers(GONE),
    "it answers from elsewhere": servers(replace(GONE, answers=True), limited=(URL,)),
}


@pytest.mark.parametrize("about", ANSWERING)
def test_no_supervisord_hangs(about: str) -> None:
    assert list(not_answering(ANSWERING[about])) == []


@pytest.mark.parametrize("detail", ["no such socket", ""])
@pytest.mark.parametrize("answers", [None, False])
def test_a_named_supervisord_that_does_not_run(detail: str, answers: bool | None) -> None:
    said = replace(ASKED, status="down", detail=detail)
    shot = servers(replace(GONE, answers=answers), said, limited=(URL,))
    (found,) = tell(list(not_answering(shot)))
    assert (found.effect, found.pids) == ("down", ())


@pytest.mark.parametrize(("url", "detail"), [(URL, "needs root"), (None, "needs root"), (URL, "")])
def test_a_supervisord_that_refuses(url: str | None, detail: str) -> None:
    said = replace(ASKED, status="denied", detail=detail)
    (found,) = tell(list(denied(servers(replace(MUTE, url=url), said))))
    assert (found.kind, found.severity, found.pids) == ("supervisor-denied", "info", (100,))
    by_conf = replace(MUTE, id="conf:/x", url=url)
    shot = servers(by_conf, replace(said, target=url or "conf:/x"))
    assert f"supervisord at {url or 'conf:/x'} does" in next(iter(denied(shot))).summary
    assert list(denied(servers(GONE, said))) == []
    assert list(denied(servers(MUTE))) == list(denied(servers(MUTE, None))) == []


def twin(pid: int, **facts: Any) -> Supervisord:
    return replace(supervisord(f"unix:///{pid}"), **{"key": ProcessKey(pid, pid * 10), **facts})


def twice(
    *found: Supervisord,
    programs: list[Program] | None = None,
    spaces: tuple[int | None, ...] = (1,),
) -> list[tuple[Finding, tuple[str, ...]]]:
    shown = [member(s.key.pid, "supervisord") for s in found if s.key]
    members = tuple(
        (s.id, replace(m, process=replace(m.process, pid_ns=space)))
        for s, m, space in zip(found, shown, spaces, strict=False)
        if space
    )
    if programs is None:
        programs = [of_conf(s, "b", file=s.conf or "?") for s in found]
    word = SourceStatus("supervisor", "unix:///3", "timeout", "hangs")
    shot = replace(
        snapshot(programs, supervisords=found, sources=[word]), supervisord_members=members
    )
    out = list(doubles(shot))
    tell([f for f, _ in out])
    return out


def test_two_supervisords_of_one_conf() -> None:
    ((found, surplus),) = twice(twin(2), twin(3, answers=False))
    assert (found.keep[0].pid, surplus) == (2, ("unix:///3",))
    assert [t.pid for t in found.stop] == [3] and found.stop[0].via == "advice"
    # Who answers is kept, and of two that answer the older.
    ((found, _),) = twice(twin(2, answers=False), twin(3))
    assert found.keep[0].pid == 3
    ((found, surplus),) = twice(twin(4), twin(3), twin(5, answers=None))
    assert (found.keep[0].pid, surplus) == (3, ("unix:///4", "unix:///5"))


def of_conf(server: Supervisord, name: str, **entries: Any) -> Program:
    found = program(name, 5, url=server.id)
    return replace(found, config=config(name, url=server.id, **entries))


def test_one_conf_under_two_names_or_the_same_sections() -> None:
    a, b = twin(2), twin(3, conf="/link")
    assert twice(a, b) == []
    ((found, _),) = twice(replace(a, conf_inode=(1, 7)), replace(b, conf_inode=(1, 7)))
    assert ", as /link, " in found.evidence[1] and ", as" not in found.evidence[0]
    assert twice(replace(a, conf_inode=(1, 7)), replace(b, conf_inode=(1, 8))) == []
    same = [of_conf(s, "x", file="/inc") for s in (a, b)]
    assert len(twice(a, b, programs=same)) == 1
    assert twice(a, b, programs=[same[0]]) == []
    assert twice(a, b, programs=[]) == []
    # A file may be seen by two roots; where its inode tells, that counts.
    far = replace(b, root="/proc/3/root", conf_inode=(1, 7))
    assert len(twice(replace(a, conf_inode=(1, 7)), far)) == 1
    assert twice(a, replace(far, conf_inode=None), programs=same) == []


def test_one_conf_whose_environment_makes_two_of_it() -> None:
    a, b = twin(2), twin(3)
    for entries in ({"command": "y"}, {"directory": "/y"}, {"env": (("A", "y"),)}):
        both = [of_conf(a, "x"), of_conf(b, "x", **entries)]
        assert twice(a, b, programs=both) == []
        # But one that is alike makes them one.
        assert len(twice(a, b, programs=[*both, of_conf(a, "z"), of_conf(b, "z")])) == 1
    assert len(twice(a, b, programs=[of_conf(a, "x"), of_conf(b, "y")])) == 1
    assert len(twice(a, b, programs=[replace(of_conf(a, "x"), config=None)])) == 1


def test_one_file_in_two_containers() -> None:
    assert twice(twin(2), twin(3), spaces=(1, 2)) == []
    assert len(twice(twin(2), twin(3), spaces=(1, 1))) == 1
    assert len(twice(twin(2), twin(3), spaces=())) == 1
    assert len(twice(twin(2), twin(3), spaces=(None, 1))) == 1


def test_two_confs_that_are_run_twice_each() -> None:
    servers = (twin(2), twin(4, conf="/other"), twin(3), twin(5, conf="/other"))
    assert [s for _, s in twice(*servers)] == [("unix:///3",), ("unix:///5",)]


def test_namesakes_of_two_groups_are_not_compared() -> None:
    a, b = twin(2), twin(3)
    one = of_conf(a, "x")
    other = replace(of_conf(b, "x", command="y"), id=program("x", group="g", url=b.id).id)
    assert len(twice(a, b, programs=[one, other])) == 1


def test_no_two_supervisords_of_one_conf() -> None:
    assert twice(twin(2), twin(3, conf="/other")) == []
    assert twice(twin(2), twin(3, root="/proc/3/root")) == []
    assert twice(twin(2, conf=None), twin(3, conf=None)) == []
    assert twice(twin(2), replace(twin(3), key=None)) == []
    assert twice(twin(2), replace(twin(2), id="another address of the same")) == []
