"""No command line raises, hangs or is called a beat that is none."""

from __future__ import annotations

import shlex
import string
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.model.commandline import classify
from beattop.model.commandline.options import ANY as ANY_OPTION
from beattop.model.commandline.quiet import is_quiet
from beattop.model.commandline.runners import RUNNERS, SHELLS
from beattop.model.commandline.shell import commands
from beattop.model.role import Role

relaxed = settings(max_examples=100, deadline=None)
WORDS = st.sampled_from(
    [
        *("celery", "beat", "worker", "-A", "proj", "--", "-c", "-B", "python", "-m", "sh", "bash"),
        *("sudo", "-u", "docker", "run", "exec", "celery -A x beat", "'", '"', "$(", "`", "\\", ""),
        *("[celery beat]", "[celeryd: a@b:MainProcess] -active- (", "manage.py", "celerybeat"),
        *("airflow", "sentry", "cron", "flower", "multi", "-Q:1", "=", "--app=", "\udcff", "\x00"),
        *("watchfiles", "celery.__main__.main", "--args", "env", "-S", "su", "$@", "$0", "&&", "|"),
    ]
)
ANY = st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=14)


@relaxed
@given(argv=ANY)
def test_nothing_raises_and_values_belong_to_what_holds_them(argv: list[str]) -> None:
    line = classify(argv)
    if line.role in {"other", "pool", "wrapper"}:
        assert (line.app, line.broker, line.pidfile, line.schedule) == (None, None, None, None)
        assert (line.scheduler, line.hostname, line.queues) == (None, None, ())
    assert (line.inner is not None) == (line.role == "wrapper")
    assert classify(argv, "/", {}) == line


@pytest.mark.parametrize(
    "start",
    [
        *(
            "celery",
            "celery worker",
            "celery beat",
            "celery events",
            "celery purge",
            "celery multi",
        ),
        *("celery inspect", "manage.py celeryd", "airflow celery worker", "sentry run worker"),
        *("sentry run cron", "flower", "pcelerybeat", "paster celeryd", "[celery beat] beat"),
    ],
)
def test_no_option_however_cut_raises_or_changes_what_runs(start: str) -> None:
    words = start.split()
    role = classify(words).role
    for option in ANY_OPTION:
        for end in range(1, len(option) + 1):
            found = classify([*words, option[:end], "x"]).role
            assert found in {role, "control", "worker+beat"} or start == "celery", (option, end)


@relaxed
@given(text=st.text("celry beat-A'\"\\$`(){};&|<>#\n *@0", max_size=60))
def test_shell_text_however_broken_is_read(text: str) -> None:
    for words in commands(text, ["sh", "x"]):
        assert words
    assert classify(["sh", "-c", text]).role in {"wrapper", "other"}


QUOTED = st.text(
    string.ascii_letters + string.digits + " '\"\\$`&|;<>()#*?[]{}!~%=@:/.,-\n\té", max_size=10
).filter(lambda word: word not in {"$@", "$*", "${@}", "${*}"} and not word[:2].startswith("$"))


@relaxed
@given(words=st.lists(QUOTED, max_size=5))
def test_what_a_shell_quotes_comes_out_as_it_went_in(words: list[str]) -> None:
    argv = ("celery", "-A", "shop", "beat", *words)
    for text in (shlex.join(argv), f"exec {shlex.join(argv)}", f"cd /x && {shlex.join(argv)} &"):
        assert classify(["sh", "-c", text]).inner == argv


@pytest.mark.parametrize("name", sorted({*RUNNERS, *SHELLS, "unknown", "unknown.sh", "x.py"}))
def test_no_runner_is_taken_for_what_it_runs(name: str) -> None:
    command = ["celery", "-A", "shop", "beat", "-l", "info"]
    for argv in (
        [name, *command],
        [f"/usr/bin/{name}", "--", *command],
        ["/usr/bin/python3", f"/usr/bin/{name}", *command],
        [name, "run", "x", *command],
        [name, "-c", shlex.join(command)],
    ):
        assert classify(argv).role in {"wrapper", "other"}, argv


@pytest.mark.parametrize(
    "name",
    ["tail", "grep", "pkill", "vim", "supervisorctl", "systemctl", "git", "pip", "check_procs"],
)
def test_what_never_runs_anything_leads_nowhere(name: str) -> None:
    assert is_quiet(name)
    for words in (
        ["celery", "-A", "shop", "beat"],
        ["celery -A shop beat"],
        ["--", "celery", "beat"],
    ):
        assert classify([name, *words]).role == "other"
        assert classify(["/bin/sh", "-c", shlex.join([name, *words])]).role == "other"
        assert classify(["sudo", name, "-f", *words]).role == "other"


@pytest.mark.parametrize(
    "argv",
    [
        ["celery"] * 100_000,
        ["sh", "-c", "celery " * 200_000],
        ["sh", "-c", "'" * 10**6 + "celery"],
        ["sh", "-c", '"' * 999_999 + "celery"],
        ["sh", "-c", "$(" * 500_000 + "celery"],
        ["sh", "-c", "`celery" * 100_000],
        ["sh", "-c", "\\" * 10**6 + "celery"],
        ["sh", "-c", "(" * 10**6 + "celery"],
        ["sh", "-c", "$@ " * 20_000 + "celery", *["x"] * 20_000],
        ["sh", "-c"] * 50_000 + ["celery beat"],
        ["sudo"] * 100_000 + ["celery", "beat"],
        ["x", *["--"] * 100_000, "celery"],
        ["env", *["A=celery"] * 100_000],
        ["python", *["-u"] * 100_000, "-m", "celery", "beat"],
        ["[celeryd: " + "a" * 10**6],
        ["[celery beat] " + "-s x " * 200_000],
        ["celery " * 150_000],
        ["celery", "-A", "x" * 10**6, "beat"],
        ["celery", "-" + "E" * 10**6, "worker"],
        ["a" * 10**6 + "celery"],
        ["/" * 10**6 + "celery", "beat"],
        ["$" + "CELERY_" * 150_000, "beat"],
        ["python", "-c", "billiard" * 100_000],
    ],
    ids=lambda argv: f"{argv[0][:9]}…{len(argv)}",
)
@pytest.mark.timeout(60)  # reading over and over would take minutes
def test_a_megabyte_is_read_in_a_moment(argv: list[str]) -> None:
    assert classify(argv).role in get_args(Role)
