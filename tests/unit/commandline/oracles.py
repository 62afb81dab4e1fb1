"""Celery's own parsers: click objects of the installed release, frozen tables of 3.1 and 4.4."""

from __future__ import annotations

import argparse
import json
import optparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from celery.bin.beat import beat
from celery.bin.events import events
from celery.bin.purge import purge
from celery.bin.worker import worker

HERE = Path(__file__).parent
CLICK = {command.name: command for command in (worker, beat, events, purge)}
FIELD_OF = {
    "--app": "app",
    "--broker": "broker",
    "--config": "config",
    "--workdir": "workdir",
    "--pidfile": "pidfile",
    "--hostname": "hostname",
    "--queues": "queues",
    "--schedule": "schedule",
    "--scheduler": "scheduler",
    "--max-interval": "max_interval",
}
FLAG_OF = {"--beat": "beat", "--detach": "detach", "--help": "help", "--version": "help"}


@dataclass(frozen=True)
class Spelled:
    """One option of one command: its spellings and whether a value follows."""

    options: tuple[str, ...]
    valued: bool

    @property
    def field(self) -> str | None:
        return next((FIELD_OF[x] for x in self.options if x in FIELD_OF), None)

    @property
    def flag(self) -> str | None:
        return next((FLAG_OF[x] for x in self.options if x in FLAG_OF), None)


def frozen(version: str, command: str) -> list[Spelled]:
    rows = json.loads((HERE / f"celery-{version}.json").read_text())[command]
    return [Spelled(tuple(row["options"]), row["value"]) for row in rows]


def of_click(command: click.Command) -> list[Spelled]:
    # Celery 5 gives `celery events` -d twice: for --dump as ever, for --detach by mistake.
    twice = {"-d"} if command.name == "events" else set()
    return [
        Spelled(tuple(x for x in (*param.opts, *param.secondary_opts) if x not in twice), valued)
        for param in command.params
        if isinstance(param, click.Option)
        for valued in [not param.is_flag]
    ]


@dataclass(frozen=True)
class Reading:
    """What an oracle makes of a command line: last value of each field, flags set."""

    values: dict[str, str]
    flags: frozenset[str]


def read_click(command: click.Command, words: Sequence[str]) -> Reading:
    """click's parser alone: no callbacks, no conversion, no environment."""
    context = click.Context(command, resilient_parsing=True, ignore_unknown_options=True)
    found, _, _ = command.make_parser(context).parse_args(list(words))
    values, flags = {}, set()
    for param in command.params:
        if not isinstance(param, click.Option) or param.name not in found:
            continue
        spelled = Spelled((*param.opts, *param.secondary_opts), not param.is_flag)
        if spelled.field and spelled.valued:
            values[spelled.field] = found[param.name]
        elif spelled.flag:
            flags.add(spelled.flag)
    return Reading(values, frozenset(flags))


def _reading(options: list[Spelled], found: dict[str, Any]) -> Reading:
    values, flags = {}, set()
    for index, spelled in enumerate(options):
        value = found.get(f"o{index}")
        if spelled.field and spelled.valued and value is not None:
            values[spelled.field] = value
        elif spelled.flag and value:
            flags.add(spelled.flag)
    return Reading(values, frozenset(flags))


class _Refusing(optparse.OptionParser):
    def error(self, msg: str) -> None:  # type: ignore[override]
        raise ValueError(msg)

    def exit(self, status: int = 0, msg: str | None = None) -> None:  # type: ignore[override]
        raise ValueError(msg)


def read_optparse(options: list[Spelled], words: Sequence[str]) -> Reading | None:
    """As Celery 3.1 reads; None where it refuses."""
    parser = _Refusing(add_help_option=False)
    for index, spelled in enumerate(options):
        parser.add_option(
            *spelled.options, dest=f"o{index}", action="store" if spelled.valued else "store_true"
        )
    try:
        found, _ = parser.parse_args(list(words))
    except ValueError:
        return None
    return _reading(options, vars(found))


class _RefusingArguments(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise ValueError(message)


def read_argparse(options: list[Spelled], words: Sequence[str]) -> Reading | None:
    """As Celery 4.x reads; None where it refuses."""
    parser = _RefusingArguments(add_help=False)
    for index, spelled in enumerate(options):
        parser.add_argument(
            *spelled.options, dest=f"o{index}", action="store" if spelled.valued else "store_true"
        )
    parser.add_argument("args", nargs="*")
    try:
        found, _ = parser.parse_known_args(list(words))
    except ValueError:
        return None
    return _reading(options, vars(found))
