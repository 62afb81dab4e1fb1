"""Config files, environment and options; read-only, once set, stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from beattop import settings
from beattop.settings import ConfigError, Settings, load, read_only


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    system = tmp_path / "beattop.toml"
    monkeypatch.setattr(settings, "SYSTEM_FILE", system)
    user = tmp_path / "home" / ".config" / "beattop" / "config.toml"
    user.parent.mkdir(parents=True)
    return system, user, {"HOME": str(tmp_path / "home")}


def test_without_files_the_defaults(files):
    assert load(None, files[2]) == Settings()


def test_later_files_win_but_never_unset_read_only(files, tmp_path):
    system, user, env = files
    system.write_text("read_only = true\ninterval = 5\n")
    user.write_text("read_only = false\ninterval = 2\n")
    named = tmp_path / "more.toml"
    named.write_text("read_only = false\nprice_per_core_hour = 0.05\n")
    found = load(str(named), {**env, "BEATTOP_READ_ONLY": "0"})
    assert found.read_only
    assert str(system) in found.read_only_why
    assert (found.interval, found.price_per_core_hour) == (2.0, 0.05)


@pytest.mark.parametrize(
    ("value", "on"),
    [
        ("", False),
        ("0", False),
        ("false", False),
        ("No", False),
        ("1", True),
        ("yes", True),
        ("x", True),
    ],
)
def test_the_environment_switch(files, value, on):
    assert load(None, {**files[2], "BEATTOP_READ_ONLY": value}).read_only is on


@pytest.mark.parametrize(
    "text",
    [
        "read_only = ",
        "readonly = true",
        "read_only = 'yes'",
        "read_only = 1",
        "interval = 0",
        "interval = true",
        "interval = 'fast'",
        "lifecycle = 'magic'",
        "[supervisor]\nurl = 'x'",
        "[[supervisor]]\nusername = 'x'",
        "[[supervisor]]\nurl = 'x'\npasword = 'y'",
        "[keys]\nstop = 3",
    ],
)
def test_a_config_that_cannot_be_meant_is_one_clear_line(files, text):
    files[1].write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(None, files[2])
    assert str(files[1]) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_utf8_and_a_folder_are_refused(files):
    files[1].write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="TOML"):
        load(None, files[2])
    files[1].unlink()
    files[1].mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(None, files[2])


def test_a_named_file_has_to_exist(files):
    with pytest.raises(ConfigError, match="no such config"):
        load("/nonexistent/beattop.toml", files[2])


def test_keys_and_supervisors_add_up_and_passwords_hide(files):
    system, user, env = files
    system.write_text(
        "[keys]\nstop = 'X'\n[[supervisor]]\nurl = 'http://h:1'\nusername = 'u'\npassword = 'geheim'\n"
    )
    user.write_text("[keys]\nlog = 'L'\n[[supervisor]]\nurl = 'http://h:2'\n")
    found = load(None, env)
    assert dict(found.keys) == {"stop": "X", "log": "L"}
    assert [s.target for s in found.credentials] == ["http://h:1", "http://h:2"]
    assert found.credentials[0].password == "geheim"
    assert "geheim" not in repr(found)


def test_read_only_keeps_its_first_reason():
    once = read_only(Settings(), "first")
    assert read_only(once, "second") is once


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "-inf"])
def test_a_price_that_cannot_be(files, value):
    files[0].write_text(f"price_per_core_hour = {value}\n")
    with pytest.raises(ConfigError, match="price_per_core_hour must be 0 or more"):
        load(None, files[2])


def test_a_file_nested_without_end_is_a_bad_config(files):
    files[0].write_text("a = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(None, files[2])
