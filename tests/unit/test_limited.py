"""With --supervisor: what counts of the rest of the box."""

from __future__ import annotations

import pytest

from tests.unit.test_diagnosis import BEAT

pytestmark = pytest.mark.usefixtures("approved_words")


def test_limited_to_one_supervisor_strangers_count_only_with_its_programs(world):
    world.limited_to = (world.servers[0].id,)
    world.process(BEAT, age=500)
    world.process(f"{BEAT} -l info", age=400)
    world.look()
    assert world.findings == ()
    world.program("beat", BEAT)
    world.spawn("beat", age=300)
    world.pass_(1)
    world.look()
    assert world.kinds() == ["duplicate-beat"]


def test_a_left_over_of_another_supervisord_is_not_ours(world):
    world.limited_to = (world.servers[0].id,)
    world.program("beat", BEAT)
    world.spawn("beat", age=500)
    env = {
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "beat",
        "SUPERVISOR_GROUP_NAME": "beat",
        "SUPERVISOR_SERVER_URL": "unix:///elsewhere.sock",
    }
    world.process(BEAT, cwd="/srv/else", age=5000, env=env)
    world.look()
    (root,) = world.snapshot.unmanaged
    assert (root.origin, root.was_supervisor) == ("orphan", "unix:///elsewhere.sock")
    assert world.kinds("critical", "warning") == []


def test_limited_to_one_supervisor_a_strangers_app_name_is_not_enough(world):
    world.limited_to = (world.servers[0].id,)
    world.program("beat", BEAT)
    world.spawn("beat", age=300)
    world.process(BEAT, cwd="/srv/other", age=500)
    world.look()
    assert world.findings == ()


def test_a_named_supervisord_that_does_not_run_is_a_finding(world):
    del world.procs[world.servers[0].key.pid]
    world.servers[0] = type(world.servers[0])(
        **{f: getattr(world.servers[0], f) for f in world.servers[0].__slots__} | {"answers": False, "key": None}
    )  # fmt: skip
    world.sources = [type(world.sources[0])("supervisor", world.servers[0].id, "down", "no socket")]
    world.look()
    assert world.findings == ()
    world.limited_to = (world.servers[0].id,)
    world.pass_(1)
    world.look()
    assert [(f.kind, f.severity, f.effect) for f in world.findings] == [
        ("supervisor-not-answering", "critical", "down")
    ]
