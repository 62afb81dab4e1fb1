"""The printed change of a conf, applied to the letter and read again as supervisord reads it."""

from __future__ import annotations

from collections.abc import Callable
from configparser import DuplicateOptionError, DuplicateSectionError, RawConfigParser
from dataclasses import replace

import pytest

from beattop.diagnosis import confdiff, lasting, ownbeat
from beattop.model.supervisor import ProgramConfig
from beattop.sources.supervisor.conf import _lines
from beattop.sources.supervisor.confworld import Files
from tests.patching import apply
from tests.unit.actions.scene import config

HEAD = "[supervisord]\nlogfile=x\n\n[program:a]\ncommand=/bin/sleep 1\n\n"
COMMAND = "[program:b]\ncommand=celery beat\n"


def read(text: str) -> ProgramConfig:
    """[program:b] as its conf's reader hands it on."""
    files = Files("")
    files.texts["main.conf"] = text
    _, found = files.section("program:b")
    rows = _lines([*found.lines, *(found.after or [])])
    size = len(found.lines)
    after = None if found.after is None else rows[size:]
    return config(
        "b", line=found.line, lines=rows[:size], after=after, unended=found.unended, numprocs=2
    )


def parsed(text: str) -> RawConfigParser:
    """As supervisor 4 on Python 3 parses it."""
    parser = RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(text)
    return parser


def changed(text: str, change: Callable[[ProgramConfig], str]) -> dict[str, dict[str, str]]:
    """What differs after the change: {section: {option: value}}, None for what went."""
    diff = change(read(text))
    assert diff, "no diff"
    done = apply(text, diff)
    before, after = parsed(text), parsed(done)
    assert repeated(done) == repeated(text)
    if "\r\n" in text:
        assert done.count("\r\n") - text.count("\r\n") == done.count("\n") - text.count("\n")
    out = {}
    for name in after.sections():
        old = dict(before[name]) if before.has_section(name) else {}
        new = {k: v for k, v in after[name].items() if old.get(k) != v}
        if new or not before.has_section(name):
            out[name] = new
        assert set(old) <= set(after[name])
    assert set(before.sections()) <= set(after.sections())
    return out


def repeated(text: str) -> bool:
    try:
        RawConfigParser().read_string(text)
    except DuplicateOptionError:
        return True
    except DuplicateSectionError:
        return False
    return False


DRESSES = {
    "nothing in it": "[program:b]\n",
    "nothing in it, no newline": "[program:b]",
    "less and less indented": "[program:b]\n  command=x\nuser=y\nautostart=true\nstartsecs=1\n",
    "an indented comment behind it": "[program:b]\n command=x\n autostart=true\n  ; why\n user=x\n",
    "an indented # behind it": "[program:b]\ncommand=x\nautostart=true\n  # why\nuser=x\n",
    "spaces behind it": "[program:b]\ncommand=x\nautostart=true\n   \nuser=x\n",
    "plain": COMMAND,
    "before another": COMMAND + "\n[program:c]\ncommand=x\n",
    "right before another": COMMAND + "[program:c]\ncommand=x\n",
    "there": COMMAND + "autostart=true\nstartsecs=3\n",
    "twice": "[program:b]\nautostart=true\ncommand=x\nautostart = yes\n",
    "indented": "[program:b]\n  command=celery beat\n  startsecs=3\n",
    "indented and there": "[program:b]\n\tcommand=celery beat\n\tautostart=true\n\tstartsecs=3\n",
    "a section twice": COMMAND + "\n[program:c]\nx=1\n\n[program:b]\nautostart=true\nstartsecs=2\n",
    "CRLF": (COMMAND + "autostart=true\nstartsecs=1\n").replace("\n", "\r\n"),
    "CRLF, not there": COMMAND.replace("\n", "\r\n"),
    "lines that go on": "[program:b]\ncommand=celery\n  -A x\n\n  ; why\n  beat\nautostart=true\nx=1\n",
    "comments": "[program:b] ; old\n; autostart=true\n#autostart=true\ncommand=x ; y\nautostart=true ; z\n",
    "tabs": "[program:b]\n; x\ncommand\t=\tcelery\tbeat\nautostart\t:\ttrue\t; a\nx=1\n",
    "no newline": COMMAND + "autostart=true",
    "no newline, not there": COMMAND.rstrip(),
    "a secret above": "[program:b]\nenvironment=PASSWORD=\"x\",X=1\nautostart=true\ncommand=y\n",
    "a secret below": "[program:b]\nautostart=true\nenvironment=PASSWORD=\"x\"\n",
    "secrets around": "[program:b]\ncommand=x --password=y\nautostart=true\nenvironment=K=\"x\"\nx=1\n",
    "a secret first": "[program:b]\ncommand=x --password=y\ndirectory=/\nuser=x\n",
    "secrets alone": "[program:b]\ncommand=x --password=y\n\n[program:c]\ncommand=x\n",
    "lines that go on below a secret": "[program:b]\ncommand=x --password=y\nexitcodes=0,\n  2\nuser=x\n",
    "a sign that is cleaned away": "[program:b]\n; x\u202ey\nautostart=true\ncommand=celery beat\n",
    "letters": "[program:b]\n; café\nAutoStart=TRUE\ncommand=celery beat\n",
    "a form feed": COMMAND + "\x0c\nautostart=true\nx=1\n",
    "another word for it": "[program:b]\ncommand=x\nautostart_x=true\n",
}  # fmt: skip


