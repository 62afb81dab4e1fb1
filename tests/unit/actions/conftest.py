"""The box and the plan that most tests of actions begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from beattop.actions.plan import plan_duplicates
from beattop.model.plan import Plan
from tests.unit.actions.fake import World
from tests.unit.actions.scene import looping_pair


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, looping_pair()[0])


@pytest.fixture
def plan(world: World) -> Plan:
    return plan_duplicates([looping_pair()[1]], world.shot)
