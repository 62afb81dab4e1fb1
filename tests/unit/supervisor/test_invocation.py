"""Which command lines are a supervisord's."""

from __future__ import annotations

from pathlib import Path

import pytest

from beattop.sources.supervisor.invocation import conf_path, invocation


@pytest.mark.parametrize(
    ("line", "conf", "options"),
    [
        ("/usr/bin/python3 /usr/bin/supervisord -n -c /etc/s.conf", "/etc/s.conf", ("-n",)),
        ("/usr/bin/supervisord -c s.conf", "s.conf", ()),
        ("python -m supervisor.supervisord --configuration=/x.conf", "/x.conf", ()),
        ("python3.11 -u -W ignore -X dev /opt/supervisord.py --conf /x", "/x", ()),
        ("supervisord", None, ()),
        ("supervisord -nc/x -l /var/log/l --user=root", "/x", ("-n", "-l", "/var/log/l")),
        ("pypy3 /srv/v/bin/supervisord -n", None, ("-n",)),
    ],
)
def test_it_is_one(line: str, conf: str | None, options: tuple[str, ...]):
    call = invocation(line.split())
    assert call is not None
    assert call.conf == conf
    assert call.options[: len(options)] == options


@pytest.mark.parametrize(
    "line",
    [
        "supervisorctl status",
        "/usr/bin/python3 /usr/bin/supervisorctl tail supervisord",
        "vim /etc/supervisor/supervisord.conf",
        "sh -c supervisord",
        "tail -F /var/log/supervisor/supervisord.log",
        "python -c import_supervisord",
        "python -m supervisor.supervisordish",
        "python -m pytest supervisord",
        "supervisord --version",
        "supervisord -h",
        "supervisord start everything",
        "supervisord --no-such",
        "grep supervisord",
        "",
    ],
)
def test_it_is_none(line: str):
    assert invocation(line.split()) is None


def test_long_options_keep_their_values():
    call = invocation(["supervisord", "--logfile=/l", "--nodaemon", "-e", "debug"])
    assert call is not None
    assert call.options == ("--logfile", "/l", "--nodaemon", "-e", "debug")


def test_search_from_its_own_directory_and_root(tmp_path: Path):
    root = tmp_path / "root"
    (root / "srv/etc").mkdir(parents=True)
    (root / "srv/supervisord.conf").write_text("")
    call = invocation(["supervisord"])
    assert call is not None
    assert conf_path(call, "/srv", str(root)) == ("/srv/supervisord.conf", True)
    (root / "srv/etc/supervisord.conf").write_text("")
    # Options.searchpaths: dirname(dirname("supervisord")) is "", its etc comes first.
    assert conf_path(call, "/srv", str(root))[0] == "/srv/etc/supervisord.conf"
    assert conf_path(call, None, str(root)) == (None, False)
    by_module = invocation(["python", "-m", "supervisor.supervisord"])
    assert by_module is not None
    assert conf_path(by_module, "/srv", str(root)) == ("/srv/supervisord.conf", False)


def test_search_beside_its_script(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/supervisord.conf").write_text("")
    call = invocation(["/usr/bin/python3", f"{tmp_path}/bin/supervisord"])
    assert call is not None
    assert conf_path(call, "/", "")[0] == f"{tmp_path}/etc/supervisord.conf"


def test_a_relative_conf_needs_the_directory():
    call = invocation(["supervisord", "-c", "etc/s.conf"])
    assert call is not None
    assert conf_path(call, "/srv/x", "") == ("/srv/x/etc/s.conf", True)
    assert conf_path(call, None, "") == (None, False)
