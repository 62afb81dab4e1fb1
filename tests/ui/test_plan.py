"""The dialog of a plan: asks with Cancel focused, shows the exact call, fills in while it works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from beattop.model.plan import Check, Outcome, Plan, Step
from beattop.ui.line import cells
from beattop.ui.messages import CheckArrived
from tests.ui import frames
from tests.ui.conftest import SIZES, running
from tests.ui.doubles import FakeExecutor, Refusing
from tests.ui.frames import pid_

CALL = 'supervisor.stopProcess("beat2", wait=False)'


def dialog(screen):
    return screen.app.screen


async def test_it_shows_what_is_kept_what_is_stopped_the_call_and_the_lasting_fix():
    async with running(frames.incident()) as screen:
        await screen.press("d")
        text = " ".join(screen.text.replace("│", " ").split())
        for words in (
            "keep beat pid 4690", "stop beat2", CALL, "unix:///run/supervisor.sock", f"the same as: {frames.STOP}",
            "comes back when supervisord restarts", "/etc/supervisor/conf.d/old.conf:7 [program:beat2]",
        ):  # fmt: skip
            assert words in text, words


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_it_fits_and_its_buttons_are_always_seen(size):
    async with running(frames.incident(), size=size) as screen:
        await screen.press("d")
        assert "[ Cancel ]" in screen.text
        assert "[ y Stop beat2 ]" in screen.text
        assert {cells(line) for line in screen.lines} == {size[0]}
        seen = screen.text
        for _ in range(12):
            await screen.press("pagedown")
            seen += screen.text
        assert "old.conf:7" in "".join(seen.split())


async def test_cancel_has_the_focus_and_enter_does_nothing_to_the_box():
    executor = FakeExecutor()
    async with running(frames.incident(), executor=executor) as screen:
        await screen.press("d")
        assert screen.app.focused.id == "cancel"
        await screen.press("enter")
        assert len(screen.app.screen_stack) == 1
        assert not executor.plans


@pytest.mark.parametrize(
    "keys",
    [
        ("escape",),
        ("q",),
        ("left", "enter"),
        ("space", "escape"),
        ("d", "escape"),
        ("S", "x", "escape"),
    ],
)
async def test_no_other_key_confirms(keys):
    executor = FakeExecutor()
    async with running(frames.incident(), executor=executor) as screen:
        await screen.press("d", *keys)
        assert not executor.plans


@pytest.mark.parametrize("keys", [("y",), ("right", "enter"), ("tab", "enter")])
async def test_y_or_the_focused_button_confirms(keys):
    executor = FakeExecutor()
    async with running(frames.incident(), executor=executor) as screen:
        await screen.press("d", *keys)
        await screen.until(lambda: dialog(screen).state == "ended")
        assert [[s.call for s in p.steps] for p in executor.plans] == [[CALL]]


async def test_the_checklist_fills_in_and_the_box_calms_down():
    executor = FakeExecutor(hold=True)
    async with running(frames.incident(0), executor=executor) as screen:
        await screen.press("d", "y")
        await screen.until(lambda: "✔ asked to stop" in screen.text)
        assert "stays stopped" not in screen.text
        assert "[ Stop here ]" in screen.text
        await screen.push(frames.incident(3, respawning=False))
        assert "churn 79 % → 0 %" in screen.text
        assert "box 97 % → 18 %" in screen.text
        executor.release.set()
        await screen.until(lambda: "✔ stays stopped" in screen.text)
        assert "beat2 is stopped and stays so." in screen.text
        assert screen.feed.asked == 2, "after what changed the state, and at the end"
        await screen.press("escape")
        assert len(screen.app.screen_stack) == 1


async def test_escape_while_it_works_calls_the_rest_off():
    executor = FakeExecutor(hold=True)
    async with running(frames.incident(0), executor=executor) as screen:
        await screen.press("d", "y")
        await screen.until(lambda: executor.plans != [])
        await screen.press("escape")
        assert len(screen.app.screen_stack) == 2, "it must not close before the outcome is known"
        executor.release.set()
        await screen.until(lambda: dialog(screen).state == "ended")
        assert executor.was_cancelled


async def test_an_executor_that_raises_is_heard():
    class Broken(FakeExecutor):
        def execute(self, plan, on_check, cancelled=lambda: False):
            raise RuntimeError("boom")

    async with running(frames.incident(0), executor=Broken()) as screen:
        await screen.press("d", "y")
        await screen.until(lambda: "boom" in screen.text)
        assert screen.app.is_running


async def test_undo_asks_anew():
    executor = FakeExecutor()
    async with running(frames.incident(0), executor=executor) as screen:
        await screen.press("u")
        assert len(screen.app.screen_stack) == 1
        await screen.press("d")
        step = dialog(screen).plan.steps[0]
        start = replace(step, verb="start", call='supervisor.startProcess("beat2", wait=False)')
        executor.undo = Plan("Start beat2 again", (), (start,), (), (), ())
        await screen.press("y")
        await screen.until(lambda: dialog(screen).state == "ended")
        await screen.press("u")
        await screen.until(lambda: "Start beat2 again" in screen.text)
        assert screen.app.focused.id == "cancel"
        assert len(executor.plans) == 1
        await screen.press("y")
        await screen.until(lambda: len(executor.plans) == 2)


async def test_what_comes_next_is_confirmed_anew():
    class Leaves(FakeExecutor):
        def execute(self, plan, on_check, cancelled=lambda: False):
            self.plans.append(plan)
            step = replace(plan.steps[0], verb="kill", call="pidfd_send_signal(pid 4720, SIGKILL)")
            return Outcome(
                "failed", (), "it did not go", Plan("Kill pid 4720", (), (step,), (), (), ())
            )

    executor = Leaves()
    async with running(frames.incident(0), executor=executor) as screen:
        await screen.press("d", "y")
        await screen.until(lambda: dialog(screen).state == "ended")
        assert "[ y Kill pid 4720 ]" in screen.text
        await screen.press("y")
        assert dialog(screen).state == "asking" and len(executor.plans) == 1
        await screen.press("y")
        await screen.until(lambda: len(executor.plans) == 2)


async def tag(screen, *names):
    for name in names:
        await screen.press("/", "ctrl+u", *name, "enter", "space")
    assert len(screen.main.view.tagged) == len(names)


async def test_several_targets_are_one_list_with_boxes():
    executor = FakeExecutor()
    async with running(frames.incident(0), executor=executor) as screen:
        await tag(screen, "worker", "flower")
        await screen.press("S")
        assert screen.text.count("[x]") == 2
        await screen.press("down", "space")
        assert screen.text.count("[x]") == 1 and screen.text.count("[ ]") == 1
        await screen.press("y")
        await screen.until(lambda: executor.plans != [])
        assert [s.target.namespec for s in executor.plans[0].steps] == ["worker"]


async def test_nothing_ticked_nothing_confirmed():
    executor = FakeExecutor()
    async with running(frames.incident(0), executor=executor) as screen:
        await tag(screen, "worker", "flower")
        await screen.press("S", "space", "down", "space", "y", "right", "enter")
        assert not executor.plans


async def test_the_last_working_beat_takes_one_more_yes():
    executor = FakeExecutor()
    async with running(frames.incident(0), executor=executor) as screen:
        await screen.press("/", *"pid:4690", "enter", "S", "y")
        assert not executor.plans
        assert "is the last working beat" in screen.text
        await screen.press("escape")
        assert dialog(screen).state == "asking"
        await screen.press("y", "y")
        await screen.until(lambda: executor.plans != [])
        assert executor.plans[0].steps[0].target.program == pid_("beat")


async def test_restart_and_start_show_their_calls():
    async with running(frames.incident(0)) as screen:
        await screen.press("/", *"flower", "enter", "R")
        assert 'supervisor.stopProcess("flower", wait=False)' in screen.text
        assert "startProcess" in screen.text
    async with running(frames.incident(0, respawning=False)) as screen:
        await screen.press("/", *"beat2", "enter", "s")
        assert 'supervisor.startProcess("beat2", wait=False)' in screen.text


async def test_what_is_outside_supervisor_gets_advice_only():
    executor = FakeExecutor()
    async with running(frames.incident(0), executor=executor) as screen:
        await screen.press("end", "S")
        assert "kill -TERM 812" in screen.text
        await screen.press("y")
        assert not executor.plans


async def test_no_duplicate_no_dialog():
    async with running(frames.calm()) as screen:
        await screen.press("d")
        assert len(screen.app.screen_stack) == 1


# --- read-only ---


async def test_read_only_shows_the_plan_why_and_the_command():
    executor = Refusing()
    why = "BEATTOP_READ_ONLY is set"
    async with running(
        frames.incident(), executor=executor, read_only=True, read_only_why=why
    ) as screen:
        await screen.press("d")
        text = screen.text
        assert why in text and frames.STOP in text and CALL in text
        assert "[ y" not in text
        await screen.press("c")
        assert screen.app.clipboard == frames.STOP


@pytest.mark.parametrize(
    "keys", [("y",), ("right", "enter"), ("tab", "tab", "enter"), ("u",), ("a", "y")]
)
async def test_read_only_never_reaches_the_executor(keys):
    executor = Refusing()
    async with running(frames.incident(), executor=executor, read_only=True) as screen:
        await screen.press("d", *keys)
        if len(screen.app.screen_stack) > 1:
            await screen.app.run_action("screen.plan_confirm")
            await dialog(screen).run_action("plan_confirm")
            dialog(screen).action_plan_confirm()
        await screen.settle()
        assert not executor.plans


async def test_an_executor_that_cannot_write_is_read_only_whatever_the_settings_say():
    executor = Refusing()
    async with running(frames.incident(), executor=executor) as screen:
        assert "READ-ONLY" in screen.text
        await screen.press("d", "y")
        assert not executor.plans


async def test_a_step_that_is_no_program_has_its_call():
    step = Step(
        "kill",
        replace(frames.incident().findings[0].stop[0], namespec=None, pid=812),
        "pidfd_send_signal(pid 812, SIGKILL)",
        None,
        "kill -KILL 812",
    )
    executor = FakeExecutor()
    executor.undo = Plan("Kill pid 812", (), (step,), (), ("no undo",), ())
    async with running(frames.incident(), executor=executor) as screen:
        await screen.press("u")
        assert "SIGKILL" in screen.text and "pid 812" in screen.text and "no undo" in screen.text


@pytest.mark.parametrize("size", [(80, 10), (40, 8), (120, 40)])
async def test_the_exact_call_is_in_sight(size):
    async with running(frames.incident(), size=size) as screen:
        await screen.press("d")
        assert 'stopProcess("beat2",' in "".join(screen.text.split())


@pytest.mark.parametrize("opener", ["d", ">"])
async def test_a_dialog_follows_its_pane_down_to_a_small_one_and_back(opener):
    async with running(frames.incident(), size=(120, 40)) as screen:
        await screen.press(opener)
        for size in ((40, 6), (120, 40), (80, 10)):
            await screen.pilot.resize_terminal(*size)
            await screen.settle()
            sign = "[ Cancel ]" if opener == "d" else "worst first"
            await screen.until(lambda sign=sign: sign in screen.text)


@pytest.mark.parametrize("size", [(80, 10), (40, 8), (120, 40)])
async def test_how_it_ended_and_the_way_back_are_in_sight(size):
    executor = FakeExecutor()
    async with running(frames.incident(0), executor=executor, size=size) as screen:
        await screen.press("d")
        step = dialog(screen).plan.steps[0]
        executor.undo = Plan("Start beat2 again", (), (step,), (), (), ())
        await screen.press("y")
        await screen.until(lambda: dialog(screen).state == "ended")
        assert "is stopped and stays so" in " ".join(screen.text.split())
        assert "u  undo" in screen.text
        if size == (40, 8):
            assert "is stopped" in screen.lines[1], "first where not all of it fits"


async def test_in_a_small_pane_what_is_waited_for_and_the_newest_check_are_in_sight():
    executor = FakeExecutor(hold=True)
    async with running(frames.incident(0), executor=executor, size=(40, 6)) as screen:
        await screen.press("d", "y")
        await screen.until(lambda: "asked to stop" in screen.text)
        dialog(screen).on_check_arrived(
            CheckArrived(Check("new", "no new spawn", "pending", "3 of 18 s", None))
        )
        for n in range(9):
            dialog(screen).on_check_arrived(
                CheckArrived(Check(f"c{n}", f"check number {n}", "done", "seen", None))
            )
            await screen.settle()
        assert "check number 8" in screen.text
        assert "no new spawn  3 of 18 s" in screen.lines[1]
        executor.release.set()
        await screen.until(lambda: dialog(screen).state == "ended")
