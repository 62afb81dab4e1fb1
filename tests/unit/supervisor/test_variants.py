"""What of unknown variables tells programs apart: never a value."""

from __future__ import annotations

import pytest

from beattop.sources.supervisor.conf import _environment
from beattop.sources.supervisor.variants import variants


def test_a_name_and_a_number_for_each_value():
    found = variants([{"LICENSEE": "red"}, {"LICENSEE": "blue"}, {"LICENSEE": "red"}, {}])
    assert found == [(("LICENSEE", 1),), (("LICENSEE", 2),), (("LICENSEE", 1),), ()]


@pytest.mark.parametrize(
    ("name", "one", "two", "apart"),
    [
        ("LICENSEE", "red", "blue", True),
        ("DATABASE_URL", "postgres://a:pw@h/red", "postgres://a:pw@h/blue", True),
        ("DB_PASSWORD", "s3cret", "other", True),
        ("LICENSEE", "red", "red", False),
        ("TENANT", "red", "blue", False),  # by its value, which may be known
        ("INDEX", "1", "2", False),
        ("IMPORT_CPU_S", "1.2", "0", False),
        ("WARM", "true", "no", False),
        ("WARM", "", "x", False),
        ("DATA", "/srv/a", "/srv/b", False),
        ("DATA", "../a", "./b", False),
        ("BEAT_LOGFILE", "a.log", "b.log", False),
        ("LOG_LEVEL", "info", "debug", False),
        ("PYTHONPATH", "a", "b", False),
        ("DD_SERVICE", "beat", "beat2", False),
        ("NODE_NAME", "one", "two", False),
        ("CELERYBEAT_NAME", "one", "two", False),
        ("TZ", "Asia/Tokyo", "UTC", False),
        ("LOGIN", "red", "blue", True),
    ],
)
def test_what_may_tell_two_tenants_apart(name: str, one: str, two: str, apart: bool):
    expected = [((name, 1),), ((name, 2),)] if apart else [(), ()]
    assert variants([{name: one}, {name: two}]) == expected


def test_an_empty_value_is_none_of_them():
    assert variants([{"X": "a"}, {"X": ""}, {"X": "b"}]) == [(("X", 1),), (), (("X", 2),)]


def test_a_name_is_cleaned_before_it_is_kept():
    assert "\x1b" not in "".join(_environment({"env": {"LICENSEE\x1b[2J": "red"}}))
