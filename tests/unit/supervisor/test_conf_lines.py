"""A section's own lines are shown and recorded: of its environment only what may be known."""

from __future__ import annotations

import pytest

from beattop.sources.supervisor.conf import _lines


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            ['environment=FOO="SECRET1",CELERY_APP="proj",BAR=SECRET2,'],
            ['environment=FOO=**,CELERY_APP="proj",BAR=**,'],
        ),
        (
            ["environment=", "  FOO=SECRET1,", "", "; BAR=SECRET2", "\tC='SECRET3'", "autostart=x"],
            ["environment=", "  FOO=**,", "", "; BAR=**", "\tC=**", "autostart=x"],
        ),
        (['environment=A="SECRET1', '  SECRET2",B="SECRET3"'], ["environment=A=** **", " **"]),
        ([";environment=A=SECRET1"], [";environment=A=**"]),
        (
            ["environment=BROKER_URL=redis://:SECRET1@h/0", "command=c --password SECRET2 -A p"],
            ["environment=BROKER_URL=redis://:**@h/0", "command=c --password ** -A p"],
        ),
        (["command=env FOO=1 c", "  -A p"], ["command=env FOO=1 c", "  -A p"]),
    ],
)
def test_values_of_unknown_names_stay_in_the_file(raw: list[str], told: list[str]) -> None:
    shown = _lines(raw)
    assert list(shown) == told
    assert not any("SECRET" in line for line in shown)
