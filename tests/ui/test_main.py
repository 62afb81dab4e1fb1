"""The main screen as a whole: what keys, clicks and frames do to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events

from beattop.ui.line import cells
from tests.ui import frames
from tests.ui.conftest import SIZES, running
from tests.ui.doubles import ScriptedFeed
from tests.ui.frames import pid_


def current(screen):
    return screen.table.current


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_first_three_lines_hold_program_cause_and_key(size):
    async with running(*[frames.incident(n) for n in range(4)], size=size) as screen:
        top = " ".join(screen.lines[:3])
        assert "beat2" in top and "second beat of" in top and " d  stop beat2" in top
        assert all(cells(line) == size[0] for line in screen.lines)


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
async def test_the_last_exit_is_never_cut(columns):
    async with running(*[frames.incident(n) for n in range(4)], size=(columns, 24)) as screen:
        row = next(line for line in screen.lines if "▸ beat2" in line or "▾ beat2" in line)
        assert "73 CANTCREAT" in row or "73 cannot create" in row


async def test_gathering_then_the_picture():
    async with running() as screen:
        assert "Gathering" in screen.text
        await screen.push(frames.calm())
        assert "All 12 programs steady" in screen.text


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            frames.no_supervisord(),
            ["No supervisord was found", "--supervisor", "beattop demo", "root"],
        ),
        (frames.no_celery(), ["None of them runs Celery"]),
    ],
)
async def test_empty_boxes_say_so_and_what_to_do(frame, words):
    async with running(frame) as screen:
        for word in words:
            assert word in screen.text


async def test_a_filter_that_hides_all_says_so_and_escape_clears_it():
    async with running(frames.incident()) as screen:
        await screen.press("\\", *"nosuch", "enter")
        assert "No row matches ‹nosuch›" in screen.text
        await screen.press("escape")
        assert "worker" in screen.text and "No row matches" not in screen.text


async def test_filtering_is_incremental():
    async with running(frames.incident()) as screen:
        await screen.press("\\", *"role:be")
        assert [r.name for r in screen.table.rows if r.kind == "program"] == ["beat2", "beat"]
        await screen.press("backspace", "backspace", *"worker")
        assert [r.name for r in screen.table.rows if r.kind == "program"] == ["worker"]
        await screen.press("enter")
        await screen.push(frames.incident(1))
        assert [r.name for r in screen.table.rows if r.kind == "program"] == ["worker"]
        assert "filter ‹role:worker›" in screen.text


async def test_letters_typed_into_a_filter_do_nothing_else():
    async with running(frames.incident()) as screen:
        await screen.press("\\", *"qdSRsukjZ?")
        assert screen.app.is_running
        assert len(screen.app.screen_stack) == 1
        assert screen.main.prompt.text == "qdSRsukjZ?"


async def test_search_selects_and_walks_through_matches():
    async with running(frames.incident(0, extra=5)) as screen:
        await screen.press("/", *"job")
        assert current(screen).name == "job00"
        await screen.press("enter", "n", "n")
        assert current(screen).name == "job02"
        await screen.press("N")
        assert current(screen).name == "job01"


async def test_how_to_go_on_after_a_pause_stands_first():
    async with running(frames.incident(), size=(40, 8)) as screen:
        await screen.press("Z")
        assert "Z Go on" in screen.lines[-1]


async def test_the_selection_stays_on_the_worst_until_it_is_moved():
    async with running(frames.calm(5)) as screen:
        assert current(screen).name == "beat"
        await screen.push(frames.incident(1))
        assert current(screen).name == "beat2"


async def test_the_selection_follows_identity_through_resorts():
    async with running(frames.incident(0)) as screen:
        await screen.press("/", *"flower", "enter")
        for key in ("P", "M", "T", "I", "W", "g", "g", "g"):
            await screen.press(key)
            await screen.push(frames.incident(screen.app.frame.number + 1))
            assert current(screen).program == pid_("flower"), key


async def test_grouping_goes_round():
    async with running(frames.incident()) as screen:
        before = screen.text
        await screen.press("g")
        assert "beat (3)" in screen.text
        await screen.press("g")
        assert "beat 4690" in screen.text
        await screen.press("g")
        assert screen.text == before


async def test_folding_and_tree():
    async with running(frames.incident()) as screen:
        await screen.press("/", *"worker", "enter", "+")
        assert "4801" in screen.text
        await screen.press("-")
        assert "4801" not in screen.text
        await screen.press("*")
        assert "4801" in screen.text and "4690" in screen.text
        await screen.press("t")
        assert "4801" not in screen.text and "† 47" not in screen.text


async def test_tags_move_on_and_are_counted():
    async with running(frames.incident()) as screen:
        await screen.press("home", "space")
        assert screen.main.view.tagged == {pid_("beat2")}
        assert screen.table.selection.line == 1
        assert "1 tagged" in screen.text
        await screen.press("U")
        assert not screen.main.view.tagged


async def test_pause_freezes_the_picture_not_the_looking():
    async with running(frames.incident(0)) as screen:
        await screen.press("Z")
        assert "PAUSED" in screen.text
        assert screen.feed.slowed > 1
        frozen = screen.main.frame
        await screen.push(frames.incident(5))
        assert screen.main.frame is frozen
        assert screen.app.frame.number == 5
        await screen.press("Z")
        assert screen.main.frame.number == 5
        assert screen.feed.slowed == 1


async def test_looking_slows_down_while_nobody_looks():
    async with running(frames.incident()) as screen:
        screen.app.post_message(events.AppBlur())
        await screen.until(lambda: screen.feed.slowed > 1)
        screen.app.post_message(events.AppFocus())
        await screen.until(lambda: screen.feed.slowed == 1)


async def test_columns_scroll_sideways():
    async with running(frames.incident(), size=(60, 20)) as screen:
        assert "COMMAND" not in screen.text
        for _ in range(12):
            await screen.press("right")
        assert "COMMAND" in screen.text
        assert "beat2" in screen.lines[5] or "beat2" in screen.text
        await screen.press("left")
        assert screen.table.shift > 0


async def test_the_age_of_the_data_goes_on_without_frames():
    class Stuck(ScriptedFeed):
        def heartbeat(self):
            return frames.AT

    async with running(frames.incident(), feed=Stuck(), now=frames.AT + 42) as screen:
        assert "data 42 s old" in screen.text


async def test_what_ended_the_feed_is_told_within_two_seconds():
    async with running(frames.incident()) as screen:
        screen.feed.down = "the collector ended: ZeroDivisionError"
        await screen.until(lambda: "the collector ended" in screen.lines[0], 3)


async def test_before_any_frame_too():
    async with running() as screen:
        screen.feed.down = "the collector ended: boom"
        await screen.until(lambda: "Looking failed" in screen.text, 3)


async def test_the_bell_rings_for_a_new_critical_finding_only(monkeypatch):
    rung = []
    monkeypatch.setattr("beattop.ui.app.BeattopApp.bell", lambda self: rung.append(1))
    async with running(frames.calm(), bell=True) as screen:
        await screen.push(frames.incident(1), frames.incident(2))
        assert len(rung) == 1
        await screen.push(frames.calm(tick=3), frames.incident(4))
        assert len(rung) == 1, "it was away for a moment only"
        await screen.push(frames.calm(tick=100), frames.incident(101))
        assert len(rung) == 2
    async with running(frames.calm()) as screen:
        await screen.push(frames.incident(1))
        assert len(rung) == 2


async def test_copy_takes_the_findings_command():
    async with running(frames.incident()) as screen:
        await screen.press("home", "c")
        assert screen.app.clipboard == frames.STOP
        await screen.press("/", *"flower", "enter", "c")
        assert (
            screen.app.clipboard
            == "supervisorctl -c /etc/supervisor/supervisord.conf status flower"
        )


async def test_copying_in_tmux_tells_what_tmux_needs(monkeypatch):
    """tmux 2.6 and later keep OSC 52 of programs to themselves unless set-clipboard is on."""
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with running(frames.incident()) as screen:
        await screen.press("home", "c")
        assert f"Copied: {frames.STOP}" in screen.text and "set-clipboard on" in screen.text


async def test_save_writes_a_recording_and_says_where(tmp_path):
    async with running(frames.incident()) as screen:
        await screen.press("w")
        await screen.until(lambda: screen.feed.saved is not None)
        assert screen.feed.saved.parent == tmp_path
        assert screen.feed.saved.name.startswith("beattop-box1-")
        await screen.until(lambda: "12 samples are in" in screen.text)


async def test_a_note_never_hides_the_verdict():
    async with running(frames.incident(), size=(40, 8)) as screen:
        top = screen.lines[1:3]
        await screen.press("home", "c")
        assert "Copied: supervisorctl" in screen.text
        assert screen.lines[1:3] == top
        assert {cells(line) for line in screen.lines} == {40}
        screen.main.note.hush()
        await screen.settle()
        assert "Copied" not in screen.text


async def test_asking_now_asks_the_feed():
    async with running(frames.incident()) as screen:
        await screen.press("r")
        assert screen.feed.asked == 1


async def test_the_next_finding_is_selected():
    one = frames.incident()
    other = replace(one.findings[0], identity="other", programs=(pid_("flower"),), pids=(4900,))
    async with running(replace(one, findings=(*one.findings, other))) as screen:
        await screen.press("f")
        assert current(screen).program == pid_("flower")
        await screen.press("f")
        assert current(screen).program == pid_("beat2")


async def test_no_key_is_promised_that_would_act_on_another_row():
    one = frames.incident()
    down = replace(
        one.findings[0],
        kind="beat-down",
        identity="down",
        programs=(pid_("flower"),),
        pids=(),
        stop=(),
        summary="flower is down",
        short="flower is down",
    )
    async with running(replace(one, findings=(*one.findings, down))) as screen:
        assert " d  stop beat2" in screen.text and " f  go to flower" in screen.text
        await screen.press("f")
        assert " s  start flower" in screen.text
        await screen.press("s")
        assert "flower" in screen.text.split("Start", 1)[-1] or "runs already" in screen.text


async def test_a_remapped_key_works_and_the_old_one_does_not():
    async with running(frames.incident(), keys={"group": "ctrl+g"}) as screen:
        await screen.press("g")
        assert screen.main.view.group == "program"
        await screen.press("ctrl+g")
        assert screen.main.view.group == "role"
        assert "Ctrl+G" in screen.lines[-1]


async def test_an_impossible_keymap_or_theme_is_refused_before_anything_is_drawn():
    with pytest.raises(ValueError, match="no command is called"):
        async with running(keys={"nosuch": "x"}):
            pass
    with pytest.raises(ValueError, match="no theme is called"):
        async with running(theme="nosuch"):
            pass


async def test_the_palette_runs_actions_through_their_guards():
    async with running(frames.incident()) as screen:
        await screen.press("ctrl+p")
        await screen.pilot.pause(0.3)
        await screen.press(*"next grouping")
        await screen.pilot.pause(0.5)
        await screen.press("down", "enter")
        await screen.until(lambda: screen.main.view.group == "role")


async def test_the_feed_is_stopped_at_the_end():
    async with running(frames.incident()) as screen:
        pass
    assert screen.feed.stopped


async def test_five_hundred_programs_are_walked_to_the_last():
    async with running(frames.many(500, 0), frames.many(500, 1)) as screen:
        await screen.press("down", "pagedown", "P", "I", "W", "g", "*", "pagedown", "end")
        assert screen.table.selection.line > 400 and screen.table.scroll_offset.y > 400


async def test_only_what_changed_is_drawn_again():
    async with running(frames.calm(30, 0), frames.calm(30, 1)) as screen:
        drawn = []
        original = type(screen.table).render_line
        type(screen.table).render_line = lambda self, y: drawn.append(y) or original(self, y)
        try:
            await screen.push(frames.calm(30, 2))
        finally:
            type(screen.table).render_line = original
        assert len(drawn) <= 2


async def test_columns_scroll_whole_and_esc_brings_them_back():
    async with running(frames.incident(), size=(80, 24)) as screen:

        def shown() -> list[str]:
            return screen.text.split("\n")[5:8]

        first = shown()
        assert "STATE" in first[0]
        for _ in range(12):
            await screen.press("right")
            head, row = shown()[:2]
            assert head.startswith("  PROGRAM") and "beat2" in row
            # The cell right of the names is blank: no column is cut in the middle.
            pinned = screen.table.arrangement.pinned
            assert head[pinned] == " " and row[pinned] == " "
        assert shown() != first
        await screen.press("escape")
        assert shown() == first


async def test_the_scrollbar_hides_no_figure():
    async with running(frames.incident(extra=40), size=(30, 8)) as screen:
        head = next(line for line in screen.lines if "PROGRAM" in line)
        row = next(line for line in screen.lines if "beat2" in line and "RESPAWN" in line)
        last = screen.table.arrangement.fitting[-1][0].title
        assert last in head
        assert "79.0" in row


async def test_the_filters_line_tells_its_grammar_at_once():
    async with running(frames.incident()) as screen:
        await screen.press("\\")
        assert "role:beat state:respawning cpu>5" in screen.text
