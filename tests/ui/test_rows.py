"""Rows, their order, their grouping, their marks; selection by identity."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from beattop.ui.columns import COLUMNS, arrange, body, head, titles
from beattop.ui.grouping import build
from beattop.ui.line import plain, width
from beattop.ui.query import parse
from beattop.ui.rows import OUTSIDE, SORTS, Row, View
from beattop.ui.selection import Selection
from beattop.ui.trails import KEPT, Trails
from tests.ui import frames
from tests.ui.frames import pid_


def rows(frame, view=None, *before):
    trails = Trails()
    for one in (*before, frame):
        trails.follow(one.snapshot)
    return build(frame, view or View(), trails)


def names(found):
    return [row.name for row in found if row.kind in {"program", "group"}]


def test_the_worst_first_then_what_is_kept_then_the_rest():
    assert names(rows(frames.incident())) == [
        "beat2",
        "beat",
        "worker",
        "flower",
        "outside supervisor",
    ]


def test_a_loop_keeps_its_number_of_rows_through_its_lives():
    counts = {len(rows(frames.incident(n))) for n in range(12)}
    assert len(counts) == 1
    between = next(f for f in map(frames.incident, range(12)) if f.snapshot.programs[1].pid is None)
    assert [r.state for r in rows(between)][:4] == [
        "RESPAWNING",
        "between",
        "exited 73",
        "exited 73",
    ]


def test_a_zombie_with_a_tombstone_stands_there_once():
    frame = frames.incident()
    loop = frame.snapshot.programs[1]
    (alive,) = loop.members
    number = alive.process.ns_pid
    ended = replace(loop.lives[-1], pid=number, ended_at=frame.snapshot.at, status=73)
    loop = replace(loop, members=(replace(alive, state="Z"),), lives=(*loop.lives[:-1], ended))
    one, _, *more = frame.snapshot.programs
    told = replace(frame, snapshot=replace(frame.snapshot, programs=(one, loop, *more)))
    assert [r.state for r in rows(told)][:3] == ["RESPAWNING", "between", "exited 73"]
    assert sum(r.pid == number for r in rows(told) if r.kind != "program") == 1


def test_a_respawning_program_is_called_so_whatever_supervisord_says():
    frame = frames.incident()
    loop = replace(frame.snapshot.programs[1], state="RUNNING")
    found = rows(replace(frame, snapshot=replace(frame.snapshot, programs=(loop,))))
    assert (found[0].state, found[0].sign) == ("RESPAWNING", "↻")


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("group", ["program", "role", "none"])
def test_every_order_in_every_grouping(sort, group):
    found = rows(frames.incident(3, extra=5), View(group=group, sort=sort))
    other = rows(frames.incident(3, extra=5), View(group=group, sort=sort, inverted=True))
    assert len(found) == len(other)
    assert {r.key for r in found} == {r.key for r in other}
    assert len({r.key for r in found}) == len(found), "two rows of one key"


def test_by_cpu_the_hungriest_first_and_inverted_last():
    view = View(sort="cpu")
    top = [r.cpu for r in rows(frames.incident(), view) if r.kind == "program"]
    assert top == sorted(top, reverse=True)
    assert [
        r.cpu for r in rows(frames.incident(), replace(view, inverted=True)) if r.kind == "program"
    ] == top[::-1]


def test_grouped_by_role_with_sums():
    found = rows(frames.incident(), View(group="role"))
    assert names(found)[:1] == ["beat (3)"]
    group = found[0]
    assert group.cpu == pytest.approx(79.0 + 0.2 + 0.1)
    assert {r.key for r in found if r.kind == "group"} == {
        ("role", "beat"),
        ("role", "worker"),
        ("role", "flower"),
    }


def test_not_grouped_shows_processes():
    found = rows(frames.incident(0), View(group="none"))
    assert {r.kind for r in found} == {"process"}
    assert {r.pid for r in found} >= {4690, 4800, 4801, 4802, 812}


def test_folding_is_remembered_by_identity():
    closed = rows(frames.incident(), View(folds={pid_("beat2"): True, OUTSIDE: True}))
    assert [r.name for r in closed] == ["beat2", "beat", "worker", "flower", "outside supervisor"]
    opened = rows(frames.incident(), View(folds={pid_("worker"): False}))
    assert {"4800", "4801", "4802"} <= {r.name for r in opened}
    assert [r.depth for r in opened if r.name in {"4800", "4801"}] == [1, 2]


def test_a_filter_keeps_the_head_of_what_matches():
    found = rows(frames.incident(), View(test=parse("role:worker")))
    assert [r.name for r in found] == ["worker"]
    below = rows(frames.incident(), View(test=parse("pid:4801"), folds={pid_("worker"): False}))
    assert [r.name for r in below] == ["worker", "4801"]


def test_new_changed_and_gone_are_marked_for_a_while():
    first, second = frames.calm(3, 0), frames.calm(4, 1)
    marks = {r.name: r.mark for r in rows(second, None, first)}
    assert marks["worker02"] == "new" and marks["worker00"] == ""
    gone = rows(
        replace(first, snapshot=replace(first.snapshot, at=second.snapshot.at + 1)),
        None,
        first,
        second,
    )
    assert [(r.name, r.state, r.mark) for r in gone if r.kind == "dead"] == [
        ("worker02", "gone", "dead")
    ]
    later = replace(first, snapshot=replace(first.snapshot, at=second.snapshot.at + 60))
    assert [
        r
        for r in rows(
            later,
            None,
            first,
            second,
            replace(later, snapshot=replace(later.snapshot, at=later.snapshot.at - 30)),
        )
        if r.kind == "dead"
    ] == []
    stopped = replace(second.snapshot.programs[1], state="STOPPED", pid=None, members=())
    changed = replace(
        second,
        snapshot=replace(
            second.snapshot,
            at=second.snapshot.at + 1,
            programs=(second.snapshot.programs[0], stopped, *second.snapshot.programs[2:]),
        ),
    )
    assert {r.name: r.mark for r in rows(changed, None, first, second)}["worker00"] == "changed"


def test_trails_keep_minutes_and_begin_anew_when_time_goes_back():
    trails = Trails()
    for n in range(2 * KEPT + 50):
        trails.follow(frames.calm(1, n).snapshot)
    assert len(trails.cpu(pid_("beat"))) == KEPT
    trails.follow(frames.calm(1, 5).snapshot)
    assert len(trails.cpu(pid_("beat"))) == 1


@pytest.mark.parametrize("pane", [200, 160, 120, 100, 80, 60, 40, 24])
def test_columns_fit_the_pane_and_cells_their_columns(pane):
    arrangement = arrange(pane, 12, 60)
    taken = arrangement.pinned + sum(w + 1 for _, w in arrangement.fitting)
    assert taken <= pane
    assert {c.id for c, _ in arrangement.all} >= {c.id for c in COLUMNS} | {"command"}
    for row in rows(frames.hostile(2)):
        assert width(head(row, arrangement.pinned)) == arrangement.pinned
        for column, cells in arrangement.all:
            assert width(column.draw(row, cells)) == cells, column.id
        assert width(body(row, arrangement, 10_000)) == sum(w + 1 for _, w in arrangement.all)
    assert width(titles(arrangement, "cpu", inverted=False)) == arrangement.pinned + sum(
        w + 1 for _, w in arrangement.all
    )


def test_where_a_name_does_not_fit_its_group_goes_first():
    row = Row(pid_("nap"), "program", "nap:nap-007", depth=0, folded=True)
    assert plain([head(row, 13)]).endswith(":nap-007")
    assert plain([head(row, 20)]).endswith(" nap:nap-007")


def test_columns_leave_by_importance():
    order = [{c.id for c, _ in arrange(pane, 10, 30).fitting} for pane in (40, 60, 80, 120, 200)]
    for narrow, wide in itertools.pairwise(order):
        assert narrow <= wide
    assert {"state", "cpu", "churn"} <= order[0]
    assert {"role", "lives", "exit", "spawns", "rss", "age"} <= order[3]


# --- selection ---


def follow(selection, found):
    return selection.follow(found, {r.key: n for n, r in enumerate(found)})


def test_the_selection_follows_its_program_through_a_resort():
    found = rows(frames.incident())
    selection = Selection.of(found, next(n for n, r in enumerate(found) if r.name == "worker"))
    sorted_ = rows(frames.incident(1), View(sort="name", inverted=True))
    assert sorted_[follow(selection, sorted_).line].name == "worker"


def test_the_selection_follows_a_process_into_its_next_life():
    lives = [frames.incident(n) for n in range(12)]
    found = rows(lives[0])
    assert found[1].pid == 4711
    selection = Selection.of(found, 1)
    pids = []
    for frame in lives[1:]:
        found = rows(frame)
        selection = follow(selection, found)
        row = found[selection.line]
        assert row.program == pid_("beat2")
        if frame.snapshot.programs[1].pid is not None:
            assert row.pid == frame.snapshot.programs[1].pid
        pids.append(row.pid)
    assert len({p for p in pids if p}) > 3


def test_the_selection_falls_to_the_nearest_row_when_all_is_gone():
    found = rows(frames.incident())
    selection = Selection.of(found, len(found) - 1)
    assert follow(selection, found[:2]).line == 1
    assert follow(selection, []).key is None


def test_a_supervisord_that_gets_its_address_makes_nothing_new_and_nothing_gone():
    late = frames.calm(3, 1).snapshot
    programs = tuple(replace(p, id=p.id._replace(supervisor="conf:/x")) for p in late.programs)
    servers = tuple(replace(s, id="conf:/x") for s in late.supervisords)
    early = replace(late, at=late.at - 1, programs=programs, supervisords=servers)
    trails = Trails()
    trails.follow(replace(early, at=late.at - 2, programs=(), supervisords=()))
    trails.follow(early)
    trails.follow(late)
    assert not trails.departed()
    assert not any(trails.is_new(p.id) for p in late.programs)
    added = frames.calm(4, 2).snapshot
    trails.follow(added)
    assert [p.id.name for p in added.programs if trails.is_new(p.id)] == [
        added.programs[-1].id.name
    ]
    trails.follow(frames.calm(3, 3).snapshot)
    assert [d.what.id.name for d in trails.departed()] == [added.programs[-1].id.name]


def test_a_worker_with_a_beat_and_a_pool_fits_its_column():
    role = next(c for c in COLUMNS if c.id == "role")
    row = replace(rows(frames.calm(1))[0], role="worker+beat +2", kind="program")
    assert plain([role.draw(row, role.width)]) == "w+beat +2"
