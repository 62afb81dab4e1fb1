from __future__ import annotations

import pytest

from beattop.sources.proc.commands import hinted, split
from tests.unit.commandline.labelled import LINES, labelled


@pytest.mark.parametrize("name", sorted(path.stem for path in LINES.glob("*.txt")))
def test_no_command_line_of_celery_slips_through_the_cheap_look(name):
    lines = [line for line in labelled(name) if line.role != "other"]
    for line in lines:
        assert hinted("\0".join(line.argv).encode()), line.where


def test_the_cheap_look_leaves_most_of_a_box_out():
    for words in ("/sbin/init", "nginx: master process", "postgres: writer", "/bin/sleep\x0060\0"):
        assert not hinted(words.encode())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", []),
        (b"sleep\x0060\0", ["sleep", "60"]),
        (b"celery\0beat\0--pidfile\0\0", ["celery", "beat", "--pidfile", ""]),
        (b"[celery beat] -A p\0\0\0\0\0", ["[celery beat] -A p"]),
        (b"[celeryd: a@b:MainProcess]", ["[celeryd: a@b:MainProcess]"]),
        (b"\0\0", []),
        (b"\xff\xfe\0x\0", ["\ufffd\ufffd", "x"]),
    ],
)
def test_words_of_a_raw_command_line(raw, words):
    assert split(raw) == words
