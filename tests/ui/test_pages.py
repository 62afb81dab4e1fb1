"""Details, verdict, log, events, history, help; replay; themes."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from beattop.model.frame import HistoryProgress
from beattop.ui.commands import COMMANDS
from beattop.ui.glyphs import to_ascii
from beattop.ui.line import Span
from tests.ui import frames
from tests.ui.conftest import running
from tests.ui.doubles import Refusing, ScriptedFeed, ScriptedReplay

TALL = (120, 100)


async def whole(screen):
    """Everything a page holds."""
    from beattop.ui.line import plain

    return plain(screen.app.screen.pager.lines)


async def test_details_tell_all_there_is():
    async with running(*[frames.incident(n) for n in range(5)], size=TALL) as screen:
        await screen.press("home", "enter")
        text = await whole(screen)
        for words in (
            frames.SUMMARY, "names pid 4690", frames.STOP, "5,121 exits", "exited 73", "73 ×5,120",
            "[program:beat2] in /etc/supervisor/conf.d/old.conf:7", "startsecs=1", "DJANGO_SETTINGS_MODULE",
            "Pidfile (/run/beat.pid) already exists", "now 79.0 %", "beat of app proj",
        ):  # fmt: skip
            assert words in text, words
        assert "proj.settings" not in text, "values of the environment are nobody's business"


async def test_details_of_the_kept_beat_show_pidfile_and_schedule_with_their_truth():
    async with running(frames.incident(), size=TALL) as screen:
        await screen.press("/", *"pid:4690", "enter", "enter")
        text = await whole(screen)
        assert "/run/beat.pid: names pid 4690, which is this beat" in text
        assert "/srv/proj/celerybeat-schedule: 16K, written 41 s ago" in text


async def test_details_of_what_is_outside():
    async with running(frames.incident(), size=TALL) as screen:
        await screen.press("end", "enter")
        text = await whole(screen)
        assert "a left-over" in text and "was shop-beat" in text and "celery -A shop beat" in text


async def test_details_follow_their_program_and_tell_when_it_is_gone():
    async with running(frames.incident(0), size=TALL) as screen:
        await screen.press("home", "enter")
        await screen.push(frames.incident(6, respawning=False))
        assert "STOPPED" in await whole(screen)
        await screen.push(frames.calm(2, 9))
        assert "It is gone" in await whole(screen)


async def test_the_verdict_page_tells_how_each_source_fares():
    frame = frames.incident()
    bad = replace(
        frame,
        snapshot=replace(
            frame.snapshot,
            sources=frames.sources(mainlog=("denied", "run as root, or as user app")),
        ),
    )
    async with running(bad) as screen:
        await screen.press("v")
        text = await whole(screen)
        assert frames.SUMMARY in text
        assert "mainlog" in text and "run as root, or as user app" in text
        await screen.press("c")
        assert screen.app.clipboard == frames.STOP


# --- log ---


def with_logs(tmp_path, tick=0):
    frame = frames.incident(tick)
    loop = replace(
        frame.snapshot.programs[1],
        stdout_log=str(tmp_path / "out.log"),
        stderr_log=str(tmp_path / "err.log"),
    )
    return replace(
        frame,
        snapshot=replace(
            frame.snapshot,
            programs=(frame.snapshot.programs[0], loop, *frame.snapshot.programs[2:]),
        ),
    )


async def test_the_log_is_followed_and_safe(tmp_path):
    err = tmp_path / "err.log"
    err.write_bytes(
        b"first [red]line[/red]\n\x1b]0;evil\x07\x1b[31mred\x1b[0m broker=redis://u:geheim@h/0\n"
    )
    async with running(with_logs(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "first [red]line[/red]" in screen.text)
        assert "evil" not in screen.text and "geheim" not in screen.text
        with err.open("ab") as log:
            log.write(b"second line\n")
        await screen.until(lambda: "second line" in screen.text)


async def test_the_log_survives_rotation_and_removal(tmp_path):
    err = tmp_path / "err.log"
    err.write_text("old words\n")
    async with running(with_logs(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "old words" in screen.text)
        err.rename(tmp_path / "err.log.1")
        await screen.until(lambda: "No such file" in screen.text)
        err.write_text("new words\n")
        await screen.until(lambda: "new words" in screen.text)
        err.write_text("x\n")
        await screen.until(lambda: "truncated" in screen.text)


async def test_spawns_and_exits_are_marked_in_the_log(tmp_path):
    (tmp_path / "err.log").write_text("words\n")
    async with running(with_logs(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "words" in screen.text)
        await screen.push(with_logs(tmp_path, 6))
        assert "─── beat2 exited 73 (cannot create) after 2.2 s ───" in screen.text


async def test_stdout_and_stderr_switch(tmp_path):
    (tmp_path / "out.log").write_text("on stdout\n")
    (tmp_path / "err.log").write_text("on stderr\n")
    async with running(with_logs(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "on stderr" in screen.text)
        await screen.press("o")
        await screen.until(lambda: "on stdout" in screen.text)


async def test_a_log_that_is_no_file_does_not_hang(tmp_path):
    import os

    os.mkfifo(tmp_path / "err.log")
    async with running(with_logs(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "no regular file" in screen.text)
        await screen.press("escape")


async def test_search_in_a_long_log(tmp_path):
    (tmp_path / "err.log").write_text("".join(f"line {n}\n" for n in range(3000)))
    async with running(with_logs(tmp_path)) as screen:
        await screen.press("home", "l")
        await screen.until(lambda: "line 2999" in screen.text)
        await screen.press("home", "/", *"line 1500", "enter")
        assert "line 1500" in screen.text
        await screen.press("end")
        assert "line 2999" in screen.text
        await screen.press("\\", *"77", "enter")
        assert "line 277" in await whole(screen) and "line 1500" not in await whole(screen)


# --- events, history, help ---


async def test_events_are_listed_followed_and_filtered():
    async with running(frames.incident(3)) as screen:
        await screen.press("e")
        assert "beat2 exited 73" in screen.text
        await screen.press("\\", *"kind:source", "enter")
        text = await whole(screen)
        assert "reading /var/log" in text and "exited" not in text


async def test_events_stay_where_the_reader_is():
    async with running(frames.incident(40), size=(100, 12)) as screen:
        await screen.press("e", "pageup")
        before = [line[:-1] for line in screen.lines[1:-1]]
        await screen.push(frames.incident(50))
        assert [line[:-1] for line in screen.lines[1:-1]] == before
        await screen.press("end")
        last = frames.incident(50).events[-1]
        await screen.push(frames.incident(60))
        assert screen.app.screen.pager.following
        assert str(frames.incident(60).events[-1].pid) in screen.text and last is not None


async def test_history_shows_progress_and_pictures_and_stops_when_closed():
    feed = ScriptedFeed()
    feed.progress = [
        HistoryProgress(10, 100, None, False, ()),
        HistoryProgress(
            60,
            100,
            frames.AT - 9e5,
            False,
            (frames.past("beat2"),),
            "supervisord.log.3 is not readable: run as root",
        ),
    ]
    async with running(frames.incident(), feed=feed) as screen:
        await screen.press("y")
        await screen.until(lambda: "60%" in screen.text)
        assert (
            "beat2" in screen.text
            and "5,121 spawns" in screen.text
            and "highest 1,350" in screen.text
        )
        assert "run as root" in screen.text
        await screen.press("o")
        assert "spawns a day" in screen.text and "highest 32," in screen.text
        await screen.press("escape")
        await screen.until(lambda: feed.cancelled)


async def test_help_lists_every_command_and_dims_what_is_withheld():
    async with running(
        frames.incident(), executor=Refusing(), read_only=True, read_only_why="the config says so"
    ) as screen:
        await screen.press("?")
        text = await whole(screen)
        for command in COMMANDS:
            assert command.help in text, command.id
        assert "Read-only (the config says so)" in text
        stop = next(
            line
            for line in screen.app.screen.pager.lines
            if any("stop the selected" in s.text for s in line)
        )
        assert {s.ink for s in stop if s.text.strip()} == {"off"}


async def test_search_in_help():
    async with running(frames.incident(), size=(80, 12)) as screen:
        await screen.press("?", "/", *"sparkline", "escape", "/", *"PSS", "enter")
        assert "PSS" in screen.text


# --- replay ---


async def test_a_replay_moves_in_time():
    feed = ScriptedReplay(*[frames.incident(n, respawning=n > 12) for n in range(40)])
    async with running(feed=feed, executor=Refusing(), title="replay") as screen:
        assert "1/40" in screen.text
        await screen.press("right", "right", "left")
        assert "2/40" in screen.text
        await screen.press("]")
        assert "12/40" in screen.text
        await screen.press("[", "F")
        assert "14/40" in screen.text
        await screen.press("F")
        assert feed.index == 13
        await screen.press("p")
        assert feed.speed == 1 and "×1" in screen.text
        await screen.press("x", "x", "x")
        assert feed.speed == 10
        await screen.press("X")
        assert feed.speed == 5
        await screen.press("p")
        assert feed.speed == 0


async def test_replays_keys_are_dead_on_the_live_box():
    async with running(frames.incident()) as screen:
        await screen.press("p", "x", "X", "[", "]", "F")
        assert screen.app.is_running
        await screen.press("?")
        assert "in a replay" in await whole(screen)


# --- themes, ASCII, colour ---


def styles(screen):
    from textual._compositor import LayoutUpdate

    update = screen.app.screen._compositor.render_update(
        full=True, screen_stack=screen.app._background_screens
    )
    assert isinstance(update, LayoutUpdate)
    return [s.style for row in update.strips for strip in row for s in strip if s.style is not None]


@pytest.mark.parametrize("keys", [(), ("d",), ("enter",), ("?",), ("v",), ("y",), (">",), ("\\",)])
async def test_ascii_mode_draws_nothing_else(keys):
    async with running(frames.hostile(0), frames.hostile(1), ascii=True) as screen:
        await screen.press(*keys)
        assert screen.text.isascii(), [c for c in screen.text if not c.isascii()]
        assert {len(line) for line in screen.lines} == {120}


@pytest.mark.parametrize("keys", [(), ("d",), ("enter",), (">",)])
async def test_without_colour_no_colour_is_sent(keys):
    async with running(frames.incident(), no_color=True) as screen:
        await screen.press(*keys)
        for style in styles(screen):
            for color in (style.color, style.bgcolor):
                assert color is None or color.is_default, style


async def test_without_colour_the_selection_is_still_seen():
    async with running(frames.incident(), no_color=True) as screen:
        assert "▌ ▾ beat2" in screen.text
        assert any(style.reverse for style in styles(screen))


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
async def test_each_theme_draws_everything(theme):
    async with running(frames.incident(), theme=theme) as screen:
        await screen.press("d", "escape", "enter", "escape", "?", "escape", ">", "escape")
        assert "stop beat2" in screen.text
        if theme == "ansi":
            for style in styles(screen):
                assert style.color is None or style.color.triplet is None, style


async def test_a_terminal_of_few_colours_gets_its_own(monkeypatch):
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM", raising=False)
    async with running(frames.incident()) as screen:
        assert screen.app.theme == "beattop-ansi"


async def test_state_is_told_by_sign_and_word():
    async with running(frames.incident()) as screen:
        assert "↻ RESPAWNING" in screen.text and "● RUNNING" in screen.text


async def test_hostile_text_stays_text():
    async with running(frames.hostile(0), frames.hostile(1)) as screen:
        assert "[red]evil[/red]" in screen.text
        assert "\u202e" not in screen.text
        await screen.press("home", "enter")
        assert "[/x]" in await whole(screen)
        screen.app.say("[/x] [bold")
        await screen.settle()
        assert screen.app.is_running


def test_ascii_keeps_every_width():
    from beattop.ui.line import cells

    for text in ("✖ ↻ ● … – ▁▂▃▄▅▆▇█ ▌▾▸└ ≈ × →", frames.HOSTILE, "日本語🙂é"):
        assert cells(to_ascii(text)) == cells(text)
        assert to_ascii(text).isascii()


def test_every_glyph_is_one_cell_wide_and_has_a_stand_in():
    from beattop.ui import glyphs
    from beattop.ui.line import cells

    for name, value in vars(glyphs).items():
        if name.isupper() and isinstance(value, str):
            for sign in value:
                assert cells(sign) == 1, name
                assert sign.isascii() or to_ascii(sign) != "?", name


def test_the_log_reader_ends_when_told(tmp_path):
    from beattop.ui.logfile import LogFile

    path = tmp_path / "x.log"
    path.write_text("a\n")
    heard = []
    reader = LogFile(path, lambda *args: heard.append(args))
    reader.start()
    end = time.monotonic() + 5
    while not heard and time.monotonic() < end:
        time.sleep(0.005)
    reader.stop()
    reader.join(2)
    assert not reader.is_alive()
    assert heard[0] == ([(Span("a"),)], True, "")
