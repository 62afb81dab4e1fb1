"""The commands; a face is imported only when it is asked for."""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from beattop import __version__
from beattop.settings import (
    LIFECYCLES,
    ConfigError,
    Settings,
    interval,
    load,
    named,
    price,
    read_only,
)

F = TypeVar("F", bound=Callable[..., Any])

_COMMON = (
    click.option("--supervisor", multiple=True, metavar="URL_OR_CONF", help="Only this supervisord: unix:///path, http://user:pw@host:port or a conf file. Repeatable."),
    click.option("--read-only", is_flag=True, help="Change nothing; show the commands instead."),
    click.option("--config", multiple=True, metavar="FILE", help="One more config file (TOML). Repeatable."),
    click.option("--no-color", is_flag=True, help="No colours (also: NO_COLOR)."),
    click.option("--ascii", is_flag=True, help="Plain ASCII signs."),
    click.option("--interval", type=float, metavar="SECONDS", help="Time between samples (default 1)."),
    click.option("--lifecycle", type=click.Choice(LIFECYCLES), help="How births and deaths are seen (default auto)."),
    click.option("--price", type=float, metavar="MONEY", help="Price of a core-hour, to tell what churn costs."),
    click.version_option(__version__, "--version", "-V", prog_name="beattop", message="%(prog)s %(version)s"),
)  # fmt: skip


def common(function: F) -> F:
    """Add the options that every command takes, before or after its name."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


def _merged(ctx: click.Context, /, given: dict[str, Any]) -> dict[str, Any]:
    """Options before the command's name and after it, as one."""
    out: dict[str, Any] = dict(ctx.obj or {})
    for key, value in given.items():
        if key in ("supervisor", "config"):
            out[key] = (*out.get(key, ()), *value)
        elif value not in (None, False) or key not in out:
            out[key] = value
    return out


def settings_of(ctx: click.Context, /, given: dict[str, Any]) -> Settings:
    """Files, environment, options, in this order; raises ConfigError."""
    options = _merged(ctx, given)
    settings = load(options.get("config", ()), os.environ)
    _check_keys(settings)
    if options.get("read_only"):
        settings = read_only(settings, "--read-only was given")
    changes: dict[str, Any] = {}
    if options.get("supervisor"):
        changes["supervisors"] = named(options["supervisor"])
    if options.get("interval") is not None:
        changes["interval"] = interval(options["interval"], "--interval")
    if options.get("price") is not None:
        changes["price_per_core_hour"] = price(options["price"], "--price")
    for name in ("lifecycle", "no_color", "ascii"):
        if options.get(name):
            changes[name] = options[name]
    return replace(settings, **changes)


def _check_keys(settings: Settings) -> None:
    """The same config is good, or bad, for every command."""
    if not settings.keys:
        return
    from beattop.ui.keymap import Keymap  # noqa: PLC0415 - the table alone, without Textual

    try:
        Keymap(settings.keys)
    except ValueError as error:
        raise ConfigError(f"config: {error}") from None


