"""Bad input is one clear line and exit 2; a box without anything is a calm one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from beattop import __version__


def run(
    *words: str, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "beattop", *words],
        input=stdin,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--nope",), "No such option"),
        (("nope",), "No such command"),
        (("--json",), "--once"),
        (("--once", "--observe", "x"), "not a valid float"),
        (("--once", "--observe", "-1"), "--observe"),
        (("--once", "--interval", "0"), "between"),
        (("--once", "--lifecycle", "x"), "connector"),
        (("--once", "--config", "/nonexistent"), "no such config"),
        (("--once", "--supervisor", "x://y"), "unix:///"),
        (("--once", "--supervisor", "/nonexistent"), "/nonexistent"),
        (("replay", "/nonexistent"), "/nonexistent"),
        (("replay", "/etc/hostname", "--once"), "no beattop recording"),
        (("record", "/nonexistent/x"), "cannot be written"),
        (("demo", "--headless", "0"), "--headless"),
        (("demo", "--supervisor", "x"), "leave --supervisor out"),
        (("metrics", "--listen", "nonsense"), "ADDR:PORT"),
        (("metrics", "--listen", "127.0.0.1:1", "--textfile", "x"), "exclude"),
        ((), "use --once"),
        (("demo",), "use --once"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words, says):
    done = run(*words)
    assert done.returncode == 2, done
    assert says in done.stderr
    assert done.stderr.startswith("beattop: ") and done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_options_stand_before_or_after_the_command(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("nonsense = 1\n")
    for words in (("--config", str(config), "check"), ("check", "--config", str(config))):
        done = run(*words)
        assert done.returncode == 2 and "nonsense" in done.stderr


def test_a_broken_config_is_never_a_writable_start(own_home):
    path = own_home / ".config" / "beattop" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("read_only = tru\n")
    done = run("stop-duplicates", "--yes")
    assert done.returncode == 2 and str(path) in done.stderr


def test_version_and_help():
    assert run("--version").stdout == f"beattop {__version__}\n"
    text = run("--help").stdout
    for command in ("check", "stop-duplicates", "record", "replay", "demo", "classify", "metrics"):
        assert command in text
        assert "--supervisor" in run(command, "--help").stdout


def test_classify_reads_lines_and_writes_lines():
    lines = [
        {
            "argv": ["celery", "-A", "proj", "-b", "redis://:geheim@h/0", "beat", "-s", ""],
            "cwd": None,
        },
        {"argv": ["tail", "-F", "celery_beat.log"]},
    ]
    done = run("classify", stdin="\n".join(map(json.dumps, lines)) + "\n")
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert first == {
        "role": "beat",
        "app": "proj",
        "broker": "redis://:**@h/0",
        "pidfile": None,
        "schedule": "",
        "scheduler": None,
        "queues": [],
        "hostname": None,
    }
    assert second["role"] == "other"
    closed = subprocess.run(
        ["sh", "-c", 'exec "$0" -m beattop classify <&-', sys.executable],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (closed.returncode, closed.stderr.count("\n")) == (2, 1)
    bad = run("classify", stdin='{"argv": 3}\n' + json.dumps(lines[1]) + "\n")
    assert bad.returncode == 2
    assert "error" in json.loads(bad.stdout.splitlines()[0]) and len(bad.stdout.splitlines()) == 2


def test_latin_one_and_c_locales_print_something():
    for env in ({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},):
        done = run("--once", "--observe", "0", env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("beattop on ")


def test_a_recording_that_was_cut_short_says_so_and_shows_what_came_before(tmp_path):
    path = tmp_path / "tape"
    assert run("record", str(path), "--seconds", "2").returncode == 0
    whole = path.read_bytes()
    assert "cut short" not in run("replay", str(path), "--once").stderr
    path.write_bytes(whole[:-20])
    done = run("replay", str(path), "--once")
    assert done.returncode == 0 and "cut short" in done.stderr and "beattop on " in done.stdout
