"""Pictures of the main states, from a live incident brought up in the same run.

    python -m tests.screenshots [FOLDER]     (make screenshots; FOLDER is screenshots/)

The demo's own supervisord and Celery, the real collector, the real stop. Only the window is
Textual's headless one.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from beattop.actions.refuse import RefusingExecutor
from beattop.commands.executors import executor_for
from beattop.demo.incident import Incident
from beattop.feeds.live import LiveFeed
from beattop.feeds.replay import ReplayFeed
from beattop.settings import ServerSetting, Settings
from beattop.sources import recording
from beattop.sources.collector import Collector
from beattop.ui.app import BeattopApp

NAMES = (
    "incident",
    "plan",
    "stopped",
    "calm",
    "details",
    "log",
    "events",
    "history",
    "help",
    "read-only",
    "pane-80x10",
    "replay",
)
"""What there is a picture of; the README shows each."""
WIDE = (120, 34)
SMALL = (80, 10)
CELL = 12.2
"""Width of a cell in Rich's picture."""


def shown(svg: str) -> str:
    """The text in a picture, blanks folded."""
    words = re.sub(r"<[^>]+>", "", " ".join(re.findall(r"<text[^>]*>(.*?)</text>", svg, re.S)))
    return re.sub(r"(?:&#160;|\s)+", " ", words)


def tight(svg: str) -> str:
    """The same without blanks at the ends of texts: some renderers stretch what is left of them."""

    def cut(found: re.Match[str]) -> str:
        words = found["words"]
        inner = re.sub(r"^(?:&#160;)+", "", words)
        left = (len(words) - len(inner)) // len("&#160;")
        bare = re.sub(r"(?:&#160;)+$", "", inner)
        right = (len(inner) - len(bare)) // len("&#160;")
        if not bare:
            return ""
        x, length = float(found["x"]), float(found["length"])
        x, length = round(x + left * CELL, 1), round(length - (left + right) * CELL, 1)
        return f'<text{found["head"]}x="{x:g}" y="{found["y"]}" textLength="{length:g}"{found["tail"]}>{bare}</text>'

    return re.sub(
        r'<text(?P<head>[^>]*?)x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<length>[\d.]+)"'
        r"(?P<tail>[^>]*)>(?P<words>[^<]*)</text>",
        cut,
        svg,
    )


def rows(svg: str) -> list[str]:
    """The lines of a picture from top to bottom; ValueError where it is no valid SVG."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    found: dict[float, dict[float, str]] = {}
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        if "clip-path" in text.attrib:  # the window's title has none
            line = found.setdefault(float(text.attrib["y"]), {})
            line[float(text.attrib["x"])] = "".join(text.itertext()).replace("\xa0", " ")
    return [" ".join(part for _, part in sorted(line.items())) for _, line in sorted(found.items())]


def size(svg: str) -> tuple[int, int]:
    """Columns and rows of a picture, from the cells that Rich's frame was made for."""
    box = ElementTree.fromstring(svg).attrib["viewBox"].split()
    return round((float(box[2]) - 18) / CELL), round((float(box[3]) - 50) / 24.4)


