"""The reading against Celery's own parsers: the installed click one, frozen 3.1 and 4.4 tables."""

from __future__ import annotations

import click
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from beattop.model.commandline import classify
from beattop.model.commandline.options import GLOBALS, OWN, TABLES, Option
from beattop.model.commandline.reading import Arguments, read
from tests.unit.commandline.oracles import (
    CLICK,
    Reading,
    Spelled,
    frozen,
    of_click,
    read_argparse,
    read_click,
    read_optparse,
)

# No deadline: the machine may be busy. Celery 5 gives `celery events` -d twice.
pytestmark = pytest.mark.filterwarnings("ignore:The parameter -d is used more than once")
relaxed = settings(max_examples=60, deadline=None)
VALUE = st.text("abz09./:@%=,_-+ é", min_size=1, max_size=8)
PLAIN = st.from_regex(r"[a-z0-9./:@%,_]{1,8}", fullmatch=True)


def ours(found: Arguments) -> Reading:
    kept = frozenset(found.flags) & {"beat", "detach", "help"}
    return Reading(dict(found.values), kept)


def spellings(options: list[Spelled]) -> dict[str, bool]:
    return {word: option.valued for option in options for word in option.options}


@st.composite
def words_of(
    draw: st.DrawFn, options: list[Spelled], value: st.SearchStrategy[str], cut: bool = False
) -> list[str]:
    """Options in every spelling that the parsers know, words of no option among them."""
    out: list[str] = []
    short = [x for option in options if not option.valued for x in option.options if len(x) == 2]
    for _ in range(draw(st.integers(0, 7))):
        option = draw(st.sampled_from(options))
        word = draw(st.sampled_from(option.options))
        if cut and word.startswith("--"):
            word = word[: draw(st.integers(3, len(word)))]
        if not option.valued:
            if len(word) == 2 and draw(st.booleans()):
                word += draw(st.sampled_from(short))[1]
            out.append(word)
        elif word.startswith("--"):
            given_value = draw(value)
            out += [f"{word}={given_value}"] if draw(st.booleans()) else [word, given_value]
        else:
            given_value = draw(value)
            out += [word + given_value] if draw(st.booleans()) else [word, given_value]
        if draw(st.integers(0, 5)) == 0:
            out.append(draw(PLAIN))
    if draw(st.integers(0, 5)) == 0:
        out += ["--", *draw(st.lists(st.sampled_from(["-B", "--beat", "x=y", "-Q"]), max_size=3))]
    return out


@pytest.mark.parametrize("name", ["worker", "beat", "events", "purge"])
@relaxed
@given(data=st.data())
def test_reads_as_the_installed_celery_does(name: str, data: st.DataObject) -> None:
    command = CLICK[name]
    words = data.draw(words_of(of_click(command), VALUE))
    assert ours(read(words, name)) == read_click(command, words)


@relaxed
@given(data=st.data())
def test_reads_the_umbrella_command_as_the_installed_celery_does(data: st.DataObject) -> None:
    from celery.bin.celery import celery as group

    context = click.Context(group, resilient_parsing=True)
    before = data.draw(words_of(of_click(group), VALUE).filter(lambda x: "--" not in x))
    found, rest, _ = group.make_parser(context).parse_args([*before, "beat"])
    assume(rest == ["beat"] and not {"--version", "--help"} & set(before))
    after = data.draw(words_of(of_click(CLICK["beat"]), VALUE))
    line = classify(["celery", *before, "beat", *after])
    assert line.role == "beat"
    assert not line.old_order
    expected = read_click(CLICK["beat"], after).values
    for name in ("app", "broker", "workdir", "config"):
        assume(not (found.get(name) or "").startswith("="))
        assert getattr(line, name) == found.get(name)
    for name in ("pidfile", "schedule", "scheduler", "hostname"):
        assert getattr(line, name) == expected.get(name)


OLD = [
    (version, command)
    for version in ("3.1.26", "4.4.7")
    for command in ("worker", "beat", "events", "purge")
]


@pytest.mark.parametrize(("version", "command"), OLD)
@relaxed
@given(data=st.data())
def test_reads_as_older_releases_do_abbreviations_too(
    version: str, command: str, data: st.DataObject
) -> None:
    options = [x for x in frozen(version, command) if "--help" not in x.options]
    words = data.draw(words_of(options, PLAIN, cut=True))
    expected = (read_optparse if version == "3.1.26" else read_argparse)(options, words)
    assume(expected is not None)
    assert ours(read(words, command)) == expected


@pytest.mark.parametrize(("version", "command"), OLD)
def test_the_table_s_column_is_the_release_s(version: str, command: str) -> None:
    own = {**(OWN.get(command) or TABLES[command]), **GLOBALS}
    if command == "purge":
        own["-f"] = TABLES["purge"]["-f"]
    mine = {word: option.valued for word, option in own.items() if version[0] in option.versions}
    assert mine == spellings(frozen(version, command))


@pytest.mark.parametrize("command", CLICK.values(), ids=CLICK)
def test_the_table_knows_every_option_of_the_installed_celery(command: click.Command) -> None:
    check(TABLES[command.name or ""], of_click(command))


def test_the_table_knows_every_global_option_of_the_installed_celery() -> None:
    from celery.bin.celery import celery as group

    check(GLOBALS, of_click(group))
    assert set(group.commands) - {"worker", "beat"} <= set(TABLES)


def check(table: dict[str, Option], options: list[Spelled]) -> None:
    for option in options:
        for word in option.options:
            assert word in table, word
            assert "5" in table[word].versions, word
            assert table[word].valued == option.valued, word
            assert table[word].field == (option.field or option.flag or ""), word


@relaxed
@given(data=st.data())
def test_a_title_reads_as_the_command_line_it_was_made_from(data: st.DataObject) -> None:
    """celery.platforms: the words joined by blanks, in brackets behind the state for a worker."""
    name = data.draw(st.sampled_from(["worker", "beat"]))
    words = ["-A", "shop", name, *data.draw(words_of(of_click(CLICK[name]), PLAIN))]
    joined = " ".join(words)
    title = (
        f"[celery beat] {joined}"
        if name == "beat"
        else f"[celeryd: w@h:MainProcess] -active- ({joined})"
    )
    told, meant = classify([title, "", ""]), classify(["celery", *words])
    assert told.title
    assert not told.child
    assert (told.role, told.app, told.queues, told.pidfile, told.schedule, told.scheduler) == (
        meant.role,
        meant.app,
        meant.queues,
        meant.pidfile,
        meant.schedule,
        meant.scheduler,
    )
