"""What goes to the terminal: little, and yet the same picture as Textual's own sequences draw."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from beattop.ui.ink import INKS, LOUD
from beattop.ui.line import Span, cells
from beattop.ui.paint import changed
from beattop.ui.picture import Picture
from beattop.ui.strokes import Strokes, frugal, turn
from tests.ui import frames
from tests.ui.conftest import running

SIZE = (120, 40)


class Wire:
    """Two terminals: one gets Textual's sequences, one ours."""

    def __init__(self) -> None:
        self.theirs, self.ours = pyte.Screen(*SIZE), pyte.Screen(*SIZE)
        self.console = Console(color_system="256", force_terminal=True)
        self.bytes = 0

    def take(self, update, shown):
        small = frugal(update, shown)
        if update is not None:
            for screen, one in ((self.theirs, update), (self.ours, small)):
                sent = one.render_segments(self.console)
                pyte.Stream(screen).feed(sent.replace("\n", ""))
            self.bytes += len(sent.encode())
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


async def test_a_picture_that_is_drawn_again_sends_nothing(wire):
    """Textual draws the whole screen several times where a page opens or closes."""
    async with running(frames.incident(0, extra=30), size=SIZE) as screen:
        for key in ("?", "escape", "e", "escape", "l", "escape", "enter", "escape"):
            await screen.press(key)
            wire.check(screen)
            screen.app.refresh(layout=True)  # what has not been drawn over whole, once
            await screen.settle()
            wire.bytes = 0
            screen.app.refresh(layout=True)
            await screen.settle()
            assert wire.bytes < 100, key
            wire.check(screen)


async def test_what_was_written_over_from_outside_is_drawn_again_on_demand(wire):
    async with running(frames.incident(0), size=SIZE) as screen:
        for pressed in (True, False):  # Ctrl+L, or a resize: the app's own action
            wire.ours.reset()
            await (screen.press("ctrl+l") if pressed else screen.app.run_action("redraw"))
            await screen.settle()
            wire.check(screen)


async def test_a_slow_line_gets_the_newest_picture_and_none_of_those_between(wire):
    async with running(frames.incident(0), size=SIZE) as screen:
        screen.app._driver.behind = True
        wire.bytes = 0
        for number in range(1, 30):
            await screen.push(frames.incident(number))
        await screen.press("?")
        assert wire.bytes == 0
        screen.app._driver.behind = False
        await screen.until(lambda: wire.bytes > 0)
        await screen.settle()
        wire.check(screen)


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


WIDE, HIGH = 24, 2
inked = st.sampled_from([Style(), Style(bold=True), Style(bgcolor="red", reverse=True)])
texts = st.text("a 你é", max_size=WIDE) | st.sampled_from(["", "a", "ab  "])


@st.composite
def pieces(draw):
    x = draw(st.sampled_from([0, 0, 1, 5, WIDE - 1]))
    length = draw(st.sampled_from([WIDE - x, WIDE - x, 1, 3, 14]))
    length = min(length, WIDE - x)
    made = [Segment(draw(texts), draw(inked)) for _ in range(draw(st.integers(0, 2)))]
    strip = Strip(made).adjust_cell_length(length, draw(inked))
    return x, draw(st.integers(0, HIGH - 1)), strip


@given(st.lists(st.lists(pieces(), min_size=1, max_size=4), max_size=12))
@settings(deadline=None)
def test_what_is_not_sent_stands_there_already(updates):
    console = Console(color_system="256", force_terminal=True)
    all_of_it, ours = pyte.Screen(WIDE, HIGH), pyte.Screen(WIDE, HIGH)
    shown = Picture()
    shown.sized(WIDE, HIGH)
    for update in updates:
        fresh = Picture()  # knows nothing: sends all
        fresh.sized(WIDE, HIGH)
        pyte.Stream(all_of_it).feed(
            "".join(Strokes([piece], fresh).render_segments(console) for piece in update)
        )
        pyte.Stream(ours).feed(Strokes(update, shown).render_segments(console))
        for y in range(HIGH):
            for x in range(WIDE):
                assert _seen(ours.buffer[y][x]) == _seen(all_of_it.buffer[y][x]), (x, y)


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