async def wait(
    app: BeattopApp, done: Callable[[str], object], what: str, seconds: float = 60.0
) -> None:
    """Until the picture shows it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not done(shown(app.export_screenshot())):
        if loop.time() > deadline:
            raise SystemExit(f"waited {seconds} s for {what}:\n{shown(app.export_screenshot())}")
        await asyncio.sleep(0.1)


class Camera:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, app: BeattopApp, name: str) -> None:
        assert name in NAMES
        strangers = app.frame.snapshot.unmanaged if app.frame is not None else ()
        if strangers:
            pids = ", ".join(str(u.member.process.pid) for u in strangers)
            raise SystemExit(f"{name}: Celery runs here that is not the demo's, pid {pids}: end it")
        svg = app.export_screenshot(title="beattop")
        (self.folder / f"{name}.svg").write_text(tight(svg), encoding="utf-8")
        print(f"{name}.svg", file=sys.stderr)


async def live(camera: Camera, settings: Settings, url: str, tape: Path) -> None:
    feed = LiveFeed(Collector(settings))
    app = BeattopApp(feed, executor_for(settings, feed, frozenset({url})), settings)
    async with app.run_test(size=WIDE) as pilot:
        await wait(
            app,
            lambda t: "dies every" in t and "churn" in t and "measuring" not in t,
            "the incident",
        )
        await wait(app, lambda t: "exited 73" in t, "a tombstone")
        camera.take(app, "incident")
        for key, name, sign in (
            ("enter", "details", "(median)"),
            ("l", "log", "already exists"),
            ("e", "events", "exited 73"),
            ("y", "history", "spawns"),
            ("question_mark", "help", "stop duplicate beats"),
        ):
            await pilot.press(key)
            await wait(app, lambda t, sign=sign: sign in t, name)
            camera.take(app, name)
            await pilot.press("escape")
            await pilot.pause()
        feed.save(tape)
        await pilot.press("d")
        await wait(app, lambda t: "stopProcess" in t, "the plan")
        camera.take(app, "plan")
        await pilot.press("y")
        await wait(app, lambda t: "is stopped" in t and "undo" in t, "the stop")
        await wait(app, lambda t: "→ 0 %" in t, "the calm")
        camera.take(app, "stopped")
        await pilot.press("escape")
        await pilot.pause()
        await wait(app, lambda t: "STOPPED" in t, "the state")
        camera.take(app, "calm")
        await pilot.press("u")
        await wait(app, lambda t: "startProcess" in t, "undo")
        await pilot.press("y")
        await wait(app, lambda t: "Close" in t, "the start")
    feed.stop()


async def read_only(camera: Camera, settings: Settings) -> None:
    settings = replace(settings, read_only=True, read_only_why="--read-only was given")
    feed = LiveFeed(Collector(settings))
    app = BeattopApp(feed, executor_for(settings, feed), settings)
    async with app.run_test(size=WIDE) as pilot:
        await wait(app, lambda t: "dies every" in t, "the incident again", 90)
        await pilot.press("d")
        await wait(app, lambda t: "supervisorctl" in t, "the plan that is not carried out")
        camera.take(app, "read-only")
    feed.stop()


async def pane(camera: Camera, settings: Settings) -> None:
    feed = LiveFeed(Collector(settings))
    app = BeattopApp(feed, RefusingExecutor("a picture"), settings)
    async with app.run_test(size=SMALL):
        await wait(app, lambda t: "RESPAWN" in t and "73" in t and "churn" in t, "the small pane")
        camera.take(app, "pane-80x10")
    feed.stop()


async def replay(camera: Camera, settings: Settings, tape: Path) -> None:
    samples = list(recording.read(tape))
    settings = replace(
        settings, title="incident.beattop", read_only=True, read_only_why="this is a recording"
    )
    feed = ReplayFeed(samples)
    app = BeattopApp(feed, RefusingExecutor("this is a recording"), settings)
    async with app.run_test(size=WIDE):
        feed.seek(len(samples) - 1)
        await wait(app, lambda t: "dies every" in t, "the replay")
        camera.take(app, "replay")
    feed.stop()


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    camera = Camera(folder)
    with (
        Incident(lambda line: print(line, file=sys.stderr)) as demo,
        tempfile.TemporaryDirectory() as aside,
    ):
        settings = Settings(
            supervisors=(ServerSetting(str(demo.conf)),), title="demo", theme="dark"
        )
        tape = Path(aside) / "tape"
        asyncio.run(live(camera, settings, demo.url, tape))
        asyncio.run(read_only(camera, settings))
        asyncio.run(pane(camera, settings))
        asyncio.run(replay(camera, settings, tape))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
