"""Frozen dataclasses to JSON values and back, by their annotations."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from beattop.model import lifecycle, sample

_TAG = "_"


class Malformed(ValueError):
    """A value that does not fit the type it is read as."""


def to_plain(value: object) -> Any:
    """Dataclasses as objects, tuples as lists; a union of dataclasses is tagged by class name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, lifecycle.Fork | lifecycle.Exec | lifecycle.Exit):
            out[_TAG] = type(value).__name__
        return out
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    return value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


@cache
def reader(kind: Any) -> Callable[[Any], Any]:
    """A function that reads a plain value as `kind`; it raises Malformed."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return lambda value: value
    if origin in (Union, types.UnionType):
        return _union(args)
    if origin is tuple:
        return _tuple(args)
    if origin is Literal:
        return _literal(args)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(args)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named(kind)
    return _scalar(kind)


def _scalar(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Malformed(f"{value!r:.60} is no {kind.__name__}")
        return value

    return read


def _literal(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if value not in args:
            raise Malformed(f"{value!r:.60} is none of {args}")
        return value

    return read


def _union(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    optional = type(None) in args
    kinds = [a for a in args if a is not type(None)]
    tagged: dict[str, Any] = {
        k.__name__: k for k in kinds if isinstance(k, type) and dataclasses.is_dataclass(k)
    }

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        if isinstance(value, dict) and value.get(_TAG) in tagged:
            return reader(tagged[value[_TAG]])(value)
        for kind in kinds:
            try:
                return reader(kind)(value)
            except Malformed:
                if kind is kinds[-1]:
                    raise
        raise Malformed(f"{value!r:.60} fits no kind")

    return read


def _tuple(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise Malformed(f"{value!r:.60} is no list")
        if len(args) == 2 and args[1] is Ellipsis:
            each = reader(args[0])
            return tuple(each(item) for item in value)
        if len(value) != len(args):
            raise Malformed(f"{len(value)} items where {len(args)} belong")
        return tuple(reader(a)(item) for a, item in zip(args, value, strict=True))

    return read


def _mapping(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Malformed(f"{value!r:.60} is no object")
        return {reader(args[0])(k): reader(args[1])(v) for k, v in value.items()}

    return read


def _named(kind: Any) -> Callable[[Any], Any]:
    hints = [_hints(kind)[name] for name in kind._fields]

    def read(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(hints):
            raise Malformed(f"{value!r:.60} is no {kind.__name__}")
        return kind(*(reader(h)(item) for h, item in zip(hints, value, strict=True)))

    return read


def _dataclass(kind: Any) -> Callable[[Any], Any]:
    fields = {
        f.name: (
            reader(_hints(kind)[f.name]),
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
        )
        for f in dataclasses.fields(kind)
    }

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Malformed(f"{value!r:.60} is no {kind.__name__}")
        given = {}
        for name, (each, needed) in fields.items():
            if name in value:
                given[name] = each(value[name])
            elif needed:
                raise Malformed(f"{kind.__name__} lacks {name}")
        return kind(**given)

    return read


def read_sample(value: Any) -> sample.Sample:
    """A sample from its plain form; raises Malformed."""
    found: sample.Sample = reader(sample.Sample)(value)
    return found
