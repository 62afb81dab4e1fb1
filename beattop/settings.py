"""What the user wants, gathered from files, environment and options; frozen."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIFECYCLES = ("auto", "connector", "log", "poll")
THEMES = ("auto", "dark", "light", "ansi")
OFF = frozenset({"", "0", "false", "no"})
SYSTEM_FILE = Path("/etc/beattop.toml")
_MOST_BYTES = 1 << 20


class ConfigError(Exception):
    """A configuration that cannot be used; its text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """One supervisord the user named: a URL or a conf file, with credentials where needed."""

    target: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    told_by: str = field(default="--supervisor", compare=False)
    """Where the user wrote it, for words on what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may be set; read-only, once set by any source, stays."""

    read_only: bool = False
    read_only_why: str = ""
    interval: float = 1.0
    lifecycle: str = "auto"
    supervisors: tuple[ServerSetting, ...] = ()
    """Named with --supervisor: limits programs and actions to these. Empty: discover all."""
    credentials: tuple[ServerSetting, ...] = ()
    """From the config's [[supervisor]]: how to log in, without limiting anything."""
    price_per_core_hour: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    no_color: bool = False
    ascii: bool = False
    bell: bool = False
    theme: str | None = None
    title: str | None = None
    """Shown in the header: "demo", or the name of a recording."""


def user_file(environ: Mapping[str, str]) -> Path | None:
    """~/.config/beattop/config.toml; None without a home."""
    home = environ.get("HOME") or os.path.expanduser("~")
    return Path(home) / ".config" / "beattop" / "config.toml" if home.startswith("/") else None


def load(configs: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Settings from the files, `configs` last, then the environment; options are the caller's.

    Raises ConfigError for a file that is malformed, unreadable or (if named) absent: never a
    writable start by mistake, nor by a shell variable that is not set.
    """
    if not all(configs):
        raise ConfigError("--config: no file is named: correct it")
    settings = Settings()
    for path, needed in (
        (SYSTEM_FILE, False),
        (user_file(environ), False),
        *((Path(config), True) for config in configs),
    ):
        if path is not None:
            settings = _with_file(settings, path, needed)
    return _with_environment(settings, environ)


def _with_file(settings: Settings, path: Path, needed: bool) -> Settings:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        if needed:
            raise ConfigError(f"{path}: no such config file: correct --config") from None
        return settings
    except NotADirectoryError:
        return settings
    except OSError as error:
        if not needed and isinstance(error, PermissionError) and not _is_there(path):
            return settings
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): mend its mode") from None
    if len(raw) > _MOST_BYTES:
        raise ConfigError(f"{path}: far too long for a config file: correct it")
    try:
        table = tomllib.loads(raw.decode())
    except RecursionError:
        raise ConfigError(f"{path}: not valid TOML (nested too deeply): correct it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid TOML ({reason}): correct it") from None
    return _with_table(settings, table, path)


def _is_there(path: Path) -> bool:
    """Whether the file itself is denied, not just a folder above it that belongs to another."""
    return os.access(path.parent, os.X_OK)


def _with_table(settings: Settings, table: Mapping[str, Any], path: Path) -> Settings:
    known = {
        "read_only": bool,
        "interval": (int, float),
        "price_per_core_hour": (int, float),
        "lifecycle": str,
        "no_color": bool,
        "ascii": bool,
        "bell": bool,
        "theme": str,
    }
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key == "keys":
            changes["keys"] = {**settings.keys, **_keys(value, path)}
        elif key == "supervisor":
            changes["credentials"] = settings.credentials + _servers(value, path)
        elif key not in known:
            names = ", ".join([*known, "keys", "supervisor"])
            raise ConfigError(f"{path}: unknown key {key!r}: use one of {names}")
        elif not isinstance(value, known[key]) or (  # type: ignore[arg-type]
            isinstance(value, bool) and known[key] is not bool
        ):
            raise ConfigError(f"{path}: {key} has the wrong type ({value!r}): correct it")
        else:
            changes[key] = value
    if "interval" in changes:
        changes["interval"] = interval(changes["interval"], f"{path}: interval")
    if "price_per_core_hour" in changes:
        changes["price_per_core_hour"] = price(
            changes["price_per_core_hour"], f"{path}: price_per_core_hour"
        )
    if changes.get("lifecycle", "auto") not in LIFECYCLES:
        raise ConfigError(f"{path}: lifecycle must be one of {', '.join(LIFECYCLES)}")
    if changes.get("theme", "auto") not in THEMES:
        raise ConfigError(f"{path}: theme must be one of {', '.join(THEMES)}")
    if changes.pop("read_only", False):
        settings = read_only(settings, f"read_only in {path}")
    return replace(settings, **changes)


def _keys(value: object, path: Path) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigError(f'{path}: [keys] must hold lines like  stop = "X"')
    return dict(value)


def _servers(value: object, path: Path) -> tuple[ServerSetting, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{path}: write [[supervisor]] with double brackets")
    out = []
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
            raise ConfigError(f'{path}: each [[supervisor]] needs url = "..."')
        unknown = set(entry) - {"url", "username", "password"}
        texts = [entry.get(name) for name in ("username", "password")]
        if unknown or any(t is not None and not isinstance(t, str) for t in texts):
            raise ConfigError(f"{path}: [[supervisor]] takes the texts url, username and password")
        where = f"{path}: [[supervisor]] url"
        out.append(ServerSetting(entry["url"], entry.get("username"), entry.get("password"), where))
    return tuple(out)


def _with_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    value = environ.get("BEATTOP_READ_ONLY")
    if value is not None and value.strip().lower() not in OFF:
        settings = read_only(settings, "BEATTOP_READ_ONLY is set")
    if environ.get("NO_COLOR"):
        settings = replace(settings, no_color=True)
    return settings


def read_only(settings: Settings, why: str) -> Settings:
    """Read-only from now on; nothing takes it back."""
    if settings.read_only:
        return settings
    return replace(settings, read_only=True, read_only_why=why)


def interval(value: float, what: str) -> float:
    """A sane sampling interval in seconds; raises ConfigError otherwise."""
    if not 0.1 <= value <= 3600:
        raise ConfigError(f"{what} must be between 0.1 and 3600 seconds")
    return float(value)


def price(value: float, what: str) -> float:
    """A price as it can be; raises ConfigError for nan, infinity and less than nothing."""
    if not 0 <= value < math.inf:
        raise ConfigError(f"{what} must be 0 or more")
    return float(value)


def named(targets: Sequence[str]) -> tuple[ServerSetting, ...]:
    """--supervisor's values as they were typed."""
    return tuple(ServerSetting(target) for target in targets)
