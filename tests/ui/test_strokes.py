"""What goes to the terminal: little, and yet the same picture as Textual's own sequences draw."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from beattop.ui.ink import INKS, LOUD
from beattop.ui.line import Span, cells
from beattop.ui.paint import changed
from beattop.ui.strokes import frugal, turn
from tests.ui import frames
from tests.ui.conftest import running

SIZE = (120, 40)


class Wire:
    """Two terminals: one gets Textual's sequences, one ours."""

    def __init__(self) -> None:
        self.theirs, self.ours = pyte.Screen(*SIZE), pyte.Screen(*SIZE)
        self.console = Console(color_system="256", force_terminal=True)
        self.bytes = 0

    def take(self, update):
        small = frugal(update)
        if update is not None:
            for screen, one in ((self.theirs, update), (self.ours, small)):
                pyte.Stream(screen).feed(one.render_segments(self.console).replace("\n", ""))
            self.bytes += len(small.render_segments(self.console).encode())
        return small

    def check(self, screen) -> None:
        assert [line.rstrip() for line in self.ours.display] == [x.rstrip() for x in screen.lines]
        for y in range(SIZE[1]):
            for x in range(SIZE[0]):
                assert _seen(self.ours.buffer[y][x]) == _seen(self.theirs.buffer[y][x]), (x, y)


def _seen(cell):
    """A blank's own colour is not seen."""
    blank = cell.data == " " and not cell.reverse and not cell.underscore
    return cell._replace(fg="", bold=False) if blank else cell


@pytest.fixture
def wire(monkeypatch) -> Wire:
    made = Wire()
    monkeypatch.setattr("beattop.ui.app.frugal", made.take)
    return made


async def test_the_picture_is_textuals_after_every_frame_and_key(wire):
    async with running(frames.incident(0, extra=30), size=SIZE) as screen:
        screen.app.refresh(layout=True)
        await screen.settle()
        for number in range(1, 8):
            await screen.push(frames.incident(number, extra=30))
            wire.check(screen)
        for key in ("down", "down", "t", "g", "I", "enter", "escape", "?", "escape", "d", "escape"):
            await screen.press(key)
            wire.check(screen)
        await screen.push(frames.calm(), frames.hostile())
        wire.check(screen)


async def test_a_frame_of_a_busy_incident_takes_few_bytes(wire):
    """Issue: at most 5 kB/s at a frame a second. Some hundred bytes are what changed."""
    async with running(*[frames.incident(n, extra=30) for n in range(4)], size=SIZE) as screen:
        wire.bytes = 0
        for number in range(4, 14):
            await screen.push(frames.incident(number, extra=30))
        assert wire.bytes / 10 < 1500


colors = st.sampled_from([None, "default", "red", "#56b4e9", "#101418"])
styles = st.builds(
    Style, color=colors, bgcolor=colors, bold=st.booleans(), underline=st.booleans(),
    reverse=st.booleans(), italic=st.booleans(), strike=st.booleans(),
)  # fmt: skip


@given(st.lists(styles, min_size=1, max_size=6), st.sampled_from(list(ColorSystem)[:3]))
@settings(deadline=None)
def test_a_turn_leads_to_the_style_that_it_names(line, system):
    short, long = pyte.Screen(len(line) + 1, 1), pyte.Screen(len(line) + 1, 1)
    before = Style()
    for style in line:
        pyte.Stream(short).feed(turn(before, style, system) + "x")
        pyte.Stream(long).feed("\x1b[0m" + style.render("x", color_system=system))
        before = style
    pyte.Stream(short).feed(turn(before, Style(), system) + "x")
    pyte.Stream(long).feed("\x1b[0mx")
    assert short.buffer == long.buffer


spans = st.builds(Span, st.text("ab 你é", max_size=5), st.sampled_from(sorted(INKS)))
lines = st.lists(spans, max_size=5).map(tuple)


@given(lines, lines)
def test_what_is_not_drawn_anew_is_the_same(old, new):
    width = 12
    drawn = {x for r in changed(old, new, 3, width) for x in range(r.x, r.right)}
    assert all(0 <= x < width for x in drawn)
    before, after = (_looks(line, width) for line in (old, new))
    for x, (a, b) in enumerate(zip(before, after, strict=True)):
        assert x in drawn or a == b
        if b[0] == "half":  # no half of a wide character alone
            assert (x in drawn) == (x - 1 in drawn)


def _looks(line, width):
    out = []
    for span in line:
        for char in span.text:
            ink = "" if char == " " and span.ink not in LOUD else span.ink
            out.append((char, ink))
            out += [("half", char + ink)] * (cells(char) - 1)
    return (out + [(" ", "")] * width)[:width]
