"""The log page: colours, marks in their place, logs that only supervisord can read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.model.frame import Event
from beattop.ui.line import Span, cells, plain, width
from beattop.ui.logline import chopped, coloured
from tests.ui import frames
from tests.ui.conftest import running
from tests.ui.doubles import ScriptedFeed, ScriptedReplay


@pytest.mark.parametrize(
    ("raw", "spans"),
    [
        ("a\x1b[31mred\x1b[0m b", [("a", ""), ("red", "critical"), (" b", "")]),
        ("\x1b[1;32mgood\x1b[m", [("good", "good")]),
        ("\x1b[1mbold\x1b[2J\x1b[H", [("bold", "bold")]),
        ("\x1b[38;5;9mX\x1b[38;2;1;2;3mY\x1b[90mZ", [("X", "critical"), ("Y", "critical"), ("Z", "dim")]),
        ("\x1b[48;5;1mx\x1b[41my", [("x", ""), ("y", "")]),
        ("password=\x1b[31mgeheim\x1b[0m x", [("password=** x", "")]),
        ("\x1b]0;\x1b[31mtitle\x07z", [("title\N{REPLACEMENT CHARACTER}z", "critical")]),
        ("\x1b[999999999999999999999m\x1b[:;mx", [("x", "")]),
        ("plain [/x] text", [("plain [/x] text", "")]),
    ],
)  # fmt: skip
def test_colours_are_shown_and_nothing_else_is_obeyed(raw, spans):
    line = coloured(raw)
    assert "\x1b" not in plain([line])
    assert [(s.text, s.ink) for s in line] == spans


@pytest.mark.parametrize("size", [1, 2, 5, 7, 200])
def test_long_lines_are_chopped_between_characters(size):
    line = coloured("\x1b[31m" + "世界e\N{COMBINING ACUTE ACCENT}" * 9 + "\x1b[0mabc")
    rows = chopped(line, size)
    assert all(width(row) <= size for row in rows)
    if size > 1:
        assert "".join(s.text for row in rows for s in row) == "".join(s.text for s in line)
    assert chopped((Span(""),), size) == [(Span(""),)]
    assert cells("".join(s.text for s in rows[0])) <= size


def logged(tmp_path, *events: Event, **server):
    frame = frames.incident(0)
    loop = replace(frame.snapshot.programs[1], stderr_log=str(tmp_path / "err.log"))
    programs = (frame.snapshot.programs[0], loop, *frame.snapshot.programs[2:])
    servers = tuple(replace(s, answers=True, **server) for s in frame.snapshot.supervisords)
    view = replace(frame.snapshot, programs=programs, supervisords=servers)
    return replace(frame, snapshot=view, events=(*frame.events, *events))


def order(text: str, *words: str) -> bool:
    places = [text.find(w) for w in words]
    return -1 not in places and places == sorted(places)


async def test_a_mark_stands_behind_the_lines_of_its_life(tmp_path, monkeypatch):
    clock = frames.AT
    monkeypatch.setattr("beattop.ui.screens.log.time.time", lambda: clock)
    (tmp_path / "err.log").write_text("of the first life\n")
    async with running(logged(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "of the first life" in screen.text)
        clock = frames.AT + 5.0
        with (tmp_path / "err.log").open("a") as log:
            log.write("of the second life\n")
        await screen.until(lambda: "of the second life" in screen.text)
        exited = Event(
            frames.AT + 2.0, "exited", frames.pid_("beat2"), 4711, "beat2 exited 73", True
        )
        late = Event(frames.AT + 5.0, "exited", frames.pid_("beat2"), 4712, "beat2 exited 1", True)
        await screen.push(logged(tmp_path, exited, late))
        assert order(
            screen.text, "of the first life", "exited 73", "of the second life", "exited 1 "
        )


@pytest.mark.parametrize("away", [{}, {"key": None}], ids=["unreadable", "another-box"])
async def test_a_log_that_is_not_here_is_read_through_supervisord(tmp_path, away):
    if away:  # another box's path may be a file of this one too
        (tmp_path / "err.log").write_text("of this box\n")
    feed = ScriptedFeed()
    feed.told = ["told by supervisord"]
    async with running(logged(tmp_path, **away), feed=feed) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "told by supervisord" in screen.text)
        assert (
            "read through supervisord" in " ".join(screen.text.split())
            and "of this box" not in screen.text
        )
        assert feed.followed == [(frames.pid_("beat2"), "stderr")]
        await screen.press("c")
        assert "tail -f beat2 stderr" in screen.text
        await screen.press("escape")
        assert feed.followed[-1] is None, "it goes on asking"


async def test_a_recording_opens_no_file_of_this_box(tmp_path):
    (tmp_path / "err.log").write_text("of this box\n")
    async with running(feed=ScriptedReplay(logged(tmp_path))) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "a recording holds no logs" in screen.text)
        assert "of this box" not in screen.text
