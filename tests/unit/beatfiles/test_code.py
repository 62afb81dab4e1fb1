"""What a process's script and its packages tell of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beattop.sources.celery.code import may_stand_by, places, starts_beat
from tests.unit.supervisor.people import process

RUNS = "from proj import app\napp.Beat(loglevel='INFO').run()\n"


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (RUNS, True),
        ("app.start(['beat', '-l', 'info'])", True),
        ("app.start(argv=[\n  'celery',\n  \"beat\"])", True),
        ("from celery.bin import beat\nbeat.beat(app=app)", True),
        ("from celery.apps.beat import Beat", True),
        ("for line in open('beat.log'): print(line)", False),
        ("Thread(target=follow).start()\nname = 'beat'", False),
        ("# app.Beat().run()", False),
        ("import celery\nprint(open('/var/log/celery/beat.log'))", False),
        ("app.start(" + 300 * " " + "'beat')", False),  # who looks further looks too long
        ("", False),
    ],
)
def test_a_script_that_starts_a_beat(tmp_path: Path, text: str, starts: bool):
    (tmp_path / "tick.py").write_text(text)
    assert starts_beat(process(1, "python tick.py", cwd=str(tmp_path)), "") is starts


def test_modules_and_code_are_scripts_too(tmp_path: Path):
    (tmp_path / "proj/jobs").mkdir(parents=True)
    (tmp_path / "proj/tick.py").write_text(RUNS)
    (tmp_path / "proj/jobs/__main__.py").write_text(RUNS)
    cwd = str(tmp_path)
    for command in ("python -m proj.tick", "python -m proj.jobs", "python -c 'a.Beat().run()'"):
        assert starts_beat(process(1, command, cwd=cwd), "")
    assert not starts_beat(process(1, "python -m proj.other", cwd=cwd), "")
    assert not starts_beat(process(1, "python tick.py"), "")
    assert starts_beat(process(1, "python -m proj.tick", cwd="/proj/.."), cwd)
    assert not starts_beat(process(1, "tail -F tick.py", cwd=cwd), "")


def venv(folder: Path, *packages: str, config: str | None = "home = /usr/bin\n") -> Path:
    for package in packages:
        (folder / "lib/python3.12/site-packages" / package).mkdir(parents=True)
    if config is not None:
        (folder / "pyvenv.cfg").write_text(config)
    return folder


@pytest.mark.parametrize(
    ("packages", "config", "may"),
    [
        (["celery"], "include-system-site-packages = false\n", False),
        (["celery", "redbeat"], "", True),
        (["celery", "beatx"], "x = y\n", True),
        (["celery"], "include-system-site-packages = true\n", None),
        (["celery"], None, False),
        (["redbeat"], "x = y\n", None),
        ([], "x = y\n", None),
    ],
)
def test_whether_a_scheduler_that_waits_is_installed(
    tmp_path: Path, packages: list[str], config: str | None, may: bool | None
):
    prefix = venv(tmp_path, *packages, config=config)
    assert may_stand_by(process(1, f"{prefix}/bin/python -m celery beat"), "") is may
    # The interpreter may be another's: /usr/bin/env python, a wrapper's argv[0].
    assert may_stand_by(process(1, f"python {prefix}/bin/celery beat"), "") is may
    assert may_stand_by(process(1, "/v/bin/python /v/bin/celery beat"), "") is None


def test_what_else_its_path_holds_counts_too(tmp_path: Path):
    prefix = venv(tmp_path / "v", "celery")
    beat = process(1, f"{prefix}/bin/celery beat", cwd=str(tmp_path / "app"))
    assert may_stand_by(beat, "") is False
    (tmp_path / "shared/redbeat").mkdir(parents=True)
    assert may_stand_by(replace(beat, env={"PYTHONPATH": f"/x:{tmp_path}/shared"}), "") is True
    (tmp_path / "app/redbeat").mkdir(parents=True)
    assert may_stand_by(beat, "") is True


@pytest.mark.parametrize(
    ("file", "may"), [("__editable__.proj.pth", None), ("proj.egg-link", None),
                      ("distutils-precedence.pth", False), ("_virtualenv.pth", False)],
)  # fmt: skip
def test_an_editable_install_may_be_one_that_waits(tmp_path: Path, file: str, may: bool | None):
    (folder,) = (venv(tmp_path, "celery") / "lib").glob("python*/site-packages")
    (folder / file).write_text("/srv/proj\n")
    assert may_stand_by(process(1, f"{tmp_path}/bin/celery beat"), "") is may


def test_a_systems_python_may_find_packages_elsewhere(tmp_path: Path):
    venv(tmp_path / "usr", "celery", config=None)
    beat = process(1, "/usr/bin/python3 /usr/bin/celery beat")
    assert may_stand_by(beat, str(tmp_path)) is None
    (tmp_path / "lib").symlink_to("usr/lib")
    merged = process(1, "/bin/python3 /bin/celery beat")
    assert may_stand_by(merged, str(tmp_path)) is None
    (tmp_path / "usr/lib/python3/dist-packages/redbeat").mkdir(parents=True)
    assert may_stand_by(beat, str(tmp_path)) is True


def test_every_folder_is_named_before_it_is_looked_into():
    beat = process(1, "/v/bin/python /v/bin/celery beat", cwd="/app", env={"PYTHONPATH": "x:/lib"})
    assert {path.removesuffix("/lib") for path in places(beat, "/r")} == {
        "/r/app",
        "/r/v",
        "/r/lib",
    }
    assert places(process(1, "celery beat", cwd=None), "") == []
