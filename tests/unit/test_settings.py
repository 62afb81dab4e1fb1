"""Config files, environment and options; read-only, once set, stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from beattop import __version__, cli, settings
from beattop.settings import ConfigError, Settings, load, read_only


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    system = tmp_path / "beattop.toml"
    monkeypatch.setattr(settings, "SYSTEM_FILE", system)
    user = tmp_path / "home" / ".config" / "beattop" / "config.toml"
    user.parent.mkdir(parents=True)
    return system, user, {"HOME": str(tmp_path / "home")}


def test_without_files_the_defaults(files):
    assert load((), files[2]) == Settings()


def test_later_files_win_but_never_unset_read_only(files, tmp_path):
    system, user, env = files
    system.write_text("read_only = true\ninterval = 5\n")
    user.write_text("read_only = false\ninterval = 2\n")
    named = tmp_path / "more.toml"
    named.write_text("read_only = false\nprice_per_core_hour = 0.05\n")
    found = load([str(named)], {**env, "BEATTOP_READ_ONLY": "0"})
    assert found.read_only
    assert str(system) in found.read_only_why
    assert (found.interval, found.price_per_core_hour) == (2.0, 0.05)


SOURCES = ("system", "user", "first", "second", "environment", "option")


@pytest.mark.parametrize("on", SOURCES)
@pytest.mark.parametrize("off", SOURCES)
def test_no_source_unsets_what_another_set(files, tmp_path, monkeypatch, on, off):
    """Each source says true or false, or nothing where the option knows no false."""
    system, user, env = files
    paths = {"system": system, "user": user}
    paths |= {name: tmp_path / name for name in ("first", "second")}
    for name, path in paths.items():
        words = "read_only = true" if name == on else "read_only = false" if name == off else ""
        path.write_text(words)
    word = {on: "1", off: "0"} if on != off else {on: "1"}
    monkeypatch.setattr(os, "environ", {**env, "BEATTOP_READ_ONLY": word.get("environment", "")})
    seen = []
    monkeypatch.setattr(
        "beattop.commands.look.check", lambda settings, **_: seen.append(settings) or 0
    )
    words = ["--config", str(paths["first"]), "check", "--config", str(paths["second"])]
    assert cli.run([*words, "--read-only"] if on == "option" else words) == 0
    assert seen[0].read_only


def test_an_empty_name_or_an_endless_file_is_no_config(files):
    for name, words in (("", "no file is named"), ("/dev/zero", "too long")):
        with pytest.raises(ConfigError, match=words):
            load([name], files[2])


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
    assert load((), {**files[2], "BEATTOP_READ_ONLY": value}).read_only is on


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
        load((), files[2])
    assert str(files[1]) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_utf8_and_a_folder_are_refused(files):
    files[1].write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="TOML"):
        load((), files[2])
    files[1].unlink()
    files[1].mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load((), files[2])


def test_a_named_file_has_to_exist(files):
    with pytest.raises(ConfigError, match="no such config"):
        load(["/nonexistent/beattop.toml"], files[2])


def test_keys_and_supervisors_add_up_and_passwords_hide(files):
    system, user, env = files
    system.write_text(
        "[keys]\nstop = 'X'\n[[supervisor]]\nurl = 'http://h:1'\nusername = 'u'\npassword = 'geheim'\n"
    )
    user.write_text("[keys]\nlog = 'L'\n[[supervisor]]\nurl = 'http://h:2'\n")
    found = load((), env)
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
        load((), files[2])


def test_a_file_nested_without_end_is_a_bad_config(files):
    files[0].write_text("a = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load((), files[2])


@pytest.mark.parametrize("command", sorted(cli.beattop.commands))
def test_the_version_is_told_before_and_after_each_command(command, capsys):
    for words in (["--version", command], [command, "--version"]):
        assert cli.run(words) == 0
        assert capsys.readouterr().out == f"beattop {__version__}\n"


@pytest.mark.parametrize("port", ["", "x", "²", "٣", "-1", "65536", "1:x"])
def test_a_port_that_is_none_is_told(port, capsys):
    assert cli.run(["metrics", "--listen", f"127.0.0.1:{port}"]) == 2
    assert "ADDR:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["--once"], ["check"], ["record", "-"], ["stop-duplicates"], ["classify"], []]
)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[keys]\nnosuch = "x"\n', "no command is called 'nosuch'"),
        ('[keys]\nlog = "e"\n', "e is both log and events"),
        ('theme = "pink"\n', "theme must be one of auto, dark, light, ansi"),
    ],
)
def test_one_config_is_good_or_bad_for_every_command(
    files, monkeypatch, capsys, command, text, says
):
    monkeypatch.setattr(os, "environ", files[2])
    files[1].write_text(text)
    assert cli.run(command) == 2
    error = capsys.readouterr().err
    assert says in error and error.startswith("beattop: ") and error.count("\n") == 1


@pytest.mark.parametrize("url", ["", "x://y", "/nonexistent", "unix:/x"])
def test_a_bad_address_is_blamed_on_where_it_stands(files, url):
    from beattop.sources.collector import Collector

    files[1].write_text(f'[[supervisor]]\nurl = "{url}"\n')
    with pytest.raises(ConfigError) as refused:
        Collector(load((), files[2]))
    assert str(refused.value).startswith(f"{files[1]}: [[supervisor]] url {url}".rstrip())
    assert "--supervisor" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"^--supervisor "):
        Collector(Settings(supervisors=settings.named([url])))


def test_the_screens_themes_are_the_configs():
    from beattop.ui.theme import THEMES

    assert ("auto", *THEMES) == settings.THEMES