class _ReaderGone(Exception):
    """A broken pipe, past click: it would make exit 1 of it, which means something else here."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGone from None


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@common
@click.option("--once", is_flag=True, help="Look once, print, end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: one JSON document.")
@click.option(
    "--observe", type=float, metavar="SECONDS", help="With --once: how long to look (default 2)."
)
@click.option("--bell", is_flag=True, help="Ring on a new critical finding.")
@click.pass_context
def beattop(
    ctx: click.Context,
    /,
    once: bool,
    as_json: bool,
    observe: float | None,
    bell: bool,
    **given: Any,
) -> int:
    """An htop for supervisord and Celery: what respawns, what it burns, and the key that ends it.

    Without a command: the live screen on this box.
    """
    if ctx.invoked_subcommand is not None:
        if once or as_json or observe is not None:
            raise click.UsageError(
                "--once, --json and --observe take no command: leave one of them out"
            )
        ctx.obj = given
        return 0
    settings = settings_of(ctx, given)
    if not once:
        if as_json or observe is not None:
            raise click.UsageError("--json and --observe belong to --once: add --once")
        from beattop.commands import live  # noqa: PLC0415

        return live.run(replace(settings, bell=settings.bell or bell))
    from beattop.commands import look  # noqa: PLC0415

    return look.run(settings, as_json=as_json, observe=_observe(observe))


def _observe(seconds: float | None, default: float = 2.0) -> float:
    if seconds is None:
        return default
    if not 0 <= seconds <= 86400:
        raise click.UsageError("--observe takes 0 to 86400 seconds")
    return seconds


@beattop.command()
@common
@click.option("--oneline", is_flag=True, help="The short form for tmux's status line.")
@click.option("--observe", type=float, metavar="SECONDS", help="How long to look (default 2).")
@click.pass_context
def check(ctx: click.Context, /, oneline: bool, observe: float | None, **given: Any) -> int:
    """One line and an exit status for Nagios, Icinga, cron and tmux."""
    from beattop.commands import look  # noqa: PLC0415

    return look.check(settings_of(ctx, given), oneline=oneline, observe=_observe(observe))


@beattop.command("stop-duplicates")
@common
@click.argument("namespecs", nargs=-1, metavar="[NAMESPEC]...")
@click.option("--yes", is_flag=True, help="Carry the plan out instead of only printing it.")
@click.option("--observe", type=float, metavar="SECONDS", help="How long to look (default 2).")
@click.pass_context
def stop_duplicates(
    ctx: click.Context,
    /,
    namespecs: tuple[str, ...],
    yes: bool,
    observe: float | None,
    **given: Any,
) -> int:
    """Print the plan that stops duplicate beats; with --yes carry it out and verify it."""
    from beattop.commands import mend  # noqa: PLC0415

    return mend.run(settings_of(ctx, given), namespecs, yes=yes, observe=_observe(observe))


@beattop.command()
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--seconds", type=float, metavar="N", help="End after so long (default: until Ctrl-C)."
)
@click.pass_context
def record(ctx: click.Context, /, file: Path, seconds: float | None, **given: Any) -> int:
    """Keep samples in FILE (- for stdout) while they happen.

    An hour takes some 7 MB with a few programs, more where much is born and dies; it packs to a
    tenth (unpack it before replay).
    """
    from beattop.commands import tape  # noqa: PLC0415

    if seconds is not None and not 0 < seconds < math.inf:
        raise click.UsageError("--seconds must be more than 0")
    return tape.record(settings_of(ctx, given), file, seconds)


@beattop.command()
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Print the end of the recording instead of a screen.")
@click.option("--json", "as_json", is_flag=True, help="With --once: one JSON document.")
@click.pass_context
def replay(ctx: click.Context, /, file: Path, once: bool, as_json: bool, **given: Any) -> int:
    """Look at a recording in the same screen."""
    from beattop.commands import tape  # noqa: PLC0415

    if as_json and not once:
        raise click.UsageError("--json belongs to --once: add --once")
    return tape.replay(settings_of(ctx, given), file, once=once, as_json=as_json)


@beattop.command()
@common
@click.option(
    "--headless", type=float, metavar="SECONDS", help="No screen: print the JSON after so long."
)
@click.pass_context
def demo(ctx: click.Context, /, headless: float | None, **given: Any) -> int:
    """The original incident in a private folder; nothing of it stays."""
    from beattop.commands import show  # noqa: PLC0415

    if headless is not None and not 0 < headless <= 3600:
        raise click.UsageError("--headless takes more than 0 and at most 3600 seconds")
    settings = settings_of(ctx, given)
    if settings.supervisors:
        raise click.UsageError("the demo brings its own supervisord: leave --supervisor out")
    return show.run(settings, headless)


@beattop.command()
@common
@click.pass_context
def classify(ctx: click.Context, /, **given: Any) -> int:
    """Read {"argv": [...], "cwd": null} lines; write what each command line is to Celery."""
    from beattop.reports import classify as report  # noqa: PLC0415

    settings_of(ctx, given)
    if sys.stdin is None:
        return complain("classify reads lines from standard input, which is closed")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    return report.run(sys.stdin, sys.stdout)


@beattop.command()
@common
@click.option("--textfile", type=click.Path(path_type=Path), help="Write once for node_exporter.")
@click.option("--listen", metavar="ADDR:PORT", help="Serve /metrics until ended.")
@click.option("--observe", type=float, metavar="SECONDS", help="How long to look (default 2).")
@click.pass_context
def metrics(
    ctx: click.Context,
    /,
    textfile: Path | None,
    listen: str | None,
    observe: float | None,
    **given: Any,
) -> int:
    """OpenMetrics for a Prometheus fleet; without an option: printed once."""
    from beattop.commands import expose  # noqa: PLC0415

    if textfile and listen:
        raise click.UsageError("--textfile and --listen exclude each other: leave one out")
    return expose.run(settings_of(ctx, given), textfile, listen, _observe(observe))


def run(args: Sequence[str]) -> int:
    """Run one command line; every failure is one line on stderr. Returns the exit status."""
    try:
        status = beattop.main(args=list(args), prog_name="beattop", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        text = " ".join(error.format_message().split())
        hint = "" if ":" in text and "beattop" in text else " (see beattop --help)"
        return complain(text.rstrip(".") + hint)
    except ConfigError as error:
        return complain(str(error))
    except (BrokenPipeError, _ReaderGone):
        raise BrokenPipeError from None
    except Exception as error:  # noqa: BLE001  the outermost boundary: no traceback reaches a user
        return _crashed(error)
    return status if isinstance(status, int) else 0


def complain(text: str, status: int = 2) -> int:
    """One clear line on stderr."""
    print(f"beattop: {text}", file=sys.stderr)
    return status


def _crashed(error: Exception) -> int:
    import traceback  # noqa: PLC0415

    from beattop.text import safe  # noqa: PLC0415

    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(where.filename).name}:{where.lineno}"
    if os.environ.get("BEATTOP_DEBUG"):
        traceback.print_exception(error)
    return complain(
        f"an error of its own: {type(error).__name__}: {safe(str(error))} at {place}; "
        "please report it (BEATTOP_DEBUG=1 shows more)",
        70,
    )