@pytest.mark.parametrize("dress", DRESSES)
def test_an_option_is_set_whatever_the_conf_looks_like(dress: str) -> None:
    text = HEAD + DRESSES[dress]
    done = changed(text, lambda b: confdiff.set_options(b, {"autostart": "false"}))
    assert done == {"program:b": {"autostart": "false"}}


EXACT = {
    "two hunks": (
        "command=x\na=1\nb=2\nkillasgroup=false\nc=3\n",
        "@@ -7,2 +7,3 @@\n [program:b]\n+stopasgroup=true\n command=x\n"
        "@@ -10,3 +11,3 @@\n b=2\n-killasgroup=false\n+killasgroup=true\n c=3\n",
    ),
    "one, where they meet": (
        "command=x\nkillasgroup=false\nc=3\n",
        "@@ -7,4 +7,5 @@\n [program:b]\n+stopasgroup=true\n command=x\n-killasgroup=false\n"
        "+killasgroup=true\n c=3\n",
    ),
    "side by side at the end": (
        "command=x\nkillasgroup=false\nstopasgroup=false",
        "@@ -8,3 +8,3 @@\n command=x\n-killasgroup=false\n+killasgroup=true\n-stopasgroup=false\n"
        "\\ No newline at end of file\n+stopasgroup=true\n\\ No newline at end of file\n",
    ),
    "no newline below": (
        "killasgroup=false\ncommand=x",
        "@@ -7,3 +7,4 @@\n [program:b]\n+stopasgroup=true\n-killasgroup=false\n+killasgroup=true\n"
        " command=x\n\\ No newline at end of file\n",
    ),
    "no context for the first": (
        "command=x --password=y\nkillasgroup=false\nenvironment=TOKEN=x\n",
        "@@ -7,0 +8,1 @@\n+stopasgroup=true\n"
        "@@ -9,1 +10,1 @@\n-killasgroup=false\n+killasgroup=true\n",
    ),
    "the next section is context": (
        "killasgroup=false\n[program:c]\n",
        "@@ -7,3 +7,4 @@\n [program:b]\n+stopasgroup=true\n-killasgroup=false\n+killasgroup=true\n"
        " [program:c]\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("about", EXACT)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_diff_to_the_letter(about: str, end: str) -> None:
    """Lines that the file ends with CR LF keep that, new ones too."""
    section, wanted = EXACT[about]
    text = f"{HEAD}[program:b]\n{section}".replace("\n", end)
    diff = lasting._as_group(read(text))
    body = diff.split("\n", 2)[2]
    assert body.replace("\r", "") == wanted
    done = apply(text, diff)
    assert done.count("\n") == done.count(end)
    assert "stopasgroup=true" in done


def test_a_value_of_several_lines_is_no_small_change() -> None:
    text = HEAD + "[program:b]\ncommand=x\nautostart=\n  true\n"
    assert confdiff.set_options(read(text), {"autostart": "false"}) == ""
    assert confdiff.set_options(read(text), {"autostart": "false", "user": "y"}) == ""


END = "\\ No newline at end of file\n"
SHOWN = {
    "a line is added between two that are known": (
        "command=x --password=y\ndirectory=/\nuser=x\n",
        "@@ -9,2 +9,3 @@\n directory=/\n+autostart=false\n user=x\n",
    ),
    "no two of them are": (
        "command=x --password=y\n\n[program:c]\n", "@@ -7,0 +8,1 @@\n+autostart=false\n",
    ),
    "there": (
        "command=x\nautostart=true\nuser=y\n",
        "@@ -8,3 +8,3 @@\n command=x\n-autostart=true\n+autostart=false\n user=y\n",
    ),
    "there, the last line": (
        "command=x\nautostart=true",
        f"@@ -8,2 +8,2 @@\n command=x\n-autostart=true\n{END}+autostart=false\n{END}",
    ),
    "there, before another section": (
        "command=x\nautostart=true\n[program:c]\n",
        "@@ -8,3 +8,3 @@\n command=x\n-autostart=true\n+autostart=false\n [program:c]\n",
    ),
    "there, above a secret": (
        "command=x\nautostart=true\nenvironment=TOKEN=x\n",
        "@@ -9,1 +9,1 @@\n-autostart=true\n+autostart=false\n",
    ),
    "nothing is": ("", "@@ -7,1 +7,2 @@\n [program:b]\n+autostart=false\n"),
    "no newline": (
        "command=x", f"@@ -7,2 +7,3 @@\n [program:b]\n+autostart=false\n command=x\n{END}",
    ),
}  # fmt: skip
BOTH = {
    "side by side": (
        "user=y\nautostart=true\nx=1\n",
        "@@ -8,4 +8,4 @@\n command=x\n-user=y\n+user=z\n-autostart=true\n+autostart=false\n x=1\n",
    ),
    "two lines between": (
        "user=y\nx=1\nz=1\nautostart=true\nq=1\n",
        "@@ -8,6 +8,6 @@\n command=x\n-user=y\n+user=z\n x=1\n z=1\n-autostart=true\n"
        "+autostart=false\n q=1\n",
    ),
    "three lines between": (
        "user=y\nx=1\nw=1\nz=1\nautostart=true\nq=1\n",
        "@@ -8,3 +8,3 @@\n command=x\n-user=y\n+user=z\n x=1\n"
        "@@ -12,3 +12,3 @@\n z=1\n-autostart=true\n+autostart=false\n q=1\n",
    ),
    "a secret between": (
        "user=y\nenvironment=TOKEN=x\nautostart=true\nq=1\n",
        "@@ -9,1 +9,1 @@\n-user=y\n+user=z\n"
        "@@ -11,2 +11,2 @@\n-autostart=true\n+autostart=false\n q=1\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("about", SHOWN)
def test_how_much_is_shown_of_what_stands_around_a_change(about: str) -> None:
    text, hunk = SHOWN[about]
    text = f"{HEAD}[program:b]\n{text}"
    diff = confdiff.set_options(read(text), {"autostart": "false"})
    assert "".join(diff.partition("@@")[1:]) == hunk
    apply(text, diff)


@pytest.mark.parametrize("about", BOTH)
def test_two_changes_are_one_hunk_where_they_touch(about: str) -> None:
    text, hunks = BOTH[about]
    text = f"{HEAD}[program:b]\ncommand=x\n{text}"
    diff = confdiff.set_options(read(text), {"user": "z", "autostart": "false"})
    assert "".join(diff.partition("@@")[1:]) == hunks
    apply(text, diff)


def test_two_changes_far_apart_are_two_hunks() -> None:
    far = "user=x\nstartsecs=1\nnumprocs=1\nstartretries=9\n"
    text = f"{HEAD}{COMMAND}{far}killasgroup=false\npriority=1\n"
    diff = lasting._as_group(read(text))
    assert diff.count("\n@@ ") == 2
    assert changed(text, lasting._as_group) == {
        "program:b": {"stopasgroup": "true", "killasgroup": "true"}
    }


def test_a_secret_in_one_line_of_two_changes_leaves_none() -> None:
    made = read(HEAD + "[program:b]\ncommand=x\nuser=y\nautostart=\ufffd\nx=1\n")
    assert confdiff.set_options(made, {"user": "z", "autostart": "false"}) == ""


def test_the_lines_of_a_command_are_as_in_the_file_but_for_its_ends() -> None:
    made = read(HEAD.replace("\n", "\r\n") + "[program:b]\r\ncommand=celery beat -n X\r\n")
    assert [text for _, text in confdiff.command_lines(made)] == ["command=celery beat -n X"]


@pytest.mark.parametrize(
    "made",
    [
        config("b", lines=()),
        config("b", lines=("[program:b]", "x=1"), line=0),
        config("b", lines=("[program:b]", "autostart=**")),
        config("b", lines=("[program:b]", "autostart=\ufffd")),
        config("b", lines=("[program:**]", "command=x")),
    ],
)
def test_what_is_not_known_is_not_changed(made: ProgramConfig) -> None:
    assert confdiff.set_options(made, {"autostart": "false"}) == ""
    assert (
        confdiff.in_command(made, lambda line: f"{line} x") == "" or made.lines[0] == "[program:**]"
    )


def test_where_the_end_of_the_section_is_not_known_no_context_is_claimed() -> None:
    made = replace(read(HEAD + COMMAND + "autostart=true\n"), after=None)
    diff = confdiff.set_options(made, {"autostart": "false"})
    assert diff.splitlines()[2:] == ["@@ -9,1 +9,1 @@", "-autostart=true", "+autostart=false"]


@pytest.mark.parametrize("killasgroup", ["", "killasgroup=false\n", "killasgroup=true\n"])
def test_a_group_that_is_stopped_is_killed_too(killasgroup: str) -> None:
    """supervisord refuses stopasgroup=true beside killasgroup=false."""
    text = HEAD + COMMAND + killasgroup + "user=x\n"
    done = changed(text, lasting._as_group)["program:b"]
    assert done == {
        "stopasgroup": "true",
        **({"killasgroup": "true"} if "false" in killasgroup else {}),
    }


WORDS = {
    "celery -A p worker -B -l info -c 4 -Q x": "celery -A p beat -l info",
    "/v/bin/python -m celery -A p worker -EB -linfo -n w%(process_num)d@%%h --schedule-filename /s ; x":
        "/v/bin/python -m celery -A p beat -linfo --schedule /s",
    "celery worker -A p --beat -S /x -s %(here)s/s --scheduler=django": "celery beat -A p -s %(here)s/s --scheduler=django",
    "python manage.py celery worker -B --loglevel INFO": "python manage.py celery beat --loglevel INFO",
    "nice -n 5 celery -A p -b redis:///1 worker -E -B -q": "nice -n 5 celery -A p -b redis:///1 beat -q",
    "celery worker -c4 -l info -B --schedule=/s": "celery beat -l info --schedule=/s",
    'celery -A p worker -B -s "/srv/a b"': 'celery -A p beat -s "/srv/a b"',
    "celery -A p worker -B -c4 -l info": "celery -A p beat -l info",
    "celery -A p worker -B --schedule=/s": "celery -A p beat --schedule=/s",
}  # fmt: skip
SAME = ("directory", "user", "umask", "autorestart", "environment")
TAILS = ("", "\n", "\n\n[program:z]\ncommand=x\n")


@pytest.mark.parametrize("tail", TAILS)
def test_the_command_may_be_the_last_line(tail: str) -> None:
    text = f"{HEAD}[program:b]\ncommand=celery worker -B{tail}"
    done = changed(text, lambda b: ownbeat.apart(b, ()))
    assert done == {
        "program:b": {"command": "celery worker"},
        "program:b-beat": {"command": "celery beat"},
    }


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("command", WORDS)
def test_the_beat_of_a_worker_becomes_a_program_of_its_own(command: str, tail: str) -> None:
    same = 'directory=/srv\nuser=x\numask=022\nautorestart=true\nenvironment=DJANGO_SETTINGS_MODULE="x",\n  CELERY_APP=p\n'
    text = f"{HEAD}[program:b]\ncommand={command}\nnumprocs=2\n{same}stopwaitsecs=600{tail}"
    done = changed(text, lambda b: ownbeat.apart(b, {"program:b", "program:a"}))
    assert list(done) == ["program:b", "program:b-beat"]
    assert list(done["program:b"]) == ["command"]
    left = done["program:b"]["command"].split()
    assert not {"-B", "--beat", "-EB"} & set(left) and "worker" in left
    beat = done["program:b-beat"]
    assert beat.pop("command") == WORDS[command]
    assert beat == {k: parsed(text)["program:b"][k] for k in SAME}


def test_it_comes_before_a_header_that_is_not_known() -> None:
    """The line that it follows is changed too, or is the one below what is changed."""
    after = "[program:\u202ec]\ncommand=y\n"
    for more in ("", "user=x\n", "startsecs=3\nuser=x\n"):
        old = f"[program:b]\ncommand=celery worker -B\n{more}"
        new = f"[program:b]\ncommand=celery worker\n{more}\n[program:b-beat]\ncommand=celery beat\n"
        new += "user=x\n" if more else ""
        assert apply(HEAD + old + after, ownbeat.apart(read(HEAD + old + after), ())) == (
            HEAD + new + after
        )


def test_of_a_file_with_other_ends_of_lines_too() -> None:
    text = f"{HEAD}[program:b]\ncommand=celery worker -B\nuser=X\n\n".replace("\n", "\r\n")
    diff = ownbeat.apart(read(text), ())
    assert apply(text, diff).endswith("[program:b-beat]\r\ncommand=celery beat\r\nuser=X\r\n\r\n")


UNSURE = (
    "command=bash -c 'celery -A p worker -B'",
    "command=cd /srv && celery -A p worker -B",
    "command=celery -A p worker -B --uid=x",
    "command=celery -A p worker -B --gid x",
    "command=celery -A p worker -B --umask=022",
    "command=celery -A p worker -B --executable=x",
    "command=celery -A p worker -B xE",
    "command=celery -A p worker -B -l",
    "command=celery -A p worker -B\n  -l info",
    "command=bash run.sh worker -B",
    "command=worker -B",
    "command=celery -A p worker -B\nenvironment=TOKEN=x\nuser=x",
    "command=celery -A p worker -B --unheard-of",
    "command=celery -A p worker -B extra",
    "command=celery multi start worker -B --pidfile=x",
    "command=celery -B -A p worker",
    "command=celery -A p -B worker",
    "command=celery -A 'p -B' worker",
    "command=celery -A p\n  worker -B",
    "command=celeryd -B",
    "command=celery -A p worker",
    "command=celery -b redis://:pw@h/0 worker -B",
    "command=celery -A p worker -B\nenvironment=TOKEN=x",
    "command=celery -A p worker -B\nenvironment=TOKEN=x\nuser=y",
    "command=celery -A p worker -B\n  -l info",
    "command=celery -A p worker -B x",
    "command=celery -A p worker -B -EZ",
    "command=celery -A p worker -B -l",
    "command=",
    "command= ; celery worker -B",
    "command=celery -A p worker -B --gid=x",
    "command=celery -A p worker -B --umask=0",
    "command=celery -A p worker -B --executable=/x",
    *(f"command={shell} run worker -B" for shell in ("sh", "/bin/bash", "dash", "zsh", "ksh")),
)  # fmt: skip


@pytest.mark.parametrize("command", UNSURE)
def test_where_its_command_is_not_sure_none_is_made(command: str) -> None:
    made = read(f"{HEAD}[program:b]\n{command}\n")
    assert ownbeat.apart(made, {"program:b"}) == ""


def test_no_section_is_made_twice_nor_within_another() -> None:
    made = read(f"{HEAD}[program:b]\ncommand=celery -A p worker -B\n")
    assert ownbeat.apart(made, {"program:b"}) != ""
    assert ownbeat.apart(made, {"program:b", "program:b-beat"}) == ""
    assert ownbeat.apart(replace(made, after=None), {"program:b"}) == ""
