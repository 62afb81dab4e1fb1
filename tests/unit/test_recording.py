"""A recording holds what was sampled, says so when it is damaged, and holds no secret."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from dataclasses import replace

import pytest

from beattop.commands import tape
from beattop.feeds import replay
from beattop.feeds.frames import Frames
from beattop.feeds.replay import ReplayFeed
from beattop.settings import Settings
from beattop.sources import recording
from beattop.sources.collector import Collector
from beattop.sources.recording import RecordingError, Writer
from beattop.sources.serial import to_plain
from tests.unit.test_diagnosis import seed
from tests.unit.world import World


@pytest.fixture(scope="module")
def samples():
    world = World()
    world.supervisord()
    taken = []
    look = world.look

    def keep():
        found = look()
        taken.append(world.sample)
        return found

    world.look = keep
    seed(world)
    world.loop("beat2", 4)
    return taken


def test_what_is_read_is_what_was_written(samples, tmp_path):
    path = tmp_path / "tape"
    assert recording.write(samples, path) == len(samples)
    assert list(recording.read(path)) == samples
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_stays_the_same_is_not_even_made_plain(samples, monkeypatch):
    writer = Writer(io.StringIO())
    writer.add(samples[0])
    made = []
    monkeypatch.setattr(recording, "to_plain", lambda value: made.append(value) or to_plain(value))
    writer.add(replace(samples[0], at=samples[0].at + 1))
    assert samples[0].configs not in made and samples[0].programs not in made
    assert not any(isinstance(value, type(samples[0])) for value in made)


def test_what_stays_the_same_is_written_once(samples):
    stream = io.StringIO()
    writer = Writer(stream)
    for sample in samples:
        writer.add(sample)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert "configs" in lines[1] and "configs" not in lines[2]
    assert lines[2]["processes"] == [] or len(lines[2]["processes"]) < len(lines[1]["processes"])


def test_what_stands_still_costs_little(samples):
    stream = io.StringIO()
    writer = Writer(stream)
    for n in range(3):
        writer.add(replace(samples[-1], at=samples[-1].at + n, log_events=(), lifecycle=()))
    first, second, third = (json.loads(line) for line in stream.getvalue().splitlines()[1:])
    assert first["usage"] and first["alive"]["come"]
    assert second["usage"] == second["processes"] == []
    assert second["alive"] == second["used"] == {"gone": [], "come": []}
    assert len(json.dumps(third)) < 600


def test_the_first_format_is_still_read(samples, tmp_path):
    path = tmp_path / "tape"
    lines = [{"format": "beattop-recording/1", "version": "0.1.0"}]
    for sample in samples[:3]:
        plain = to_plain(sample)
        lines.append({**plain, "alive": [list(p.key) for p in sample.processes]})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert list(recording.read(path)) == samples[:3]


def test_a_replay_finds_what_was_found_live(samples, tmp_path):
    live = Frames(3.0)
    told = [live.add(sample).findings for sample in samples]
    path = tmp_path / "tape"
    recording.write(samples, path)
    again = Frames(3.0)
    assert [again.add(sample).findings for sample in recording.read(path)] == told
    assert told[-1][0].kind == "duplicate-beat"


def test_an_existing_file_is_not_overwritten(samples, tmp_path):
    path = tmp_path / "tape"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="exists"):
        recording.write(samples, path)
    assert path.read_text() == "precious"


def test_a_line_cut_short_ends_it_and_what_came_before_counts(samples, tmp_path):
    path = tmp_path / "tape"
    recording.write(samples, path)
    whole = path.read_text()
    assert not recording.Recording(path).cut_short
    path.write_text(whole[:-20])
    assert list(recording.read(path)) == samples[:-1]
    assert recording.Recording(path).cut_short


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no beattop recording"),
        ("\x1f", "no beattop recording"),
        ("[" * 100000, "no beattop recording"),
        ('{"format": "beattop-recording/1"}\n', "holds no sample"),
        ("root:x:0:0\n", "no beattop recording"),
        ('{"format": "beattop-recording/9"}\n', "beattop-recording/9"),
        ('{"format": "beattop-recording/1"}\n{"at": 1', "cut short"),
        ('{"format": "beattop-recording/1"}\n[1]\n', "line 2"),
        ('{"format": "beattop-recording/1"}\n{"at": "x"}\n', "line 2"),
        ('{"format": "beattop-recording/1"}\n' + "[" * 100000 + "\n", "line 2"),
    ],
)
def test_a_foreign_or_damaged_file_is_one_clear_line(tmp_path, text, word):
    path = tmp_path / "tape"
    path.write_text(text)
    with pytest.raises(RecordingError, match=word) as caught:
        list(recording.read(path))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "tape"
    path.write_bytes(b"\x7fELF\xff\xfe\x00")
    with pytest.raises(RecordingError, match="no beattop recording"):
        list(recording.read(path))


def test_a_packed_one_and_what_is_no_file(samples, tmp_path):
    path = tmp_path / "tape"
    recording.write(samples[:2], path)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(RecordingError, match="unpack it"):
        list(recording.read(path))
    os.mkfifo(tmp_path / "fifo")
    for other in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(RecordingError, match="no regular file"):
            list(recording.read(other))


def test_any_sample_can_be_asked_for(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_SAVE_EVERY", 3)
    path = tmp_path / "tape"
    recording.write(samples, path)
    tape = recording.Recording(path)
    assert len(tape) == len(samples)
    order = [*range(len(samples)), *range(len(samples) - 1, -1, -1), 0, len(samples) - 1, 1]
    assert [tape[i] for i in order] == [samples[i] for i in order]
    fresh = recording.Recording(path)
    assert fresh[-1] == samples[-1]
    assert fresh[1:4] == samples[1:4]
    with pytest.raises(IndexError):
        fresh[len(samples)]


def test_going_back_shows_the_frames_of_the_first_time(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(replay, "_PUT_BY_EVERY", 4)
    monkeypatch.setattr(replay, "_KEPT", 6)
    path = tmp_path / "tape"
    recording.write(samples, path)
    live = Frames(3.0)
    want = [live.add(sample) for sample in samples]
    feed = ReplayFeed(recording.Recording(path))
    told = {}
    feed._on_frame = lambda frame: told.update({frame.position[0]: frame})
    for steps in (0, 10**6, *[-1] * len(samples), 5, -3, 9, -(10**6)):
        feed.seek(steps)
        frame = want[feed._at]
        got = told[feed._at]
        assert (got.snapshot, got.findings, got.events, got.number) == (
            frame.snapshot, frame.findings, frame.events, frame.number,
        )  # fmt: skip
        assert len(feed._made) <= 6
    assert set(told) == set(range(len(samples)))


def test_a_damaged_line_in_the_middle_is_told_and_what_is_before_it_shown(samples, tmp_path):
    path = tmp_path / "tape"
    recording.write(samples, path)
    lines = path.read_bytes().split(b"\n")
    lines[8] = b"\0" * 100
    path.write_bytes(b"\n".join(lines))
    feed = ReplayFeed(recording.Recording(path))
    feed._on_frame = lambda frame: None
    feed.seek(0)
    feed.seek(10**6)
    assert feed._at == 6
    assert "line 9: not a sample" in feed.trouble()
    assert not feed.next_finding()


def test_a_damaged_field_is_named(samples, tmp_path):
    path = tmp_path / "tape"
    recording.write(samples[:2], path)
    lines = path.read_text().splitlines()
    value = json.loads(lines[1])
    value["host"]["cores"] = "two"
    path.write_text("\n".join([lines[0], json.dumps(value), lines[2]]) + "\n")
    with pytest.raises(RecordingError, match=r"line 2.*is no int"):
        list(recording.read(path))


def test_moving_through_a_replay(samples):
    feed = ReplayFeed(samples)
    frames = []
    feed._on_frame = frames.append
    feed.seek(0)
    assert frames[-1].position == (0, len(samples)) and frames[-1].findings == ()
    assert feed.next_finding()
    assert frames[-1].findings
    feed.seek(-1)
    assert frames[-1].findings == ()
    feed.seek(10**6)
    assert frames[-1].position == (len(samples) - 1, len(samples))
    feed.seek(-(10**6))
    assert frames[-1].position[0] == 0


def test_a_replay_that_was_paused_plays_on(samples):
    feed = ReplayFeed([replace(each, at=at * 0.05) for at, each in enumerate(samples[:40])])
    reached = threading.Event()
    feed.start(lambda frame: frame.position[0] >= 2 and reached.set())
    try:
        feed.play(1.0)
        assert reached.wait(10)
        feed.play(0.0)
        reached.clear()
        feed.play(1.0)
        assert reached.wait(10), "paused in the middle of a wait, it never went on"
    finally:
        feed.stop()


def test_a_clock_that_was_set_does_not_hold_up_a_replay(samples):
    kept = [replace(s, at=3600.0 * i, up_s=0.05 * i) for i, s in enumerate(samples[:3])]
    feed = ReplayFeed(kept)
    reached = threading.Event()
    feed.start(lambda frame: frame.position[0] == 2 and reached.set())
    try:
        feed.play(1.0)
        assert reached.wait(10)
    finally:
        feed.stop()


def test_an_empty_replay_is_refused():
    with pytest.raises(ValueError):
        ReplayFeed([])


def test_events_tell_the_story_once(samples):
    frames = Frames(3.0)
    for sample in samples:
        last = frames.add(sample)
    texts = [e.text for e in last.events]
    assert sum("beat2 exited 73" in t for t in texts) == 4
    assert any("after 2.2 s" in t for t in texts)
    assert [e.kind for e in last.events].count("finding") == 1
    again = frames.add(replace(samples[-1], at=samples[-1].at + 1, log_events=(), lifecycle=()))
    assert again.events is last.events


def test_recording_nothing_is_told(tmp_path, capsys, monkeypatch):
    class Broken(Collector):
        def _sample(self):
            raise OSError("no /proc here")

    monkeypatch.setattr(tape, "Collector", Broken)
    assert tape.record(Settings(), tmp_path / "tape", 0.5) == 0
    told = capsys.readouterr().err
    assert told.count("nothing is recorded now: looking at the box fails: OSError: no /proc") == 1
